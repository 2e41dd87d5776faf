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

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something as a task of the scope."""
        task = asyncio.create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # of a task that never began
        return task

    async def join(self) -> None:
        """Cancel what is left, and wait for it."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            # Cancelled tasks settle at once; whoever is cancelled here cannot hurry them more.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as exc:
            self._broke(exc)
