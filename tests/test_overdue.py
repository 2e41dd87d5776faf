"""Answers that do not come, or stop, from real servers: told, or asked for elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import unirt
from tests.talking import Reader
from unirt import ResponseOverdue, Timeouts
from unirt.clock import ManualClock
from unirt.registry import load
from unirt.simulator import Near, Scenario, Simulator
from unirt.simulator.script import loads
from unirt.testing.faults import Faults
from unirt.testing.virtual import LoopClock, run_virtually

NAMES = ["openai", "google"]
CALLS = loads("""
    [pace]
    speed = 50
    [[reply]]
    cue = "text"
    steps = [{ call = "look", args = {} }]
    [[reply]]
    cue = "tool_result"
    steps = [{ say = "Found.", ms = 300 }]
""")
AT_ONCE = unirt.Reconnect(first_wait=0.0, jitter=0.0)


def answers(text: str) -> Scenario:
    cues = ("text", "respond")  # what the turn that was lost is there differs by provider
    steps = f'[{{ say = "{text}", ms = 300 }}]'
    replies = (f'[[reply]]\ncue = "{cue}"\nsteps = {steps}\n' for cue in cues)
    return loads("[pace]\nspeed = 50\n" + "".join(replies))


def never(cue: str = "text", begins: str = "") -> Scenario:
    """Begins with some steps, and then takes an hour."""
    steps = f'[{begins}{{ wait = 180000000 }}, {{ say = "At last.", ms = 300 }}]'
    return loads(f'[pace]\nspeed = 50\n[[reply]]\ncue = "{cue}"\nsteps = {steps}\n')


async def overdue(clock: ManualClock, reader: Reader, count: int = 1) -> list[ResponseOverdue]:
    """Let time go by, in turns with everybody else, until so much was told to be overdue."""
    while len(reader.of(ResponseOverdue)) < count:
        clock.advance(0.5)
        for _ in range(10):
            await asyncio.sleep(0)
    return reader.of(ResponseOverdue)


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_that_does_not_answer_is_told_of_and_stays(name: str) -> None:
    clock = ManualClock()
    async with Simulator(load(name), never()) as simulator:
        more: dict[str, Any] = {"environ": simulator.env, "env_file": None, "clock": clock}
        async with unirt.connect(simulator.provider, **more) as session:
            reader = Reader(session)
            await session.send_text("Hi")
            (told,) = await overdue(clock, reader)
            assert told.what in ("answer", "silence")
            assert told.waited >= 30.0
            assert not told.reconnects
            assert not reader.of(unirt.Reconnecting)
        await reader.done()
        assert len(simulator.connections) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("begins", ["", '{ say = "Once upon", ms = 300 }, '])
async def test_the_answer_is_asked_for_over_another_connection(name: str, begins: str) -> None:
    clock = ManualClock()
    timeouts = Timeouts(answer=15.0, silence=15.0, at_overdue="reconnect")
    async with Simulator(load(name), [never(begins=begins), answers("Yes.")]) as simulator:
        more: dict[str, Any] = {"environ": simulator.env, "env_file": None, "clock": clock}
        connecting = unirt.connect(simulator.provider, reconnect=AT_ONCE, timeouts=timeouts, **more)
        async with connecting as session:
            reader = Reader(session)
            await session.send_text("Hi")
            if begins:
                await reader.many(unirt.AudioDelta)
            (late,) = await overdue(clock, reader)
            (there,) = await reader.many(unirt.Reconnected)
            done = await reader.completed_ones(1)
            assert late.reconnects
            leaving = reader.of(unirt.Reconnecting)[0]
            assert (leaving.why, leaving.by) == ("lost", "network")
            assert "nothing of the answer was heard for" in (leaving.error or "")
            place = reader.events.index
            assert place(late) < place(leaving) < place(there) < place(done[0])
        await reader.done()
        assert len(simulator.connections) == 2


@pytest.mark.parametrize("name", NAMES)
async def test_a_provider_that_never_answers_is_given_up(name: str) -> None:
    clock = ManualClock()
    timeouts = Timeouts(answer=15.0, silence=15.0, at_overdue="reconnect")
    dead = loads(
        "[pace]\nspeed = 50\n"
        '[[reply]]\ncue = "text"\nsteps = [{ wait = 180000000 }]\n'
        '[[reply]]\ncue = "respond"\nsteps = [{ wait = 180000000 }]\n'
    )
    reconnect = unirt.Reconnect(tries=3, first_wait=0.0, jitter=0.0)
    async with Simulator(load(name), dead) as simulator:
        more: dict[str, Any] = {"environ": simulator.env, "env_file": None, "clock": clock}
        connecting = unirt.connect(
            simulator.provider, reconnect=reconnect, timeouts=timeouts, **more
        )
        async with connecting as session:
            reader = Reader(session)
            await session.send_text("Hi")
            for count in (1, 2, 3):
                await overdue(clock, reader, count)
                await reader.many(unirt.Reconnected, count)
            await overdue(clock, reader, 4)
            await reader.done()
        assert reader.error is not None
        assert len(simulator.connections) == 4
        assert len(reader.of(ResponseOverdue)) == 4


LOST = [
    ("openai", "drop@tool_call"),
    ("openai", "truncate@tool_call"),
    ("openai", "corrupt@tool_call"),
    ("openai", "drop@sent:ready#2"),
    ("google", "drop@sent:ready"),
    ("google", "drop@sent:tool_call"),
]


@pytest.mark.parametrize(("name", "fault"), LOST)
def test_what_was_lost_on_the_way_is_made_up_for_by_another_connection(
    name: str, fault: str
) -> None:
    """Of a response that called, OpenAI's client waits for the end before it asks for the next."""
    ran: list[str] = []

    async def look() -> str:
        """Look."""
        ran.append("look")
        return "found"

    async def work() -> tuple[Faults, list[unirt.Event]]:
        clock = LoopClock()
        faults = Faults(fault, clock=clock)
        timeouts = Timeouts(at_overdue="reconnect")
        async with (
            Near(load(name), [CALLS, answers("Found.")], clock=clock) as near,
            unirt.connect(
                faults.on(near.provider),
                clock=clock,
                tools=[look],
                timeouts=timeouts,
                reconnect=AT_ONCE,
                environ={},
                env_file=None,
            ) as session,
        ):
            reader = Reader(session)
            await session.send_text("Look")
            await reader.until(lambda: reader.of(unirt.Reconnected) and spoken(reader))
            await session.close()
            return faults, await reader.done()

    faults, events = run_virtually(work())
    assert [str(each.fault) for each in faults.happened] == [fault]
    (late,) = (event for event in events if isinstance(event, ResponseOverdue))
    assert late.reconnects
    assert len(ran) == ("ready" not in fault)


def spoken(reader: Reader) -> bool:
    """Whether an answer was heard over the connection that is in use."""
    last = reader.events.index(reader.of(unirt.Reconnected)[-1])
    ends = [e for e in reader.events[last:] if isinstance(e, unirt.ResponseDone)]
    return any(end.ending is unirt.Ending.COMPLETE for end in ends)
