"""
What every caller does: it connects, asks for an answer, and then speaks and hears for a while.

What is measured begins when the first sound has come back, so that no set-up is in it, and ends
with the last word: the processor time of the whole process, its threads included.
"""

from __future__ import annotations

import abc
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.benchmarks.calls.marks import BLOCK_MS, Marks, speak
from tests.benchmarks.contender import Contender, Task

__all__ = ["Caller"]

_WARM_S = 1.5
"How long it speaks before it is measured: buffers are full by then, and all code was run once."
_TRIES = 4

Give = Callable[[bytes], Awaitable[None]]


class Caller(Contender, abc.ABC):
    """A subclass says how it calls."""

    @abc.abstractmethod
    def calling(self, task: Task, marks: Marks) -> AbstractAsyncContextManager[Give]:
        """A call that was answered and asked to talk; gives what takes 20 ms of the user."""

    async def do_call(self, task: Task) -> dict[str, Any]:
        """One call."""
        marks = Marks()
        gc.collect()
        async with self.calling(task, marks) as give:
            for _ in range(_TRIES):
                await speak(marks, _WARM_S, give)
                if marks.delays_ms:
                    break
            else:
                raise RuntimeError("nothing came back")
            marks.delays_ms.clear()
            heard, cpu, wall = marks.heard_bytes, time.process_time(), time.perf_counter()
            await speak(marks, task.seconds, give)
            await asyncio.sleep(BLOCK_MS / 1000)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            heard = marks.heard_bytes - heard
        return {
            "cpu_s": cpu,
            "wall_s": wall,
            "heard_s": heard / 48_000,
            "delays_ms": marks.delays_ms,
        }
