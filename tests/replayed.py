"""
A scenario's conversation out of its cassette: a real session, and the application beside it.

The application does what it did when the cassette was recorded, when it did it. Its clock is the
session's, which is the tape's, so it is woken between the recorded frames at its very times.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
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


def replayed(provider: Provider, scenario: str) -> Exchange:
    """What a session tells of a scenario that is played from its cassette."""
    simulated = run(provider, builtin(scenario), dialled(provider, scenario))
    if simulated.refused is not None:
        return simulated
    with unirt.cassette(FOLDER / provider.name / f"{scenario}.jsonl") as deck:
        events, session = asyncio.run(_hold(deck, provider, scenario, simulated))
    return Exchange(
        provider=provider.name,
        capabilities=session.capabilities,
        events=tuple(events),
        seconds=deck.clock.now(),
    )


async def _hold(
    deck: Deck, provider: Provider, scenario: str, simulated: Exchange
) -> tuple[list[Event], Session]:
    opened: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
    application = _Application(deck, simulated, opened)
    deck.clock.attend(1)  # it sleeps before the connection is there
    performing = asyncio.create_task(application.perform())
    await asyncio.sleep(0)
    told: list[Event] = []
    asked = _asked(scenario)
    try:
        async with unirt.connect(
            provider,
            env_file=None,
            reconnect=False,
            observers=[told.extend, application.heard],
            **asked,
        ) as session:
            opened.set_result(session)
            with contextlib.suppress(ConnectionLost):
                async for _ in session:
                    pass
    finally:
        performing.cancel()
        deck.clock.attend(-1)
    return told, session


def _asked(scenario: str) -> dict[str, Any]:
    return _settings(builtin(scenario).session)


def _settings(config: SessionConfig) -> dict[str, Any]:
    names = [field.name for field in attrs.fields(SessionConfig)]
    return {name: value for name in names if (value := getattr(config, name)) is not None}


def played(name: str, way: Way, travelled: Moved, journey: Journey) -> list[Event]:
    """What a session tells of a journey that is played from its cassette."""
    with unirt.cassette(FOLDER / "journeys" / name / f"{journey.name}.jsonl") as deck:
        return asyncio.run(_move(deck, way, travelled, journey))


async def _move(deck: Deck, way: Way, travelled: Moved, journey: Journey) -> list[Event]:
    application = _Traveller(deck, travelled, way)
    deck.clock.attend(1)
    performing = asyncio.create_task(application.perform())
    await asyncio.sleep(0)
    told: list[Event] = []
    chain = (unirt.Candidate(provider=way.first), unirt.Candidate(provider=way.second))
    moving = unirt.Failover(chain=chain, retries=0, cooldowns=Cooldowns())
    try:
        async with unirt.connect(
            way.first,
            env_file=None,
            environ={},
            fallback=None if way.stays else moving,
            observers=[told.extend, application.heard],
            **_settings(journey.scenario.session),
        ) as session:
            application.opened.set_result(session)
            async for _ in session:
                pass
            await application.switched()
    finally:
        performing.cancel()
        deck.clock.attend(-1)
    return told


class _Application:
    """Says what the scenario's application said, at the same moments."""

    def __init__(self, deck: Deck, simulated: Exchange, opened: asyncio.Future[Session]) -> None:
        self._clock = deck.clock
        self._simulated = simulated
        self._opened = opened
        self._moved = asyncio.Event()

    def heard(self, events: Sequence[Event]) -> None:
        """Look on."""
        self._moved.set()

    async def perform(self) -> None:
        """All of it, and close at the end."""
        for said in self._simulated.said:
            await self._clock.sleep_until(said.at)
            await (await self._after(said.heard)).send(said.command)
        if self._simulated.closed is None:
            await self._clock.sleep_until(self._simulated.seconds)
            await (await self._after(len(self._simulated.frames_received))).close()

    async def _after(self, frames: int) -> Session:
        """The session, once so many frames have come."""
        session = await self._opened
        while session.stats.frames_in < frames:
            self._moved.clear()
            await self._moved.wait()
        return session


class _Traveller:
    """Says what a journey's application said, and moves when it did."""

    def __init__(self, deck: Deck, travelled: Moved, way: Way) -> None:
        self.opened: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._clock = deck.clock
        self._travelled = travelled
        self._target = unirt.Candidate(provider=way.second)
        self._moved = asyncio.Event()
        self._switch: asyncio.Task[None] | None = None

    def heard(self, events: Sequence[Event]) -> None:
        """Look on."""
        self._moved.set()

    async def switched(self) -> None:
        """Wait for the switch, where there was one."""
        if self._switch is not None:
            await self._switch

    async def perform(self) -> None:
        """All of it, and close at the end."""
        for said in self._travelled.said:
            await self._clock.sleep_until(said.at)
            session = await self._after(said.heard)
            if isinstance(said.what, Move):
                going = session.switch(self._target, patience=said.what.patience)
                self._switch = asyncio.create_task(going)
            else:
                await session.send(said.what)
        await self._clock.sleep_until(self._travelled.seconds)
        await (await self._after(self._travelled.heard)).close()

    async def _after(self, frames: int) -> Session:
        """The session, once so many frames have come."""
        session = await self.opened
        while session.stats.frames_in < frames:
            self._moved.clear()
            await self._moved.wait()
        return session
