"""What a session knows of itself, read off its own events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from unirt.errors import ConnectionLost
from unirt.events import (
    ContentDiscarded,
    Event,
    HistorySeeded,
    ResponseDone,
    SessionClosed,
    SessionStarted,
    UsageReported,
)
from unirt.items import Item
from unirt.session.history import History
from unirt.session.limits import Limits
from unirt.usage import Usage

__all__ = ["State", "told_of_seeding"]


class State:
    """The facts behind a session's properties."""

    __slots__ = (
        "_handlers",
        "_running",
        "_usage",
        "closed",
        "discarded",
        "events",
        "history",
        "model",
        "seeded",
        "session_id",
    )

    def __init__(self, limits: Limits, seeded: Iterable[Item]) -> None:
        self.history = History(limits.history_items, seeded, characters=limits.history_characters)
        self.session_id: str | None = None
        self.model: str | None = None
        self.closed: SessionClosed | None = None
        self.seeded: HistorySeeded | None = None
        self.events = 0
        self.discarded = 0
        self._usage = Usage()
        self._running: dict[str | None, Usage] = {}
        "Counts of responses that are not done; each replaces the one before it."
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            **self.history.handlers,
            SessionStarted: self._started,
            ResponseDone: self._response_done,
            UsageReported: self._usage_reported,
            HistorySeeded: self._seeded,
            ContentDiscarded: self._discarded,
            SessionClosed: self._closed,
        }

    @property
    def usage(self) -> Usage:
        """The sum over all responses, the running ones as far as told."""
        return sum(self._running.values(), self._usage)

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

    def _response_done(self, event: ResponseDone) -> None:
        self.history.feed(event)
        running = self._running.pop(event.response_id, None) or self._running.pop(None, None)
        usage = event.usage or running
        if usage is not None:
            self._usage += usage

    def _usage_reported(self, event: UsageReported) -> None:
        if event.scope == "response" and event.usage is not None:
            self._running[event.response_id] = event.usage

    def _discarded(self, event: ContentDiscarded) -> None:
        self.discarded += 1

    def _seeded(self, event: HistorySeeded) -> None:
        self.seeded = event

    def _closed(self, event: SessionClosed) -> None:
        self.closed = event


def told_of_seeding(event: HistorySeeded | None) -> HistorySeeded:
    """The event that a translator owes to whoever seeds."""
    if event is None:
        raise RuntimeError("the translator did not tell what became of the history")
    return event
