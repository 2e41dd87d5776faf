"""
A deadline: the end of a wait, by a clock that tests control.

It is what ``asyncio.timeout_at`` is for the event loop's own time, with the same rules: who waits
too long is cancelled inside, and sees a ``TimeoutError`` outside.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Self

from unirt.clock import Clock, SupportsCancel

__all__ = ["Deadline"]


class Deadline:
    """
    ``async with Deadline(clock, when)``: what is in it may take until then.

    Args:
        clock: Whose time counts.
        when: In seconds of the clock; infinity for no bound.

    Raises:
        TimeoutError: On leaving, when it took longer.
    """

    def __init__(self, clock: Clock, when: float) -> None:
        self._clock = clock
        self._when = when
        self._bound = asyncio.timeout(None)
        self._alarm: SupportsCancel | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        await self._bound.__aenter__()
        if self._when <= self._clock.now():
            self._ring()
        elif self._when < math.inf:
            call_at = getattr(self._clock, "call_at", None)
            if call_at is None:
                self._alarm = asyncio.create_task(self._wait(), name="unirt-deadline")
            else:
                self._alarm = call_at(self._when, self._ring)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        try:
            await self._bound.__aexit__(kind, exc, trace)
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            if isinstance(self._alarm, asyncio.Task):
                await _gone(self._alarm)

    async def _wait(self) -> None:
        await self._clock.sleep_until(self._when)
        self._ring()

    def _ring(self) -> None:
        if not self._over:
            self._bound.reschedule(asyncio.get_running_loop().time())


async def _gone(task: asyncio.Task[None]) -> None:
    """
    Wait for a task that was cancelled.

    Whoever is cancelled here is so at the next wait instead: what was in the block is done, and its
    result, which may be an open connection, must not be lost on the way out.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    me = asyncio.current_task()
    if cancelled and me is not None:
        me.uncancel()
        me.cancel()
