"""How a session holds on to its provider when connections end."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import attrs

from unirt.errors import ConfigurationError
from unirt.value import Value

__all__ = ["Reconnect", "reconnect_of"]


@attrs.frozen(kw_only=True)
class Reconnect(Value):
    """
    When, and how often, a session opens another connection to the provider that it is with.

    Between two tries it waits, each time twice as long, and a random share less, so that the many
    sessions of a server that failed do not all come back at once.
    """

    tries: int = 5
    """
    How many connections in a row may fail or be lost. One that answered, or lasted a minute, ends
    the row; one that was merely opened does not.
    """
    first_tries: int = 2
    "How many connections are tried when the session begins."
    first_wait: float = 0.5
    "In seconds: how long the second try waits. The first one does not."
    longest_wait: float = 20.0
    "In seconds."
    jitter: float = 0.5
    "The largest share of a wait that is left out, 0.0 to 1.0."
    random: Callable[[], float] = attrs.field(default=random.random, repr=False, eq=False)
    "Draws from 0.0 to 1.0."
    rotate: bool = True
    "Whether to move to a new connection before the provider ends the one in use by design."

    def wait(self, tried: int, asked: float | None = None) -> float:
        """
        How long to wait before another try, in seconds.

        Args:
            tried: How many there were.
            asked: What the provider asked for; it is waited for at least.
        """
        if tried < 1:
            return asked or 0.0
        longest = min(self.first_wait * 2.0 ** (tried - 1), self.longest_wait)
        return max(longest * (1 - self.jitter * self.random()), asked or 0.0)


NEVER = Reconnect(tries=0, first_tries=1, rotate=False)
"A session that ends with its connection."


def reconnect_of(given: Any, found: str | None) -> Reconnect:
    """
    What is asked for, by an argument or by the settings.

    Raises:
        ConfigurationError: It is neither a flag nor a policy.
    """
    if given is None:
        given = found != "off"
    if isinstance(given, bool):
        return Reconnect() if given else NEVER
    if isinstance(given, Reconnect):
        return given
    raise ConfigurationError(
        f"{given!r} cannot be used",
        where="reconnect",
        remedy="give True, False, or a unirt.Reconnect(...)",
    )
