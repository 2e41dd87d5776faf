"""Calls that do not end by themselves: too slow, cancelled, answered by another, cut off."""

from __future__ import annotations

import asyncio
import json
import logging
import threading

import pytest

import unirt
from tests.unirt.desk import double, opened

from .conftest import Toy


async def test_a_tool_that_takes_too_long_is_cancelled(toy: Toy) -> None:
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async with opened(toy, unirt.tool(hang, timeout=5)) as desk:
        await desk.call("hang")
        await desk.until(unirt.ToolStarted)
        desk.clock.advance(5)
        assert await desk.result() == {"call": "c1", "error": "the tool took longer than 5 s"}
        finished = await desk.finished()
        assert (finished.status, finished.duration_ms) == (unirt.ToolStatus.TIMED_OUT, 5000)
        assert ended == ["cancelled"]


async def test_what_a_thread_returns_too_late_is_told_and_not_sent(toy: Toy) -> None:
    go, began = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> str:
        loop.call_soon_threadsafe(began.set)
        go.wait()
        return "at last"

    async with opened(toy, unirt.tool(slow, timeout=5), double) as desk:
        await desk.call("slow")
        await began.wait()
        desk.clock.advance(5)
        assert (await desk.result())["error"] == "the tool took longer than 5 s"
        assert (await desk.finished()).status is unirt.ToolStatus.TIMED_OUT
        go.set()
        late = await desk.finished()
        assert (late.status, late.output) == (unirt.ToolStatus.LATE, "at last")
        await desk.call("double", "c2", number=1)
        assert (await desk.result())["call"] == "c2"  # and nothing of the first before it


async def test_a_provider_that_cancels_a_call_gets_no_result(toy: Toy) -> None:
    """Field 10: provider cancellation cancels the task and suppresses its result."""
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async with opened(toy, hang, double) as desk:
        await desk.call("hang")
        await desk.until(unirt.ToolStarted)
        await toy.say("cancel", calls=["c1"])
        finished = await desk.finished()
        assert (finished.status, finished.error) == ("cancelled", "the call was cancelled")
        await desk.call("double", "c2", number=1)
        assert (await desk.result())["call"] == "c2"
        assert ended == ["cancelled"]


async def test_a_tool_that_returns_although_it_was_cancelled_is_told_as_late(toy: Toy) -> None:
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done all the same"
        raise AssertionError

    async with opened(toy, stubborn) as desk:
        await desk.call("stubborn")
        await desk.until(unirt.ToolStarted)
        await toy.say("cancel", calls=["c1"])
        assert (await desk.finished()).status is unirt.ToolStatus.CANCELLED
        late = await desk.finished()
        assert (late.status, late.output) == (unirt.ToolStatus.LATE, "done all the same")


async def test_a_call_that_is_cancelled_before_it_began_never_runs(toy: Toy) -> None:
    ran: list[str] = []

    async def run() -> None:
        ran.append("ran")

    frames = [
        {"is": "call", "response": "r1", "call": "c1", "name": "run", "arguments": "{}"},
        {"is": "cancel", "calls": ["c1"]},
    ]
    async with opened(toy, run) as desk:
        desk.session._link.pump.take([json.dumps(frame) for frame in frames])  # in one step
        assert (await desk.finished()).status is unirt.ToolStatus.CANCELLED
        assert ran == []


@pytest.mark.parametrize("fails", [True, False])
async def test_a_call_that_is_over_in_the_moment_it_is_cancelled_gets_no_result(
    toy: Toy, fails: bool
) -> None:
    async def work(info: unirt.ToolContext) -> str:
        info.session._link.pump.take([json.dumps({"is": "cancel", "calls": ["c1"]})])
        if fails:
            raise unirt.ToolError("too bad")
        return "done"

    async with opened(toy, work, double) as desk:
        await desk.call("work")
        finished = await desk.finished()
        assert finished.status is unirt.ToolStatus.LATE
        assert finished.output == (None if fails else "done")
        assert isinstance(finished.exception, unirt.ToolError) is fails
        await desk.call("double", "c2", number=1)
        assert (await desk.result())["call"] == "c2"


