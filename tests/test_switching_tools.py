"""Switching while a tool runs: an answer with tools is one answer, on both providers (field 3)."""

from __future__ import annotations

import asyncio

import pytest

import unirt
from tests.talking import PAIRS, Reader, two
from unirt import commands as cmd
from unirt.simulator.script import loads

CALLING = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "text"
    steps = [{ call = "look_up" }]

    [[reply]]
    cue = "tool_result"
    steps = [{ say = "It is open.", ms = 400 }]
""")

THERE = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "respond"
    steps = [{ say = "Here it is.", ms = 300 }]

    [[reply]]
    cue = "text"
    steps = [{ say = "Here it is.", ms = 300 }]
""")

ANY = loads("[pace]\nspeed = 1000\nlatency_ms = 0\nword_ms = 0")
"Whoever is asked calls the tool that is named, and says what it returned."


def found(query: str) -> str:
    """Find something."""
    return f"found {query}"


LOOKING = [unirt.tool(found, name=name, blocking=True) for name in ("look_up", "find")]


@pytest.mark.parametrize("names", PAIRS, ids="-to-".join)
async def test_an_answer_that_waits_for_a_tool_is_waited_for(names: tuple[str, str]) -> None:
    """Field 3: whoever called the tool is given what it returns, and speaks of it."""
    go = asyncio.Event()

    async def look_up() -> str:
        await go.wait()
        return "open"

    tool = unirt.tool(look_up, blocking=True)
    async with two(*names, CALLING, THERE) as pair, pair.connect(tools=[tool]) as session:
        reader = Reader(session)
        await session.send_text("Is it open?")
        await reader.many(unirt.ToolStarted)
        switching = asyncio.create_task(session.switch(names[1], patience=600.0))
        await asyncio.sleep(0)  # it begins to wait
        go.set()
        await switching
        (there,) = await reader.many(unirt.Reconnected)
        assert there.calls == ()
        assert (there.carried + there.changed, there.lost) == (4, 0)
        assert session.history[-1].text == "It is open."
        results = [c for c in pair.here.connections[-1].commands if type(c) is cmd.SendToolResult]
        assert [result.output for result in results] == ["open"]
    await reader.done()


@pytest.mark.parametrize("names", PAIRS, ids="-to-".join)
async def test_a_tool_that_switches_does_not_wait_for_itself(names: tuple[str, str]) -> None:
    async def look_up(call: unirt.ToolContext) -> str:
        await asyncio.wait_for(call.session.switch(names[1], patience=600.0), 60)
        return "open"

    tool = unirt.tool(look_up, blocking=True, timeout=None)
    async with two(*names, CALLING, THERE) as pair, pair.connect(tools=[tool]) as session:
        reader = Reader(session)
        await session.send_text("Is it open?")
        (arrived,) = await reader.many(unirt.Reconnected)
        (finished,) = await reader.many(unirt.ToolFinished)
        assert (arrived.calls, finished.status) == ((finished.call_id,), "completed")
        await reader.until(lambda: session.history[-1].text == "Here it is.")
    await reader.done()


@pytest.mark.parametrize("names", PAIRS, ids="-to-".join)
async def test_tools_go_with_the_session_and_run_wherever_it_is(names: tuple[str, str]) -> None:
    """What it began with, and what it was given later; the result goes to whoever called."""
    look_up, find = LOOKING
    async with two(*names, ANY, ANY) as pair, pair.connect(tools=[look_up]) as session:
        reader = Reader(session)

        async def called(name: str) -> None:
            answers = len(reader.of(unirt.ResponseDone))
            await session.send_text(f"{name}, please")
            await reader.many(unirt.ResponseDone, answers + 2)  # its call, and what it is told

        await called("look_up")
        await session.switch(names[1])
        await called("look_up")
        await session.update(tools=[find])
        await called("find")
        await session.switch(names[0])
        await called("find")
    await reader.done()

    finished = reader.of(unirt.ToolFinished)
    assert [(event.name, event.origin.provider) for event in finished] == [
        ("look_up", names[0]), ("look_up", names[1]), ("find", names[1]), ("find", names[0])
    ]  # fmt: skip
    assert {event.status for event in finished} == {"completed"}
    lines = pair.here.connections[0], pair.there.connections[0], pair.here.connections[-1]
    for line in lines:
        assert "found example" in repr([c for c in line.commands if type(c) is cmd.SendToolResult])
    tools = lines[-1].server.config.tools or ()
    assert [getattr(tool, "name", "") for tool in tools] == ["find"]
