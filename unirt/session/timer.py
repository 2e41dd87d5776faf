"""A timer: something that is to be done at a time of a clock, and may be put off."""

from __future__ import annotations

from collections.abc import Callable

from unirt.clock import Clock, SupportsCancel

__all__ = ["Timer"]


class Timer:
    """
    Args:
        clock: Whose time counts.
        ring: What is done then.
        fail: Is told what `ring` raised.
    """

    __slots__ = ("_clock", "_fail", "_ring", "_set")

    def __init__(
        self,
        clock: Clock,
        *,
        ring: Callable[[], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._clock = clock
        self._ring = ring
        self._fail = fail
        self._set: SupportsCancel | None = None

    def set(self, when: float) -> None:
        """Ring at `when`, in seconds of the clock, and not when it was set for before."""
        self.cancel()
        self._set = self._clock.call_at(when, self._ring_now)

    def cancel(self) -> None:
        """Do not ring."""
        timer, self._set = self._set, None
        if timer is not None:
            timer.cancel()

    def _ring_now(self) -> None:
        self._set = None
        try:
            self._ring()
        except Exception as exc:
            self._fail(exc)