async def test_somebody_elses_answer_makes_a_result_late(toy: Toy) -> None:
    go = asyncio.Event()

    async def wait() -> str:
        await go.wait()
        return "mine"

    async with opened(toy, wait) as desk:
        await desk.call("wait")
        await desk.until(unirt.ToolStarted)
        await desk.session.send_tool_result("c1", "theirs")
        assert (await desk.result())["output"] == "theirs"
        go.set()
        late = await desk.finished()
        assert (late.status, late.output) == (unirt.ToolStatus.LATE, "mine")
        assert "answered already" in (late.error or "")


async def test_a_call_that_waits_for_its_turn_too_long_times_out(toy: Toy) -> None:
    go = threading.Event()
    limits = unirt.Limits(tools_running=1)
    slow = unirt.tool(lambda: go.wait() and "done", name="slow", timeout=3)
    async with opened(toy, slow, unirt.tool(double, timeout=2), limits=limits) as desk:
        await desk.call("slow")
        await desk.until(unirt.ToolStarted)
        await desk.call("double", "c2", number=1)
        await desk.until(unirt.ToolCall)
        desk.clock.advance(2)
        assert await desk.result() == {"call": "c2", "error": "the tool took longer than 2 s"}
        desk.clock.advance(1)
        assert (await desk.result())["call"] == "c1"
        await desk.call("double", "c3", number=3)  # the thread still has the only place
        await desk.until(unirt.ToolCall)
        go.set()
        assert (await desk.result()) == {"call": "c3", "output": {"doubled": 6}}


async def test_closing_cancels_what_runs_and_tells_it_before_the_end(toy: Toy) -> None:
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("over")

    async with opened(toy, hang) as desk:
        await desk.call("hang")
        await desk.until(unirt.ToolStarted)
        await desk.session.close()
        assert ended == ["over"]
        finished = await desk.finished()
        assert (finished.status, finished.error) == ("cancelled", "the session ended")
        last = [event async for event in desk.view][-1]
        assert type(last) is unirt.SessionClosed


async def test_a_lost_connection_cancels_what_runs_and_tells_it_before_the_end(toy: Toy) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async with opened(toy, hang) as desk:
        await desk.call("hang")
        await desk.until(unirt.ToolStarted)
        await toy.there.close(1011, "broken")
        assert (await desk.finished()).status is unirt.ToolStatus.CANCELLED
        with pytest.raises(unirt.ConnectionLost):
            await desk.until(unirt.ToolFinished)


async def test_a_tool_may_close_the_session(toy: Toy) -> None:
    """Field 25: close is callable from a tool."""
    after: list[bool] = []

    async def hang_up(info: unirt.ToolContext) -> None:
        await info.session.close()
        after.append(info.session.closed)

    async with opened(toy, hang_up) as desk:
        await desk.call("hang_up")
        events = [event async for event in desk.view]
        assert type(events[-1]) is unirt.SessionClosed
        assert events[-1].clean
        await desk.session.close()
        while not after:
            await asyncio.sleep(0)
        assert after == [True]


async def test_a_tool_may_close_the_session_in_a_task_of_its_own(toy: Toy) -> None:
    async def hang_up(info: unirt.ToolContext) -> None:
        await asyncio.wait_for(info.session.close(), 30)

    async with opened(toy, hang_up) as desk:
        await desk.call("hang_up")
        events = [event async for event in desk.view]
        assert type(events[-1]) is unirt.SessionClosed
        await desk.session.close()


async def test_a_tool_that_does_not_stop_holds_closing_up_for_a_bounded_time(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    go = asyncio.Event()

    async def stubborn() -> None:
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue

    async with opened(toy, stubborn, timeouts=unirt.Timeouts(close=0.05)) as desk:
        await desk.call("stubborn")
        await desk.until(unirt.ToolStarted)
        with caplog.at_level(logging.WARNING, "unirt.session"):
            await desk.session.close()
        assert "left alone: tool stubborn" in caplog.text
        go.set()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)


async def test_a_tool_that_goes_on_in_a_thread_does_not_hold_closing_up(toy: Toy) -> None:
    go = threading.Event()
    async with opened(toy, unirt.tool(lambda: go.wait() and None, name="slow")) as desk:
        await desk.call("slow")
        await desk.until(unirt.ToolStarted)
        await desk.session.close()
        go.set()
