"""
The track that comes: drained always, so that nothing piles up, and handed on as it comes.

A packet that was lost leaves a hole in the track's own time. It is filled with silence, so that
what is heard lasts as long as what was said.
"""

from __future__ import annotations

from collections.abc import Callable

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame, AudioResampler

from unirt.transports.webrtc.outgoing import FORMAT

__all__ = ["drain"]

_LONGEST_HOLE_MS = 1_000.0
"A longer one is a new beginning, and not filled."


async def drain(track: MediaStreamTrack, hear: Callable[[bytes], None]) -> None:
    """Hand on what comes, in :data:`~unirt.transports.webrtc.outgoing.FORMAT`, until it ends."""
    resampler = AudioResampler(format="s16", layout="mono", rate=FORMAT.rate)
    expected: int | None = None
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        if not isinstance(frame, AudioFrame):
            continue
        hole_ms = 0.0
        if expected is not None and frame.pts is not None and frame.pts > expected:
            hole_ms = (frame.pts - expected) * 1000 / frame.sample_rate
        if frame.pts is not None:
            expected = frame.pts + frame.samples
        if 0 < hole_ms <= _LONGEST_HOLE_MS:
            hear(bytes(FORMAT.bytes_for(hole_ms)))
        frame.pts = None  # whole runs of samples, whatever their time: the holes are ours
        for piece in resampler.resample(frame):
            hear(bytes(piece.planes[0])[: piece.samples * FORMAT.frame_bytes])
