"""
The time of a cassette that is played.

It stands still unless what is played moves it, and wakes its sleepers in order when it does. It can
be slowed down to what was recorded, or to a multiple of that. Where nothing is played any more, or
nothing more comes, a sleeper waits as long as it asked for: every wait ends.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from functools import partial

__all__ = ["TapeClock"]

_TURNS = 8
"""
How often everybody else has a turn when a sleeper was woken: enough for it to say something, though
it may have to wait for room to do so.
"""


class TapeClock:
    """
    Args:
        speed: How much faster than recorded; ``None`` for as fast as possible.
    """

    def __init__(self, speed: float | None = None) -> None:
        self._speed = speed
        self._now = 0.0
        self._attending = 0
        "How many connections move it."
        self._origin: tuple[float, float] | None = None
        "A time of the tape, and when it was, for a tape that takes its time."
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._slept: asyncio.Future[None] | None = None
        "Settled when somebody begins to sleep."

    def now(self) -> float:
        """The time, in seconds since the cassette began."""
        return self._now

    async def sleep_until(self, when: float) -> None:
        """Wait until it is that time. Safe to cancel."""
        if when <= self._now:
            return
        if not self._attending:
            await asyncio.sleep(when - self._now)
            self._move(when)
            return
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            heapq.heappush(self._sleepers, (when, next(self._order), future))
        if self._slept is not None:
            _soon(self._slept, 0.0)
        await future

    # What moves it.

    def attend(self, connections: int) -> None:
        """So many more connections move it; whoever sleeps when none is left wakes by himself."""
        self._attending += connections
        if not self._attending:
            with self._lock:
                left, self._sleepers = self._sleepers, []
            for when, _, future in left:
                _soon(future, max(when - self._now, 0.0), partial(self._move, when))

    def waits(self, when: float) -> bool:
        """Whether getting to a time takes more than :meth:`jump`: somebody sleeps until then."""
        if self._speed is not None and when > self._now:
            return True
        wake = self._next_wake()
        return wake is not None and wake <= when

    def jump(self, when: float) -> None:
        """Be at a time; never goes back."""
        self._now = max(self._now, when)

    async def reach(self, when: float) -> None:
        """Go on to a time, and wake everybody on the way."""
        while True:
            wake = self._next_wake()
            if wake is None or wake > when:
                await self._pass(when)
                wake = self._next_wake()
                if wake is None or wake > when:
                    break
            await self._pass(wake)
            await self._wake(wake)
        self._move(when)

    async def linger(self) -> None:
        """Go on as real time does, to whatever somebody sleeps until. Ends when cancelled."""
        while True:
            wake = self._next_wake()
            if wake is None:
                self._slept = asyncio.get_running_loop().create_future()
                await self._slept
                continue
            await asyncio.sleep(max(wake - self._now, 0.0))
            await self._wake(wake)

    async def _pass(self, when: float) -> None:
        """Let the real time go by that a tape with a pace takes."""
        if self._speed is None:
            return
        if self._origin is None:
            self._origin = self._now, time.monotonic()
        began, real = self._origin
        await asyncio.sleep(max(real + (when - began) / self._speed - time.monotonic(), 0.0))

    async def _wake(self, when: float) -> None:
        self._move(when)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _move(self, when: float) -> None:
        self._now = max(self._now, when)
        while (wake := self._next_wake()) is not None and wake <= self._now:
            with self._lock:
                _, _, future = heapq.heappop(self._sleepers)
            _soon(future, 0.0)

    def _next_wake(self) -> float | None:
        with self._lock:
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            return self._sleepers[0][0] if self._sleepers else None


def _soon(
    future: asyncio.Future[None], delay: float, then: Callable[[], None] | None = None
) -> None:
    """Settle a future, in its own loop."""
    loop = future.get_loop()

    def settle() -> None:
        if then is not None:
            then()
        if not future.done():
            future.set_result(None)

    try:
        here = asyncio.get_running_loop()
    except RuntimeError:
        here = None
    if loop is here and not delay:
        settle()
    elif loop is here:
        loop.call_later(delay, settle)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(lambda: loop.call_later(delay, settle))
