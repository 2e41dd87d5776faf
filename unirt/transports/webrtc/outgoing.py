"""
The track that leaves: 20 ms of audio every 20 ms, silence where there is none.

What is sent comes in pieces of any length and at any moment. It waits here, bounded by whoever
sends (:meth:`Waiting.room`), and leaves at the pace of the track. A run of audio begins only when
two frames of it are there, or no more came for that long: who sends 20 ms every 20 ms is never on
time to the millisecond, and without something in hand every delay would be a hole in the sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import Packet

from unirt.transports.webrtc.opus import Encoder
from unirt.transports.webrtc.sound import FORMAT, FRAME_BYTES, FRAME_MS

__all__ = ["OutgoingTrack", "PacedTrack", "Waiting"]

_SILENCE = bytes(FRAME_BYTES)
_IN_HAND = 2 * FRAME_BYTES
"How much must be there before a run of audio begins."
_PATIENCE = 2
"For how many frames less than that is waited for more."
_MOST = FORMAT.bytes_for(10_000)
"How much may wait before who sends has to."
_TAIL = 10
"""
How many frames of silence follow before a peer can have heard what came before: a jitter buffer
holds back what nothing followed, most of them less than 200 ms.
"""
_LATE_S = 0.2
"A track that is later than this does not catch up: a burst would not fit a jitter buffer."


class Waiting:
    """Audio that waits to leave. Used in one event loop."""

    def __init__(self) -> None:
        self.held = False
        "Nothing leaves but silence, until it is put back."
        self._data = bytearray()
        self._running = False
        "Audio has begun to leave, and goes on."
        self._patience = _PATIENCE
        self._tail = 0
        "How many more frames of silence until the peer can have heard everything."
        self._over = False
        self._moved = asyncio.Event()

    @property
    def ms(self) -> float:
        """How much waits."""
        return FORMAT.duration_ms(len(self._data))

    def put(self, data: bytes) -> None:
        """Send this after what was sent before."""
        if data and not self._over:
            self._data += data
            self._tail = _TAIL

    def drop(self) -> None:
        """Forget what has not left."""
        self._data.clear()
        self._tail = 0
        self._running = False
        self._moved.set()

    def finish(self) -> None:
        """Nothing leaves any more."""
        self._over = True
        self.drop()

    def take(self) -> bytes:
        """The next frame."""
        self._moved.set()
        data = self._data
        if self.held or not self._ready():
            if self._tail and not data:
                self._tail -= 1
            return _SILENCE
        with memoryview(data) as whole:
            frame = bytes(whole[:FRAME_BYTES])
        del data[:FRAME_BYTES]
        return frame + _SILENCE[len(frame) :]

    def _ready(self) -> bool:
        """Whether to send some of what is there, rather than to wait for more of it."""
        held = len(self._data)
        if held >= (FRAME_BYTES if self._running else _IN_HAND):
            self._running, self._patience = True, _PATIENCE
            return True
        if not held:
            self._running = False
            return False
        self._patience -= 1
        if self._patience > 0:
            self._running = False
            return False
        self._patience = _PATIENCE
        self._running = False
        return True

    async def room(self) -> None:
        """Wait until not too much waits, or nothing leaves any more."""
        await self._until(lambda: len(self._data) < _MOST)

    async def drained(self) -> None:
        """Wait until the peer can have heard all of it, or nothing leaves any more."""
        await self._until(lambda: not (self._data or self._tail))

    async def _until(self, there: Callable[[], bool]) -> None:
        while not (there() or self._over):
            self._moved.clear()
            await self._moved.wait()


class PacedTrack(MediaStreamTrack):
    """
    A track that has its own pace.

    Args:
        take: Gives the next 20 ms, every 20 ms.
    """

    kind = "audio"

    def __init__(self, take: Callable[[], bytes]) -> None:
        super().__init__()
        self._take = take
        self._due: float | None = None
        "When the next frame is to leave, in the event loop's time."

    async def _next(self) -> bytes:
        """The next 20 ms, at their time."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._due is None or now > self._due + _LATE_S:
            self._due = now
        if self._due > now:
            await asyncio.sleep(self._due - now)
        self._due += FRAME_MS / 1000
        return self._take()


class OutgoingTrack(PacedTrack):
    """The track of a call: its frames are coded here, and sent as they are."""

    def __init__(self, take: Callable[[], bytes]) -> None:
        super().__init__(take)
        self._encoder = Encoder()

    async def recv(self) -> Packet[Any]:
        """The next frame, at its time."""
        return self._encoder.encode(await self._next())
