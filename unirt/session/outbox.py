"""
The outbox: frames on their way to the network, in the order in which they were queued.

Three parties queue frames: the application's verbs, the reader (a frame that came in can cause
one that goes out) and the timer. One task, :meth:`Outbox.run`, sends them.

Why one task and a queue, and not a lock around ``transport.send``: a provider may stop reading
while it waits for us to read. If the reader had to wait for the lock, or for room in the queue, it
would not read, and both sides would wait for ever. So :meth:`Outbox.put` never waits, and order is
simply the order of calls. Verbs wait *before* they queue anything, in :meth:`Outbox.room`: that is
where the backpressure of a congested network reaches the producer, and a verb that is cancelled
while it waits has done nothing. What the reader and the timer add beyond the bound is small: a few
frames for each that came in, and a provider that does not read soon stops sending.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from unirt.session.limits import Limits
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed

__all__ = ["Outbox"]


class Outbox:
    """The frames that wait to be sent over one transport."""

    def __init__(self, transport: Transport, limits: Limits) -> None:
        self.frames_out = 0
        self.bytes_out = 0
        self._transport = transport
        self._limits = limits
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._stopped = False
        self._filled = asyncio.Event()
        self._moved = asyncio.Event()
        "Set when a frame was sent, and when none will be any more."

    @property
    def waiting(self) -> int:
        """How many frames are queued and not sent yet."""
        return len(self._frames)

    def put(self, frames: Iterable[Frame]) -> None:
        """Queue frames; never waits. After :meth:`stop` they are dropped."""
        if self._stopped:
            return
        for frame in frames:
            self._frames.append(frame)
            self._bytes += len(frame)
        self._filled.set()

    async def room(self) -> None:
        """Wait until there is room for what a verb may queue, or nothing will be sent any more."""
        while self._full and not self._stopped:
            self._moved.clear()
            await self._moved.wait()

    async def drained(self) -> None:
        """Wait until everything is sent, or nothing will be any more."""
        while self._frames and not self._stopped:
            self._moved.clear()
            await self._moved.wait()

    def stop(self) -> None:
        """Drop what waits, and let nobody wait."""
        self._stopped = True
        self._frames.clear()
        self._bytes = 0
        self._moved.set()

    async def run(self) -> None:
        """Send what is queued until the connection is gone; the reader learns that by itself."""
        try:
            while True:
                while not self._frames:
                    self._filled.clear()
                    await self._filled.wait()
                await self._send_first()
        except TransportClosed:
            self.stop()

    async def _send_first(self) -> None:
        frame = self._frames[0]
        await self._transport.send(frame)
        self.frames_out += 1
        self.bytes_out += len(frame)
        if self._frames:  # it was emptied meanwhile by stop()
            self._frames.popleft()
            self._bytes -= len(frame)
        self._moved.set()

    @property
    def _full(self) -> bool:
        limits = self._limits
        return len(self._frames) >= limits.outgoing_frames or self._bytes >= limits.outgoing_bytes
