"""Samples of the pieces of a lane: for waveforms, for loudness, for playing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unirt.audio import AudioFormat, Encoding
from unirt.session.resample import Converter
from unirt.timeline.values import Lane, Piece

__all__ = ["mixdown", "peaks", "voice_ms"]

Samples = npt.NDArray[np.float32]
"Mono, -1.0 to 1.0."

_LEAST = 0.005
"Whatever is not as loud as this is nobody, however quiet everything else is."
_VOICE = 0.1
_WINDOW_MS = 20.0


def _samples(piece: Piece, rate: int | None = None) -> Samples:
    """What is left of a piece, all channels mixed into one; what was cut is silence."""
    format = piece.format
    target = AudioFormat(rate=format.rate, encoding=Encoding.FLOAT32)
    data = piece.data[: piece.kept_bytes]
    data = data[: len(data) - len(data) % format.frame_bytes]
    left = np.frombuffer(Converter(format, target).feed(data), "<f4")
    samples = np.zeros(len(piece.data) // format.frame_bytes, np.float32)
    samples[: len(left)] = left
    if rate is None or rate == format.rate:
        return samples
    where = np.arange(int(len(samples) * rate / format.rate)) * (format.rate / rate)
    moved: Samples = np.interp(where, np.arange(len(samples)), samples).astype(np.float32)
    return moved


def peaks(lane: Lane, end_ms: float, width: int, *, heard: bool = True) -> list[int]:
    """
    The loudest that a lane is in each of `width` equal parts of the time, from 0 to 255.

    The scale is that of a square root, so that a quiet voice is seen.

    Args:
        lane: Whose sound.
        end_ms: When the last part ends.
        width: How many parts.
        heard: Whether what an interruption kept from being heard is left out.
    """
    found = np.zeros(width, np.float32)
    per_ms = width / end_ms if end_ms > 0 else 0.0
    for piece in lane.pieces:
        samples = np.abs(_samples(piece))
        if heard:
            samples = samples[: int(piece.heard_ms * piece.format.rate / 1000)]
        if not len(samples):
            continue
        at_ms = piece.start_ms + np.arange(len(samples)) * (1000 / piece.format.rate)
        place = np.minimum((at_ms * per_ms).astype(np.int64), width - 1)
        np.maximum.at(found, place, samples)
    return [int(value) for value in np.minimum(np.sqrt(found) * 255, 255)]


def mixdown(lane: Lane, end_ms: float, rate: int) -> bytes:
    """The lane as a listener hears it, in 16-bit PCM from the start of the cassette."""
    whole = np.zeros(int(end_ms * rate / 1000) + 1, np.float32)
    for piece in lane.pieces:
        samples = _samples(piece, rate)[: int(piece.heard_ms * rate / 1000)]
        start = int(piece.start_ms * rate / 1000)
        samples = samples[: max(0, len(whole) - start)]
        whole[start : start + len(samples)] += samples
    scaled: npt.NDArray[Any] = np.clip(whole, -1.0, 1.0) * 32767
    return scaled.astype("<i2").tobytes()


def voice_ms(lane: Lane) -> list[float]:
    """
    When a voice is heard in a lane: the end of each window of 20 ms that is loud, in order.

    Loud is what is at least a tenth as loud as the loudest in the lane: a voice, and not its room.
    """
    levels: list[tuple[float, float]] = []
    for piece in lane.pieces:
        samples, rate = _samples(piece), piece.format.rate
        size = max(1, int(_WINDOW_MS * rate / 1000))
        for start in range(0, len(samples), size):
            window = samples[start : start + size]
            end_ms = piece.start_ms + (start + len(window)) * 1000 / rate
            levels.append((end_ms, float(np.sqrt(np.mean(window * window)))))
    least = max(_LEAST, _VOICE * max((level for _, level in levels), default=0.0))
    return [end_ms for end_ms, level in levels if level >= least]
