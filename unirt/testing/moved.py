"""
What one journey may differ in when it goes two ways, and what it does.

The folded views are equal, and so are the kept views, connection by connection, but for the five
freedoms of :mod:`unirt.testing.kept`. A move adds five, each read off what the session told:

1. *Remembered.* A provider may hand out what a conversation can be resumed by, and one that resumed
   it by itself is not told of it: ``ResumptionUpdated`` is left out, there is no ``HistorySeeded``,
   and what was said before is not counted as carried.
2. *In another form.* Which of the items a provider knows as they were, and which in another form,
   is its own business; how many it knows, and how many it does not, is not.
3. *Untold.* What a connection used and had not told when it was left is told nowhere. Where the
   session says that some is untold, the usage of the answers is not compared.
4. *Heard from before.* Whoever answers now knows nothing of an answer that is still heard. How much
   of it was heard when the user went over it depends on when this provider says that they speak.
5. *Tried.* A provider that refuses to resume a conversation is asked once more, for a new one.

Whatever else differs is a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from unirt.events import (
    Event,
    HistorySeeded,
    Interrupted,
    Reconnected,
    Reconnecting,
    ResponseStarted,
    ResumptionUpdated,
)
from unirt.fold import fold
from unirt.testing.journey import Moved
from unirt.testing.kept import comparable, told_apart
from unirt.testing.outline import outline
from unirt.testing.rows import Row, rows

__all__ = ["moved_apart", "moved_outlines", "moved_rows"]

Outline = list[dict[str, Any]]

_SAME = ("why", "lost_ms", "replayed_ms", "settings_lost", "forgotten")
"The fields of ``Reconnected`` that are the same whoever answers."


def moved_outlines(a: Moved, b: Moved) -> tuple[Outline, Outline]:
    """The outlines of both folded views, without what the freedoms leave out."""
    counted = not (a.usage.untold or b.usage.untold)
    return _outline(a, counted=counted), _outline(b, counted=counted)


def moved_apart(a: Moved, b: Moved) -> list[str]:
    """How both kept views differ beyond the freedoms, in words."""
    names = ["-".join(leg.provider for leg in moved.legs) for moved in (a, b)]
    if len(a.legs) != len(b.legs):
        return [f"{len(a.legs)} connections on {names[0]}, {len(b.legs)} on {names[1]}"]
    kept_a: list[Event] = []
    kept_b: list[Event] = []
    for one, other in zip(a.legs, b.legs, strict=True):
        told_a, told_b = comparable(one.events, other.events, one.capabilities, other.capabilities)
        kept_a += told_a
        kept_b += told_b
    left_out: tuple[type[Event], ...] = (Reconnecting, ResumptionUpdated)
    if _restored(a) or _restored(b):
        left_out += (HistorySeeded,)
    kept_a, kept_b = ([e for e in kept if not isinstance(e, left_out)] for kept in (kept_a, kept_b))
    return told_apart(kept_a, kept_b, *names) + _facts_apart(a.arrivals, b.arrivals, *names)


def moved_rows(a: Moved, b: Moved) -> list[Row]:
    """The rows that both kept views make visible, connection by connection."""
    found: dict[Row, None] = {}
    for one, other in zip(a.legs, b.legs, strict=True):
        both = (one.events, other.events, one.capabilities, other.capabilities)
        found.update(dict.fromkeys(rows(*both)))
    return list(found)


def _outline(moved: Moved, *, counted: bool) -> Outline:
    late = _cut_late(moved)
    steps = []
    for step in fold(moved.events):
        timed = step.stream.response_id not in late
        steps.append(step if timed else attrs.evolve(step, heard_ms=None))
    entries = outline(steps)
    return entries if counted else [{**entry, "usage": None} for entry in entries]


def _cut_late(moved: Moved) -> set[str | None]:
    """The responses that were gone over when their connection was not in use any more."""
    found: set[str | None] = set()
    before: set[str | None] = set()
    for leg in moved.legs:
        cut = {event.response_id for event in leg.events if isinstance(event, Interrupted)}
        found |= cut & before
        before |= {event.response_id for event in leg.events if isinstance(event, ResponseStarted)}
    return found


def _restored(moved: Moved) -> bool:
    return any(event.state_restored for event in moved.arrivals)


def _facts_apart(
    a: Sequence[Reconnected], b: Sequence[Reconnected], name_a: str, name_b: str
) -> list[str]:
    """How what was told of the moves differs."""
    found = []
    for one, other in zip(a, b, strict=True):
        facts_a, facts_b = _facts(one), _facts(other)
        if one.state_restored or other.state_restored:
            for facts in (facts_a, facts_b):
                del facts["known"]
        found += [
            f"Reconnected: {name} is {facts_a[name]!r} on {name_a}, {facts_b[name]!r} on {name_b}"
            for name in facts_a
            if facts_a[name] != facts_b[name]
        ]
    return found


def _facts(event: Reconnected) -> dict[str, Any]:
    facts = {name: getattr(event, name) for name in _SAME}
    known = event.carried + event.changed
    return {**facts, "known": known, "lost": event.lost, "calls": len(event.calls)}
