"""
What an application lets a session use: time, silence, tokens, money.

These are the application's own limits; the session holds them, on the session's clock. What a
session may hold in memory is another matter, :class:`~unirt.session.limits.Limits`, and what the
provider allows is told by its own events.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import attrs

from unirt.errors import ConfigurationError
from unirt.value import Value

__all__ = ["Bound", "Budget"]


@attrs.frozen
class Bound(Value):
    """One limit, and what happens before and at it."""

    most: float | Decimal
    "How much there may be."
    warn_at: float | None = attrs.field(default=0.8, kw_only=True)
    "The share of it at which ``LimitNear`` is told; ``None`` for no warning."
    ends: bool = attrs.field(default=True, kw_only=True)
    "Whether the session closes at it; else ``LimitReached`` is told, and nothing else happens."

    @property
    def near(self) -> float | Decimal | None:
        """How much it takes to be warned."""
        if self.warn_at is None:
            return None
        if isinstance(self.most, Decimal):
            return self.most * Decimal(str(self.warn_at))
        return self.most * self.warn_at


Given = Bound | float | Decimal | str | None
"What a limit may be written as."


def _bound(given: Given, name: str, kind: type[float] | type[Decimal]) -> Bound | None:
    if given is None:
        return None
    bound = given if isinstance(given, Bound) else Bound(given)  # type: ignore[arg-type]  # text is read below
    try:
        most = kind(str(bound.most))
        wrong = isinstance(bound.most, bool) or not 0 < most < kind("Infinity")
    except (ValueError, InvalidOperation):
        most, wrong = kind(0), True
    if wrong:
        raise ConfigurationError(
            f"{bound.most!r} is no limit", where=f"budget.{name}", remedy="give a number above 0"
        )
    if bound.warn_at is not None and not 0 < bound.warn_at < 1:
        raise ConfigurationError(
            f"{bound.warn_at!r} is no share of a limit",
            where=f"budget.{name}.warn_at",
            remedy="give a number between 0 and 1, or None for no warning",
        )
    return attrs.evolve(bound, most=most)


def _duration(given: Given) -> Bound | None:
    return _bound(given, "duration", float)


def _idle(given: Given) -> Bound | None:
    return _bound(given, "idle", float)


def _tokens(given: Given) -> Bound | None:
    return _bound(given, "tokens", float)


def _cost(given: Given) -> Bound | None:
    return _bound(given, "cost", Decimal)


@attrs.frozen(kw_only=True)
class Budget(Value):
    """
    What a session may use; what is not set has no limit.

    Each is a number, or a :class:`Bound` where it shall warn at another share or not end the
    session: ``Budget(duration=600, tokens=Bound(50_000, ends=False))``.

    Raises:
        ConfigurationError: A limit that is no number above 0.
    """

    duration: Bound | None = attrs.field(default=None, converter=_duration)
    "Seconds from the moment when the provider is ready."
    idle: Bound | None = attrs.field(default=None, converter=_idle)
    """
    Seconds in which nobody does anything: the user does not speak, nothing is sent but audio, no
    response runs or could still be heard, and no tool of the application is at work.
    """
    tokens: Bound | None = attrs.field(default=None, converter=_tokens)
    "All tokens of all responses and of transcription."
    cost: Bound | None = attrs.field(default=None, converter=_cost)
    """
    US dollars by :mod:`unirt.prices`. What has no price does not count; a model without one is
    refused by ``connect()``.
    """

    def merged(self, over: Budget | None) -> Budget:
        """These limits, with those that `over` sets in their place."""
        if over is None:
            return self
        found = {field.name: getattr(over, field.name) for field in attrs.fields(Budget)}
        return attrs.evolve(self, **{name: bound for name, bound in found.items() if bound})

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return any((self.duration, self.idle, self.tokens, self.cost))
