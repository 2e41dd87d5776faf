"""What a session can tell of itself: whom it talks to, what was said, and what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from unirt.capabilities import Capabilities
from unirt.condition import Condition
from unirt.config import SessionConfig
from unirt.conversation import Conversation
from unirt.events import HistorySeeded
from unirt.session.limits import Stats
from unirt.session.link import Link, counted
from unirt.session.state import State
from unirt.session.views import Hub

if TYPE_CHECKING:
    from unirt.errand import Errand
    from unirt.events import LimitReached

__all__ = ["Facts"]


class Facts:
    """A session's properties, but for those that count what it costs."""

    _link: Link
    _past: Stats
    _tried: Link | None
    _state: State
    _hub: Hub
    _closer: Errand | None
    _ended_by: LimitReached | None
    _over: bool

    @property
    def provider(self) -> str:
        """The provider's registered name."""
        return self._link.provider

    @property
    def url(self) -> str:
        """Where the connection goes, without query and credentials."""
        return self._link.url

    @property
    def capabilities(self) -> Capabilities:
        """The facts about the model in use."""
        return self._link.translator.capabilities

    @property
    def config(self) -> SessionConfig:
        """What is configured, the provider's defaults and all updates included."""
        return self._link.translator.config

    @property
    def model(self) -> str:
        """The model, as the provider calls it where it says so."""
        return self._state.model or self.config.model or self.capabilities.model

    @property
    def session_id(self) -> str | None:
        """The provider's id of the session; ``None`` where it says none."""
        return self._state.session_id

    @property
    def call_id(self) -> str | None:
        """The provider's name of the call that it is; ``None`` where it is none."""
        media = self._link.media
        return None if media is None else media.call_id

    @property
    def condition(self) -> Condition | None:
        """How the connection is doing that carries audio beside its frames; ``None`` of others."""
        media = self._link.media
        return None if media is None else media.condition

    @property
    def history(self) -> Conversation:
        """The conversation so far, turn by turn; see :mod:`unirt.session.history`."""
        return self._state.history.items

    @property
    def ended_by(self) -> LimitReached | None:
        """The limit of the budget that closed it; ``None`` where none did."""
        return self._ended_by

    @property
    def seeded(self) -> HistorySeeded | None:
        """What became of the history that was seeded last; ``None`` where none was."""
        return self._state.seeded

    @property
    def closed(self) -> bool:
        """Whether it is over, or about to be: verbs raise."""
        return self._over or self._closer is not None

    @property
    def stats(self) -> Stats:
        """What was counted so far."""
        return attrs.evolve(
            counted(counted(self._past, self._tried), self._link),
            frames_waiting=self._link.outbox.waiting,
            events=self._state.events,
            dropped_audio_ms=self._hub.dropped_ms,
            silenced_audio_ms=self._hub.silenced_ms,
            input_dropped_ms=self._state.input_dropped_ms,
            discarded=self._state.discarded,
        )
