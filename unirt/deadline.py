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

    async def __aenter__(self) -> Self:
        await self._bound.__aenter__()
        if self._when <= self._clock.now():
            self._ring()
        elif self._when < math.inf:
            self._alarm = self._clock.call_at(self._when, self._ring)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None  # it knows who is to be rung, and neither would be freed at once
        await self._bound.__aexit__(kind, exc, trace)

    def _ring(self) -> None:
        self._bound.reschedule(asyncio.get_running_loop().time())
