"""What is to go wrong, and what has gone wrong already: the faults of one test, counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import attrs

from unirt.testing.faults.fault import Fault, fault_of
from unirt.testing.faults.kinds import Scope
from unirt.testing.faults.phases import Phase
from unirt.translator import Frame
from unirt.value import Value

__all__ = ["Agenda", "Happened"]

_REMEMBERED = 10_000


@attrs.frozen(kw_only=True)
class Happened(Value):
    """One fault that was done."""

    fault: Fault
    connection: int
    "Counted from 1, by dials."
    at: float
    "By the clock, in seconds."


@attrs.define
class _Entry:
    fault: Fault
    seen: int = 0
    done: int = 0

    @property
    def waits(self) -> bool:
        """Whether it waits for a frame although it needs none."""
        return self.fault.nth > 1 or bool(self.fault.holding)

    @property
    def left(self) -> bool:
        return self.done < self.fault.times

    @property
    def due(self) -> bool:
        return self.left and self.seen >= self.fault.nth


class Agenda:
    """
    The faults of one test. It decides, and does nothing itself.

    Args:
        faults: As values, or as text.
    """

    def __init__(self, faults: Iterable[str | Fault]) -> None:
        self._entries = [_Entry(fault_of(given)) for given in faults]
        self.happened: deque[Happened] = deque(maxlen=_REMEMBERED)
        "The faults that were done, in order."

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(entry.fault for entry in self._entries)

    def at_dial(self, connection: int, now: float) -> Fault | None:
        """What goes wrong with a dial; one thing, and each fault counts every dial."""
        entries = list(self._of(Scope.DIAL))
        for entry in entries:
            entry.seen += 1
        due = next((entry for entry in entries if entry.due), None)
        return None if due is None else self._do(due, connection, now)

    def at_moment(self, phase: Phase, connection: int, now: float) -> list[Fault]:
        """What goes wrong with a connection that is in a phase, before anything else comes."""
        due = [
            entry
            for entry in self._of(Scope.CONNECTION)
            if entry.left and not entry.waits and entry.fault.phase is phase
        ]
        return [self._do(entry, connection, now) for entry in due]

    def at_frame(
        self, frame: Frame, phase: Phase, connection: int, now: float, *, sent: bool
    ) -> tuple[list[Fault], Fault | None]:
        """What goes wrong with a connection before a frame, and what with the frame."""
        before: list[Fault] = []
        to_it: Fault | None = None
        for entry in self._entries:
            if not entry.fault.counts(phase, frame, sent=sent):
                continue
            entry.seen += 1
            if not entry.due:
                continue
            if entry.fault.scope is Scope.FRAME:
                if to_it is None:
                    to_it = self._do(entry, connection, now)
            elif entry.waits:
                before.append(self._do(entry, connection, now))
        return before, to_it

    def _of(self, scope: Scope) -> Iterator[_Entry]:
        return (entry for entry in self._entries if entry.fault.scope is scope)

    def _do(self, entry: _Entry, connection: int, now: float) -> Fault:
        entry.done += 1
        self.happened.append(Happened(fault=entry.fault, connection=connection, at=now))
        return entry.fault
