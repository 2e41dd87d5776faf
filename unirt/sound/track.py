"""
Tracks of ``aiortc``, of a connection of yours, as a source and a player.

::

    connection.on("track", lambda track: ...)     # TrackSource(track)
    connection.addTrack(sink.track)               # TrackSink()

A track that comes is read all the time while it is listened to, for ``aiortc`` keeps without a
bound what nobody reads. A track that is sent asks for 20 ms every 20 ms, so a connection that is
not there yet, or not any more, has heard nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from unirt.audio import PCM16_24K, AudioFormat
from unirt.errors import UsageError
from unirt.sound.backlog import MOST_MS
from unirt.sound.pulled import PulledPlayer
from unirt.sound.unread import MOST_UNREAD_MS, Unread
from unirt.transports.webrtc.extra import need_aiortc

if TYPE_CHECKING:
    from aiortc import MediaStreamTrack

__all__ = ["TrackSink", "TrackSource"]


class TrackSource:
    """
    What comes over a track, until it ends.

    Args:
        track: One of audio, of a connection of ``aiortc``.
        most_ms: How much is held that nobody has read; beyond it the oldest is dropped, and
            counted.

    Raises:
        UsageError: The track is none of audio.
    """

    def __init__(self, track: MediaStreamTrack, *, most_ms: float = MOST_UNREAD_MS) -> None:
        if getattr(track, "kind", None) != "audio":
            raise UsageError(
                f"{track!r} is no track of audio",
                where="TrackSource",
                remedy="give the one whose kind is 'audio'",
            )
        self.format: AudioFormat = PCM16_24K
        self._track = track
        self._unread = Unread(self.format, most_ms, "a track")

    @property
    def dropped_ms(self) -> float:
        """What came and was not read in time."""
        return self._unread.dropped_ms

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        self._unread.begin()
        draining = asyncio.create_task(self._drain(), name="unirt-track")
        draining.add_done_callback(lambda _: self._unread.end())
        try:
            async with contextlib.aclosing(self._unread.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
            if draining.cancelled():
                raise RuntimeError("a task of the track was cancelled, and not by its reader")
        finally:
            draining.cancel()
            await asyncio.wait({draining})
        if not draining.cancelled():
            draining.result()

    async def _drain(self) -> None:
        from unirt.transports.webrtc.tracks import sound_of

        async with contextlib.aclosing(sound_of(self._track)) as sound:
            async for piece in sound:
                self._unread.put(piece)


class TrackSink(PulledPlayer):
    """
    A player whose sound leaves as a track.

    Args:
        most_ms: How far behind it may be; what comes beyond that is dropped, and counted.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, *, most_ms: float = MOST_MS) -> None:
        need_aiortc("TrackSink")
        from unirt.transports.webrtc.tracks import FrameTrack

        super().__init__(most_ms=most_ms)
        self.track: MediaStreamTrack = FrameTrack(self.take)
        "Add it to the connection: ``connection.addTrack(sink.track)``."
