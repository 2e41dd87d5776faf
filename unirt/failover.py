"""
Which providers a session may run on, and in what order they are tried.

A session that has a :class:`Failover` does not end when its provider fails: the conversation goes
on over the next provider that answers. What is said of one provider (a model, a voice, a key, an
address) is never carried to another.

Who failed rests for a while: until then the others are tried before it, in this process, whatever
session asks. Nobody is left out for good: where all rest, all are tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from unirt.errors import ConfigurationError, UnknownProvider
from unirt.provider import Provider
from unirt.registry import installed
from unirt.secret import secret_or_none, secret_url, secret_values
from unirt.value import Value

__all__ = [
    "COOLDOWNS",
    "Candidate",
    "Cooldowns",
    "Failover",
    "candidate_of",
    "failover_of",
    "first_candidate",
]


@attrs.frozen(kw_only=True)
class Candidate(Value):
    """One provider that a session may run on; ``None`` for what its environment says."""

    provider: str | Provider
    model: str | None = None
    voice: str | None = None
    provider_options: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    "May hold credentials, so it is never shown."
    api_key: str | None = attrs.field(default=None, repr=False, converter=secret_or_none)
    base_url: str | None = attrs.field(default=None, repr=secret_url)
    headers: Mapping[str, str] | None = attrs.field(
        default=None, repr=False, converter=attrs.converters.optional(secret_values)
    )
    connection_options: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    transport: Any = None
    "As in ``connect()``: a name, or what opens one."

    @property
    def name(self) -> str:
        """The provider's registered name."""
        return self.provider if isinstance(self.provider, str) else self.provider.name


class Cooldowns:
    """
    Which candidates failed lately.

    Args:
        now: The time, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: dict[tuple[str, str | None], float] = {}

    def failed(self, candidate: Candidate, seconds: float) -> None:
        """It failed: let it rest for so long."""
        self._until[_key(candidate)] = self._now() + seconds

    def answered(self, candidate: Candidate) -> None:
        """It answered: it need not rest."""
        self._until.pop(_key(candidate), None)

    def rests(self, candidate: Candidate) -> bool:
        """Whether it is to be tried after those that do not rest."""
        until = self._until.get(_key(candidate))
        return until is not None and self._now() < until


def _key(candidate: Candidate) -> tuple[str, str | None]:
    return candidate.name, candidate.base_url


COOLDOWNS = Cooldowns()
"Those of this process."


@attrs.frozen(kw_only=True)
class Failover(Value):
    """Where a session goes when its provider fails."""

    chain: tuple[Candidate, ...]
    "In order; the provider that a session begins with may be among them, and need not."
    retries: int = 1
    "How often the provider that failed is tried again before others are, where that may help."
    cooldown: float = 60.0
    "In seconds: how long a provider that failed is tried after the others."
    cooldowns: Cooldowns = attrs.field(default=COOLDOWNS, repr=False, eq=False)

    def others(self, than: Candidate) -> list[Candidate]:
        """The rest of the chain, from the one after `than` on; those that rest are last."""
        names = [candidate.name for candidate in self.chain]
        place = names.index(than.name) + 1 if than.name in names else 0
        turned = [*self.chain[place:], *self.chain[:place]]
        others = [candidate for candidate in turned if candidate.name != than.name]
        return sorted(others, key=self.cooldowns.rests)


def failover_of(
    given: str | Iterable[str | Candidate | Provider] | Failover | None,
    split: Callable[[str], tuple[str | None, str]],
    *,
    where: str,
) -> Failover | None:
    """
    A chain as it is written: names with commas between, or a list of names and candidates.

    Args:
        given: What is written.
        split: Takes ``provider:model`` apart.
        where: What errors call it.

    Raises:
        ConfigurationError: It is none of that, or names a provider twice.
    """
    if given is None or isinstance(given, Failover):
        return given
    given_parts: Iterable[Any] = given.split(",") if isinstance(given, str) else given
    parts = [part for part in given_parts if not isinstance(part, str) or part.strip()]
    chain = tuple(candidate_of(part, split, where=where) for part in parts)
    for candidate in chain:
        if isinstance(candidate.provider, str) and candidate.provider not in installed():
            raise UnknownProvider(candidate.provider, installed(), where=where)
    names = [candidate.name for candidate in chain]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigurationError(
            f"it names {', '.join(sorted(twice))} twice", where=where, remedy="name each once"
        )
    return Failover(chain=chain) if chain else None


def first_candidate(provider: Provider, failover: Failover | None, **given: Any) -> Candidate:
    """Where a session begins: what is given of it, on top of what the chain says."""
    chain = () if failover is None else failover.chain
    known = next((each for each in chain if each.name == provider.name), None)
    fields = {name: value for name, value in given.items() if value is not None}
    return attrs.evolve(known or Candidate(provider=provider), provider=provider, **fields)


def candidate_of(
    given: Any, split: Callable[[str], tuple[str | None, str]], *, where: str
) -> Candidate:
    """
    A candidate, of its name, of ``provider:model``, or of the provider itself.

    Raises:
        ConfigurationError: It is none of these.
    """
    if isinstance(given, Candidate):
        return given
    if isinstance(given, Provider):
        return Candidate(provider=given)
    if not isinstance(given, str):
        raise ConfigurationError(
            f"{given!r} is no provider",
            where=where,
            remedy="give a name, provider:model, or a unirt.Candidate",
        )
    name, rest = split(given.strip())
    return Candidate(provider=rest) if name is None else Candidate(provider=name, model=rest)
