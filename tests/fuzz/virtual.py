"""
An event loop whose time jumps: where nothing is left to do, it is the time of the next timer.

So whole sessions, with their timeouts and waits, take no time. Where there is no timer either,
whoever is waited for waits for ever, which is an error.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

__all__ = ["LoopClock", "VirtualLoop"]


class _Jump(selectors.SelectSelector):
    """Never waits; says by how much time goes on instead."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> Any:
        found = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("somebody waits for what will never be")
        if not found and timeout:
            self.waited += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at 0.0."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self.broken: list[str] = []
        "What nobody caught."
        self.set_exception_handler(lambda _, context: self.broken.append(_told(context)))

    def time(self) -> float:
        return self._jump.waited


class LoopClock:
    """The loop's time as a session's clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.now = loop.time

    async def sleep_until(self, when: float) -> None:
        while (left := when - self.now()) > 0:
            await asyncio.sleep(left)


def _told(context: dict[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r}"
