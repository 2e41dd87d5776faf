"""The lookout: what is known of the connection in use that decides what follows on its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from unirt.events import Ending, Event, ProviderError, ResponseDone, SessionExpiring, Severity

__all__ = ["Lookout", "Loss"]

_PROGRESS_S = 60.0
"How long a connection lasts that was worth opening, in seconds."


@attrs.frozen(kw_only=True)
class Loss:
    """How a connection ended although nobody in this program ended it."""

    code: int | None
    reason: str
    by: str

    def __str__(self) -> str:
        code = "" if self.code is None else f"close code {self.code}"
        return ", ".join(filter(None, (code, self.reason))) or "the connection was cut"


class Lookout:
    """
    Args:
        now: The time of the session's events.
        expiring: Is told, once a connection, in how many seconds the provider will end it.
    """

    def __init__(self, now: Callable[[], float], expiring: Callable[[float], None]) -> None:
        self._now = now
        self._tell = expiring
        self._since = now()
        self._strikes = 0
        self.errors: tuple[str, ...] = ()
        "The code and the type of the last error that the provider told, of those that matter."
        self.on_trial = False
        "The provider was to resume the conversation, and has not shown that it does."
        self.expiring = False
        "The provider said that it will end the connection soon."
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            SessionExpiring: self._expires,
            ProviderError: self._failed,
            ResponseDone: self._answered,
        }

    def arrived(self, *, resumed: bool) -> None:
        """Another connection is in use; `resumed` where the provider remembers, or says so."""
        self.on_trial = resumed
        self._since = self._now()
        self.errors = ()
        self.expiring = False

    def strike(self) -> int:
        """The connection is lost; returns how many before it, in a row, brought nothing."""
        if self._now() - self._since >= _PROGRESS_S:
            self._strikes = 0
        before = self._strikes
        self._strikes += 1
        return before

    def _expires(self, event: SessionExpiring) -> None:
        if not self.expiring:
            self.expiring = True
            self._tell(event.time_left_ms / 1000)

    def _failed(self, event: ProviderError) -> None:
        if event.severity is not Severity.BENIGN:
            self.errors = tuple(filter(None, (event.code, event.type)))

    def _answered(self, event: ResponseDone) -> None:
        if event.ending is Ending.COMPLETE:
            self._strikes = 0
            self.errors = ()
            self.on_trial = False
