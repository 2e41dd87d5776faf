"""What a provider remembers the conversation by, where it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from unirt.config import SessionConfig
from unirt.events import Event, ResumptionUpdated
from unirt.failover import Candidate
from unirt.session.history import History
from unirt.session.ways import Ways

__all__ = ["Handle", "Remembered"]


@attrs.frozen
class Handle:
    """What a provider handed out, and how much of the conversation it covers."""

    candidate: Candidate
    value: str = attrs.field(repr=False)
    position: int
    "As in :attr:`History.position`."


class Remembered:
    """
    Keeps the newest handle that can resume the session.

    That there is none right now, in the middle of an answer, takes the last one not away; what was
    said since is told anew.

    Args:
        ways: Tells who is in use.
        history: The conversation.
    """

    def __init__(self, ways: Ways | None, history: History) -> None:
        self._ways = ways
        self._history = history
        self._handle: Handle | None = None
        self.handlers: dict[type[Event], Callable[[Any], None]] = {ResumptionUpdated: self._updated}

    def by(self, candidate: Candidate, changes: SessionConfig | None) -> Handle | None:
        """
        What a candidate remembers the conversation by; ``None`` where it does not.

        With another model it does not, either.
        """
        handle = self._handle
        if handle is None or (changes is not None and changes.model is not None):
            return None
        return handle if _same(handle.candidate, candidate) else None

    def forget(self) -> None:
        """The handle was used, or refused."""
        self._handle = None

    def _updated(self, event: ResumptionUpdated) -> None:
        ways = self._ways
        if ways is not None and ways.resumes and event.resumable and event.handle is not None:
            self._handle = Handle(ways.current, event.handle, self._history.position)


def _same(one: Candidate, other: Candidate) -> bool:
    return (one.name, one.model, one.base_url) == (other.name, other.model, other.base_url)
