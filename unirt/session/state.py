"""What a session knows of itself, read off its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from unirt.errors import ConnectionLost
from unirt.events import ContentDiscarded, Event, SessionClosed, SessionStarted
from unirt.items import Item
from unirt.session.history import History
from unirt.session.ledger import Ledger

__all__ = ["Handlers", "State"]

Handlers = Mapping[type[Event], Callable[[Any], None]]
"What wants to be called with which events."


class State:
    """
    The facts behind a session's properties.

    Args:
        history_items: How many items the history holds.
        seeded: The history the session begins with.
        model: The model that answers now, where the provider does not say which that is.
    """

    __slots__ = (
        "_handlers",
        "closed",
        "discarded",
        "events",
        "history",
        "ledger",
        "model",
        "session_id",
    )

    def __init__(
        self, history_items: int, seeded: Iterable[Item], model: Callable[[], str | None]
    ) -> None:
        self.history = History(history_items, seeded)
        self.ledger = Ledger(model)
        self.session_id: str | None = None
        self.model: str | None = None
        self.closed: SessionClosed | None = None
        self.events = 0
        self.discarded = 0
        self._handlers: dict[type[Event], Callable[[Any], None]] = {}
        self.listen(self.history.handlers)
        self.listen(self.ledger.handlers)
        self.listen(
            {
                SessionStarted: self._started,
                ContentDiscarded: self._discarded,
                SessionClosed: self._closed,
            }
        )

    def listen(self, handlers: Handlers) -> None:
        """Have `handlers` called too, after those that are known, with the events of their type."""
        for kind, handler in handlers.items():
            known = self._handlers.get(kind)
            self._handlers[kind] = handler if known is None else _both(known, handler)

    def feed(self, events: Sequence[Event]) -> None:
        """Take the next events; most of them are audio and change nothing."""
        self.events += len(events)
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:
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

    def _closed(self, event: SessionClosed) -> None:
        self.closed = event
        self.ledger.settle()


def _both(first: Callable[[Any], None], second: Callable[[Any], None]) -> Callable[[Any], None]:
    def both(event: Any) -> None:
        first(event)
        second(event)

    return both
