"""
Synthetic sound: what a simulated person says, and what a simulated model answers.

Every signal is a pure function of its arguments, so the same scenario sounds the same, byte for
byte, wherever it runs.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from unirt.audio import AudioFormat, Encoding
from unirt.session.resample import Converter
from unirt.sound.wav import read_wav

__all__ = ["decode", "encode", "load_wav", "silence", "speech", "tune"]

Samples = npt.NDArray[np.float32]
"Mono, -1.0 to 1.0."

_PITCH_HZ = 140.0
_SYLLABLE_HZ = 4.0
_SCALE_HZ = (392.0, 440.0, 493.88, 587.33, 659.25)
"G major pentatonic, one note a word."


def speech(ms: float, format: AudioFormat) -> bytes:
    """Something that energy detectors take for a voice: a buzz with formants and syllables."""
    t = _seconds(ms, format)
    carrier = sum(
        np.sin(2 * np.pi * _PITCH_HZ * k * t) * weight
        for k, weight in ((1, 1.0), (2, 0.6), (4, 0.8), (5, 0.7), (9, 0.3), (17, 0.15))
    )
    envelope = 0.65 + 0.35 * np.sin(2 * np.pi * _SYLLABLE_HZ * t)
    return encode((0.12 * carrier * envelope).astype(np.float32), format)


def silence(ms: float, format: AudioFormat) -> bytes:
    """Nothing."""
    return encode(np.zeros(len(_seconds(ms, format)), np.float32), format)


@lru_cache(maxsize=64)
def tune(text: str, ms: float, format: AudioFormat) -> bytes:
    """A model's voice: one soft note a word, its pitch taken from the word."""
    words = text.split() or [""]
    t = _seconds(ms, format)
    signal = np.zeros(len(t), np.float32)
    edges = np.linspace(0, len(t), len(words) + 1).astype(int)
    for word, start, end in zip(words, edges, edges[1:], strict=False):
        pitch = _SCALE_HZ[sum(map(ord, word)) % len(_SCALE_HZ)]
        note = t[start:end] - t[start] if end > start else t[:0]
        ramp = np.minimum(1.0, np.minimum(note, note[::-1]) / 0.01)
        signal[start:end] = 0.2 * ramp * np.sin(2 * np.pi * pitch * note)
    return encode(signal, format)


def load_wav(path: Path, format: AudioFormat) -> bytes:
    """
    A WAV file in another format.

    Raises:
        ConfigurationError: It cannot be read, or its samples are of a kind that is not known.
    """
    frames, given = read_wav(path)
    converter = Converter(given, format)
    return converter.feed(frames) + converter.flush()


def decode(data: bytes, format: AudioFormat) -> Samples:
    """The samples, all channels mixed into one."""
    return np.frombuffer(Converter(format, _plain(format.rate)).feed(data), "<f4")


def encode(samples: Samples, format: AudioFormat) -> bytes:
    """Samples in a format, the same in every channel."""
    return Converter(_plain(format.rate), format).feed(samples.astype("<f4").tobytes())


@lru_cache(maxsize=16)
def _plain(rate: int) -> AudioFormat:
    return AudioFormat(rate=rate, encoding=Encoding.FLOAT32)


def _seconds(ms: float, format: AudioFormat) -> npt.NDArray[Any]:
    return np.arange(int(ms * format.rate / 1000)) / format.rate
