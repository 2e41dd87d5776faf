"""
Time, as an argument.

Whatever waits or stamps in unirt asks one of these; tests and demos hand in one they control.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, runtime_checkable

__all__ = [
    "Clock",
    "KeepsTime",
    "ManualClock",
    "Standing",
    "SupportsCancel",
    "SystemClock",
    "UnixClock",
    "follow_of",
    "pause_of",
    "unix_of",
]


class Clock(Protocol):
    """A clock that starts anywhere and never goes back."""

    def now(self) -> float:
        """The time, in seconds."""
        ...

    async def sleep_until(self, when: float) -> None:
        """Wait until :meth:`now` is at least `when`. Safe to cancel."""
        ...

    def call_at(self, when: float, call: Callable[[], None]) -> SupportsCancel:
        """
        Call somebody when it is that time, unless that is cancelled; never at once.

        It needs no task, so that a timer rings at its very time, whatever else is to be done then.
        `call` must not raise.
        """
        ...


class SupportsCancel(Protocol):
    """What can be called off."""

    def cancel(self) -> object:
        """Call it off; too late is harmless."""
        ...


@runtime_checkable
class KeepsTime(Protocol):
    """What goes by the time of the session that uses it, unless it has another."""

    def keep_time(self, clock: Clock) -> None:
        """
        A session begins to use it, and this is its time.

        It is that of a cassette where the session is played from one, and a virtual one where it
        was given one.
        """
        ...


class SystemClock:
    """The system's monotonic clock, which event loops count by; here it is read anew each time."""

    now = staticmethod(time.monotonic)
    unix = staticmethod(time.time)

    async def sleep_until(self, when: float) -> None:
        while (left := when - time.monotonic()) > 0:
            await asyncio.sleep(left)

    def call_at(self, when: float, call: Callable[[], None]) -> SupportsCancel:
        return _Call(when, call)


class _Call:
    """A call at a time, which an event loop may think has come a little too early."""

    __slots__ = ("_call", "_handle", "_when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self._when = when
        self._call = call
        self._wait()

    def cancel(self) -> None:
        self._handle.cancel()

    def _wait(self) -> None:
        left = max(self._when - time.monotonic(), 0.0)
        self._handle = asyncio.get_running_loop().call_later(left, self._ring)

    def _ring(self) -> None:
        if time.monotonic() < self._when:
            self._wait()
        else:
            self._call()


@runtime_checkable
class Standing(Protocol):
    """
    A clock that stands still while it waits for something to be sent.

    So it tells apart who waits to send, who only goes along with it, and all others.
    """

    async def pause_until(self, when: float) -> None:
        """Wait until it is that time, or until so much real time is over, to send on then."""
        ...

    async def follow_until(self, when: float) -> None:
        """Wait until it is that time, which is no reason for it to come."""
        ...


def pause_of(clock: Clock) -> Callable[[float], Awaitable[None]]:
    """How to wait, by a clock, between two things that are sent."""
    return clock.pause_until if isinstance(clock, Standing) else clock.sleep_until


def follow_of(clock: Clock) -> Callable[[float], Awaitable[None]]:
    """How to go along with a clock."""
    return clock.follow_until if isinstance(clock, Standing) else clock.sleep_until


def unix_of(clock: Clock) -> float | None:
    """
    The time of day by a clock that has ``unix()``, in Unix seconds; ``None`` where it has none.

    Nothing waits by it: a machine's may be wrong, and may be set meanwhile.
    """
    unix: Callable[[], float | None] | None = getattr(clock, "unix", None)
    return None if unix is None else unix()


class UnixClock:
    """The event loop's clock, counted from the Unix epoch: for servers, which tell the time."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self._epoch()

    unix = now

    async def sleep_until(self, when: float) -> None:
        await SystemClock().sleep_until(when - self._epoch())

    def call_at(self, when: float, call: Callable[[], None]) -> SupportsCancel:
        return SystemClock().call_at(when - self._epoch(), call)

    def _epoch(self) -> float:
        """What the loop's clock lacks; taken once, so that a corrected wall clock moves nothing."""
        if self._offset is None:
            self._offset = time.time() - asyncio.get_running_loop().time()
        return self._offset


class ManualClock:
    """
    A clock that moves only when it is told to; it wakes its sleepers in order of time.

    Args:
        now: Where it starts, in seconds.
        unix: The time of day then, in Unix seconds; ``None`` for a clock that tells none.
    """

    def __init__(self, now: float = 0.0, *, unix: float | None = None) -> None:
        self._now = now
        self._epoch = None if unix is None else unix - now
        self._sleepers: list[tuple[float, int, _Sleeper]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    def unix(self) -> float | None:
        """The time of day, where it was given one."""
        return None if self._epoch is None else self._epoch + self._now

    async def sleep_until(self, when: float) -> None:
        if when <= self._now:
            return
        future = asyncio.get_running_loop().create_future()
        sleeper = self.call_at(when, partial(future.set_result, None))
        try:
            await future
        finally:
            sleeper.cancel()

    def call_at(self, when: float, call: Callable[[], None]) -> SupportsCancel:
        if when <= self._now:
            return asyncio.get_running_loop().call_soon(call)
        sleeper = _Sleeper(call)
        heapq.heappush(self._sleepers, (when, next(self._order), sleeper))
        return sleeper

    def next_wake(self) -> float | None:
        """When the next sleeper wants to wake; ``None`` where nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].call is None:
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance_to(self, when: float) -> None:
        """Move to `when`, waking everyone who wanted to wake by then; never moves back."""
        while (due := self.next_wake()) is not None and due <= when:
            self._now = max(self._now, due)
            call = heapq.heappop(self._sleepers)[2].call
            if call is not None:
                call()
        self._now = max(self._now, when)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.advance_to(self._now + seconds)


class _Sleeper:
    """Whom a :class:`ManualClock` wakes, unless he was called off."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None
