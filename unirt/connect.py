"""
The front door: from what an application asks for to an open session.

In order: settings are read, a provider is chosen, the configuration is merged (all of this when
:func:`connect` is called), then the translator is made, the provider dialled, and the handshake
done (when the ``async with`` is entered). What cannot work is refused at the first step that can
know it, and a failed enter leaves no task and no socket.

While a cassette is in (:func:`unirt.cassette`), the dial is recorded, or a recorded connection is
played in its place; then no key is needed, and what nobody chose is what was recorded.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import attrs

from unirt.audio import AudioFormat
from unirt.choices import (
    Dial,
    affordable,
    at_rate,
    checked_observers,
    chosen_provider,
    chosen_telemetry,
    joining,
)
from unirt.clock import Clock
from unirt.config import (
    LocalVAD,
    NoiseReduction,
    SessionConfig,
    Thinking,
    Transcription,
    TurnDetection,
)
from unirt.errors import DialError, HandshakeError, MissingKey, UnirtError, UsageError
from unirt.items import Item
from unirt.log import Log, logger, marked, new_mark
from unirt.provider import Credentials, Provider
from unirt.secret import secret_or_none, secret_values, secret_variables
from unirt.text import check_text
from unirt.transport import Transport

if TYPE_CHECKING:
    from unirt.budget import Budget
    from unirt.failover import Candidate, Failover
    from unirt.plan import Plan, Route
    from unirt.reconnect import Reconnect
    from unirt.session import Limits, Session
    from unirt.session.local_vad import Score
    from unirt.session.observers import Observer, Observers
    from unirt.telemetry import Telemetry
    from unirt.timeouts import Timeouts
    from unirt.tools import AnyTool
    from unirt.tools.context import Approve

__all__ = ["Connecting", "Dial", "connect"]

_LOG = logger(__name__)


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
    tools: Iterable[AnyTool] | None = None,
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
    call_id: str | None = None,
    fallback: str | Iterable[str | Candidate | Provider] | Failover | None = None,
    reconnect: Reconnect | bool | None = None,
    audio_in: AudioFormat | None = None,
    audio_out: AudioFormat | None = None,
    clock: Clock | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    approve: Approve | None = None,
    budget: Budget | None = None,
    detector: Score | None = None,
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
        transport: ``"websocket"``, or ``"fast"`` for the one of the extra ``[fast]``, or
            ``"webrtc"`` for a call by that of the extra ``[webrtc]``; or an open
            :class:`~unirt.transport.Transport`, which is owned from here on; or what opens one,
            called as :attr:`Provider.dial` is.
        api_key: Instead of the one in the environment.
        base_url: Another address of the provider.
        headers: Added to the upgrade request.
        connection_options: The transport's own: ``ssl``, ``open_timeout``, ``ping_interval``,
            ``ice_servers`` ... And ``plaintext``: whether a key may go to another machine
            unencrypted.
        call_id: A call that runs, to control it over a connection of its own: everything but the
            audio is heard and can be said there.
        fallback: Who answers when the provider does not, or not any more: names with commas
            between, a list of names and :class:`~unirt.Candidate` values, or a
            :class:`~unirt.Failover`. What is given here of a model, a voice, a key or an address
            stays with its own provider.
        reconnect: Whether, and how often, another connection is opened to the provider where one
            fails, is lost, or reaches its cap; it is, unless told otherwise.
        audio_in: What the application sends, where it is not what the provider listens to.
        audio_out: What the application wants to hear, where it is not what the provider speaks.
        clock: The time of the session's events and timeouts; by default the system's, or that of
            the cassette that is played.
        timeouts: How long is waited for a connection, a handshake, an answer and a close.
        limits: The bounds of what the session holds.
        approve: Who is asked before a tool runs that the provider, or the tool, wants approved; see
            :data:`unirt.tools.context.Approve`.
        budget: What the session may use: time, silence, tokens, money.
        detector: What tells speech from all else where the session finds turns by itself, in place
            of that of the extra ``[vad]``; see :data:`unirt.session.local_vad.Score`.
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
    from unirt.failover import failover_of, first_candidate
    from unirt.plan import Plan
    from unirt.reconnect import reconnect_of
    from unirt.session import Limits
    from unirt.session.arguments import config_of
    from unirt.session.local_vad import check_detector
    from unirt.session.tooling import check_approvals
    from unirt.settings import apply_log, read, split_model

    # What was given stays in here, and may be shown with a traceback.
    api_key, headers = secret_or_none(api_key), headers and secret_values(headers)
    environ = None if environ is None else secret_variables(environ)
    layers = read(env_file, environ)
    apply_log(layers.settings.log)
    failover = failover_of(
        layers.settings.fallback if fallback is None else fallback,
        split_model,
        where="UNIRT_FALLBACK" if fallback is None else "fallback",
    )
    chosen, model = chosen_provider(provider, model, layers, failover)
    asked = config_of(
        {
            "instructions": instructions,
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
        }
    )
    plan = Plan(
        asked,
        layers=layers,
        first=first_candidate(
            chosen,
            failover,
            model=model,
            voice=voice,
            provider_options=provider_options,
            api_key=api_key,
            base_url=base_url,
            headers=headers,
            connection_options=joining(call_id, chosen, connection_options, transport),
            transport="websocket" if call_id and not transport else transport,
        ),
        failover=failover,
        reconnect=reconnect_of(reconnect, layers.settings.reconnect),
        timeouts=timeouts or layers.timeouts,
        clock=clock,
    )
    route = plan.route(plan.current)
    check_text(route.config, "connect")
    check_approvals(route.config.tools, approve)
    check_detector(route.config.turn_detection, detector)
    return Connecting(
        plan=plan,
        route=route,
        audio_in=audio_in or at_rate(layers.settings.input_rate),
        audio_out=audio_out or at_rate(layers.settings.output_rate),
        limits=limits or Limits(),
        approve=approve,
        budget=affordable(layers.budget.merged(budget), chosen, route.config.model),
        detector=detector,
        observers=checked_observers(observers),
        trace=layers.settings.trace if trace is None else trace,
        telemetry=chosen_telemetry(telemetry, layers.settings.telemetry == "on"),
    )


@attrs.define(kw_only=True, eq=False)
class Connecting:
    """A session that is about to be opened; enter it once, with ``async with``."""

    plan: Plan
    route: Route
    "Where the session is to begin."
    audio_in: AudioFormat | None
    audio_out: AudioFormat | None
    limits: Limits
    approve: Approve | None = attrs.field(repr=False)
    budget: Budget | None
    detector: Score | None = attrs.field(repr=False)
    observers: tuple[Observer, ...] = attrs.field(repr=False)
    trace: str | os.PathLike[str] | None
    telemetry: Telemetry | None
    _entered: bool = attrs.field(default=False, init=False)
    _session: Session | None = attrs.field(default=None, init=False)
    _mark: str = attrs.field(factory=new_mark, init=False)
    _log: Log = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._log = marked(_LOG, self._mark)

    @property
    def provider(self) -> Provider:
        """With whom the session is to begin."""
        return self.route.provider

    @property
    def config(self) -> SessionConfig:
        """What is asked for, all settings merged."""
        return self.route.config

    @property
    def credentials(self) -> Credentials:
        """How the provider is reached."""
        return self.route.credentials

    @property
    def transport(self) -> Transport | Dial | None:
        """The application's own, where it brings one."""
        return self.route.transport

    async def __aenter__(self) -> Session:
        if self._entered:
            raise UsageError(
                "this connection was entered before",
                where="async with",
                remedy="call unirt.connect() again",
            )
        self._entered = True
        candidates = self.plan.first()
        failures: list[UnirtError] = []
        for candidate in candidates:
            try:
                self._session = await self._opened_in_the_end(candidate)
            except (MissingKey, DialError) as exc:
                failures.append(exc)
                self.plan.failed(candidate)
                if candidate is not candidates[-1]:
                    self._log.warning("%s fails; the next is tried: %s", candidate.name, exc)
            else:
                return self._session
        for other in failures[1:]:
            failures[0].add_note(f"and then: {other}")
        raise failures[0]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.__aexit__(kind, exc, trace)

    async def _opened_in_the_end(self, candidate: Candidate) -> Session:
        """A session that is ready, with one candidate; what passes is tried again."""
        tried = 1
        while True:
            try:
                return await self._opened(candidate)
            except DialError as exc:
                wait = self.plan.wait_at_first(candidate, exc, tried)
                if wait is None:
                    raise
                self._log.warning("%s does not answer, and is tried again: %s", candidate.name, exc)
            clock = self.plan.clock
            await clock.sleep_until(clock.now() + wait)
            tried += 1

    async def _opened(self, candidate: Candidate) -> Session:
        """A session that is ready, with one candidate."""
        session = await self._dialled(candidate)
        try:
            await session.open()
        except HandshakeError as exc:
            await session.close()
            raise self.plan.masked(exc) from None
        except BaseException:
            await session.close()
            raise
        self.plan.arrived(candidate)
        return session

    def _observed(self, route: Route, clock: Clock) -> Observers | None:
        from unirt.session.observers import Observers

        if not (self.trace or self.observers or self.telemetry):
            return None
        observers, trace = self.observers, None
        if self.trace:
            from unirt.session.trace import Trace

            about = {"provider": route.provider.name, "model": route.config.model}
            trace = Trace(
                self.trace, about=about, now=clock.now, hide=self.plan.hide, mark=self._mark
            )
        if self.telemetry is not None:
            watch = self.telemetry.watch(
                provider=route.provider.name,
                name_of=self.plan.telemetry_name,
                config=route.provider.resolve(route.config, route.credentials),
                now=clock.now,
                hide=self.plan.hide,
            )
            observers = (watch, *observers)
        return Observers(observers, trace, self._mark)

    async def _dialled(self, candidate: Candidate) -> Session:
        """A session that is connected, and not started."""
        from unirt.session import Session
        from unirt.session.local_vad import silero

        plan = self.plan
        route = self.route if candidate == self.route.candidate else plan.route(candidate)
        clock = plan.clock
        observers, transport = None, None if callable(route.transport) else route.transport
        try:
            observers = self._observed(route, clock)
            translator = plan.translator(route)
            detector = self.detector
            if detector is None and isinstance(translator.config.turn_detection, LocalVAD):
                detector = await asyncio.to_thread(silero)
            transport = await plan.open(route, clock)
            return Session(
                provider=route.provider.name,
                translator=translator,
                transport=transport,
                clock=clock,
                limits=self.limits,
                audio_in=self.audio_in,
                audio_out=self.audio_out,
                observers=observers,
                approve=self.approve,
                budget=self.budget,
                ways=plan,
                timeouts=plan.timeouts,
                log_id=self._mark,
                detector=detector,
            )
        except BaseException:
            if observers is not None:
                observers.close()
            if transport is not None:
                await transport.close()
            raise
