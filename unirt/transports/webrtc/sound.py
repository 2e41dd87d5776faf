"""
Sound between a track and everybody else: what it is, and how it becomes frames and back.

A voice needs one channel at 24 kHz. That is what goes into a track here and comes out of one,
whatever is in between.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from av import AudioFrame, AudioResampler

from unirt.audio import PCM16_24K, AudioFormat

__all__ = ["FORMAT", "FRAME_BYTES", "FRAME_MS", "FRAME_SAMPLES", "Resampler", "framed"]

FORMAT: Final[AudioFormat] = PCM16_24K
"What goes into a track and comes out of one."
FRAME_MS: Final = 20
FRAME_BYTES: Final = FORMAT.bytes_for(FRAME_MS)
FRAME_SAMPLES: Final = FRAME_BYTES // FORMAT.frame_bytes
_TIME_BASE = Fraction(1, FORMAT.rate)


def framed(data: bytes, at: int, layout: str = "mono") -> AudioFrame:
    """20 ms of samples, which begin `at` so many in their track."""
    frame = AudioFrame(format="s16", layout=layout, samples=FRAME_SAMPLES)
    frame.planes[0].update(data)
    frame.sample_rate, frame.time_base, frame.pts = FORMAT.rate, _TIME_BASE, at
    return frame


class Resampler:
    """What frames of one track hold, in :data:`FORMAT`."""

    def __init__(self) -> None:
        self._resampler = AudioResampler(format="s16", layout="mono", rate=FORMAT.rate)

    def samples(self, frame: AudioFrame) -> bytes:
        """Those of the next frame; a few of them may come with the one after it."""
        frame.pts = None  # whole runs of samples, whatever their time
        return b"".join(
            bytes(memoryview(piece.planes[0])[: piece.samples * FORMAT.frame_bytes])
            for piece in self._resampler.resample(frame)
        )
