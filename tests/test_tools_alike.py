"""
What becomes of a call is the same on every provider: side by side, too slow, refused, and late.

Each rule is tried in ``tests/unirt`` over a toy protocol; here both servers have the results.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import unirt
from tests.test_tools import FAST, staged
from unirt.registry import installed

FOUR = f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ call = "this" }}, {{ call = "that" }}, {{ call = "slow" }}, {{ call = "erase" }}]
[[reply]]
cue = "tool_result"
steps = [{{ say = "So much for that." }}]
"""


@pytest.fixture
def tools() -> list[Any]:
    """Two that wait for each other, one that stops too late, and one that needs a yes."""
    both = asyncio.Barrier(2)

    async def this() -> str:
        await both.wait()
        return "this"

    async def that() -> str:
        await both.wait()
        return "that"

    async def slow() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "at last"
        raise AssertionError

    def erase() -> str:
        raise AssertionError

    return [this, that, unirt.tool(slow, timeout=0.01), unirt.tool(erase, approve=True)]


@pytest.mark.parametrize("provider", installed())
async def test_what_becomes_of_a_call_is_the_same_everywhere(
    provider: str, tools: list[Any]
) -> None:
    """Field 10: what is late is told, and the model has one result of each call."""
    asked: list[unirt.ToolRequest] = []

    def approve(request: unirt.ToolRequest) -> bool:
        asked.append(request)
        return False

    async with staged(provider, FOUR, *tools, approve=approve) as stage:
        await stage.session.send_text("Go.")
        async for event in stage.session:
            stage.events.append(event)
            spoken = [e for e in stage.told(unirt.ResponseDone) if e.audio_ms]
            if spoken and len(stage.told(unirt.ToolFinished)) == 5:
                break
        told = sorted((e.name, e.status, e.output) for e in stage.told(unirt.ToolFinished))
        ids = {call.name: call.call_id for call in stage.told(unirt.ToolCall)}

    assert told == [
        ("erase", "rejected", None),
        ("slow", "late", "at last"),
        ("slow", "timed_out", None),
        ("that", "completed", "that"),
        ("this", "completed", "this"),
    ]
    assert sorted(map(str, stage.results)) == [
        "that",
        "this",
        "{'error': 'the call was not approved'}",
        "{'error': 'the tool took longer than 0.01 s'}",
    ]
    assert [(request.name, request.call_id) for request in asked] == [("erase", ids["erase"])]
