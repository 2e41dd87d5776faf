"""
Tones: what sound tests send, and how they judge what came out.

A pure tone hides nothing. Where samples are lost, doubled, faded or badly joined, what is left of
it after the best fitting pure tone is taken away has a peak just there, however short it is.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from unirt.audio import AudioFormat, Encoding
from unirt.session.resample import Converter

__all__ = ["HZ", "Heard", "judge", "samples", "steady", "tone"]

HZ = 1_000.0
AMPLITUDE = 0.5
_COARSE = (Encoding.ULAW, Encoding.ALAW)

Samples = npt.NDArray[np.float64]


def tone(
    format: AudioFormat, seconds: float = 1.0, *, hz: float = HZ, amplitude: float = AMPLITUDE
) -> bytes:
    """A tone in every channel, that begins and ends at zero."""
    at = np.arange(round(format.rate * seconds)) / format.rate
    wave = (amplitude * np.sin(2 * np.pi * hz * at)).astype("<f4")
    plain = AudioFormat(rate=format.rate, encoding=Encoding.FLOAT32)
    return Converter(plain, format).feed(wave.tobytes())


def samples(data: bytes | bytearray, format: AudioFormat) -> Samples:
    """The first channel, as floats; the others hold the same, or this fails."""
    target = AudioFormat(rate=format.rate, channels=format.channels, encoding=Encoding.FLOAT32)
    flat = np.frombuffer(Converter(format, target).feed(bytes(data)), "<f4").astype(np.float64)
    rows = flat.reshape(-1, format.channels)
    assert np.array_equal(rows, np.repeat(rows[:, :1], format.channels, axis=1))
    return rows[:, 0]


@attrs.frozen
class Heard:
    """What a tone became."""

    seconds: float
    "How long it is."
    hz: float
    "Where its spectrum has its peak."
    amplitude: float
    worst: float
    "How far any sample of its middle is from the best fitting pure tone, in parts of its peak."


def judge(data: bytes | bytearray, format: AudioFormat, *, hz: float = HZ) -> Heard:
    """Find the tone in a recording, and measure it."""
    heard = samples(data, format)
    loud = np.flatnonzero(np.abs(heard) > AMPLITUDE / 10)
    assert len(loud), "nothing is heard"
    whole = heard[loud[0] : loud[-1] + 1]
    edge = round(format.rate * 0.03)  # where filters ring
    middle = whole[edge:-edge]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    turns = 2 * np.pi * hz * np.arange(len(middle)) / format.rate
    basis = np.stack([np.sin(turns), np.cos(turns)], axis=1)
    fit: Any = np.linalg.lstsq(basis, middle, rcond=None)[0]
    amplitude = float(np.hypot(*fit))
    worst = float(np.abs(middle - basis @ fit).max()) / amplitude
    peak = float(spectrum.argmax()) * format.rate / len(middle)
    return Heard(len(whole) / format.rate, peak, amplitude, worst)


def steady(
    heard: Heard, *formats: AudioFormat, seconds: float = 1.0, amplitude: float = AMPLITUDE
) -> None:
    """
    Judge a tone that went through those formats: whole, in tune, as loud, and without a click.

    Raises:
        AssertionError: It is not.
    """
    coarse = any(format.encoding in _COARSE for format in formats)
    assert abs(heard.seconds - seconds) < 0.01, heard
    assert abs(heard.hz - HZ) <= 1 / (seconds - 0.06), heard
    assert abs(heard.amplitude / amplitude - 1) < (0.03 if coarse else 0.002), heard
    assert heard.worst < (0.06 if coarse else 0.002), heard
