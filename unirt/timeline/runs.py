"""
Rows that say the same thing piece by piece, put together.

Speech goes both ways at once, in small frames that take turns on the wire. Each direction is one
run, until something else happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from unirt import events as ev
from unirt.commands import AppendAudio
from unirt.timeline.values import Row
from unirt.value import Value

__all__ = ["Run", "runs"]

_PIECES: Final = (
    ev.AudioDelta,
    ev.TextDelta,
    ev.TranscriptDelta,
    ev.TranscriptInterim,
    ev.ThoughtDelta,
    ev.ToolCallDelta,
    ev.ServerToolDelta,
)


@attrs.frozen(kw_only=True)
class Run(Value):
    """Rows of one kind; mostly a single one."""

    rows: tuple[Row, ...]

    @property
    def first(self) -> Row:
        return self.rows[0]

    @property
    def audio_ms(self) -> float:
        return sum(row.audio_ms for row in self.rows)

    @property
    def size(self) -> int:
        return sum(row.size for row in self.rows)


def runs(rows: Iterable[Row]) -> Iterator[Run]:
    """The rows, in order of each run's first."""
    growing: dict[tuple[int, str, str], list[Row]] = {}
    for row in rows:
        if _is_piece(row):
            growing.setdefault((row.connection, row.kind, row.name), []).append(row)
            continue
        yield from _ended(growing)
        yield Run(rows=(row,))
    yield from _ended(growing)


def _ended(growing: dict[tuple[int, str, str], list[Row]]) -> Iterator[Run]:
    for rows in growing.values():
        yield Run(rows=tuple(rows))
    growing.clear()


def _is_piece(row: Row) -> bool:
    """Whether a row holds pieces of something, and nothing else."""
    told = [*row.events, *row.commands]
    return bool(told) and all(isinstance(one, (*_PIECES, AppendAudio)) for one in told)
