"""The way of frames in one direction, with faults done to them."""

from __future__ import annotations

from typing import Generic, TypeVar

from unirt.clock import Clock
from unirt.testing.faults.fault import Fault

__all__ = ["Passage"]

F = TypeVar("F")


class Passage(Generic[F]):
    """
    Args:
        clock: The time of delays.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: F | None = None
        "A frame that comes after the next one."

    async def through(self, frame: F, fault: Fault | None, changed: F) -> list[F]:
        """
        What comes out, where a frame goes in.

        Args:
            frame: As it is.
            fault: What is to be done to it.
            changed: What becomes of it where the fault changes it.
        """
        if fault is not None and fault.kind == "delay":
            await self._clock.sleep_until(self._clock.now() + fault.number / 1000)
        late = [] if self._held is None else [self._held]
        self._held = None
        match None if fault is None else fault.kind:
            case None | "delay":
                return [frame, *late]
            case "drop":
                return late
            case "duplicate":
                return [frame, frame, *late]
            case "reorder":
                self._held = frame
                return late
            case _:
                return [changed, *late]
