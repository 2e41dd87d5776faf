"""Faults in a call: what goes wrong with the frames, while audio goes beside them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence

import attrs
import pytest

import unirt
from tests.calling import HERE, idle, simulated
from tests.talking import Reader
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.scenario import Cue, Reply, Say
from unirt.simulator.script import loads
from unirt.testing.faults import Fault, Faults, Phase

# Speech takes the time that it takes to be heard, so there is little of it. It is made no faster
# than that, so frames come while it sounds.
SCENARIO = loads("""
[pace]
speed = 2
latency_ms = 0
word_ms = 0

[[reply]]
cue = "text"
steps = [{ say = "Yes.", ms = 80 }]

[[reply]]
cue = "text"
steps = [{ call = "look_up", args = {} }]

[[reply]]
cue = "tool_result"
steps = [{ say = "It was found.", ms = 80 }]

[[reply]]
cue = "text"
steps = [{ say = "Still here.", ms = 80 }]
""")
AGAIN = attrs.evolve(
    SCENARIO,
    replies=tuple(
        Reply(cue=cue, steps=(Say(text="Still here.", ms=80.0),))
        for cue in (Cue.TEXT, Cue.RESPOND, Cue.TURN, Cue.TOOL_RESULT) * 3
    ),
)
"What is said in a call after the first."
AT_ONCE = unirt.Reconnect(first_wait=0.0, jitter=0.0)


async def look_up() -> str:
    """Look it up."""
    return "found"


@contextlib.asynccontextmanager
async def calling(
    fault: str | Sequence[Fault], simulator: Simulator
) -> AsyncIterator[tuple[Reader, Faults]]:
    faults = Faults(*(fault.split() if isinstance(fault, str) else fault))
    connecting = unirt.connect(
        faults.on("openai"),
        transport="webrtc",
        tools=[look_up],
        reconnect=AT_ONCE,
        timeouts=unirt.Timeouts(close=0.5),
        environ=simulator.env,
        env_file=None,
        connection_options=HERE,
    )
    async with connecting as session:
        yield Reader(session), faults


async def ask(reader: Reader, text: str, answers: int = 1) -> None:
    done = len([e for e in reader.of(unirt.ResponseDone) if e.ending is unirt.Ending.COMPLETE])
    await reader.session.send_text(text)
    await reader.completed_ones(done + answers)


def done_to(
    kind: str, frame: str, phase: Phase = Phase.MID_AUDIO, value: int | None = None
) -> Fault:
    """To a frame that is named: any other one may be that which says that the sound is over."""
    return Fault(kind=kind, phase=phase, value=value, holding=f'"{frame}"')


FRAMES: Mapping[str, Sequence[Fault]] = {
    "brought": (
        Fault(kind="garbage", phase=Phase.MID_AUDIO),
        Fault(kind="oversize", phase=Phase.BEFORE_FIRST_AUDIO, value=100_000),
        Fault(kind="unknown", phase=Phase.BETWEEN_TURNS),
        Fault(kind="error", phase=Phase.TOOL_CALL),
    ),
    "broken": (
        done_to("corrupt", "response.output_audio.done"),
        done_to("truncate", "response.content_part.done"),
        Fault(kind="throttle", phase=Phase.TOOL_CALL, value=50_000),
    ),
    "moved": (
        done_to("drop", "response.output_audio_transcript.done"),
        done_to("duplicate", "response.output_item.done"),
        done_to("reorder", "response.content_part.done"),
        done_to("delay", "response.function_call_arguments.done", Phase.BEFORE_FIRST_AUDIO, 20),
    ),
}
TOLD: Mapping[str, Mapping[type[unirt.Event], int]] = {
    "brought": {unirt.Malformed: 1, unirt.Unmapped: 2, unirt.ProviderError: 1},
    "broken": {unirt.Malformed: 2},
    "moved": {unirt.Malformed: 0, unirt.Unmapped: 0},
}


CAME = {
    "brought": ["audio.done", "audio_transcript.done", "part.done", "item.done", "item.done"],
    "broken": ["audio_transcript.done", "item.done", "item.done"],
    "moved": ["audio.done", "item.done", "part.done", "item.done", "item.done"],
}
"By which frames the first answer ends: an item is done in the conversation and in the response."


def came(reader: Reader) -> list[str]:
    frames = {id(e.raw): str(e.raw["type"]) for e in reader.events if isinstance(e.raw, dict)}
    types = list(frames.values())
    ends = types[types.index("response.created") : types.index("response.done")]
    words = (re.fullmatch(r".*[._]((audio|audio_transcript|part|item)\.done)", t) for t in ends)
    return [found[1] for found in words if found is not None]


@pytest.mark.parametrize("which", FRAMES)
async def test_frames_that_go_wrong_end_no_call(which: str) -> None:
    async with simulated(SCENARIO) as simulator:
        async with calling(FRAMES[which], simulator) as (reader, faults):
            await ask(reader, "Are you there?")
            await ask(reader, "Look it up.", answers=2)
            await ask(reader, "And now?")
            assert {each.fault for each in faults.happened} == set(FRAMES[which])
            assert {kind: len(reader.of(kind)) for kind in TOLD[which]} == TOLD[which]
            assert came(reader) == CAME[which]
            assert not reader.of(unirt.Reconnecting)
            texts = [item.text for item in reader.session.history if item.text]
            assert texts[0::2] == ["Are you there?", "Look it up.", "And now?"]
            assert texts[1::2] == ["Yes.", "It was found.", "Still here."]
        await reader.done()
    assert await idle() == set()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut@before_first_audio", None),
        ("cut@mid_audio", None),
        ("close=1001@mid_audio", 1001),
        ("cut@between_turns", None),
        ("close=1011@tool_call", 1011),
    ],
)
async def test_a_call_that_ends_is_called_again(fault: str, code: int | None) -> None:
    async with Simulator(load("openai"), [SCENARIO, AGAIN]) as simulator:
        async with calling(fault, simulator) as (reader, _):
            await ask(reader, "Are you there?")
            if fault.endswith("tool_call"):
                await reader.session.send_text("Look it up.")
            (left,) = await reader.many(unirt.Reconnecting)
            await reader.many(unirt.Reconnected)
            await ask(reader, "And now?")
            assert left.code == code
        await reader.done()
        assert "rtc_1" not in simulator.calls  # it has been hung up
    assert await idle() == set()


@pytest.mark.parametrize("fault", ["cut", "close=1011"])
async def test_a_call_that_ends_again_before_another_one_is_ready(fault: str) -> None:
    async with Simulator(load("openai"), [SCENARIO, AGAIN]) as simulator:
        async with calling(f"cut@mid_audio {fault}@reconnect", simulator) as (reader, faults):
            await ask(reader, "Are you there?")
            await reader.many(unirt.Reconnected)
            await ask(reader, "And now?")
            first, second = reader.of(unirt.Reconnecting)
            assert (first.attempt, second.attempt) == (1, 2)
            assert len(faults.happened) == 2
        await reader.done()
    assert await idle() == set()


@pytest.mark.parametrize(("fault", "code"), [("cut@barge_in", None), ("close=1011@barge_in", 1011)])
async def test_a_call_that_ends_as_an_answer_is_gone_over(fault: str, code: int | None) -> None:
    long = loads("""
        [pace]
        speed = 2
        [[reply]]
        cue = "text"
        steps = [{ say = "This is a long story, and it takes its time.", ms = 6000 }]
    """)
    async with Simulator(load("openai"), [long, AGAIN]) as simulator:
        async with calling(fault, simulator) as (reader, _):
            await reader.session.send_text("A story")
            await reader.many(unirt.PlaybackStarted)
            await reader.session.interrupt()
            (left,) = await reader.many(unirt.Reconnecting)
            await reader.many(unirt.Reconnected)
            await ask(reader, "And now?")
            assert left.code == code
        await reader.done()
    assert await idle() == set()


@pytest.mark.parametrize("fault", ["cut@dial", "cut@handshake", "close=1011@handshake"])
async def test_a_call_that_ends_before_it_is_ready_is_called_again(fault: str) -> None:
    async with simulated(SCENARIO) as simulator:
        async with calling(fault, simulator) as (reader, faults):
            await ask(reader, "Are you there?")
            assert len(faults.happened) == 1
            assert not reader.of(unirt.Reconnecting)
        await reader.done()
    assert await idle() == set()


@pytest.mark.parametrize("fault", ["cut@close", "close=1011@close", "stall@close"])
async def test_a_call_that_ends_while_it_is_hung_up(fault: str) -> None:
    async with simulated(SCENARIO) as simulator:
        async with calling(fault, simulator) as (reader, _):
            await ask(reader, "Are you there?")
            await reader.session.close()
        (closed,) = reader.of(unirt.SessionClosed)
        assert closed.by == "local"
        assert reader.error is None
        await reader.done()
    assert await idle() == set()


@pytest.mark.parametrize("phase", ["mid_audio", "tool_call"])
async def test_a_call_whose_frames_stall_can_be_hung_up(phase: str) -> None:
    async with simulated(SCENARIO) as simulator:
        async with calling(f"stall@{phase}", simulator) as (reader, faults):
            await reader.session.send_text("Are you there?")
            if phase == "tool_call":
                await reader.completed_ones(1)
                await reader.session.send_text("Look it up.")
                await reader.many(unirt.ToolCall)
            else:
                await reader.many(unirt.PlaybackStarted)
            assert len(faults.happened) == 1
        (closed,) = reader.of(unirt.SessionClosed)
        assert closed.by == "local"
        await reader.done()
    assert await idle() == set()
