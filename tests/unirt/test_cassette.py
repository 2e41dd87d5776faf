"""unirt.cassette(): sessions recorded against simulators, and played without any."""

import asyncio
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from tests.unirt.taping import (
    SETUP,
    ask,
    by_hand,
    every_provider,
    record,
    shown,
    simulated,
    talk,
    using,
)
from unirt import CassetteError, CassetteMismatch, Event
from unirt.cassettes import Entry, Exchanged, Framed, Opened, Stalled, read, write
from unirt.clock import ManualClock
from unirt.deck.identify import origin_of
from unirt.errors import ConfigurationError
from unirt.registry import load
from unirt.transport import TransportClosed
from unirt.transports.memory import memory_pair


@every_provider
@pytest.mark.parametrize("transport", ["websocket", "fast"])
async def test_what_was_recorded_is_played_with_nothing_passed_in(
    provider: str, transport: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl.gz"
    async with simulated(provider) as simulator:
        with unirt.cassette(path, mode="once"):
            live = await talk(provider=provider, environ=simulator.env, transport=transport)
    for _ in range(2):
        with unirt.cassette(path) as deck:
            assert deck.playing
            assert not deck.recording
            played = await talk()
        assert shown(played) == shown(live)
        assert [event.raw for event in played] == [event.raw for event in live]


@every_provider
async def test_the_time_of_a_replay_is_that_of_the_recording(provider: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, provider)
    received = {
        (entry.at, json.dumps(entry.data))
        for entry in read(path).entries
        if isinstance(entry, Framed) and entry.direction == "received"
    }
    runs = []
    for _ in range(2):
        with unirt.cassette(path):
            told = [event for event in await talk() if not event.synthesised]
        runs.append([(event.received_at, json.dumps(event.raw)) for event in told])
    assert runs[0] == runs[1]
    assert {*runs[0]} <= received | {(0.0, "null")}


async def test_the_header_says_where_it_comes_from(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai", notes={"scenario": "greeting"})
    header = read(path).header
    assert header.origin == "simulator"
    assert (header.provider, header.model) == ("openai", "gpt-realtime-2.1")
    assert (header.protocol, header.against) == ("/v1/realtime", "ws://127.0.0.1/v1/realtime")
    assert header.recorded_by is not None
    assert header.recorded_by.startswith("unirt-realtime ")
    assert header.recorded_at is not None
    assert header.notes == {"scenario": "greeting"}


@pytest.mark.parametrize(
    ("urls", "origin"),
    [
        (["ws://127.0.0.1:81/"], "simulator"),
        (["ws://127.0.0.2/", "http://[::1]:80/v1/realtime/calls"], "simulator"),
        (["wss://localhost/v1", "http://sim.localhost/x"], "simulator"),
        (["wss://api.openai.com/v1/realtime"], "live"),
        (["ws://127.0.0.1/", "wss://api.openai.com/v1/realtime"], "live"),
        (["ws://127.0.0.1/", "https://api.openai.com/v1/realtime/calls"], "live"),
        (["ws://192.0.2.1/"], "live"),
        (["wss://localhost.example.com/"], "live"),
    ],
)
def test_the_addresses_tell_where_it_comes_from(urls: list[str], origin: str) -> None:
    entries = [
        Exchanged(request={"uri": url}, response={}) if url.startswith("http") else Opened(url=url)
        for url in urls
    ]
    assert origin_of(entries) == origin


async def test_with_a_clock_of_its_own_a_recording_says_its_time(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google", clock=ManualClock(now=50.0))
    cassette = read(path)
    assert {entry.at_ms for entry in cassette.entries} == {0.0}
    assert cassette.header.recorded_at is None


async def test_the_header_says_when_it_began_where_its_clock_tells_the_time_of_day(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google", clock=ManualClock(now=50.0, unix=1_800_000_000.25))
    header = read(path).header
    assert header.recorded_at == "2027-01-15T08:00:00.250Z"
    assert header.began_at == 1_800_000_000.25


async def test_a_session_with_a_clock_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")
    clock = ManualClock(now=7.0)
    with unirt.cassette(path):
        assert {event.received_at for event in await talk(clock=clock)} == {7.0}


# Modes.


def words_of(path: Path) -> list[str]:
    said = json.dumps([e.data for e in read(path).entries if isinstance(e, Framed)])
    return [word for word in ("one", "two", "three") if f'"{word}"' in said]


@pytest.mark.parametrize(
    ("mode", "words", "kept"),
    [
        ("once", ["one"], ["one"]),
        ("new_episodes", ["one", "two"], ["one", "two"]),
        ("all", ["three"], ["one", "three"]),
        ("rewrite", ["three"], ["three"]),
    ],
)
async def test_modes(mode: str, words: list[str], kept: list[str], tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    async with simulated("google") as simulator:
        options = {"provider": "google", "environ": simulator.env}
        with unirt.cassette(path, mode="once"):
            await talk("one", **options)
        with unirt.cassette(path, mode=mode):
            for word in words:
                await talk(word, **options)
        assert len(simulator.connections) == 1 + len(kept) - (mode != "rewrite")
    assert words_of(path) == kept
    with unirt.cassette(path):
        for word in kept:
            await talk(word, provider="google")


async def test_once_does_not_add(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")
    more = partial(talk, provider="google", environ={"GOOGLE_API_KEY": "x"})
    with pytest.raises(CassetteMismatch, match="or add it with 'new_episodes'"):
        await using(path, talk, more, mode="once")


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
async def test_what_another_process_wrote_meanwhile_is_not_lost(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    other = tmp_path / "other.jsonl"
    await record(other, "openai")
    if mode != "once":
        await record(path, "google")

    async def and_meanwhile() -> None:
        async with simulated("openai") as simulator:
            await talk(provider="openai", environ=simulator.env)
        os.replace(other, path)  # as a cassette is written

    theirs = other.read_bytes()
    with pytest.raises(CassetteError, match=r"would be lost.*one process at a time"):
        await using(path, and_meanwhile, mode=mode)
    assert path.read_bytes() == theirs


async def test_a_recording_of_a_failure_is_written(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    async with simulated("google") as simulator:

        async def application() -> None:
            async with unirt.connect("google", environ=simulator.env) as session:
                await ask(session)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await using(path, application, mode="once")
    with unirt.cassette(path):
        await talk()


def test_where_nothing_was_recorded_nothing_is_written(tmp_path: Path) -> None:
    with unirt.cassette(tmp_path / "talk.jsonl", mode="rewrite"):
        pass
    assert list(tmp_path.iterdir()) == []


async def test_a_session_that_is_left_open_stalls_in_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    async with simulated("google") as simulator:
        with unirt.cassette(path, mode="once"):
            session = await unirt.connect("google", environ=simulator.env).__aenter__()
        await session.close()
    assert isinstance(read(path).entries[-1], Stalled)


# Secrets.


async def test_no_credential_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "talk.jsonl"
    key, organisation = "my-very-own-secret-key", "my-very-own-company"
    monkeypatch.setenv("OPENAI_ORG_ID", organisation)
    async with simulated("openai") as simulator:
        environ = {**simulator.env, "OPENAI_API_KEY": key}
        with unirt.cassette(path, mode="once"):
            await talk(f"{key} {organisation}", provider="openai", environ=environ)
    assert key not in path.read_text("utf-8")
    assert organisation not in path.read_text("utf-8")
    monkeypatch.delenv("OPENAI_ORG_ID")
    with unirt.cassette(path):
        await talk("SCRUBBED SCRUBBED")


async def test_a_cassette_that_still_holds_a_secret_is_not_written(tmp_path: Path) -> None:
    secret = "0123456789abcdef"

    def leak(entry: Entry) -> Entry:
        """A rule that puts a secret where nothing takes it out."""
        return attrs.evolve(entry, transport=secret) if isinstance(entry, Opened) else entry

    path = tmp_path / "new" / "talk.jsonl"
    async with simulated("openai") as simulator:
        environ = {**simulator.env, "OPENAI_API_KEY": secret}
        application = partial(talk, provider="openai", environ=environ)
        with pytest.raises(CassetteError) as caught:
            await using(path, application, mode="once", scrub=leak)
    assert secret not in str(caught.value)
    assert "the value of a credential of connect()" in caught.value.what
    assert caught.value.where == f"{path}, line 2"
    assert os.listdir(tmp_path) == []


# Where it is in.


async def test_it_decorates_functions(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    live = await record(path, "google")

    @unirt.cassette(path)
    async def application() -> list[Event]:
        return await talk()

    @unirt.cassette(path)
    def blocking() -> list[Event]:
        found: list[list[Event]] = []
        thread = threading.Thread(target=lambda: found.append(asyncio.run(talk())))
        thread.start()
        thread.join()
        return found[0]

    assert shown(await application()) == shown(live)
    assert shown(await application()) == shown(live)
    assert shown(blocking()) == shown(live)


def test_generators_are_refused(tmp_path: Path) -> None:
    """The cassette would be out again before they run."""

    def some() -> Iterator[int]:
        yield 1

    async def others() -> AsyncIterator[int]:
        yield 1

    for function in (some, others):
        with pytest.raises(ConfigurationError, match="is a generator"):
            unirt.cassette(tmp_path / "talk.jsonl")(function)


async def test_frames_of_a_data_channel_have_their_place(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    live = await record(path, "openai")
    cassette = read(path)
    opened, *rest = cassette.entries
    assert isinstance(opened, Opened)
    opened = attrs.evolve(opened, url="https://host/v1/realtime/calls", transport="webrtc")
    write(path, attrs.evolve(cassette, entries=(opened, *rest)))
    assert '"transport": "webrtc"' in path.read_text("utf-8")
    assert read(path).segments[0].opened == opened
    with unirt.cassette(path):
        assert said(await talk()) == said(live)


def said(events: list[Event]) -> list[str]:
    """The words; of a call the audio is not in a cassette, and streams end in another order."""
    return [event.text for event in events if isinstance(event, unirt.StreamClosed) and event.text]


async def test_the_innermost_counts(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer.jsonl", tmp_path / "inner.jsonl"
    await record(outer, "google")
    await record(inner, "openai")
    with unirt.cassette(outer):
        with unirt.cassette(inner):
            assert {event.provider for event in await talk()} == {"openai"}
        assert {event.provider for event in await talk()} == {"google"}


@pytest.mark.parametrize("kind", ["websocket", "fast"])
async def test_a_transport_that_the_application_dials_is_recorded_and_played(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"

    async def own(environ: Mapping[str, str]) -> list[Event]:
        credentials = unirt.Credentials(environ=environ, transport=kind)
        config = unirt.SessionConfig(model="models/gemini-3.8-live")
        transport = await load("google").dial(config, credentials)
        return await talk(provider="google", transport=transport)

    async with simulated("google") as simulator:
        with unirt.cassette(path, mode="once"):
            live = await own(simulator.env)
        assert len(read(path).segments) == 1
        with unirt.cassette(path):
            assert shown(await own({"GOOGLE_API_KEY": "none"})) == shown(live)
        assert len(simulator.connections) == 1


async def test_an_open_transport_of_another_kind_is_not_used_in_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    live = await record(path, "google")
    spare, far = memory_pair()
    with unirt.cassette(path):
        assert shown(await talk(transport=spare)) == shown(live)
    with pytest.raises(TransportClosed):
        await far.receive()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"pace": "slow"}, "the pace cannot be 'slow'"),
        ({"pace": 0}, "the pace cannot be 0"),
        ({"origin": "heaven"}, "the origin cannot be 'heaven'"),
        ({"mode": "sometimes"}, "there is no record mode 'sometimes'"),
        ({"match": "excat"}, "did you mean exact?"),
    ],
)
def test_what_cannot_be_is_refused_at_once(options: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        unirt.cassette("x.jsonl", **options)
    assert what in str(caught.value)


async def test_a_pace_takes_the_time_that_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "talk.jsonl"
    by_hand(path, *SETUP, '{"t": 4000, "stall": true}')
    slept: list[float] = []
    real: Callable[..., Any] = asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr("unirt.transports.tape_clock.asyncio.sleep", note)
    with unirt.cassette(path, pace=2.0) as deck:
        async with unirt.connect():
            while deck.clock.now() < 4.0:
                await real(0)
    assert 1.5 < max(slept) <= 2.0
