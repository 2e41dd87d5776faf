"""How recorded connections begin and end, and several of them in one cassette."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

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
from unirt import ConnectionLost, DialError
from unirt.cassettes import Framed, Opened, read
from unirt.simulator import builtin


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
