"""A timer: something that is to be done at a time of a clock, and may be put off."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from unirt.clock import Clock, SupportsCancel

__all__ = ["Timer"]


class Timer:
    """
    Args:
        clock: Whose time counts. One that can be asked to (``call_at``) rings at the very time;
            for any other a task waits.
        ring: What is done then.
        spawn: Runs a task that waits.
        fail: Is told what `ring` raised, where no task does.
    """

    __slots__ = ("_clock", "_fail", "_ring", "_set", "_spawn")

    def __init__(
        self,
        clock: Clock,
        *,
        ring: Callable[[], None],
        spawn: Callable[[Coroutine[Any, Any, None]], SupportsCancel],
        fail: Callable[[Exception], None],
    ) -> None:
        self._clock = clock
        self._ring = ring
        self._spawn = spawn
        self._fail = fail
        self._set: SupportsCancel | None = None

    def set(self, when: float) -> None:
        """Ring at `when`, in seconds of the clock, and not when it was set for before."""
        self.cancel()
        call_at = getattr(self._clock, "call_at", None)
        if call_at is None:
            self._set = self._spawn(self._wait(when))
        else:
            self._set = call_at(when, self._ring_now)

    def cancel(self) -> None:
        """Do not ring."""
        timer, self._set = self._set, None
        if timer is not None:
            timer.cancel()

    async def _wait(self, when: float) -> None:
        await self._clock.sleep_until(when)
        self._set = None
        self._ring()

    def _ring_now(self) -> None:
        self._set = None
        try:
            self._ring()
        except Exception as exc:
            self._fail(exc)
