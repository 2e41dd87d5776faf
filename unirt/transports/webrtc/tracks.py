"""
Tracks of connections that are not ours: what comes over one, and one to be sent.

Whoever made the connection chose its codec, so these carry sound and no packets, and ``aiortc``
codes it. Both are :data:`~unirt.transports.webrtc.sound.FORMAT` here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from unirt.transports.webrtc.outgoing import PacedTrack
from unirt.transports.webrtc.sound import FRAME_SAMPLES, Resampler, framed

__all__ = ["FrameTrack", "sound_of"]


class FrameTrack(PacedTrack):
    """20 ms of sound every 20 ms."""

    def __init__(self, take: Callable[[], bytes]) -> None:
        super().__init__(take)
        self._samples = 0

    async def recv(self) -> AudioFrame:
        """The next frame, at its time."""
        data = await self._next()
        # Both channels are written here: to make two of one, the encoder would lower its level.
        both: Any = np.repeat(np.frombuffer(data, "<i2"), 2)  # any buffer is taken
        frame = framed(both, self._samples, layout="stereo")
        self._samples += FRAME_SAMPLES
        return frame


async def sound_of(track: MediaStreamTrack) -> AsyncGenerator[bytes]:
    """What comes over a track, until it ends."""
    resampler = Resampler()
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if isinstance(frame, AudioFrame) and (samples := resampler.samples(frame)):
            yield samples
