"""
A scope: the tasks that something runs, of which none is left when it ends.

None of them is there for nothing, so none may end in silence. What one raises is told, and so is
that a stranger cancelled one: whoever cancels all tasks of a program has these among them.
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
        broke: Is told what a task raised, and of a task that was cancelled from outside.
    """

    def __init__(self, broke: Callable[[Exception], None]) -> None:
        self._broke = broke
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False

    def spawn(
        self, work: Coroutine[Any, Any, None], *, name: str | None = None
    ) -> asyncio.Task[None]:
        """Run something as a task of the scope; only the scope may cancel it."""
        task = asyncio.create_task(self._guard(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        task.add_done_callback(lambda _: work.close())  # of a task that never began
        return task

    def stop(self) -> None:
        """Cancel what is left."""
        self._ending = True
        for task in self._tasks:
            task.cancel()

    async def join(self) -> None:
        """Cancel what is left, and wait for it."""
        self.stop()
        while self._tasks:
            # Cancelled tasks settle at once; whoever is cancelled here cannot hurry them more.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() and not self._ending:
            self._broke(RuntimeError("a task was cancelled, and not by the session"))

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as exc:
            self._broke(exc)
