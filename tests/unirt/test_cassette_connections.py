"""How recorded connections begin and end, and several of them in one cassette."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from tests.unirt.taping import (
    SETUP,
    all_of,
    ask,
    by_hand,
    every_provider,
    shown,
    simulated,
    talk,
    using,
)
from unirt import CassetteMismatch, ConnectionLost, DialError
from unirt.cassettes import Framed, Opened, read, write
from unirt.simulator import builtin
from unirt.sound import MemorySink


async def test_a_refused_dial_is_recorded_and_played(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    async with simulated("openai") as simulator:
        elsewhere = partial(
            talk, provider="openai", environ=simulator.env, headers={"Authorization": " "}
        )
        with pytest.raises(DialError) as live:
            await using(path, elsewhere, mode="once")
    (opened,) = read(path).entries
    assert isinstance(opened, Opened)
    assert opened.failed
    with pytest.raises(DialError) as played:
        await using(path, talk)
    assert (played.value.status, played.value.why) == (live.value.status, live.value.why)
    assert live.value.status == 401


async def to_the_end(**options: Any) -> None:
    async with unirt.connect(**options) as session:
        await session.send_text("Hello")
        await all_of(session)


@every_provider
async def test_the_recorded_close_happens(provider: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    talk = partial(to_the_end, reconnect=unirt.Reconnect(first_wait=0.0, jitter=0.0))
    async with simulated(provider, builtin("connection_lost")) as simulator:
        application = partial(talk, provider=provider, environ=simulator.env)
        with pytest.raises(ConnectionLost) as live:
            await using(path, application, mode="once")
    with pytest.raises(ConnectionLost) as played:
        await using(path, talk)
    assert str(played.value) == str(live.value)


async def test_a_cut_connection_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    by_hand(path, *SETUP, '{"close": {"code": null, "by": "network"}}')

    async def application() -> None:
        async with unirt.connect() as session:
            await all_of(session)

    with pytest.raises(ConnectionLost) as caught:
        await using(path, application)
    assert (caught.value.code, caught.value.by) == (None, "network")


async def test_after_a_stall_nothing_comes_until_the_application_closes(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    by_hand(path, *SETUP, '{"stall": true}')
    with unirt.cassette(path) as deck:
        async with unirt.connect() as session:
            told = asyncio.create_task(all_of(session))
            await deck.clock.sleep_until(0.001)  # it goes on, though nothing is played
            assert not told.done()
        assert shown(await told)[0] == "SessionStarted"


async def test_beside_a_connection_that_stalls_the_time_is_that_of_the_other(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    other = ['{"open": {"url": "wss://host/"}}', *SETUP]
    other += ['{"t": 5, "sent": {"realtimeInput": {"text": "Hello"}}}', '{"t": 5, "stall": true}']
    by_hand(path, *SETUP, '{"stall": true}', *(line.replace("{", '{"c": 2, ', 1) for line in other))
    with unirt.cassette(path) as deck:
        async with unirt.connect(), unirt.connect() as session:
            sleeper = asyncio.create_task(deck.clock.follow_until(0.005_001))
            for _ in range(1_000):
                await asyncio.sleep(0)
            assert not sleeper.done()  # it is 5 ms, until the client has said what it said then
            await session.send_text("Hello")
            await sleeper


def two_at_once(path: Path) -> None:
    """The second is dialled between two turns of the first, which goes on."""
    text = '"sent": {"realtimeInput": {"text": "Hello"}}'
    done = '"received": {"serverContent": {"turnComplete": true}}'
    first = [f'{{"t": 5, {text}}}', f'{{"t": 5, {done}}}', f'{{"t": 20, {done}}}']
    other = [
        line.replace("{", '{"c": 2, "t": 10, ', 1)
        for line in ('{"open": {"url": "wss://host/"}}', *SETUP, '{"stall": true}')
    ]
    by_hand(path, *SETUP, *first[:2], *other, first[2], '{"stall": true}')


async def test_what_came_after_another_connection_was_dialled_waits_for_that(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    two_at_once(path)
    with unirt.cassette(path) as deck:
        async with unirt.connect() as session:
            await session.send_text("Hello")
            told = asyncio.create_task(all_of(session))
            for _ in range(1_000):  # it takes its time
                await asyncio.sleep(0)
            assert deck.clock.now() == 0.010
            async with unirt.connect():
                pass
            while deck.clock.now() < 0.020:
                await asyncio.sleep(0)
        assert "ResponseDone" in shown(await told)


async def test_a_connection_that_is_not_dialled_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unirt.transports.playing.STANDS_S", 0.001)
    path = tmp_path / "talk.jsonl"
    two_at_once(path)

    async def application() -> None:
        async with unirt.connect() as session:
            await session.send_text("Hello")
            while deck.clock.now() < 0.020:
                await asyncio.sleep(0)

    with (
        pytest.raises(CassetteMismatch, match="1 recorded connections were never made"),
        unirt.cassette(path) as deck,
    ):
        await application()


@every_provider
async def test_who_leaves_when_a_connection_is_lost_may_do_so_in_a_replay(
    provider: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"

    async def leave(**options: Any) -> None:
        patient = unirt.Reconnect(first_wait=0.0, jitter=0.0)
        connecting = unirt.connect(reconnect=patient, **options)
        async with connecting as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(session.playback.play(MemorySink()))  # a loss would be raised there
            await session.send_text("Hello")
            async for event in session:
                if isinstance(event, unirt.ResponseDone):
                    break
            await session.close()

    async with simulated(provider, builtin("connection_lost")) as simulator:
        with unirt.cassette(path, mode="once"):
            await leave(provider=provider, environ=simulator.env)
    entries = read(path).entries
    opened = [each for each in entries if isinstance(each, Opened)]
    if len(opened) > 1:  # it was quicker
        first = [each for each in entries if each.connection == opened[0].connection]
        write(path, attrs.evolve(read(path), entries=tuple(first)))
    await using(path, leave)


async def test_several_connections_are_segments_of_one_cassette(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    async with simulated("openai") as one, simulated("google") as other:
        with unirt.cassette(path, mode="once"):
            first = [
                await talk(provider="openai", environ=one.env),
                await talk(provider="google", environ=other.env),
            ]
    assert [segment.provider for segment in read(path).segments] == ["openai", "google"]
    with unirt.cassette(path):
        second = [await talk(provider="openai"), await talk()]
    assert [shown(events) for events in second] == [shown(events) for events in first]


async def both(*options: dict[str, Any]) -> list[list[str]]:
    """Two sessions at once, each of which asks when the other was answered."""
    async with unirt.connect(**options[0]) as one, unirt.connect(**options[1]) as other:
        return [
            shown(await ask(session, words)) for words in ("one", "two") for session in (one, other)
        ]


async def test_connections_that_were_open_at_once_are_played_in_the_order_of_the_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    async with simulated("openai") as one, simulated("google") as other:
        with unirt.cassette(path, mode="once"):
            live = await both(
                {"provider": "openai", "environ": one.env},
                {"provider": "google", "environ": other.env},
            )
    numbers = [e.connection for e in read(path).entries if isinstance(e, Framed)]
    assert numbers != sorted(numbers)
    for _ in range(2):
        with unirt.cassette(path):
            assert await both({"provider": "openai"}, {"provider": "google"}) == live
