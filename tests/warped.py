"""An event loop whose time can be moved on, for what is in the loop's own time: pings, sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["WarpedLoop", "run_warped", "warp"]


class WarpedLoop(asyncio.SelectorEventLoop):
    """Real sockets, and a time that jumps when it is told to."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


async def warp(seconds: float) -> None:
    """Let time pass in steps of a second, in each of which everybody has turns."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, WarpedLoop)
    while seconds > 0:
        loop.ahead += min(seconds, 1.0)
        seconds -= 1.0
        for _ in range(10):
            await asyncio.sleep(0)


def run_warped(work: Coroutine[Any, Any, None]) -> None:
    """Run something to its end in such a loop."""
    with asyncio.Runner(loop_factory=WarpedLoop) as runner:
        runner.run(work)
