"""The published rows: which events two providers tell differently, and the facts that say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from unirt.capabilities import Capabilities, Emission
from unirt.events import Event, SessionEvent

__all__ = ["Row", "rows"]


@attrs.frozen(kw_only=True)
class Row:
    """One kind of event that one provider says and another does not."""

    event: str
    "The name of the event's class."
    provider: str
    "Who does not say it."
    emission: Emission
    "``synthesised`` or ``never``."
    why: str
    "The fact."

    def __str__(self) -> str:
        how = "never says" if self.emission is Emission.NEVER else "leaves to be concluded"
        return f"{self.provider} {how} {self.event}{f': {self.why}' if self.why else ''}"


def rows(
    events_a: Sequence[Event],
    events_b: Sequence[Event],
    caps_a: Capabilities,
    caps_b: Capabilities,
) -> list[Row]:
    """The rows that two kept views of one conversation make visible, in order of appearance."""
    told = (event for event in (*events_a, *events_b) if not isinstance(event, SessionEvent))
    kinds = dict.fromkeys(type(event).__name__ for event in told)
    sides = ((events_a, caps_a), (events_b, caps_b))
    return [row for kind in kinds for events, caps in sides if (row := _row(kind, events, caps))]


def _row(kind: str, events: Iterable[Event], caps: Capabilities) -> Row | None:
    said = any(type(event).__name__ == kind and not event.synthesised for event in events)
    fact = caps.emits.get(kind)
    emission = caps.emission(kind)
    if said or emission is Emission.SAID:
        return None
    return Row(
        event=kind, provider=caps.provider, emission=emission, why="" if fact is None else fact.why
    )
