"""A call that runs is joined: a server controls what a browser, or another client, speaks in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

import unirt
from tests.calling import calling, idle, simulated
from tests.talking import Reader
from unirt.simulator import Simulator
from unirt.simulator.recital import ORIGIN
from unirt.simulator.scenario import Call, Cue, Pace, Reply, Say, Scenario
from unirt.wire import parse_frame


@contextlib.asynccontextmanager
async def joining(simulator: Simulator, call_id: str | None, **more: Any) -> AsyncIterator[Reader]:
    connecting = unirt.connect(
        "openai", call_id=call_id, environ=simulator.env, env_file=None, reconnect=False, **more
    )
    async with connecting as session:
        yield Reader(session)


def says(*replies: Reply) -> Scenario:
    return Scenario(name="says", replies=replies, pace=Pace(speed=20.0, latency_ms=1.0))


LONG = Reply(cue=Cue.TEXT, steps=(Say(text="one two three four", ms=8_000),))


async def test_who_joins_hears_everything_but_the_audio_and_changes_nothing() -> None:
    async with simulated(says(Reply(cue=Cue.TEXT, steps=(Say(text="Yes.", ms=400),)))) as simulator:
        async with calling(simulator, instructions="Be brief.") as caller:
            async with joining(simulator, caller.session.call_id) as joined:
                (updated,) = await joined.many(unirt.SessionUpdated)
                assert updated.config is not None
                assert updated.config["instructions"] == "Be brief."
                assert updated.config["audio"]["input"]["transcription"] is not None
                await caller.session.send_text("hello")
                await joined.many(unirt.PlaybackStopped)
                await caller.many(unirt.ResponseDone)
            events = await joined.done()
        assert [e for e in events if isinstance(e, unirt.AudioDelta)] == []
        words = [e.text for e in events if isinstance(e, unirt.TranscriptDelta)]
        assert "".join(words).strip() == "Yes."
        started = next(e for e in events if isinstance(e, unirt.SessionStarted))
        assert started.synthesised
        assert caller.error is None
    assert await idle() == set()


async def test_a_server_runs_the_tools_of_a_call() -> None:
    @unirt.tool
    def open_door(room: str) -> str:
        """Open a door."""
        opened.append(room)
        return "open"

    opened: list[str] = []
    scenario = says(
        Reply(cue=Cue.TEXT, steps=(Call(name="open_door", args={"room": "12"}),)),
        Reply(cue=Cue.TOOL_RESULT, steps=(Say(text="It is open.", ms=300),)),
    )
    async with simulated(scenario) as simulator, calling(simulator) as caller:
        async with joining(simulator, caller.session.call_id, tools=[open_door]) as joined:
            await caller.session.send_text("open the door of room 12")
            await joined.many(unirt.ResponseDone, 2)
            await caller.many(unirt.ResponseDone, 2)
            assert opened == ["12"]
        heard = sum(event.duration_ms for event in caller.of(unirt.AudioDelta))
        assert heard > 200


async def test_who_joins_interrupts_what_the_provider_plays() -> None:
    async with simulated(says(LONG)) as simulator, calling(simulator) as caller:
        async with joining(simulator, caller.session.call_id) as joined:
            await caller.session.send_text("go on")
            await joined.many(unirt.ResponseDone)  # generated, and played for seconds yet
            await joined.many(unirt.PlaybackStarted)
            await joined.session.interrupt()
            await joined.many(unirt.PlaybackCleared)
            (cut,) = joined.of(unirt.Interrupted)
            assert cut.generating is False
        await caller.many(unirt.Interrupted)
        await caller.many(unirt.ResponseDone)
        (call,) = simulator.calls.values()
        names = [heard.type for heard in call.line.heard]
        assert "output_audio_buffer.clear" in names
        assert "conversation.item.truncate" not in names


async def test_who_joins_has_no_voice_in_it() -> None:
    async with (
        simulated() as simulator,
        calling(simulator) as caller,
        joining(simulator, caller.session.call_id) as joined,
    ):
        with pytest.raises(unirt.UnsupportedCommand, match="speak in the call"):
            await joined.session.send_audio(bytes(960))


async def test_who_joins_a_telephone_call_is_told_which_keys_are_pressed() -> None:
    """A call by SIP has no peer of ours; to whoever joins it, it is a call like another."""
    async with (
        simulated() as simulator,
        calling(simulator) as caller,
        joining(simulator, caller.session.call_id) as joined,
    ):
        (call,) = simulator.calls.values()
        pressed = unirt.DtmfReceived(origin=ORIGIN, key="5", at_unix_s=1_790_000_000.0)
        call.line.server.send(pressed, 0.0)
        call._wake()
        (told,) = await joined.many(unirt.DtmfReceived)
        assert (told.key, told.at_unix_s) == ("5", 1_790_000_000.0)


async def test_the_end_of_a_call_ends_who_joined_it() -> None:
    async with (
        simulated() as simulator,
        calling(simulator) as caller,
        joining(simulator, caller.session.call_id) as joined,
    ):
        await caller.session.close()
        await joined.done()
    assert await idle() == set()


async def test_a_call_that_is_not_there_cannot_be_joined() -> None:
    async with simulated() as simulator:
        with pytest.raises(unirt.DialError) as failed:
            async with joining(simulator, "rtc_9"):
                raise AssertionError("it came about")
        assert failed.value.status == 404


async def test_the_first_frame_of_who_joins_asks_for_nothing() -> None:
    async with simulated() as simulator, calling(simulator) as caller:
        (call,) = simulator.calls.values()
        frames: list[object] = []
        receive = call.line.receive

        def note(frame: str | bytes, now: float) -> None:
            frames.append(parse_frame(frame))
            receive(frame, now)

        call.line.receive = note  # type: ignore[method-assign]  # to look on
        async with joining(simulator, caller.session.call_id):
            await asyncio.sleep(0)
        (first, *_) = frames
        assert isinstance(first, dict)
        assert first["type"] == "session.update"
        assert first["session"] == {"type": "realtime"}


def test_who_has_no_calls_to_be_joined_says_so() -> None:
    with pytest.raises(unirt.ConfigurationError, match="no calls that could be joined"):
        unirt.connect(
            "google", call_id="rtc_1", api_key="k", env_file=None, reconnect=False, environ={}
        )


@pytest.mark.parametrize("name", ["", "  "])
def test_what_is_no_name_of_a_call_opens_no_session_of_its_own(name: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match="no name of a call") as refused:
        unirt.connect("openai", call_id=name, api_key="k", env_file=None, environ={})
    assert refused.value.where == "call_id"


def test_a_call_is_not_joined_by_a_call() -> None:
    with pytest.raises(unirt.ConfigurationError, match="beside its audio") as refused:
        unirt.connect(
            "openai",
            call_id="rtc_1",
            transport="webrtc",
            api_key="k",
            env_file=None,
            environ={},
        )
    assert refused.value.where == "transport"
    by_variable = {"UNIRT_TRANSPORT": "webrtc"}
    connecting = unirt.connect(
        "openai", call_id="rtc_1", api_key="k", env_file=None, environ=by_variable
    )
    assert connecting.credentials.transport == "websocket"
