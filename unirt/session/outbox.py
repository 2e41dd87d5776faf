"""
The outbox: frames on their way to the network, in the order in which they were queued.

Three parties queue frames: the application's verbs, the reader (a frame that came in can cause
one that goes out) and the timer. While nothing is in the way, a frame leaves with the very call of
:meth:`Outbox.put`, where the transport can do that (:class:`~unirt.transport.Prompt`). Otherwise it
waits in a queue, and one task, :meth:`Outbox.run`, sends what waits.

Why one task and a queue, and not a lock around ``transport.send``: a provider may stop reading
while it waits for us to read. If the reader had to wait for the lock, or for room in the queue, it
would not read, and both sides would wait for ever. So :meth:`Outbox.put` never waits, and order is
simply the order of calls. Verbs wait *before* they queue anything, in :meth:`Outbox.room`: that is
where the backpressure of a congested network reaches the producer, and a verb that is cancelled
while it waits has done nothing. What the reader and the timer add beyond the bound is small: a few
frames for each that came in, and a provider that does not read soon stops sending.

A producer whose every frame leaves at once would never wait, and nobody else of its event loop
would have a turn. So only :data:`BURST` frames in a row leave at once. Then verbs wait, and the
task begins a new burst when it had its turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from unirt.session.limits import Limits
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed

__all__ = ["BURST", "Outbox"]

BURST = 64
"How many frames leave at once before the event loop has a turn."


class Outbox:
    """The frames that wait to be sent over one transport."""

    def __init__(self, transport: Transport, limits: Limits) -> None:
        self.frames_out = 0
        self.bytes_out = 0
        self._transport = transport
        self._send_now: Callable[[Frame], bool] = getattr(transport, "send_now", _not_now)
        self._burst = 0
        "How many more frames may leave at once; none before the task has its first turn."
        self._max_frames = limits.outgoing_frames
        self._max_bytes = limits.outgoing_bytes
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._stopped = False
        self._awaited = asyncio.Event()
        "Set when there is something to do for the task."
        self._moved = asyncio.Event()
        "Set when that was done, and when nothing will be done any more."

    @property
    def waiting(self) -> int:
        """How many frames are queued and not sent yet."""
        return len(self._frames)

    def put(self, frames: Iterable[Frame]) -> None:
        """Send frames, or queue them; never waits. After :meth:`stop` they are dropped."""
        if self._stopped:
            return
        for frame in frames:
            if self._burst and not self._frames and self._send_now(frame):
                self._burst -= 1
                self.frames_out += 1
                self.bytes_out += len(frame)
            else:
                self._frames.append(frame)
                self._bytes += len(frame)
        if self._frames or not self._burst:
            self._awaited.set()

    @property
    def full(self) -> bool:
        """Whether verbs have to wait for :meth:`room` before they queue anything."""
        return (
            not self._burst
            or len(self._frames) >= self._max_frames
            or self._bytes >= self._max_bytes
        )

    async def room(self) -> None:
        """Wait until there is room for what a verb may queue, or nothing will be sent any more."""
        while self.full and not self._stopped:
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
        frames, send_now, send = self._frames, self._send_now, self._transport.send
        try:
            while True:
                self._burst = BURST
                self._moved.set()
                while frames:
                    frame = frames[0]
                    if not send_now(frame):
                        await send(frame)
                    if frames:  # it was emptied meanwhile by stop()
                        self._bytes -= len(frames.popleft())
                    self.frames_out += 1
                    self.bytes_out += len(frame)
                    self._moved.set()
                self._awaited.clear()
                await self._awaited.wait()
        except TransportClosed:
            self.stop()


def _not_now(frame: Frame) -> bool:
    """For a transport that has no other way to send than to wait."""
    return False
