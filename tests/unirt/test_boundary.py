"""Turn boundaries: who waits for one waits until it is really there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from unirt import (
    Ending,
    Interrupt,
    ResponseDone,
    ResponseStarted,
    Scheduling,
    SendToolResult,
    SessionConfig,
    StreamKind,
    Tool,
    ToolCall,
    ToolCallCancelled,
    Usage,
)
from unirt.clock import ManualClock
from unirt.events import Event, Origin, Stream
from unirt.session.boundary import Boundary

ORIGIN = Origin(provider="toy")


def started(id_: str) -> Event:
    return ResponseStarted(origin=ORIGIN, response_id=id_)


def done(id_: str, ending: Ending = Ending.COMPLETE) -> Event:
    return ResponseDone(origin=ORIGIN, response_id=id_, ending=ending, usage=Usage())


def call(id_: str, response_id: str = "r1", name: str = "look") -> Event:
    stream = Stream(id=id_, kind=StreamKind.TOOL_CALL, response_id=response_id, call_id=id_)
    return ToolCall(origin=ORIGIN, stream=stream, name=name, arguments="{}")


def result(id_: str, **more: Any) -> SendToolResult:
    return SendToolResult(call_id=id_, output="x", **more)


def tell(boundary: Boundary, *events: Event) -> None:
    for event in events:
        boundary.handlers[type(event)](event)


async def waiting(boundary: Boundary, patience: float = 10.0) -> asyncio.Task[None]:
    task = asyncio.create_task(boundary.wait(patience))
    await settle()
    return task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_answer_that_begins_as_another_ends_is_waited_for_too() -> None:
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"))
    task = await waiting(boundary)
    tell(boundary, done("r1"), started("r2"))  # one step: a tool's result is answered
    await settle()
    assert not task.done()
    tell(boundary, done("r2"))
    await task


async def test_patience_is_for_all_of_them_together() -> None:
    clock = ManualClock()
    boundary = Boundary(clock, SessionConfig)
    tell(boundary, started("r1"))
    task = await waiting(boundary)
    clock.advance(9.0)
    tell(boundary, done("r1"), started("r2"))
    await settle()
    assert not task.done()
    clock.advance(1.0)
    await task
    assert not boundary.here


@pytest.mark.parametrize("early", [True, False])
async def test_an_answer_with_tools_is_over_when_the_model_has_spoken_of_them(early: bool) -> None:
    """Some protocols end a response at its calls, others when something new comes."""
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"), call("a"), call("b"))
    if early:
        tell(boundary, done("r1"))
    task = await waiting(boundary)
    assert not boundary.speaking
    boundary.said(result("a"))
    await settle()
    assert not task.done()
    assert not boundary.due
    boundary.said(result("b"))
    await settle()
    assert boundary.due
    assert not task.done()
    if not early:
        tell(boundary, done("r1"))
    tell(boundary, started("r2"))
    await settle()
    assert not task.done()
    assert not boundary.due
    tell(boundary, done("r2"))
    await task


@pytest.mark.parametrize(
    "ends",
    [
        lambda boundary: tell(boundary, ToolCallCancelled(origin=ORIGIN, call_ids=("a",))),
        lambda boundary: boundary.said(result("a", respond=False)),
        lambda boundary: boundary.said(result("a", scheduling=Scheduling.SILENT)),
        lambda boundary: boundary.said(result("a", scheduling=Scheduling.WHEN_IDLE)),
        lambda boundary: (boundary.said(result("a")), boundary.said(Interrupt())),
        lambda boundary: tell(boundary, started("r2"), done("r2")),
    ],
    ids=["cancelled", "no answer", "silent", "idle", "interrupted", "spoken of something else"],
)
async def test_a_call_whose_answer_nobody_waits_for_is_not_waited_for(ends: Any) -> None:
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"), call("a"), done("r1"))
    task = await waiting(boundary)
    assert not task.done()
    ends(boundary)
    await task
    assert not boundary.due


async def test_a_result_that_was_spoken_over_is_not_waited_for() -> None:
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"), call("a"))
    boundary.said(result("a"))
    assert boundary.due
    tell(boundary, done("r1", Ending.INTERRUPTED))
    assert boundary.here
    assert not boundary.due


async def test_pieces_of_a_result_are_not_the_result() -> None:
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"), call("a"), done("r1"))
    boundary.said(result("a", more_follows=True))
    assert not boundary.here
    assert not boundary.due


async def test_a_tool_that_does_not_block_is_not_waited_for() -> None:
    config = SessionConfig(tools=(Tool(name="aside", blocking=False), Tool(name="look")))
    boundary = Boundary(ManualClock(), lambda: config)
    tell(boundary, started("r1"), call("a", name="aside"), done("r1"))
    assert boundary.here
    tell(boundary, started("r2"), call("b", "r2"), done("r2"))
    assert not boundary.here


async def test_a_tool_that_does_not_say_is_waited_for_where_the_model_does() -> None:
    config = SessionConfig(tools=(Tool(name="look"), Tool(name="wait", blocking=True)))
    boundary = Boundary(ManualClock(), lambda: config, lambda: False)
    tell(boundary, started("r1"), call("a", name="look"), done("r1"))
    assert boundary.here
    tell(boundary, started("r2"), call("b", "r2", name="wait"), done("r2"))
    assert not boundary.here


async def test_a_tool_does_not_wait_for_itself() -> None:
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"))
    task = asyncio.create_task(boundary.wait(10.0, with_tools=False))
    await settle()
    assert not task.done()
    tell(boundary, call("a"))
    await task
    assert not boundary.here
