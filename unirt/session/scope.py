"""
A scope: the tasks that something runs, of which none is left when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Scope"]


class Scope:
    """
    Args:
        broke: Is told what a task raised.
    """

    def __init__(self, broke: Callable[[Exception], None]) -> None:
        self._broke = broke
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False

    def spawn(self, work: Coroutine[Any, Any, None], *, vital: bool = False) -> asyncio.Task[None]:
        """
        Run something as a task of the scope.

        Where it is `vital` nothing goes on without it, so that it is told, too, when a stranger has
        cancelled it: whoever cancels all tasks of a program has these among them.
        """
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        if vital:
            task.add_done_callback(self._check)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # of a task that never began
        return task

    async def join(self) -> None:
        """Cancel what is left, and wait for it."""
        self._ending = True
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            # Cancelled tasks settle at once; whoever is cancelled here cannot hurry them more.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks)

    def _check(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() and not self._ending:
            self._broke(RuntimeError("a task was cancelled, and not by the session"))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as exc:
            self._broke(exc)
