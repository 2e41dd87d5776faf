"""
The time of a cassette that is played.

It stands still unless what is played moves it, and wakes its sleepers in order when it does. It can
be slowed down to what was recorded, or to a multiple of that. Where nothing is played any more, or
nothing more comes, a sleeper waits as long as it asked for: every wait ends. Between a connection
that was lost and the next one that was recorded only that one moves who follows the time, for how
long the client takes to dial it is no time of the tape.

While the client is waited for, time stands still at the moment when it did what it has to do, for
it may be busy with something that takes real time. Whoever only waits to send on, as a source of
sound does, goes on meanwhile: it may be what is waited for. So does time itself where somebody
sleeps who may be: at once until shortly after, further when as much real time is over. Whoever only
follows it, as a player does, is no reason for that.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from functools import partial

from unirt.cassettes.match import NEAR_MS
from unirt.errors import ConfigurationError

__all__ = ["STANDS_S", "TapeClock", "speed_of"]

_TURNS = 8
"""
How often everybody else has a turn when a sleeper was woken: enough for it to say something, though
it may have to wait for room to do so.
"""
_TURNS_FIRST = 200
"""
How often everybody else has a turn before time goes on by itself: enough to do whatever can be done
at once, however slow the machine is just then.
"""


_NEAR_S = NEAR_MS / 1000
"How far time may go on while it stands."
STANDS_S = 5.0
"For how long, in seconds of real time, it goes on no further where something is to be sent."


def speed_of(pace: str | float, where: str = "pace") -> float | None:
    """
    How much faster than recorded a pace is; ``None`` for as fast as possible.

    Raises:
        ConfigurationError: It is no pace.
    """
    if pace == "fast":
        return None
    if pace == "recorded":
        return 1.0
    if isinstance(pace, int | float) and not isinstance(pace, bool) and 0 < pace < math.inf:
        return float(pace)
    raise ConfigurationError(
        f"the pace cannot be {pace!r}",
        where=where,
        remedy="use 'fast', 'recorded', or how many times faster than recorded",
    )


class _Kind(Enum):
    """What somebody sleeps for."""

    WAITS = auto()
    "It may be what is waited for: a reason to go on."
    PAUSES = auto()
    "It waits to send on."
    FOLLOWS = auto()


class _Sleeper:
    """Somebody to wake, in the event loop that it belongs to."""

    def __init__(self, act: Callable[[], None], kind: _Kind, *, alarm: bool) -> None:
        self.done = False
        self.kind = kind
        self.alarm = alarm
        "Whether it is called and does not run in a task."
        self._act = act
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()

    def cancel(self) -> None:
        """Leave it asleep."""
        self.done = True

    def wake(self) -> None:
        """Wake it, from any thread."""
        if _running() is self._loop:
            self._wake()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def call_in(self, delay: float, call: Callable[[], None]) -> None:
        """Have something called where it sleeps after some real time; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.call_later, delay, call)

    def _wake(self) -> None:
        if not self.done:
            self.done = True
            self._act()


_Asleep = tuple[float, int, _Sleeper]
"Somebody who sleeps, until when, and which of all of them."


