"""
Tracks of connections that are not ours: what comes over one, and one to be sent.

Whoever made the connection chose its codec, so these carry sound and no packets, and ``aiortc``
codes it. Both are :data:`~unirt.transports.webrtc.opus.FORMAT` here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from fractions import Fraction
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from unirt.transports.webrtc.opus import FORMAT, FRAME_BYTES, sound_in
from unirt.transports.webrtc.outgoing import PacedTrack

__all__ = ["FrameTrack", "sound_of"]

_SAMPLES = FRAME_BYTES // FORMAT.frame_bytes
_TIME_BASE = Fraction(1, FORMAT.rate)


class FrameTrack(PacedTrack):
    """20 ms of sound every 20 ms."""

    def __init__(self, take: Callable[[], bytes]) -> None:
        super().__init__(take)
        self._pts = 0

    async def recv(self) -> AudioFrame:
        """The next frame, at its time."""
        data = await self._next()
        # Both channels are written here: to make two of one, the encoder would lower its level.
        frame = AudioFrame(format="s16", layout="stereo", samples=_SAMPLES)
        both: Any = np.repeat(np.frombuffer(data, "<i2"), 2)  # any buffer is taken
        frame.planes[0].update(both)
        frame.sample_rate, frame.time_base = FORMAT.rate, _TIME_BASE
        frame.pts, self._pts = self._pts, self._pts + _SAMPLES
        return frame


async def sound_of(track: MediaStreamTrack) -> AsyncGenerator[bytes]:
    """What comes over a track, until it ends."""
    resampler = AudioResampler(format="s16", layout="mono", rate=FORMAT.rate)
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if isinstance(frame, AudioFrame):
            frame.pts = None  # whole runs of samples, whatever their time
            for piece in resampler.resample(frame):
                yield sound_in(piece)
