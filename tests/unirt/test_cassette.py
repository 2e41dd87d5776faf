"""unirt.cassette(): sessions recorded against simulators, and played without any."""

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from unirt import (
    CassetteError,
    CassetteMismatch,
    CassetteMissing,
    ConnectionLost,
    DialError,
    Event,
    ResponseDone,
    Session,
)
from unirt.cassettes import Entry, Framed, Opened, Stalled, loads, read, write
from unirt.clock import ManualClock
from unirt.deck.stack import current
from unirt.errors import ConfigurationError
from unirt.registry import installed, load
from unirt.simulator import Pace, Scenario, Simulator, builtin
from unirt.transport import TransportClosed
from unirt.transports.memory import memory_pair

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


async def test_with_a_clock_of_its_own_a_recording_says_its_time(tmp_path: Path) -> None:
    clock = ManualClock(now=50.0)
    path = tmp_path / "talk.jsonl"
    await record(path, "google", clock=clock)
    cassette = read(path)
    assert {entry.at_ms for entry in cassette.entries} == {0.0}
    assert cassette.header.recorded_at is None


async def test_a_session_with_a_clock_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")
    clock = ManualClock(now=7.0)
    with unirt.cassette(path):
        assert {event.received_at for event in await talk(clock=clock)} == {7.0}


# What does not match.


@every_provider
async def test_other_words_are_a_mismatch_that_the_verb_raises(
    provider: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, provider)

    async def application() -> None:
        async with unirt.connect() as session:
            await session.send_text("Hi.")

    with pytest.raises(CassetteMismatch, match=r"'Good morning\.' was recorded, 'Hi\.' was sent"):
        await using(path, application)


async def test_a_mismatch_comes_out_of_views_and_of_later_verbs(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")

    async def application() -> None:
        async with unirt.connect() as session:
            with pytest.raises(CassetteMismatch):
                await session.send_text("Hi.")
            with pytest.raises(CassetteMismatch):
                await all_of(session)
            with pytest.raises(CassetteMismatch):
                await session.send_text("Good morning.")
            with pytest.raises(CassetteMismatch):
                await session.send_audio(bytes(480))

    with pytest.raises(CassetteMismatch):
        await using(path, application)


async def test_a_mismatch_that_the_application_swallows_comes_out_at_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")

    async def application() -> None:
        with contextlib.suppress(Exception):
            await talk("Hi.")

    with pytest.raises(CassetteMismatch, match="another frame was expected"):
        await using(path, application)
    assert current() is None


async def test_an_error_that_hides_a_mismatch_gives_way_to_it(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")

    async def hiding() -> None:
        try:
            await talk("Hi.")
        except AssertionError:
            raise RuntimeError("something went wrong") from None

    async def telling() -> None:
        try:
            await talk("Hi.")
        except AssertionError as exc:
            raise RuntimeError("something went wrong") from exc

    with pytest.raises(CassetteMismatch):
        await using(path, hiding)
    with pytest.raises(RuntimeError):
        await using(path, telling)


async def test_an_error_of_the_application_is_not_hidden_by_what_is_left_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "google")

    async def application() -> None:
        async with unirt.connect():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await using(path, application)


async def test_what_the_application_did_not_do_fails_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")

    async def application() -> None:
        async with unirt.connect():
            pass

    with pytest.raises(CassetteMismatch, match="left over; the first was sent"):
        await using(path, application)
    with pytest.raises(CassetteMismatch, match="1 recorded connections were never made"):
        await using(path)


async def test_another_connection_than_was_recorded_fails(tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    await record(path, "openai")
    with pytest.raises(CassetteMismatch, match="what is left in it is openai with 'gpt-realtime"):
        await using(path, partial(talk, provider="google"))
    with pytest.raises(CassetteMismatch, match="openai with 'gpt-realtime'"):
        await using(path, partial(talk, provider="openai", model="gpt-realtime"))
    with pytest.raises(CassetteMismatch, match="what is left in it is nothing"):
        await using(path, talk, partial(talk, provider="openai"))


async def test_a_missing_cassette_says_what_records_it_and_dials_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.orig_argv", ["python", "my app.py"])
    path = tmp_path / "none.jsonl"
    with pytest.raises(CassetteMissing) as caught, unirt.cassette(path):
        raise AssertionError("it must not get here")
    assert "UNIRT_RECORD=once python 'my app.py'" in caught.value.remedy
    assert not path.exists()
    monkeypatch.setenv("UNIRT_RECORD", "perhaps")
    with pytest.raises(ConfigurationError, match=r"no record mode 'perhaps' \(UNIRT_RECORD\)"):
        unirt.cassette(path)


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


# How connections begin and end.


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
