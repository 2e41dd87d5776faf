"""
Cancelling at every step: a coroutine that is cancelled at the n-th place at which it waits.

And what has to be there, or not, afterwards: tasks, threads and file descriptors.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Stepped", "cancelled_at_every_step", "descriptors", "threads"]

_TURNS = 20_000
"How many turns of the loop the other side gets to go; in each its sockets are looked at."


class Stepped(Coroutine[Any, Any, Any]):
    """
    Args:
        inner: What runs.
        at: The step at which whoever runs it is cancelled, while it waits; counted from 1.
    """

    def __init__(self, inner: Coroutine[Any, Any, Any], at: int) -> None:
        self._inner = inner
        self._left = at
        self.reached = False

    def send(self, value: Any) -> Any:
        return self._waits(self._inner.send(value))

    def throw(self, *exc: Any) -> Any:
        return self._waits(self._inner.throw(*exc))

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Any:
        return self._inner.__await__()

    def _waits(self, awaited: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self.reached = True
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
        return awaited


def descriptors() -> set[str]:
    """What is open in this process: sockets, files, pipes; nothing where the system hides it."""
    found: set[str] = set()
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except FileNotFoundError:  # the one that lists them
            continue
    return found


def threads() -> set[threading.Thread]:
    """What runs beside; without the event loop's own pool, which ends with it."""
    return {each for each in threading.enumerate() if not each.name.startswith("asyncio_")}


async def cancelled_at_every_step(work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """
    Run something again and again, cancelled one step later each time, until it comes to its end.

    Returns how many steps it has. After each, everything has to be as it was before.
    """
    tasks, open_, running = asyncio.all_tasks(), descriptors(), threads()
    step = 0
    while True:
        step += 1
        stepped = Stepped(work(), step)
        task = asyncio.get_running_loop().create_task(stepped)
        await asyncio.wait({task})
        if not stepped.reached:
            task.result()
            return step - 1
        assert task.cancelled(), f"a cancellation at step {step} was lost: {task!r}"
        for _ in range(_TURNS):
            if asyncio.all_tasks() <= tasks and descriptors() <= open_:
                break
            await asyncio.sleep(0)
        assert asyncio.all_tasks() <= tasks, f"step {step}: {asyncio.all_tasks() - tasks}"
        assert descriptors() <= open_, f"step {step}: {descriptors() - open_}"
        assert threads() <= running, f"step {step}: {threads() - running}"
