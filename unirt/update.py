"""What became of a change of settings, setting by setting."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs

from unirt.value import Value

__all__ = ["Outcome", "Settled", "Updated"]


class Outcome(StrEnum):
    """What became of one setting."""

    APPLIED = "applied"
    "It is in force."
    RECONNECTED = "reconnected"
    "It is in force, over a new connection that knows the conversation."
    DEFERRED = "deferred"
    "It is in force from the next response on; ``UpdateSettled`` tells where that takes more."
    REFUSED = "refused"
    "It is as it was."


@attrs.frozen
class Settled(Value):
    """What became of one setting, and why."""

    outcome: Outcome
    why: str = ""


@attrs.frozen
class Updated(Value):
    """What became of all settings of one :meth:`~unirt.Session.update`, by name."""

    settings: Mapping[str, Settled]

    def __getitem__(self, name: str) -> Outcome:
        return self.settings[name].outcome

    @property
    def refused(self) -> Mapping[str, str]:
        """What was refused, each with its reason."""
        return {
            name: settled.why
            for name, settled in self.settings.items()
            if settled.outcome is Outcome.REFUSED
        }
