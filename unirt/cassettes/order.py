"""The order of a cassette's lines: what may follow what."""

from __future__ import annotations

from collections.abc import Iterable

from unirt.cassettes.entries import Cassette, Closed, Entry, Exchanged, Opened, Stalled
from unirt.errors import CassetteError

__all__ = ["check_order"]


def check_order(cassette: Cassette, where: str) -> None:
    """
    Check that time does not go back, and that each connection is opened once and ends once.

    That each ends is what tells a file that lost its last lines from a whole one.

    Raises:
        CassetteError: A line is out of order, or lines are missing at the end.
    """
    states: dict[int, str] = {}
    now = 0.0
    for line, entry in cassette.numbered():
        if entry.at_ms < now:
            raise _wrong(where, line, f"its time, {entry.at_ms:g} ms, is before the line above")
        now = entry.at_ms
        problem = _step(states, entry)
        if problem:
            raise _wrong(where, line, problem)
    last = len(cassette.entries) + 1
    if not cassette.entries:
        raise CassetteError(
            "it has a header and holds nothing",
            where=where,
            remedy="record it again, or write what the connection says below the header",
        )
    unfinished = _unfinished(states)
    if unfinished is not None:
        raise CassetteError(
            f"connection {unfinished} does not end: the file is truncated",
            where=f"{where}, line {last}",
            remedy="restore the file, or end the connection with a close or a stall line",
        )


def _step(states: dict[int, str], entry: Entry) -> str | None:
    """Move one connection on; what is wrong about it, if anything."""
    if isinstance(entry, Exchanged):
        return None
    number = entry.connection
    state = states.get(number)
    if isinstance(entry, Opened):
        if state is not None:
            return f"connection {number} is opened twice"
        if number != len(states) + 1:
            return f"connection {number} is opened before connection {len(states) + 1}"
        states[number] = "over" if entry.failed else "open"
        return None
    if state is None:
        return f"connection {number} was never opened"
    if state == "over" or (state == "stalled" and not isinstance(entry, Closed)):
        return f"connection {number} is over"
    if isinstance(entry, Closed):
        states[number] = "over"
    elif isinstance(entry, Stalled):
        states[number] = "stalled"
    return None


def _unfinished(states: dict[int, str]) -> int | None:
    still: Iterable[int] = (number for number, state in states.items() if state == "open")
    return next(iter(still), None)


def _wrong(where: str, line: int, what: str) -> CassetteError:
    return CassetteError(
        what,
        where=f"{where}, line {line}",
        remedy="put the lines into the order in which they happened",
    )
