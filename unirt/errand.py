"""
An errand: something that has to be done, and is, whoever cancels the task that does it.

A task that is cancelled before it had its first turn runs nothing at all, not even what is to be
cleaned up. Whoever cancels all tasks of a program does that to those that began a moment ago.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Errand"]


class Errand:
    """
    Args:
        work: What is done; once it has begun, it is cancelled where its task is.
        spawn: Runs a task.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]] = asyncio.create_task,
    ) -> None:
        self._work = work
        self._spawn = spawn
        self._begun = False
        self._begin()

    @property
    def over(self) -> bool:
        """Whether it is done, or was given up."""
        return self._task.done()

    def cancel(self) -> None:
        """Have it come to its end."""
        self._task.cancel()

    async def done(self) -> None:
        """Wait until it is over; what it raised is not raised here."""
        while not self._task.done():
            await asyncio.wait({self._task})

    def _begin(self) -> None:
        self._task = self._spawn(self._run())
        self._task.add_done_callback(self._again)

    def _again(self, task: asyncio.Task[None]) -> None:
        if not self._begun:
            self._begin()

    async def _run(self) -> None:
        self._begun = True
        await self._work()
