"""
The fault matrix: every fault at every phase at which it can be done.

A provider's cells are the same for all, but for what its protocol has no words for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unirt.provider import Provider
from unirt.testing.faults.fault import Fault
from unirt.testing.faults.faults import never_said
from unirt.testing.faults.kinds import KINDS, Kind, Scope
from unirt.testing.faults.phases import Phase

__all__ = ["CODES", "STATUSES", "cells"]

CODES: Final = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 4000)
"The close codes that are tried (RFC 6455, 7.4)."
STATUSES: Final = (400, 401, 403, 404, 408, 429, 500, 502, 503, 504)
"The HTTP statuses that are tried."


def cells(provider: Provider) -> list[Fault]:
    """The faults of the matrix that a provider has words for, row by row."""
    found = []
    for kind in KINDS.values():
        if kind.socket_only:
            continue
        for value in _values(kind):
            found += [*_row(kind, value, sent=False)]
        if kind.sent:
            found += [*_row(kind, None, sent=True)]
    return [fault for fault in found if never_said(fault, provider) is None]


def _row(kind: Kind, value: int | None, *, sent: bool) -> Iterator[Fault]:
    for phase in Phase:
        scope = kind.scope_in(phase)
        if scope is None or (sent and scope is Scope.DIAL):
            continue
        if scope is Scope.FRAME and phase is Phase.CLOSE:
            continue  # whoever closes waits for no frame
        yield Fault(kind=kind.name, phase=phase, value=value, sent=sent)


def _values(kind: Kind) -> tuple[int | None, ...]:
    match kind.name:
        case "close":
            return CODES
        case "refuse":
            return STATUSES
        case _:
            return (None,)
