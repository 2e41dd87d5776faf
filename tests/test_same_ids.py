"""
Two servers of one session that give the same ids, over real sockets.

The simulators count from 1, both of them: what they say of the second connection is named like what
was said over the first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import unirt
from tests.talking import Pair, Reader, two
from unirt import commands as cmd
from unirt.fold import fold
from unirt.registry import installed
from unirt.simulator import loads

FAST = "[pace]\nlatency_ms = 0\nword_ms = 0\nspeed = 1000\n"
ASKS = loads(f"""
    {FAST}
    [[reply]]
    cue = "text"
    steps = [{{ call = "look_up", args = {{}} }}]

    [[reply]]
    cue = "tool_result"
    steps = [{{ say = "Here it is.", ms = 400 }}]
""")


@pytest.fixture(params=installed())
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    async with two(request.param, request.param, ASKS, ASKS, mark="") as pair:
        yield pair


async def move(pair: Pair, session: unirt.Session) -> None:
    await session.switch(pair.names[1], base_url=pair.there.url, patience=0.0)


def results(simulator: Any) -> list[tuple[str, Any]]:
    """The results that its newest connection was given: of which call, and what."""
    told = simulator.connections[-1].commands
    return [(c.call_id, c.output) for c in told if isinstance(c, cmd.SendToolResult)]


def said_all(events: list[unirt.Event]) -> bool:
    """Whether the last of the answers was given, and is over."""
    last = [e for e in events if isinstance(e, unirt.StreamClosed | unirt.ResponseDone)][-2:]
    said = [isinstance(e, unirt.StreamClosed) and e.text == "Here it is." for e in last]
    return said == [True, False] and isinstance(last[-1], unirt.ResponseDone)


async def test_each_connection_says_what_is_its_own(pair: Pair) -> None:
    runs: list[str] = []

    async def look_up() -> str:
        """Look it up."""
        runs.append("run")
        return f"result {len(runs)}"

    async with pair.connect(tools=[look_up], base_url=pair.here.url) as session:
        reader = Reader(session)
        await session.send_text("Look.")
        await reader.many(unirt.ResponseDone, 2)
        session.playback.played(400)
        await move(pair, session)
        await session.send_text("Look again.")
        await reader.many(unirt.ResponseDone, 4)
        session.playback.played(400)
        assert [p.played_ms for p in session.playback.responses] == [400.0]
    events = await reader.done()

    assert len({event.stream.id for event in reader.of(unirt.StreamOpened)}) == 8
    assert len({event.response_id for event in reader.of(unirt.ResponseStarted)}) == 4
    assert len({event.item_id for event in reader.of(unirt.StreamOpened)}) == 6
    one, other = (event.call_id for event in reader.of(unirt.ToolCall))
    assert one != other
    assert [event.call_id for event in reader.of(unirt.ToolFinished)] == [one, other]
    assert len(runs) == 2
    assert results(pair.here) == [(one, "result 1")]
    assert results(pair.there)[-1] == (one, "result 2")
    told = [item for item in session.history if item.kind is not unirt.ItemKind.TOOL_CALL]
    assert [item.text or item.output for item in told] == [
        "Look.", "result 1", "Here it is.", "Look again.", "result 2", "Here it is.",
    ]  # fmt: skip
    opened = [step.stream.id for step in fold(events) if step.step == "open"]
    assert len(opened) == len(set(opened))


async def test_what_returns_late_is_no_result_of_the_call_that_is_named_alike(pair: Pair) -> None:
    tool = unirt.Tool(name="look_up")
    async with pair.connect(tools=[tool], base_url=pair.here.url) as session:
        reader = Reader(session)
        await session.send_text("Look.")
        await reader.many(unirt.ToolCall)
        await move(pair, session)
        await reader.many(unirt.Reconnected)
        await session.send_text("Look again.")
        old, new = await reader.many(unirt.ToolCall, 2)
        assert old.call_id is not None
        assert new.call_id is not None
        await session.send_tool_result(new.call_id, "in time")
        await reader.until(lambda: said_all(reader.events))
        await session.send_tool_result(old.call_id, "late")
        with pytest.raises(unirt.UsageError, match="answered already"):
            await session.send_tool_result(new.call_id, "twice")
    await reader.done()

    assert results(pair.there)[0] == (old.call_id, "in time")
    told = [(item.call_id, item.output) for item in session.history if item.output]
    assert told == [(old.call_id, "late"), (new.call_id, "in time")]
