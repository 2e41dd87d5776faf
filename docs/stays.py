"""The page of what a session does by itself, compared with whomever it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cassettes.record import stays
from unirt.testing.journey import Journey, Moved
from unirt.testing.moved import moved_apart, moved_outlines, moved_rows
from unirt.testing.travel import travel

__all__ = ["stays_page"]


def stays_page(held: Iterable[tuple[str, Journey, Moved]] | None = None) -> Iterator[str]:
    """
    Args:
        held: With whom, what, and what happened; the tests have held them all.
    """
    if held is None:
        held = ((name, journey, travel(way, journey)) for name, way, journey in stays())
    found: dict[str, dict[str, Moved]] = {}
    about: dict[str, str | None] = {}
    for name, journey, moved in held:
        found.setdefault(journey.name, {})[name] = moved
        about[journey.name] = journey.scenario.about
    yield "# What a session does by itself gives the same stream\n"
    yield "Conversations that keep to one connection, compared as [scenarios](scenarios.md) are. In"
    yield "them the session runs tools, holds limits, finds turns and changes settings. *vertex* is"
    yield "Gemini 3.8 on Vertex AI; where a change needs another connection it is a"
    yield "[journey](journeys.md), and has no place here. How much money a limit counts is each"
    yield "provider's own.\n"
    yield "| conversation | what happens | with | folded | kept: differs in |"
    yield "|---|---|---|---|---|"
    reasons: dict[str, None] = {}
    for stay, by_name in found.items():
        first, *others = by_name.values()
        pairs = [moved_outlines(first, other) for other in others]
        verdict = "equal" if all(one == other for one, other in pairs) else "**different**"
        differing = [row for other in others for row in moved_rows(first, other)]
        reasons.update(dict.fromkeys(map(str, differing)))
        kinds = ", ".join(dict.fromkeys(f"`{row.event}`" for row in differing)) or "nothing"
        if unexplained := [words for other in others for words in moved_apart(first, other)]:
            kinds = f"**{'; '.join(unexplained)}**"
        yield f"| {stay} | {about[stay]} | {', '.join(by_name)} | {verdict} | {kinds} |"
    yield "\n## Why the kept views do\n"
    yield from (f"- {reason}" for reason in reasons)
