"""
The plan of a session: what was asked for, for whichever provider it runs on.

What an application asks for in unirt's own vocabulary holds for every provider. What belongs to one
(a model, a voice, a key, an address, its own options) is part of a :class:`~unirt.Candidate`, and
is never carried to another.

:class:`Plan` is what a session that moves sees as :class:`~unirt.session.ways.Ways`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import attrs

from unirt.choices import BESIDE, Dial, chosen_transport, recorded_model
from unirt.clock import Clock, SystemClock
from unirt.config import SessionConfig
from unirt.deadline import Deadline
from unirt.deck.stack import current
from unirt.errors import DialError, HandshakeError, UnirtError, UnsupportedSetting
from unirt.failover import Candidate, Failover, candidate_of
from unirt.ids import counting_ids
from unirt.items import Item
from unirt.itinerary import Itinerary
from unirt.policy import RECORDING_ENDS, Row, Verdict
from unirt.provider import Credentials, Provider
from unirt.reconnect import Reconnect
from unirt.registry import load
from unirt.session.arguments import config_of
from unirt.session.link import audio_beside
from unirt.session.ways import Way
from unirt.settings import Layers, split_model
from unirt.timeouts import Timeouts
from unirt.translator import Joining, Prepared, Translator
from unirt.transport import Transport

if TYPE_CHECKING:
    from unirt.deck.deck import Deck

__all__ = ["Plan", "Route"]

_PARTS = re.compile(r"[\s,;=&]+")
"Where a header's value, or a query, is taken apart in search of the credential in it."
_LEAST_SECRET = 12
"Characters; a shorter part is no credential, and might be any word."
_MOST_LOST = 64
"How many settings are left out before it is no use."


@attrs.frozen(kw_only=True)
class Route:
    """One candidate, with everything that it takes to reach it."""

    candidate: Candidate
    provider: Provider
    config: SessionConfig
    "What is asked for, all settings merged."
    credentials: Credentials
    transport: Transport | Dial | None
    "The application's own, where it brings one."

    @property
    def secrets(self) -> set[str]:
        """The credentials on this route."""
        given = self.credentials
        names = [variable.name for variable in self.provider.env if variable.secret]
        secrets = {given.api_key, *map(given.environ.get, names)}
        query = (given.base_url or "").partition("?")[2]
        for value in (query, *given.headers.values()):
            secrets |= {part for part in _PARTS.split(value) if len(part) >= _LEAST_SECRET}
        return set(filter(None, secrets))


class Plan:
    """
    Args:
        asked: What the application asks of any provider.
        layers: The environment, and the ``.env`` file.
        first: Where the session begins.
        failover: Where it goes when that fails.
        reconnect: How it holds on to a provider.
        timeouts: The bounds on waiting.
        clock: The application's own time, where it brings one.
    """

    def __init__(
        self,
        asked: SessionConfig,
        *,
        layers: Layers,
        first: Candidate,
        failover: Failover | None,
        reconnect: Reconnect,
        timeouts: Timeouts,
        clock: Clock | None,
    ) -> None:
        self._asked = asked
        self._layers = layers
        self._first = first
        self._failover = failover
        self._reconnect = reconnect
        self.timeouts = timeouts
        self._clock = clock
        self._ids = counting_ids()
        "One for all connections, so that no id comes twice."
        self._known = {each.name: each for each in (*(failover.chain if failover else ()), first)}
        "The candidates, as they were last asked for, by name."
        self._secrets: set[str] = set()
        self._hide: Callable[[str], str] = str
        self.current = first

    @property
    def clock(self) -> Clock:
        """The time of whoever connects now: given, of the cassette that is played, or real."""
        deck = current()
        return self._clock or (deck.clock if deck is not None and deck.playing else SystemClock())

    # Who.

    def candidate(self, given: object, **fields: Any) -> Candidate:
        """Somebody to go to, as an application names it."""
        candidate = candidate_of(given, split_model, where="provider")
        known = self._known.get(candidate.name)
        if known is not None and not isinstance(given, Candidate):
            candidate = attrs.evolve(known, model=candidate.model or known.model)
        changes = {name: value for name, value in fields.items() if value is not None}
        if isinstance(candidate.provider, str):
            load(candidate.provider)
        return attrs.evolve(candidate, **changes)

    def arrived(self, candidate: Candidate) -> None:
        self.current = self._known[candidate.name] = candidate
        if self._failover is not None:
            self._failover.cooldowns.answered(candidate)

    def failed(self, candidate: Candidate) -> None:
        if self._failover is not None:
            self._failover.cooldowns.failed(candidate, self._failover.cooldown)

    @property
    def rotates(self) -> bool:
        return self._reconnect.rotate

    @property
    def resumes(self) -> bool:
        return self._provider(self.current).resume is not None

    def judge(self, *, code: int | None, reason: str, errors: Iterable[str]) -> Row:
        policy = self._provider(self.current).policy
        return policy.judge(code=code, reason=reason, errors=errors)

    def itinerary(self, failed: Candidate, verdict: Verdict, strikes: int) -> Itinerary:
        failover = self._failover
        others = [] if failover is None else failover.others(failed)
        return Itinerary(
            failed,
            verdict,
            [self._known[candidate.name] for candidate in others],
            reconnect=self._reconnect,
            share=0 if failover is None else failover.retries,
            strikes=strikes,
            judge=lambda candidate, error: self._provider(candidate).policy.judge_error(error),
        )

    def _provider(self, candidate: Candidate) -> Provider:
        given = candidate.provider
        return given if isinstance(given, Provider) else load(given)

    def first(self) -> Sequence[Candidate]:
        """Whom to try when the session begins, in order."""
        if self._failover is None:
            return [self._first]
        rests = self._failover.cooldowns.rests
        return sorted([self._first, *self._failover.others(self._first)], key=rests)

    def wait_at_first(self, candidate: Candidate, error: DialError, tried: int) -> float | None:
        """
        How long to wait, in seconds, before a candidate is tried again at the beginning.

        ``None`` for no more tries: it would fail again, there were enough, or it asked to be left
        alone for longer than anybody waits.
        """
        given, reconnect = candidate.transport, self._reconnect
        once = given is not None and not isinstance(given, str) and not callable(given)
        refused = isinstance(error, HandshakeError) and error.code is None and not error.cut
        if once or refused or tried >= reconnect.first_tries:
            return None
        if self._provider(candidate).policy.judge_error(error).verdict is Verdict.FATAL:
            return None
        wait = reconnect.wait(tried, error.retry_after)
        return wait if wait <= reconnect.longest_wait else None

    def telemetry_name(self, provider: str) -> str:
        """What OpenTelemetry's conventions call a provider."""
        known = self._known.get(provider)
        loaded = load(provider) if known is None else self._provider(known)
        return loaded.telemetry_name or provider

    # What.

    def changed(self, changes: SessionConfig) -> None:
        own = {name: getattr(changes, name) for name in _OWN}
        set_ = {name: value for name, value in own.items() if value is not None}
        self.current = self._known[self.current.name] = attrs.evolve(self.current, **set_)
        self._asked = self._asked.merged(attrs.evolve(changes, **dict.fromkeys(_OWN)))

    def route(self, candidate: Candidate) -> Route:
        """
        What it takes to reach a candidate.

        Raises:
            ConfigurationError: There is no such provider, or it has no such transport.
        """
        provider = self._provider(candidate)
        name, layers = provider.name, self._layers
        found = config_of(layers.config_for(name), where=lambda field: f"UNIRT_{field.upper()}")
        own = config_of(
            {
                "model": candidate.model,
                "voice": candidate.voice,
                "provider_options": candidate.provider_options,
            }
        )
        config = SessionConfig(model=recorded_model(provider) or provider.default_model)
        config = config.merged(found).merged(self._asked).merged(own)
        transport, by_name = chosen_transport(
            candidate.transport, self._transport_for(provider), provider
        )
        options = dict(candidate.connection_options or {})
        plaintext = options.pop("plaintext", layers.settings.plaintext == "on")
        credentials = Credentials(
            api_key=candidate.api_key,
            base_url=candidate.base_url or layers.of_provider("base_url", name),
            headers=dict(candidate.headers or {}),
            environ=layers.environ,
            options=options,
            transport=by_name,
            plaintext=bool(plaintext),
        )
        route = Route(
            candidate=candidate,
            provider=provider,
            config=config,
            credentials=credentials,
            transport=transport,
        )
        self._keep_secret(route.secrets)
        return route

    def _transport_for(self, provider: Provider) -> str | None:
        """What the settings want, where it is the first provider's, or this one has it too."""
        wanted = self._layers.settings.transport
        known = provider.name == self._first.name or wanted in provider.transports
        return wanted if known else None

    # Secrets.

    def _keep_secret(self, secrets: set[str]) -> None:
        if secrets <= self._secrets:
            return
        self._secrets |= secrets
        longest_first = sorted(self._secrets, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)))
        self._hide = lambda words: pattern.sub("***", words)

    def hide(self, text: str) -> str:
        return self._hide(text)

    def masked(self, error: UnirtError) -> UnirtError:
        if not isinstance(error, HandshakeError):
            return error
        return HandshakeError(
            error.provider,
            url=error.url,
            why=self._hide(error.why),
            code=error.code,
            cut=error.cut,
        )

    # How.

    def translator(self, route: Route, history: Iterable[Item] | None = None) -> Translator:
        """
        A fresh translator for a route; `history` takes the place of the one that is asked for.

        Raises:
            UnsupportedSetting: The model cannot do what is asked.
        """
        config = route.provider.resolve(route.config, route.credentials)
        if history is not None:
            config = attrs.evolve(config, history=tuple(history) or None)
        translator = route.provider.new_translator(config, ids=self._ids)
        if route.credentials.transport in BESIDE:
            audio_beside(translator, route.provider.name)
        if route.credentials.options.get("call_id") and route.provider.joins_calls:
            cast("Joining", translator).joins_call()
        holds = route.provider.holds_settings
        if holds is not None and holds(route.credentials):
            cast("Prepared", translator).keeps_settings()
        return translator

    def check(self, candidate: Candidate, changes: SessionConfig | None) -> None:
        self._way_to(candidate, changes)

    def _way_to(
        self, candidate: Candidate, changes: SessionConfig | None
    ) -> tuple[Route, tuple[str, ...]]:
        """The route to a candidate, and the settings that cannot be had there."""
        route = self.route(candidate)
        if changes is not None:
            route = attrs.evolve(route, config=route.config.merged(changes))
        if candidate.name != self.current.name:
            return self._fitted(route)
        self.translator(route, ())
        return route, ()

    async def dial(
        self,
        candidate: Candidate,
        changes: SessionConfig | None = None,
        handle: str | None = None,
    ) -> Way:
        route, lost = self._way_to(candidate, changes)
        resume = route.provider.resume
        deck = current()
        if deck is not None and deck.ended:
            await deck.clock.rest()  # whoever reads may end the session, as in the recording
            raise DialError(route.provider.name, url=str(deck.path), why=RECORDING_ENDS)
        resumes = handle is not None and resume is not None
        if handle is not None and resume is not None:
            route = attrs.evolve(route, config=resume(route.config, handle))
            self._keep_secret({handle})
        transport = await self.open(route, self.clock)
        return Way(
            candidate=candidate,
            provider=route.provider.name,
            model=route.provider.resolve(route.config, route.credentials).model,
            transport=transport,
            translator=partial(self.translator, route),
            resumes=resumes,
            settings_lost=lost,
        )

    def _fitted(self, route: Route) -> tuple[Route, tuple[str, ...]]:
        """The same route without the settings that cannot be had there, and which those are."""
        lost: list[str] = []
        while True:
            try:
                self.translator(route, ())
            except UnsupportedSetting as exc:
                config = _without(route.config, exc.setting)
                if config == route.config or len(lost) == _MOST_LOST:
                    raise
                lost.append(exc.setting)
                route = attrs.evolve(route, config=config)
            else:
                return route, tuple(lost)

    async def open(self, route: Route, clock: Clock) -> Transport:
        """
        Open a connection, through the cassette that is in.

        Raises:
            MissingKey: A credential is not set.
            DialError: No connection came about, in time or at all.
        """
        given = route.transport
        if given is not None and not callable(given):
            return await self._given(route, given)
        dial = given or route.provider.dial
        config = route.provider.resolve(route.config, route.credentials)
        deck = current()
        try:
            async with Deadline(clock, clock.now() + self.timeouts.dial):
                if deck is None:
                    return await dial(config, route.credentials)
                return await self._through(
                    deck, route, config, lambda: dial(config, route.credentials)
                )
        except TimeoutError:
            raise DialError(
                route.provider.name,
                url=route.credentials.base_url or "its own address",
                why=f"no connection within {self.timeouts.dial:g} s",
            ) from None

    async def _given(self, route: Route, given: Transport) -> Transport:
        """The application's own open transport; it serves once."""
        deck = current()
        if deck is None or getattr(given, "hooked", False):
            return given
        config = route.provider.resolve(route.config, route.credentials)
        transport = await self._through(deck, route, config, partial(_the, given))
        if deck.is_played(transport):
            await given.close()
        return transport

    async def _through(
        self,
        deck: Deck,
        route: Route,
        config: SessionConfig,
        dial: Callable[[], Awaitable[Transport]],
    ) -> Transport:
        """What a cassette makes of a dial: it is recorded, or something else is played."""
        provider = route.provider

        def is_model(name: str) -> bool:
            other = attrs.evolve(config, model=name)
            return provider.resolve(other, route.credentials).model == config.model

        return await deck.dial(
            provider.name, config.model, dial, is_model=is_model, secrets=route.secrets
        )


async def _the(transport: Transport) -> Transport:
    """A dial of what is open."""
    return transport


_OWN = ("model", "voice", "provider_options")
"Settings that belong to one provider."


def _without(config: SessionConfig, path: str) -> SessionConfig:
    """A configuration without one setting, by its path; the same where it has none such."""
    name, *parts = path.split(".")
    if name == "model" or name not in attrs.fields_dict(SessionConfig):
        return config
    value = getattr(config, name)
    if name == "tools" and parts and value is not None:
        kind = parts[-1]
        tools = (
            attrs.evolve(t, scheduling=None) if getattr(t, "scheduling", None) == kind else t
            for t in value
        )
        return attrs.evolve(config, tools=tuple(tools))
    part = parts[-1] if parts else None
    if part is not None and attrs.has(type(value)) and part in attrs.fields_dict(type(value)):
        return attrs.evolve(config, **{name: attrs.evolve(value, **{part: None})})
    return attrs.evolve(config, **{name: None})
