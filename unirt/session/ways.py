"""
Ways: how a session gets another connection, without knowing who opens it.

``connect()`` knows what was asked for and how providers are reached; a session that moves asks it
through this door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypedDict

import attrs

from unirt.config import SessionConfig
from unirt.errors import UnirtError
from unirt.failover import Candidate
from unirt.items import Item
from unirt.itinerary import Itinerary
from unirt.policy import Row, Verdict
from unirt.translator import Translator
from unirt.transport import Transport

__all__ = ["CandidateFields", "Way", "Ways"]


class CandidateFields(TypedDict, total=False):
    """The fields of a :class:`Candidate`, but for the provider."""

    model: str | None
    voice: str | None
    provider_options: Mapping[str, Any] | None
    api_key: str | None
    base_url: str | None
    headers: Mapping[str, str] | None
    connection_options: Mapping[str, Any] | None
    transport: Any


@attrs.frozen(kw_only=True, eq=False)
class Way:
    """A connection that is open, and what is needed to use it."""

    candidate: Candidate
    provider: str
    model: str | None
    transport: Transport
    "Whoever has the way owns it."
    translator: Callable[[Sequence[Item]], Translator]
    "Makes a fresh one, which seeds what was said."
    resumes: bool = False
    "Whether the provider remembers the conversation, and is not told of it."
    settings_lost: tuple[str, ...] = ()
    "What was asked for and cannot be had there."


class Ways(Protocol):
    """Where else a session can go."""

    @property
    def current(self) -> Candidate:
        """Where it is."""
        ...

    def arrived(self, candidate: Candidate) -> None:
        """It is there now: the candidate answered."""
        ...

    def failed(self, candidate: Candidate) -> None:
        """It could not go, or stay, there."""
        ...

    @property
    def rotates(self) -> bool:
        """Whether to go on before the provider ends the connection by design."""
        ...

    @property
    def resumes(self) -> bool:
        """Whether the provider in use can go on with a conversation that it remembers."""
        ...

    def judge(self, *, code: int | None, reason: str, errors: Iterable[str]) -> Row:
        """What the end of the connection in use means."""
        ...

    def itinerary(self, failed: Candidate, verdict: Verdict, strikes: int) -> Itinerary:
        """
        Whom to try when a candidate has failed.

        Args:
            failed: Who did.
            verdict: Whether it may answer the next time.
            strikes: How many connections to it failed, or were lost, in a row before this.
        """
        ...

    def changed(self, changes: SessionConfig) -> None:
        """The application changed its settings."""
        ...

    def candidate(self, given: object, **fields: Any) -> Candidate:
        """
        Somebody to go to, as an application names it.

        Raises:
            ConfigurationError: There is no such provider.
        """
        ...

    def hide(self, text: str) -> str:
        """A text without the credentials that a provider may have quoted in it."""
        ...

    def masked(self, error: UnirtError) -> UnirtError:
        """An error without them."""
        ...

    def check(self, candidate: Candidate, changes: SessionConfig | None) -> None:
        """
        Refuse what no connection to a candidate could have, before the one in use is left.

        Raises:
            ConfigurationError: There is something.
        """
        ...

    async def dial(
        self,
        candidate: Candidate,
        changes: SessionConfig | None = None,
        handle: str | None = None,
    ) -> Way:
        """
        Open a connection.

        Args:
            candidate: To whom.
            changes: Settings on top of those in force.
            handle: What the provider remembers the conversation by, of ``ResumptionUpdated``.

        Raises:
            ConfigurationError: It cannot be reached with what is configured.
            DialError: It cannot be reached.
        """
        ...
