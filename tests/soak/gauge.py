"""What a process holds: memory, file descriptors, threads and tasks."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Sequence

import attrs

from tests.benchmarks.contender import rss_bytes

__all__ = ["Reading", "grown_mb", "read", "settled"]

_TURNS = 100
"How often everybody else has a turn while what was closed is let go of."


@attrs.frozen(kw_only=True)
class Reading:
    """One look at the process."""

    at: int
    "When: after which turn, or which generation."
    memory_mb: float
    descriptors: int
    threads: int
    tasks: int


def read(at: int) -> Reading:
    """Look, after the garbage was collected."""
    gc.collect()
    return Reading(
        at=at,
        memory_mb=rss_bytes() / 1e6,
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        tasks=len(asyncio.all_tasks()),
    )


async def settled(before: Reading, at: int) -> Reading:
    """Look when everything was closed: sockets are let go of a few turns of the loop later."""
    now = read(at)
    for _ in range(_TURNS):
        if now.descriptors <= before.descriptors and now.tasks <= before.tasks:
            break
        await asyncio.sleep(0)
        now = read(at)
    return now


def grown_mb(readings: Sequence[Reading]) -> float:
    """
    How much memory grew from the third quarter to the last; the first half warms up.

    It is the difference between the lowest readings of both: what garbage there happens to be when
    it is looked at only ever adds.
    """
    rest = [reading.memory_mb for reading in readings[len(readings) // 2 :]]
    middle = len(rest) // 2
    return min(rest[middle:]) - min(rest[:middle])
