"""What a session knows of itself, read off its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from unirt.commands import Command
from unirt.errors import ConnectionLost
from unirt.events import (
    ContentDiscarded,
    Event,
    HistorySeeded,
    InputResumed,
    SessionClosed,
    SessionStarted,
)
from unirt.items import Item
from unirt.session.history import History
from unirt.session.ledger import Ledger
from unirt.session.limits import Limits
from unirt.session.stopwatch import Stopwatch

__all__ = ["Handlers", "State", "told_of_seeding"]

Handler = Callable[[Any], None]
Handlers = Mapping[type[Event], Handler]
"What wants to be called with which events."


class State:
    """
    The facts behind a session's properties.

    Whoever waits for one kind of event listens for it. Whoever waits for a first sign, which may be
    of many kinds, looks on; while nobody does, that costs nothing.

    Args:
        limits: How much the history holds.
        seeded: The history the session begins with.
        model: The model that answers now, where the provider does not say which that is.
    """

    __slots__ = (
        "_handlers",
        "closed",
        "discarded",
        "events",
        "feed",
        "history",
        "input_dropped_ms",
        "ledger",
        "model",
        "seeded",
        "session_id",
        "stopwatch",
    )

    def __init__(
        self, limits: Limits, seeded: Iterable[Item], model: Callable[[], str | None]
    ) -> None:
        self.history = History(limits.history_items, seeded, characters=limits.history_characters)
        self.ledger = Ledger(model)
        self.session_id: str | None = None
        self.model: str | None = None
        self.closed: SessionClosed | None = None
        self.seeded: HistorySeeded | None = None
        self.events = 0
        self.discarded = 0
        self.input_dropped_ms = 0.0
        self.feed: Callable[[Sequence[Event]], None] = self._feed
        "Take the next events; most of them are audio and change nothing."
        self._handlers: dict[type[Event], tuple[Handler, ...]] = {}
        "What is called for each type of event, in order; types that call nobody are not in it."
        self.stopwatch = Stopwatch(listen=self.listen, ignore=self.ignore)
        for noun in (self.history, self.ledger, self.stopwatch):
            self.listen(noun.handlers)
        self.listen(
            {
                SessionStarted: self._started,
                HistorySeeded: self._seeded,
                ContentDiscarded: self._discarded,
                InputResumed: self._resumed,
                SessionClosed: self._closed,
            }
        )

    def listen(self, handlers: Handlers) -> None:
        """Have `handlers` called with the events of their type, after those that are known."""
        for kind, handler in handlers.items():
            known = self._handlers.get(kind, ())
            if handler not in known:
                self._handlers[kind] = (*known, handler)

    def ignore(self, handlers: Handlers) -> None:
        """Have `handlers` called no more."""
        for kind, handler in handlers.items():
            known = self._handlers.pop(kind, ())
            if left := tuple(other for other in known if other != handler):
                self._handlers[kind] = left

    def look_on(self, looks_on: Callable[[Sequence[Event]], None] | None) -> None:
        """Have one that is given the events of each step first, from the next one on; or none."""
        self.feed = self._feed if looks_on is None else partial(self._shown_to, looks_on)

    def said(self, command: Command, now: float) -> None:
        """Take what the application said, once it was accepted."""
        self.history.said(command)
        self.stopwatch.said(command, now)

    def _shown_to(
        self, looks_on: Callable[[Sequence[Event]], None], events: Sequence[Event]
    ) -> None:
        looks_on(events)
        self._feed(events)

    def _feed(self, events: Sequence[Event]) -> None:
        self.events += len(events)
        handlers = self._handlers
        for event in events:
            if type(event) in handlers:  # a method to call would take longer than both look-ups
                for handler in handlers[type(event)]:
                    handler(event)

    def lost(self) -> ConnectionLost | None:
        """Why the session ended, where it ended uncleanly."""
        closed = self.closed
        if closed is None or closed.clean:
            return None
        return ConnectionLost(closed.provider, code=closed.code, reason=closed.reason, by=closed.by)

    def _started(self, event: SessionStarted) -> None:
        self.session_id = event.session_id
        self.model = event.model

    def _discarded(self, event: ContentDiscarded) -> None:
        self.discarded += 1

    def _resumed(self, event: InputResumed) -> None:
        self.input_dropped_ms += event.dropped_ms

    def _seeded(self, event: HistorySeeded) -> None:
        self.seeded = event

    def _closed(self, event: SessionClosed) -> None:
        self.closed = event
        self.ledger.settle()


def told_of_seeding(event: HistorySeeded | None) -> HistorySeeded:
    """The event that a translator owes to whoever seeds."""
    if event is None:
        raise RuntimeError("the translator did not tell what became of the history")
    return event
