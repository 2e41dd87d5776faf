"""What an application saw of a fault, in a few words: the cells of the published table."""

from __future__ import annotations

from collections.abc import Iterator

from unirt.events import (
    Event,
    Malformed,
    ProviderError,
    Reconnected,
    Reconnecting,
    ResponseOverdue,
    SessionClosed,
    SessionExpiring,
    Unmapped,
)
from unirt.testing.faults.cell import Outcome

__all__ = ["NOTHING", "in_words"]

NOTHING = "nothing comes"
"Said of a cell whose fault had nothing to be done to."

_TOLD: tuple[type[Event], ...] = (
    Malformed,
    Unmapped,
    ProviderError,
    SessionExpiring,
    ResponseOverdue,
    Reconnecting,
    Reconnected,
)


def in_words(outcome: Outcome) -> str:
    """What the application saw, and whether the session went on."""
    if not outcome.happened:
        return NOTHING
    return ", ".join(dict.fromkeys(_parts(outcome)))


def _parts(outcome: Outcome) -> Iterator[str]:
    if outcome.opening is not None:
        yield f"`{type(outcome.opening).__name__}`"
        return
    events = outcome.events[outcome.since :]
    for event in events:
        if type(event) in _TOLD:
            yield f"`{type(event).__name__}`"
    closed = events[-1] if events else None
    if outcome.gave_up:
        yield "silence"
    elif outcome.answered:
        yield "goes on"
    elif isinstance(closed, SessionClosed):
        yield "`SessionClosed`"
    if outcome.error is not None:
        yield f"`{type(outcome.error).__name__}`"
