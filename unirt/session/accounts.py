"""What a session can tell of its use: tokens, money, and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unirt.events import ResponseDone, UsageReported
from unirt.session.state import State
from unirt.timings import Timings
from unirt.usage import SessionUsage

if TYPE_CHECKING:
    from unirt.prices import Cost

__all__ = ["Accounts"]


class Accounts:
    """A session's properties that count."""

    _state: State

    @property
    def usage(self) -> SessionUsage:
        """What was used so far, by model; the responses that run as far as told."""
        return self._state.ledger.usage

    @property
    def cost(self) -> Cost:
        """What was used so far, in money; see :mod:`unirt.prices`. The first use loads a list."""
        from unirt.prices import price_session

        return price_session(self.usage)

    def cost_of(self, event: ResponseDone | UsageReported) -> Cost:
        """What one response, or one transcript, of this session cost, by its event."""
        from unirt.prices import price

        return price(self._state.ledger.account_of(event))

    @property
    def timings(self) -> Timings:
        """How long the latest turns waited for their answers; see :mod:`unirt.timings`."""
        return self._state.stopwatch.timings
