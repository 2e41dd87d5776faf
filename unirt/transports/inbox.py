"""
What came and was not taken yet: the inbox of a transport whose library calls back.

Whoever has frames puts them in. Whoever wants them either waits for one, in :meth:`Inbox.receive`,
or has each handed over the moment it comes, in :meth:`Inbox.deliver`: without a queue, and without
a task that would have to be woken first. When too much waits, or whoever takes the frames has no
room, the socket is stopped; what was read from it by then is still put in.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

__all__ = ["WAITING_BYTES", "Inbox"]

WAITING_BYTES: Final = 1 << 20
"How many bytes may wait before the socket is stopped; one frame may exceed it."


class Inbox:
    """
    Args:
        frames: How many may wait before the socket is stopped; ``None`` for any number.
        stop: Stops reading from the socket.
        go_on: Reads from it again.
    """

    __slots__ = (
        "_bound",
        "_bytes",
        "_change",
        "_frames",
        "_go_on",
        "_over",
        "_stop",
        "_take",
        "stopped",
    )

    def __init__(
        self, frames: int | None, *, stop: Callable[[], None], go_on: Callable[[], None]
    ) -> None:
        self.stopped = False
        "Whether the socket is not read, because enough waits."
        self._bound = sys.maxsize if frames is None else frames
        self._stop, self._go_on = stop, go_on
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        "How many came since nothing was waiting: no less than what waits, and cheaper to know."
        self._take: Callable[[Sequence[bytes]], bool] | None = None
        "Who takes frames the moment they come."
        self._over = False
        self._change: asyncio.Future[None] | None = None
        "What somebody waits for; one that was cancelled may be left here."

    def put(self, frames: list[bytes]) -> None:
        """Frames came, all at once."""
        if self._take is not None:
            if not self._take(frames):
                self._pause()
            return
        self._frames += frames
        self._bytes += sum(map(len, frames))
        self._wake()
        if self._bytes >= WAITING_BYTES or len(self._frames) >= self._bound:
            self._pause()

    def finish(self) -> None:
        """The connection is gone: nothing comes any more."""
        self._over = True
        self._wake()

    async def receive(self) -> bytes:
        """
        Wait for the next frame. Safe to cancel. One caller at a time.

        Raises:
            EOFError: There will be none.
        """
        while not self._frames:
            if self._over:
                raise EOFError
            await self._changed()
        frame = self._frames.popleft()
        if not self._frames:
            self._bytes = 0
            self._resume()
        return frame

    async def deliver(
        self, take: Callable[[Sequence[bytes]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        """Hand over every frame, until there are no more; see :class:`unirt.transport.Prompt`."""
        try:
            while True:
                if self._frames:
                    waiting, self._frames, self._bytes = self._frames, deque(), 0
                    if not take(tuple(waiting)):
                        await room()
                        continue
                if self._over:
                    return
                self._take = take
                self._resume()
                while not (self.stopped or self._over):
                    await self._changed()
                self._take = None
                if self.stopped:
                    await room()
        finally:
            self._take = None

    async def _changed(self) -> None:
        self._change = asyncio.get_running_loop().create_future()
        await self._change

    def _wake(self) -> None:
        change, self._change = self._change, None
        if change is not None and not change.done():
            change.set_result(None)

    def _pause(self) -> None:
        if not self.stopped:
            self.stopped = True
            self._stop()
            self._wake()

    def _resume(self) -> None:
        if self.stopped:
            self.stopped = False
            self._go_on()