class TapeClock:
    """
    Args:
        speed: How much faster than recorded; ``None`` for as fast as possible.
        unix: The time of day at which it began, in Unix seconds; ``None`` where the tape has none.
    """

    def __init__(self, speed: float | None = None, *, unix: float | None = None) -> None:
        self._speed = speed
        self._begins_at = unix
        self.reached = 0.0
        "The time. Whoever plays sets it, and never back."
        self._attending = 0
        "How many connections move it."
        self._more = False
        "Whether another is to come where there is none."
        self._origin: tuple[float, float] | None = None
        "A time of the tape, and when it was, for a tape that takes its time."
        self._sleepers: list[_Asleep] = []
        self.free_until = math.inf if speed is None else -math.inf
        """
        Up to when getting to a time is no more than :meth:`jump`: until the first of them wakes, or
        one that was called off did. Never, for a tape that takes its time.
        """
        self._waited: list[_Asleep] = []
        "Those of the sleepers that are a reason to go on."
        self._pauses: list[_Asleep] = []
        "Those who wait to send on."
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._slept: _Sleeper | None = None
        "Who wants to know that somebody began to sleep."

    def now(self) -> float:
        """The time, in seconds since the cassette began."""
        return self.reached

    def unix(self) -> float | None:
        """The time of day when that was recorded, where the tape says it."""
        return None if self._begins_at is None else self._begins_at + self.reached

    async def sleep_until(self, when: float) -> None:
        """Wait until it is that time. Safe to cancel."""
        await self._sleep(when, _Kind.WAITS)

    async def pause_until(self, when: float) -> None:
        """See :class:`unirt.clock.Standing`."""
        await self._sleep(when, _Kind.PAUSES)

    async def follow_until(self, when: float) -> None:
        """See :class:`unirt.clock.Standing`."""
        await self._sleep(when, _Kind.FOLLOWS)

    async def _sleep(self, when: float, kind: _Kind) -> None:
        if when <= self.reached:
            return
        future, sleeper = _future(kind)
        self._add(when, sleeper)
        try:
            await future
        finally:
            sleeper.cancel()

    def call_at(self, when: float, call: Callable[[], None]) -> _Sleeper:
        """Call somebody at that time; see :class:`unirt.clock.Clock`."""
        alarm = _Sleeper(call, _Kind.WAITS, alarm=True)
        self._add(when, alarm)
        return alarm

    def _add(self, when: float, sleeper: _Sleeper) -> None:
        with self._lock:
            asleep = when, next(self._order), sleeper
            heapq.heappush(self._sleepers, asleep)
            if sleeper.kind is _Kind.WAITS:
                heapq.heappush(self._waited, asleep)
            elif sleeper.kind is _Kind.PAUSES:
                heapq.heappush(self._pauses, asleep)
            if self._speed is None:
                self.free_until = self._sleepers[0][0]
        if not self._attending:
            self._alone(when, sleeper)
        if self._slept is not None:
            self._slept.wake()

    def _alone(self, when: float, sleeper: _Sleeper) -> None:
        """
        Nothing is played: wake somebody when as much real time is over.

        Who only follows the time has it from what is played next, where something is: how long a
        client takes to dial is no time of the tape. Without that it goes on, after some seconds.
        """
        waits = max(when - self.reached, 0.0)
        delay = STANDS_S if self._more and sleeper.kind is _Kind.FOLLOWS else waits
        sleeper.call_in(delay, partial(self._wake_alone, when, sleeper))

    def _wake_alone(self, when: float, sleeper: _Sleeper) -> None:
        if not self._attending:
            self._move(when)
        elif sleeper.kind is _Kind.WAITS:  # the tape has a time of its own again
            sleeper.wake()

    # What moves it.

    def attend(self, connections: int, *, more: bool = False) -> None:
        """
        So many more connections move it.

        Where none is left whoever sleeps wakes by himself; with `more` another one is to come.
        """
        with self._lock:
            if not self._attending:
                self._waited = []  # who began to sleep alone is no reason to go on
            self._attending += connections
            self._more = more
            left = [] if self._attending else sorted(self._sleepers)
        for when, _, sleeper in left:
            self._alone(when, sleeper)

    def waits(self, when: float) -> bool:
        """Whether getting to a time takes more than :meth:`jump`: somebody sleeps until then."""
        if self._speed is not None and when > self.reached:
            return True
        if when < self.free_until:
            return False
        wake = self._next_wake()
        return wake is not None and wake <= when

    async def rest(self) -> None:
        """Let everybody do what can be done at once."""
        for _ in range(_TURNS_FIRST):
            await asyncio.sleep(0)

    def jump(self, when: float) -> None:
        """Be at a time; never goes back."""
        self.reached = max(self.reached, when)

    def rang(self, when: float) -> bool:
        """
        Call whoever is to be called until a time, the first of all.

        Returns ``False``, and nothing was done, where a task sleeps until then, or the tape takes
        its time: then getting there takes :meth:`reach`.
        """
        if self._speed is not None:
            return False
        with self._lock:
            sleepers = [sleeper for wake, _, sleeper in self._sleepers if wake <= when]
        if not all(sleeper.alarm or sleeper.done for sleeper in sleepers):
            return False
        wake = self._next_wake()
        if wake is not None and wake <= when:
            self._move(wake)
        return True

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
        now = asyncio.get_running_loop().time
        offset = now() - self.reached
        while True:
            wake = self._next_wake()
            if await self._rested(None if wake is None else wake + offset):
                await self._wake(self._next_wake() or 0.0)

    async def stand(self, since: float, began: float, *, firmly: bool) -> None:
        """
        Stand still for the client. Ends when cancelled.

        Args:
            since: The time when it began to be waited for.
            began: When that was, by the event loop's clock.
            firmly: Whether it goes on no further than a little for some seconds.
        """
        now = asyncio.get_running_loop().time
        stood = now()
        least = began + STANDS_S if firmly else began
        while True:
            with self._lock:
                pause, wake = _first(self._pauses), _first(self._waited)
            goes_on = None
            if wake is not None:
                left = wake[0] - self.reached
                goes_on = stood + left if left <= _NEAR_S else max(began + wake[0] - since, least)
            pause_ends = None
            if pause is not None:
                pause_ends = max(stood, pause[2].since) + pause[0] - self.reached
            if pause_ends is not None and (goes_on is None or pause_ends <= goes_on):
                if await self._rested(pause_ends, _TURNS) and pause is not None:
                    pause[2].wake()
            elif await self._rested(goes_on) and wake is not None:
                await self.reach(wake[0])
                stood = now()

    async def _rested(self, until: float | None, turns: int = _TURNS_FIRST) -> bool:
        """
        Whether it is a time of the event loop's, and everybody had some turns then.

        It is not where somebody began to sleep meanwhile.
        """
        future, self._slept = _future()
        left = None
        if until is not None:
            left = max(until - asyncio.get_running_loop().time(), 0.0)
        await asyncio.wait({future}, timeout=left)
        for _ in range(turns):
            if future.done():
                return False
            await asyncio.sleep(0)
        return True

    async def _pass(self, when: float) -> None:
        """Let the real time go by that a tape with a pace takes."""
        if self._speed is None:
            return
        if self._origin is None:
            self._origin = self.reached, time.monotonic()
        began, real = self._origin
        await asyncio.sleep(max(real + (when - began) / self._speed - time.monotonic(), 0.0))

    async def _wake(self, when: float) -> None:
        if self._move(when):
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def _move(self, when: float) -> bool:
        """Be at a time, and wake who slept until it; returns whether a task was woken."""
        self.reached = max(self.reached, when)
        tasks = False
        while (wake := self._next_wake()) is not None and wake <= self.reached:
            with self._lock:
                _, _, sleeper = heapq.heappop(self._sleepers)
            tasks = tasks or not sleeper.alarm
            sleeper.wake()
        return tasks

    def _next_wake(self) -> float | None:
        with self._lock:
            first = _first(self._sleepers)
            wake = None if first is None else first[0]
            if self._speed is None:
                self.free_until = math.inf if wake is None else wake
            return wake


def _first(sleepers: list[_Asleep]) -> _Asleep | None:
    """The first of them who still sleeps."""
    while sleepers and sleepers[0][2].done:
        heapq.heappop(sleepers)
    return sleepers[0] if sleepers else None


def _future(kind: _Kind = _Kind.FOLLOWS) -> tuple[asyncio.Future[None], _Sleeper]:
    """A future, and the sleeper that waits for it."""
    future = asyncio.get_running_loop().create_future()

    def settle() -> None:
        if not future.done():
            future.set_result(None)

    return future, _Sleeper(settle, kind, alarm=False)


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
