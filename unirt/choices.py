"""
What is chosen where an application, the settings or a cassette may choose.

Each of these takes what ``connect()`` was given and what was found in the settings, and refuses
what cannot work.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from unirt.audio import AudioFormat
from unirt.config import SessionConfig
from unirt.deck.stack import current
from unirt.errors import ConfigurationError
from unirt.provider import Credentials, Provider
from unirt.registry import installed, load
from unirt.transport import Transport

if TYPE_CHECKING:
    from unirt.budget import Budget
    from unirt.failover import Failover
    from unirt.session.observers import Observer
    from unirt.settings import Layers
    from unirt.telemetry import Telemetry

__all__ = [
    "Dial",
    "affordable",
    "at_rate",
    "checked_observers",
    "chosen_provider",
    "chosen_telemetry",
    "chosen_transport",
    "joining",
    "recorded_model",
]

Dial = Callable[[SessionConfig, Credentials], Awaitable[Transport]]
"What opens a connection: :attr:`Provider.dial`, or the application's own."

DEFAULT_TRANSPORT = "websocket"

BESIDE = frozenset({"webrtc"})
"Transports that carry audio beside the frames."


def recorded_model(provider: Provider) -> str | None:
    """The model of the connection that is played next, where it is the provider's."""
    deck = current()
    segment = None if deck is None else deck.upcoming
    return segment.model if segment is not None and segment.provider == provider.name else None


def chosen_provider(
    provider: str | Provider | None,
    model: str | None,
    layers: Layers,
    failover: Failover | None = None,
) -> tuple[Provider, str | None]:
    """The provider, and the model without its prefix, of what is asked for."""
    from unirt.settings import split_model

    given = provider.name if isinstance(provider, Provider) else provider
    named, model = split_model(model) if model else (None, None)
    if given and named and given != named:
        raise ConfigurationError(
            f"the model is one of {named!r}, and the provider is {given!r}",
            where="model",
            remedy="correct one of the two, or leave it out",
        )
    if isinstance(provider, Provider):
        return provider, model
    deck = current()
    upcoming = None if deck is None or deck.upcoming is None else deck.upcoming.provider
    name = given or named or layers.provider or upcoming
    if name is None and failover is not None:
        first = failover.chain[0]
        return (
            first.provider if isinstance(first.provider, Provider) else load(first.provider),
            model or first.model,
        )
    return load(name or _with_a_key(layers.environ)), model


def _with_a_key(environ: Mapping[str, str]) -> str:
    """The only installed provider that has a key."""
    providers = [load(name) for name in installed()]
    keys = {p.name: [var.name for var in p.env if var.required] for p in providers}
    able = [name for name, variables in keys.items() if any(map(environ.get, variables))]
    if len(able) == 1:
        return able[0]
    choices = " or ".join(able or keys)
    if able:
        what = f"no provider is chosen, and {' and '.join(able)} have keys"
        remedy = f"set UNIRT_PROVIDER to {choices}, or pass provider="
    else:
        what = "no provider is chosen, and none has a key"
        variables = "; ".join(f"{name}: {' or '.join(names)}" for name, names in keys.items())
        remedy = f"set a key in the environment or in .env ({variables}), or pass provider="
    raise ConfigurationError(what, where="UNIRT_PROVIDER", remedy=remedy)


def affordable(budget: Budget, provider: Provider, model: str | None) -> Budget | None:
    """A budget that can be held; ``None`` where nothing is limited."""
    if budget.cost is not None:
        from unirt.prices import can_price

        if (why := can_price(provider.name, model)) is not None:
            raise ConfigurationError(
                f"money cannot be limited: {why}",
                where="budget.cost, or UNIRT_MAX_COST",
                remedy="limit tokens instead",
            )
    return budget or None


def chosen_telemetry(given: Telemetry | bool | None, found: bool) -> Telemetry | None:
    """What is told to OpenTelemetry; ``None`` for nothing."""
    wanted = found if given is None else given
    if wanted is False:
        return None
    from unirt.telemetry import Telemetry

    telemetry = Telemetry() if wanted is True else wanted
    telemetry.check()
    return telemetry


def chosen_transport(
    given: str | Transport | Dial | None, found: str | None, provider: Provider
) -> tuple[Transport | Dial | None, str]:
    """The application's own transport, if any, and what the provider's dial is to open."""
    if given is not None and not isinstance(given, str):
        return given, DEFAULT_TRANSPORT
    name = given or found or DEFAULT_TRANSPORT
    if name in provider.transports:
        return None, name
    choices = " or ".join(map(repr, provider.transports))
    raise ConfigurationError(
        f"{provider.name!r} has no transport {name!r}",
        where="transport" if given else "UNIRT_TRANSPORT",
        remedy=f"use {choices}, or leave it out",
    )


def joining(
    call_id: str | None,
    provider: Provider,
    options: Mapping[str, Any] | None,
    transport: str | Transport | Dial | None,
) -> Mapping[str, Any] | None:
    """The connection's options, the call among them that it is to join."""
    if call_id is None:
        return options
    if not call_id.strip():
        raise ConfigurationError(
            f"{call_id!r} is no name of a call",
            where="call_id",
            remedy="give what the call's session has as call_id, or None for a session of its own",
        )
    if not provider.joins_calls:
        raise ConfigurationError(
            f"{provider.name!r} has no calls that could be joined",
            where="call_id",
            remedy="leave it out, or choose another provider",
        )
    if isinstance(transport, str) and transport in BESIDE:
        raise ConfigurationError(
            f"a call is joined beside its audio, and not over {transport!r}",
            where="transport",
            remedy="leave it out, or give call_id=None for a call of your own",
        )
    return {**(options or {}), "call_id": call_id}


def checked_observers(given: Any) -> tuple[Observer, ...]:
    """The observers, if that is what they are."""
    observers = tuple(given) if isinstance(given, Iterable) else (None,)
    if not all(map(_is_plain, observers)):
        raise ConfigurationError(
            "it holds what cannot be called, or only be awaited",
            where="observers",
            remedy="give a list of plain functions, each of a sequence of events",
        )
    return observers


def _is_plain(observer: Any) -> bool:
    """Whether it is a function that nobody has to await."""
    waits = inspect.iscoroutinefunction
    return callable(observer) and not waits(observer) and not waits(observer.__call__)


def at_rate(rate: int | None) -> AudioFormat | None:
    """PCM of a sample rate, in Hz."""
    return None if rate is None else AudioFormat(rate=rate)
