"""
How long a session waits for what may never come.

All of it is counted by the session's :class:`~unirt.clock.Clock`, so that tests have it in hand.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import attrs

from unirt.errors import ConfigurationError
from unirt.value import Value

__all__ = ["Timeouts"]


def _is_time(timeouts: Timeouts, field: attrs.Attribute[float], value: Any) -> None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or math.isnan(value) or value <= 0:
        raise ConfigurationError(
            f"{value!r} is no time",
            where=f"timeouts.{field.name}",
            remedy="give seconds, more than 0; math.inf for no bound",
        )


def _is_known(timeouts: Timeouts, field: attrs.Attribute[str], value: Any) -> None:
    if value not in ("tell", "reconnect"):
        raise ConfigurationError(
            f"{value!r} cannot be done",
            where="timeouts.at_overdue",
            remedy="use 'tell' or 'reconnect'",
        )


@attrs.frozen(kw_only=True)
class Timeouts(Value):
    """The bounds on waiting, in seconds; ``math.inf`` for none."""

    dial: float = attrs.field(default=10.0, validator=_is_time)
    "Until a connection is open; beyond it ``DialError``."
    handshake: float = attrs.field(default=20.0, validator=_is_time)
    "Until the provider is ready over it; beyond it ``HandshakeError``."
    answer: float = attrs.field(default=30.0, validator=_is_time)
    "Until an answer that is due begins; beyond it ``ResponseOverdue``."
    silence: float = attrs.field(default=30.0, validator=_is_time)
    "Until more comes of an answer that has begun and is not done; beyond it ``ResponseOverdue``."
    close: float = attrs.field(default=5.0, validator=_is_time)
    "Until a connection is closed; beyond it it is cut."
    at_overdue: Literal["tell", "reconnect"] = attrs.field(default="tell", validator=_is_known)
    "What an overdue answer means: an event and no more, or that the connection is lost."
