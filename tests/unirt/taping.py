"""Applications that a cassette is in for, and simulators to record them against."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import unirt
from unirt import Event, ResponseDone, Session
from unirt.cassettes import loads, write
from unirt.registry import installed, load
from unirt.simulator import Pace, Scenario, Simulator

__all__ = [
    "SETUP",
    "Application",
    "all_of",
    "ask",
    "by_hand",
    "every_provider",
    "record",
    "shown",
    "simulated",
    "talk",
    "using",
]

every_provider = pytest.mark.parametrize("provider", installed())


async def ask(session: Session, words: str = "Good morning.") -> list[Event]:
    """Everything that is told until the answer is over."""
    told = []
    await session.send_text(words)
    async for event in session:
        told.append(event)
        if isinstance(event, ResponseDone):
            break
    return told


async def talk(words: str = "Good morning.", **options: Any) -> list[Event]:
    async with unirt.connect(**options) as session:
        return await ask(session, words)


def simulated(provider: str, scenario: Scenario | None = None) -> Simulator:
    """A simulator that is in no hurry to be slow."""
    return Simulator(load(provider), scenario, pace=Pace(speed=100, latency_ms=1, word_ms=1))


async def record(path: Path, provider: str, **options: Any) -> list[Event]:
    async with simulated(provider) as simulator:
        with unirt.cassette(path, mode="rewrite", **options):
            return await talk(provider=provider, environ=simulator.env)


Application = Callable[[], Awaitable[Any]]


async def using(path: Path, *applications: Application, **options: Any) -> None:
    """Some applications, one after the other, while a cassette is in."""
    with unirt.cassette(path, **options):
        for application in applications:
            await application()


async def all_of(session: Session) -> list[Event]:
    return [event async for event in session]


def shown(events: list[Event]) -> list[str]:
    """Events without their ids and times."""
    return [type(event).__name__ for event in events]


def by_hand(path: Path, *lines: str) -> None:
    header = '{"unirt_cassette": 1, "provider": "google", "origin": "hand-written"}'
    opened = '{"open": {"url": "wss://host/"}}'
    write(path, loads("\n".join((header, opened, *lines)).encode(), "x"))


SETUP = (
    '{"sent": {"setup": {"model": "models/gemini-3.8-live",'
    ' "generationConfig": {"responseModalities": ["AUDIO"]}, "sessionResumption": {},'
    ' "inputAudioTranscription": {}, "outputAudioTranscription": {}}}}',
    '{"received": {"setupComplete": {}}}',
)
