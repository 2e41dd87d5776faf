"""
The front door: from what an application asks for to an open session.

In order: settings are read, a provider is chosen, the configuration is merged (all of this when
:func:`connect` is called), then the translator is made, the provider dialled, and the handshake
done (when the ``async with`` is entered). What cannot work is refused at the first step that can
know it, and a failed enter leaves no task and no socket.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import attrs

from unirt.audio import AudioFormat
from unirt.clock import Clock, SystemClock
from unirt.config import (
    NoiseReduction,
    ProviderTool,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
    TurnDetection,
)
from unirt.errors import ConfigurationError, DialError, HandshakeError, UsageError
from unirt.items import Item
from unirt.provider import Credentials, Provider
from unirt.registry import installed, load
from unirt.text import check_text
from unirt.transport import Transport

if TYPE_CHECKING:
    from unirt.budget import Budget
    from unirt.session import Limits, Session
    from unirt.session.observers import Observer, Observers
    from unirt.settings import Layers
    from unirt.telemetry import Telemetry

__all__ = ["Connecting", "Dial", "connect"]

Dial = Callable[[SessionConfig, Credentials], Awaitable[Transport]]
"What opens a connection: :attr:`Provider.dial`, or the application's own."

_DEFAULT_TRANSPORT = "websocket"

_PARTS = re.compile(r"[\s,;=&]+")
"Where a header's value, or a query, is taken apart in search of the credential in it."
_LEAST_SECRET = 12
"Characters; a shorter part is no credential, and might be any word."


def connect(
    provider: str | Provider | None = None,
    model: str | None = None,
    *,
    instructions: str | None = None,
    voice: str | None = None,
    modalities: str | Iterable[str] | None = None,
    language: str | None = None,
    temperature: float | None = None,
    max_output_tokens: int | None = None,
    speed: float | None = None,
    tools: Iterable[Tool | ProviderTool] | None = None,
    tool_choice: str | None = None,
    parallel_tool_calls: bool | None = None,
    turn_detection: TurnDetection | str | None = None,
    input_transcription: Transcription | bool | str | None = None,
    output_transcription: bool | None = None,
    input_format: AudioFormat | None = None,
    output_format: AudioFormat | None = None,
    noise_reduction: NoiseReduction | str | None = None,
    thinking: Thinking | str | int | None = None,
    history: Iterable[Item] | None = None,
    provider_options: Mapping[str, Any] | None = None,
    transport: str | Transport | Dial | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    headers: Mapping[str, str] | None = None,
    connection_options: Mapping[str, Any] | None = None,
    audio_in: AudioFormat | None = None,
    audio_out: AudioFormat | None = None,
    clock: Clock | None = None,
    handshake_timeout: float = 20.0,
    close_timeout: float = 5.0,
    limits: Limits | None = None,
    budget: Budget | None = None,
    observers: Iterable[Observer] = (),
    trace: str | os.PathLike[str] | None = None,
    telemetry: Telemetry | bool | None = None,
    env_file: str | os.PathLike[str] | None = ".env",
    environ: Mapping[str, str] | None = None,
) -> Connecting:
    """
    Open a session: ``async with unirt.connect() as session``.

    What is not given comes from ``UNIRT_*`` variables, then from a ``.env`` file, then from the
    provider's defaults; see :mod:`unirt.settings`. The arguments from `instructions` to
    `provider_options` are the fields of :class:`~unirt.SessionConfig`.

    Args:
        provider: A name, or a :class:`~unirt.Provider`. By default the one that the settings
            choose, else the only installed one that has a key in the environment.
        model: A model's name; ``"provider:model"`` chooses the provider too.
        transport: ``"websocket"``, or ``"fast"`` for the one of the extra ``[fast]``; or an open
            :class:`~unirt.transport.Transport`, which is owned from here on; or what opens one,
            called as :attr:`Provider.dial` is.
        api_key: Instead of the one in the environment.
        base_url: Another address of the provider.
        headers: Added to the upgrade request.
        connection_options: The transport's own: ``ssl``, ``open_timeout``, ``ping_interval`` ...
        audio_in: What the application sends, where it is not what the provider listens to.
        audio_out: What the application wants to hear, where it is not what the provider speaks.
        clock: The time of the session's events.
        handshake_timeout: How long dialling and the handshake may take together, in seconds.
        close_timeout: How long closing may take, in seconds.
        limits: The bounds of what the session holds.
        budget: What the session may use: time, silence, tokens, money.
        observers: Functions that are given the events of every step, before any view has them; see
            :mod:`unirt.session.observers`.
        trace: A file that is told every event, for debugging; see :mod:`unirt.session.trace`.
        telemetry: Whether OpenTelemetry is told, and who of it; see :mod:`unirt.telemetry`.
        env_file: Where the ``.env`` file is; ``None`` for no file.
        environ: The variables to read, instead of the environment's and the file's.

    Raises:
        ConfigurationError: Something of it cannot work. When it is entered, also
            :class:`~unirt.errors.MissingKey` and :class:`~unirt.errors.UnsupportedSetting`.
        DialError: When it is entered: no connection came about.
        HandshakeError: When it is entered: the provider refused the session.
    """
    # Imported here: whoever only names events needs no session, and no settings, which cost more
    # than all the rest of unirt.
    from unirt.session import Limits
    from unirt.session.arguments import config_of
    from unirt.settings import apply_log, read

    layers = read(env_file, environ)
    apply_log(layers.settings.log)
    chosen, model = _choose(provider, model, layers)
    asked = config_of(
        {
            "model": model,
            "instructions": instructions,
            "voice": voice,
            "modalities": modalities,
            "language": language,
            "temperature": temperature,
            "max_output_tokens": max_output_tokens,
            "speed": speed,
            "tools": tools,
            "tool_choice": tool_choice,
            "parallel_tool_calls": parallel_tool_calls,
            "turn_detection": turn_detection,
            "input_transcription": input_transcription,
            "output_transcription": output_transcription,
            "input_format": input_format,
            "output_format": output_format,
            "noise_reduction": noise_reduction,
            "thinking": thinking,
            "history": history,
            "provider_options": provider_options,
        }
    )
    found = config_of(layers.config_for(chosen.name), where=lambda name: f"UNIRT_{name.upper()}")
    config = SessionConfig(model=chosen.default_model).merged(found).merged(asked)
    check_text(config, "connect")
    opened, by_name = _transport(transport, layers.settings.transport, chosen)
    credentials = Credentials(
        api_key=api_key,
        base_url=base_url or layers.of_provider("base_url", chosen.name),
        headers=dict(headers or {}),
        environ=layers.environ,
        options=dict(connection_options or {}),
        transport=by_name,
    )
    return Connecting(
        provider=chosen,
        config=config,
        credentials=credentials,
        transport=opened,
        audio_in=audio_in or _at_rate(layers.settings.input_rate),
        audio_out=audio_out or _at_rate(layers.settings.output_rate),
        clock=clock or SystemClock(),
        handshake_timeout=handshake_timeout,
        close_timeout=close_timeout,
        limits=limits or Limits(),
        budget=_affordable(layers.budget.merged(budget), chosen, config.model),
        observers=_checked(observers),
        trace=layers.settings.trace if trace is None else trace,
        telemetry=_telemetry(telemetry, layers.settings.telemetry == "on"),
    )


@attrs.define(kw_only=True, eq=False)
class Connecting:
    """A session that is about to be opened; enter it once, with ``async with``."""

    provider: Provider
    config: SessionConfig
    "What is asked for, all settings merged."
    credentials: Credentials
    transport: Transport | Dial | None
    audio_in: AudioFormat | None
    audio_out: AudioFormat | None
    clock: Clock
    handshake_timeout: float
    close_timeout: float
    limits: Limits
    budget: Budget | None
    observers: tuple[Observer, ...] = attrs.field(repr=False)
    trace: str | os.PathLike[str] | None
    telemetry: Telemetry | None
    _entered: bool = attrs.field(default=False, init=False)
    _session: Session | None = attrs.field(default=None, init=False)

    async def __aenter__(self) -> Session:
        if self._entered:
            raise UsageError(
                "this connection was entered before",
                where="async with",
                remedy="call unirt.connect() again",
            )
        self._entered = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.handshake_timeout
        session = await self._dialled(deadline)
        try:
            await session.open(max(deadline - loop.time(), 0.0))
        except HandshakeError as exc:
            await session.close()
            why = self._hider()(exc.why)
            raise HandshakeError(exc.provider, url=exc.url, why=why, code=exc.code) from None
        except BaseException:
            await session.close()
            raise
        self._session = session
        return session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.__aexit__(kind, exc, trace)

    def _hider(self) -> Callable[[str], str]:
        """What masks the credentials of this session in a text, in case a provider quotes them."""
        given = self.credentials
        names = [variable.name for variable in self.provider.env if variable.secret]
        secrets = {given.api_key, *map(given.environ.get, names)}
        query = (given.base_url or "").partition("?")[2]
        for value in (query, *given.headers.values()):
            secrets |= {part for part in _PARTS.split(value) if len(part) >= _LEAST_SECRET}
        longest_first = sorted(filter(None, secrets), key=len, reverse=True)
        if not longest_first:
            return str
        pattern = re.compile("|".join(map(re.escape, longest_first)))
        return lambda words: pattern.sub("***", words)

    def _observed(self) -> Observers | None:
        from unirt.session.observers import Observers

        if not (self.trace or self.observers or self.telemetry):
            return None
        observers, trace = self.observers, None
        if self.trace:
            from unirt.session.trace import Trace

            about = {"provider": self.provider.name, "model": self.config.model}
            trace = Trace(self.trace, about=about, now=self.clock.now, hide=self._hider())
        if self.telemetry is not None:
            watch = self.telemetry.watch(
                provider=self.provider.telemetry_name or self.provider.name,
                config=self.config,
                now=self.clock.now,
                hide=self._hider(),
            )
            observers = (watch, *observers)
        return Observers(observers, trace)

    async def _dialled(self, deadline: float) -> Session:
        """A session that is connected, and not started."""
        from unirt.session import Session

        transport = None if callable(self.transport) else self.transport
        observers = None
        try:
            observers = self._observed()
            config = self.provider.resolve(self.config, self.credentials)
            translator = self.provider.new_translator(config)
            if transport is None:
                transport = await self._dial(config, deadline)
            return Session(
                provider=self.provider.name,
                translator=translator,
                transport=transport,
                clock=self.clock,
                limits=self.limits,
                audio_in=self.audio_in,
                audio_out=self.audio_out,
                close_timeout=self.close_timeout,
                observers=observers,
                budget=self.budget,
            )
        except BaseException:
            if observers is not None:
                observers.close()
            if transport is not None:
                await transport.close()
            raise

    async def _dial(self, config: SessionConfig, deadline: float) -> Transport:
        dial = self.transport if callable(self.transport) else self.provider.dial
        try:
            async with asyncio.timeout_at(deadline):
                return await dial(config, self.credentials)
        except TimeoutError:
            raise DialError(
                self.provider.name,
                url=self.credentials.base_url or "its own address",
                why=f"no connection within {self.handshake_timeout:g} s",
            ) from None


def _choose(
    provider: str | Provider | None, model: str | None, layers: Layers
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
    return load(given or named or layers.provider or _with_a_key(layers.environ)), model


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


def _affordable(budget: Budget, provider: Provider, model: str | None) -> Budget | None:
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


def _telemetry(given: Telemetry | bool | None, found: bool) -> Telemetry | None:
    wanted = found if given is None else given
    if wanted is False:
        return None
    from unirt.telemetry import Telemetry

    telemetry = Telemetry() if wanted is True else wanted
    telemetry.check()
    return telemetry


def _transport(
    given: str | Transport | Dial | None, found: str | None, provider: Provider
) -> tuple[Transport | Dial | None, str]:
    """The application's own transport, if any, and what the provider's dial is to open."""
    if given is not None and not isinstance(given, str):
        return given, _DEFAULT_TRANSPORT
    name = given or found or _DEFAULT_TRANSPORT
    if name in provider.transports:
        return None, name
    choices = " or ".join(map(repr, provider.transports))
    raise ConfigurationError(
        "WebRTC is not there yet"
        if name == "webrtc"
        else f"{provider.name!r} has no transport {name!r}",
        where="transport" if given else "UNIRT_TRANSPORT",
        remedy=f"use {choices}, or leave it out",
    )


def _checked(given: Any) -> tuple[Observer, ...]:
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


def _at_rate(rate: int | None) -> AudioFormat | None:
    return None if rate is None else AudioFormat(rate=rate)
