"""A call in a cassette: its requests by vcrpy, and the frames of its channel, in one file."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from tests.calling import HERE, simulated
from unirt.cassettes import read
from unirt.cassettes.entries import Exchanged, Framed, Opened
from unirt.simulator.scenario import Cue, Pace, Reply, Say, Scenario
from unirt.simulator.voice import speech
from unirt.testing import check, fold, outline

SCENARIO = Scenario(
    name="says",
    replies=(Reply(cue=Cue.TEXT, steps=(Say(text="Hello there.", ms=400),)),),
    pace=Pace(speed=8.0, latency_ms=1.0),
)


def calling(environ: dict[str, str]) -> AbstractAsyncContextManager[unirt.Session]:
    return unirt.connect(
        "openai",
        transport="webrtc",
        environ=environ,
        env_file=None,
        reconnect=False,
        connection_options=HERE,
        turn_detection="manual",
    )


async def talk(environ: dict[str, str]) -> tuple[list[unirt.Event], str | None]:
    events: list[unirt.Event] = []
    async with calling(environ) as session:
        await session.send_text("hello")
        async for event in session:
            events.append(event)
            if isinstance(event, unirt.ResponseDone):
                return events, session.call_id
    raise AssertionError("it ended")


def silent(events: list[unirt.Event]) -> list[dict[str, Any]]:
    told = [e for e in events if not isinstance(e, unirt.AudioDelta)]
    return [{**entry, "heard_ms": None} for entry in outline(fold(told))]


@pytest.fixture
async def recorded(tmp_path: Path) -> tuple[Path, list[unirt.Event], str | None]:
    path = tmp_path / "call.jsonl"
    async with simulated(SCENARIO) as simulator:
        with unirt.cassette(path, mode="once"):
            events, call_id = await talk(dict(simulator.env))
    return path, events, call_id


async def test_a_call_is_played_without_a_network_a_key_or_a_peer(
    recorded: tuple[Path, list[unirt.Event], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, live, call_id = recorded
    monkeypatch.setitem(__import__("sys").modules, "aiortc", None)
    with unirt.cassette(path):
        played, name = await talk({})
    check(played)
    assert silent(played) == silent(live)
    assert name is not None
    assert call_id is not None
    assert [e for e in played if isinstance(e, unirt.AudioDelta)] == []


async def test_a_turn_that_was_spoken_is_played_too(tmp_path: Path) -> None:
    path = tmp_path / "spoken.jsonl"
    reply = Reply(cue=Cue.TURN, steps=(Say(text="Hello there.", ms=400),))
    async with simulated(attrs.evolve(SCENARIO, replies=(reply,))) as simulator:
        with unirt.cassette(path, mode="once"):
            live = await speak(dict(simulator.env))
    with unirt.cassette(path):
        played = await speak({})
    check(played)
    assert silent(played) == silent(live)


async def speak(environ: dict[str, str]) -> list[unirt.Event]:
    events: list[unirt.Event] = []
    async with calling(environ) as session:
        await session.start_turn()
        await session.send_audio(speech(300, unirt.PCM16_24K))
        await session.end_turn()
        async for event in session:
            events.append(event)
            if isinstance(event, unirt.ResponseDone):
                return events
    raise AssertionError("it ended")


async def test_the_set_up_the_frames_and_the_end_are_in_one_file(
    recorded: tuple[Path, list[unirt.Event], str | None],
) -> None:
    cassette = read(recorded[0])
    paths = [str(one.request["uri"]).partition("/v1")[2] for one in cassette.exchanges]
    assert paths[0] == "/realtime/calls"
    assert paths[-1].endswith("/hangup")
    (opened,) = [entry for entry in cassette.entries if isinstance(entry, Opened)]
    assert opened.transport == "webrtc"
    frames = [entry for entry in cassette.entries if isinstance(entry, Framed)]
    assert {entry.direction for entry in frames} == {"sent", "received"}
    kinds = [type(entry) for entry in cassette.entries]
    assert kinds.index(Exchanged) < kinds.index(Opened)
    text = recorded[0].read_text("utf-8")
    assert "sk-simulator" not in text
    assert "a=candidate:removed" in text
    assert " 127.0.0.1 " not in text


async def test_a_call_that_is_not_made_is_missed(
    recorded: tuple[Path, list[unirt.Event], str | None],
) -> None:
    with pytest.raises(unirt.CassetteMismatch), unirt.cassette(recorded[0]):
        pass


async def test_an_application_that_says_something_else_is_told(
    recorded: tuple[Path, list[unirt.Event], str | None],
) -> None:
    connecting = unirt.connect(
        "openai",
        transport="webrtc",
        environ={},
        env_file=None,
        reconnect=False,
        turn_detection="manual",
    )

    async def say_something_else() -> None:
        async with connecting as session:
            await session.send_text("something else")
            async for _ in session:
                pass

    with pytest.raises(unirt.CassetteMismatch), unirt.cassette(recorded[0]):
        await say_something_else()
