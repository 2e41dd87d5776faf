"""
A scenario's conversation out of its cassette: a real session, and the application beside it.

The application does what it did when the cassette was recorded, when it did it. Its clock is the
session's, which is the tape's, so it is woken between the recorded frames at its very times.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import attrs

import unirt
from cassettes.record import FOLDER, dialled
from unirt import Event, SessionConfig
from unirt.deck.deck import Deck
from unirt.errors import ConnectionLost
from unirt.failover import Cooldowns
from unirt.provider import Provider
from unirt.session import Session
from unirt.simulator import Exchange, builtin, run
from unirt.testing.journey import Journey, Move, Moved, Way


def replayed(
    provider: Provider, scenario: str, telemetry: unirt.Telemetry | None = None
) -> Exchange:
    """What a session tells of a scenario that is played from its cassette, also OpenTelemetry."""
    simulated = run(provider, builtin(scenario), dialled(provider, scenario))
    if simulated.refused is not None:
        return simulated
    with unirt.cassette(FOLDER / provider.name / f"{scenario}.jsonl") as deck:
        events, session = asyncio.run(_hold(deck, provider, scenario, simulated, telemetry))
    return Exchange(
        provider=provider.name,
        capabilities=session.capabilities,
        events=tuple(events),
        seconds=deck.clock.now(),
    )


async def _hold(
    deck: Deck,
    provider: Provider,
    scenario: str,
    simulated: Exchange,
    telemetry: unirt.Telemetry | None,
) -> tuple[list[Event], Session]:
    application = _Application(deck, simulated)
    told: list[Event] = []
    async with (
        _performing(deck, application),
        unirt.connect(
            provider,
            env_file=None,
            reconnect=False,
            telemetry=telemetry,
            observers=[told.extend, application.heard],
            **_settings(builtin(scenario).session),
        ) as session,
    ):
        application.opened.set_result(session)
        with contextlib.suppress(ConnectionLost):
            async for _ in session:
                pass
    return told, session


def played(name: str, way: Way, travelled: Moved, journey: Journey) -> list[Event]:
    """What a session tells of a journey that is played from its cassette."""
    with unirt.cassette(FOLDER / "journeys" / name / f"{journey.name}.jsonl") as deck:
        return asyncio.run(_move(deck, way, travelled, journey))


def stayed(
    name: str, way: Way, held: Moved, journey: Journey, telemetry: unirt.Telemetry
) -> list[Event]:
    """What a session tells of a stay that is played from its cassette, also OpenTelemetry."""
    with unirt.cassette(FOLDER / "stays" / name / f"{journey.name}.jsonl") as deck:
        return asyncio.run(_move(deck, way, held, journey, telemetry))


async def _move(
    deck: Deck,
    way: Way,
    travelled: Moved,
    journey: Journey,
    telemetry: unirt.Telemetry | None = None,
) -> list[Event]:
    application = _Traveller(deck, travelled, way)
    told: list[Event] = []
    chain = (unirt.Candidate(provider=way.first), unirt.Candidate(provider=way.second))
    moving = unirt.Failover(chain=chain, retries=0, cooldowns=Cooldowns())
    async with (
        _performing(deck, application),
        unirt.connect(
            way.first,
            env_file=None,
            environ={},
            model=way.model,
            fallback=None if way.stays else moving,
            telemetry=telemetry,
            observers=[told.extend, application.heard],
            **{**_settings(journey.scenario.session), **journey.own(deck.clock)},
        ) as session,
    ):
        application.opened.set_result(session)
        with contextlib.suppress(unirt.LimitReachedError):
            async for _ in session:
                pass
        await application.settled()
    return told


def _settings(config: SessionConfig) -> dict[str, Any]:
    names = [field.name for field in attrs.fields(SessionConfig)]
    return {name: value for name in names if (value := getattr(config, name)) is not None}


class _Performer(abc.ABC):
    """Whoever says something at the moments of a recording; a subclass says what."""

    def __init__(self, deck: Deck) -> None:
        self.opened: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._clock = deck.clock
        self._moved = asyncio.Event()

    def heard(self, events: Sequence[Event]) -> None:
        """Look on."""
        self._moved.set()

    @abc.abstractmethod
    async def perform(self) -> None:
        """All of it, and close at the end."""

    async def _at(self, when: float, frames: int) -> Session:
        """The session, at that time and once so many frames have come."""
        await self._clock.sleep_until(when)
        session = await self.opened
        while session.stats.frames_in < frames:
            self._moved.clear()
            await self._moved.wait()
        return session


@contextlib.asynccontextmanager
async def _performing(deck: Deck, performer: _Performer) -> AsyncIterator[None]:
    """Have somebody perform meanwhile, whose sleep the tape waits for."""
    deck.clock.attend(1)  # it sleeps before the connection is there
    performing = asyncio.create_task(performer.perform())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        performing.cancel()
        deck.clock.attend(-1)


class _Application(_Performer):
    """Says what the scenario's application said, at the same moments."""

    def __init__(self, deck: Deck, simulated: Exchange) -> None:
        super().__init__(deck)
        self._simulated = simulated

    async def perform(self) -> None:
        for said in self._simulated.said:
            session = await self._at(said.at, said.heard)
            await session.send(said.command)
        if self._simulated.closed is None:
            frames = len(self._simulated.frames_received)
            await (await self._at(self._simulated.seconds, frames)).close()


class _Traveller(_Performer):
    """Says what a journey's application said, and moves when it did."""

    def __init__(self, deck: Deck, travelled: Moved, way: Way) -> None:
        super().__init__(deck)
        self._travelled = travelled
        self._target = unirt.Candidate(provider=way.second)
        self._move: asyncio.Task[Any] | None = None

    async def settled(self) -> None:
        """Wait for the application's move, where there was one."""
        if self._move is not None:
            await self._move

    async def perform(self) -> None:
        for said in self._travelled.said:
            session = await self._at(said.at, said.heard)
            if session.closed:
                return
            if isinstance(said.what, Move):
                self._move = asyncio.create_task(self._moved_by(session, said.what))
            else:
                await session.send(said.what)
        if not self._travelled.ended:
            await (await self._at(self._travelled.seconds, self._travelled.heard)).close()

    async def _moved_by(self, session: Session, move: Move) -> None:
        if move.why == "update":
            await session.update(**move.changes)
        else:
            await session.switch(self._target, patience=move.patience)
