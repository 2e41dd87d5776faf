"""
An event loop on which time is virtual: it stands still while there is anything to do.

When everybody waits, time jumps to whatever is due next, in whole microseconds. So what runs on it
takes no longer than its work, and it runs the same way each time, as long as it waits for nothing
from outside: no socket, no thread. Who waits for such a thing waits for ever, and that is told.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["LoopClock", "run_virtually", "virtual_loop"]

Some = TypeVar("Some")

_SECOND_US = 1_000_000
_GRAIN = 1e-3
"How much of a microsecond is lost in a float; less than any time that is asked for."

_LEAST_S = 1e-6
"The shortest wait: a shorter one might be rounded to no time at all, and never end."


class _Selector(selectors.DefaultSelector):
    """Does not wait: it moves the time instead."""

    now_us = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            waiting = sorted(map(_place, asyncio.all_tasks(asyncio.get_running_loop())))
            raise RuntimeError(
                "everybody waits, and nothing is due: it would wait for ever; who waits: "
                + "; ".join(waiting)
            )
        self.now_us += max(math.ceil(timeout * _SECOND_US - _GRAIN), 1)
        return found


def _place(task: asyncio.Task[Any]) -> str:
    """Who waits, and where."""
    frames = task.get_stack(limit=1)
    where = f" in {frames[0].f_code.co_qualname}" if frames else ""
    return f"{task.get_name()}{where}"


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, selector: _Selector) -> None:
        self._moving = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._moving.now_us / _SECOND_US


class LoopClock:
    """The time of the event loop that runs."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep_until(self, when: float) -> None:
        while (left := when - self.now()) > 0:
            await asyncio.sleep(max(left, _LEAST_S))

    def call_at(self, when: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Call somebody at that time; see :class:`unirt.clock.Clock`."""
        return asyncio.get_running_loop().call_at(when, call)


def run_virtually(work: Coroutine[Any, Any, Some]) -> Some:
    """
    Run something on virtual time, which begins at 0.

    Raises:
        RuntimeError: It waits for what never comes.
    """
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        return runner.run(work)


def virtual_loop() -> asyncio.AbstractEventLoop:
    """A loop for several things to run on, one after the other; whoever takes it closes it."""
    return _Loop(_Selector())
