"""A conversation that moved is one cassette of several connections, and plays as it was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from tests.failing import failing
from tests.pace import FAST
from tests.talking import PAIRS, Reader, two
from unirt.cassettes import read, write
from unirt.cassettes.entries import moment
from unirt.clock import ManualClock
from unirt.fold import fold
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads

FAILING = failing(1011, "internal error")
AFTER = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "respond"
    steps = [{ say = "As I was saying: Ada.", ms = 600 }]

    [[reply]]
    cue = "text"
    steps = [{ say = "As I was saying: Ada.", ms = 600 }]
""")


async def converse(names: tuple[str, str], environ: dict[str, str]) -> tuple[Reader, str]:
    """A conversation that loses its provider, goes on, and then goes back."""
    chain = tuple(unirt.Candidate(provider=name) for name in names)
    async with unirt.connect(
        names[0],
        fallback=unirt.Failover(chain=chain, retries=0),
        environ=environ,
        env_file=None,
    ) as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(600)
        await session.send_text("What is my name?")
        await reader.many(unirt.ResponseDone, 3)
        session.playback.played(600)
        await session.switch(names[0])
        history = session.history.to_json()
    await reader.done()
    return reader, history


def words(reader: Reader) -> list[tuple[str, str | None]]:
    steps = fold(reader.events)
    return [(s.stream.role, s.text) for s in steps if s.step == "close" and s.text]


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
async def test_it_is_recorded_and_played(names: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "moved.jsonl"
    async with two(*names, FAILING, AFTER) as pair:
        with unirt.cassette(path, mode="once"):
            recorded, _ = await converse(names, pair.environ)
        assert len(pair.here.connections) == 2
    with unirt.cassette(path) as deck:
        played, _ = await converse(names, {})
        assert deck.cassette is not None
        assert [segment.provider for segment in deck.cassette.segments] == [
            names[0], names[1], names[0],
        ]  # fmt: skip

    assert words(played) == words(recorded)
    for kind in (unirt.Reconnecting, unirt.Reconnected):
        assert played.of(kind) == recorded.of(kind)


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
async def test_an_application_that_goes_elsewhere_is_told(
    names: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "moved.jsonl"
    async with two(*names, FAILING, AFTER) as pair:
        with unirt.cassette(path, mode="once"):
            await converse(names, pair.environ)
    with pytest.raises(unirt.CassetteMismatch, match="never made"):
        await _lose(names[0], path)


async def _lose(name: str, path: Path) -> None:
    """The same conversation, of somebody who has nowhere else to go."""
    with unirt.cassette(path):
        async with unirt.connect(name, environ={}, env_file=None, reconnect=False) as session:
            reader = Reader(session)
            await session.send_text("I am Ada.")
            await reader.many(unirt.ResponseDone)
            session.playback.played(600)
            await session.send_text("What is my name?")
            await reader.many(unirt.SessionClosed)


async def outlive(clock: ManualClock | None, **more: Any) -> list[unirt.Event]:
    """A conversation over a connection that is about to end, and is left."""
    async with unirt.connect("openai", clock=clock, env_file=None, **more) as session:
        reader = Reader(session)
        await session.send_text("Hi")
        await reader.many(unirt.ResponseDone)
        session.playback.played(10_000)
        if clock is not None:
            clock.advance(29 * 60 + 30)  # the server began a little later
        await reader.many(unirt.Reconnected)
    await reader.done()
    return [event for event in reader.events if isinstance(event, unirt.SessionExpiring)]


async def test_the_time_of_day_is_that_of_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server said when it would end, by the calendar; that is years ago when it is played."""
    monkeypatch.setattr("unirt_openai.server.translator._LIFETIME_S", 30 * 60)
    path = tmp_path / "outlived.jsonl"
    clock = ManualClock(unix=float(int(time.time())))
    async with Simulator(load("openai"), pace=FAST) as simulator:
        with unirt.cassette(path, mode="once", clock=clock):
            (recorded,) = await outlive(clock, environ=simulator.env)
    with unirt.cassette(path):
        (played,) = await outlive(None, environ={})
    assert recorded.received_at == pytest.approx(29 * 60, abs=30)
    assert played.received_at == recorded.received_at
    cassette = read(path)
    later = moment((cassette.header.began_at or 0) + 10 * 60)
    write(path, attrs.evolve(cassette, header=attrs.evolve(cassette.header, recorded_at=later)))
    with unirt.cassette(path):
        (played,) = await outlive(None, environ={})
    assert played.received_at == recorded.received_at - 10 * 60
