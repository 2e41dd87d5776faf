"""The page of conversations that move to another connection, compared by the ways they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unirt.registry import installed, load
from unirt.testing import moved
from unirt.testing.journey import JOURNEYS, Journey, Moved, Way, ways
from unirt.testing.moved import moved_apart, moved_outlines, moved_rows
from unirt.testing.travel import travel

__all__ = ["journeys_page"]


def journeys_page(travel: Callable[[Way, Journey], Moved] = travel) -> Iterator[str]:
    """
    Args:
        travel: Holds a conversation; the tests have held them all.
    """
    found = ways(map(load, installed()))
    yield "# The same journey gives the same stream\n"
    yield "Conversations that move to another connection, compared as"
    yield "[scenarios](scenarios.md) are."
    yield f"Each journey is held by a real session on each of these ways: {', '.join(found)}."
    yield "Where it is *resumed* the provider remembers the conversation, and where it is *refused*"
    yield "it remembers it no more; see [reconnecting](../howto/reconnect.md)."
    yield "All ways are compared with the first. *Known* counts the items that the next connection"
    yield "was told and knows, *lost* those that it does not, and *said again* is the user's audio"
    yield "that was held.\n"
    yield "| journey | when it moves | folded | kept: differs in | known | lost | said again |"
    yield "|---|---|---|---|---|---|---|"
    reasons: dict[str, None] = {}
    for journey in JOURNEYS.values():
        first, *others = (travel(way, journey) for way in found.values() if way.takes(journey))
        pairs = [moved_outlines(first, other) for other in others]
        verdict = "equal" if all(one == other for one, other in pairs) else "**different**"
        if any(one.usage.untold for one in (first, *others)):
            verdict += ", without usage"
        differing = [row for other in others for row in moved_rows(first, other)]
        reasons.update(dict.fromkeys(map(str, differing)))
        kinds = ", ".join(dict.fromkeys(f"`{row.event}`" for row in differing)) or "nothing"
        if unexplained := [words for other in others for words in moved_apart(first, other)]:
            kinds = f"**{'; '.join(unexplained)}**"
        (told,) = first.arrivals
        numbers = f"{told.carried + told.changed} | {told.lost} | {told.replayed_ms:g} ms"
        about = journey.scenario.about
        yield f"| {journey.name} | {about} | {verdict} | {kinds} | {numbers} |"
    yield "\n## What the ways may differ in\n"
    yield (
        (moved.__doc__ or "").partition("\n\n")[2].replace("of :mod:`unirt.testing.kept`", "above")
    )
    yield "## Why the kept views do\n"
    yield from (f"- {reason}" for reason in reasons)
