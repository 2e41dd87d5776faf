"""The calls that a session runs by itself, over a toy protocol."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

import unirt
from unirt.clock import ManualClock
from unirt.grammar import Checker
from unirt.session import calls

from .conftest import Toy

Told = unirt.ToolStarted | unirt.ToolProgress | unirt.ToolFinished


class Desk:
    """A session with some tools, and what is heard and told of them."""

    def __init__(self, toy: Toy, session: unirt.Session, clock: ManualClock) -> None:
        self.toy, self.session, self.clock = toy, session, clock
        self.view = session.view()

    async def call(self, name: str, call: str = "c1", **arguments: Any) -> None:
        text = json.dumps(arguments)
        await self.toy.say("call", response="r1", call=call, name=name, arguments=text)

    async def until(self, kind: type[unirt.Event]) -> Any:
        async for event in self.view:
            if type(event) is kind:
                return event
        raise AssertionError("the session ended before")

    async def finished(self) -> unirt.ToolFinished:
        event: unirt.ToolFinished = await self.until(unirt.ToolFinished)
        return event

    async def result(self) -> dict[str, Any]:
        frame = await self.toy.heard()
        assert frame.pop("do") == "SendToolResult"
        return dict(frame)


@asynccontextmanager
async def opened(toy: Toy, *tools: Any, **arguments: Any) -> AsyncIterator[Desk]:
    clock = ManualClock()
    await toy.greet()
    check = Checker().feed_all
    async with toy.connecting(tools=tools, clock=clock, observers=[check], **arguments) as session:
        assert (await toy.heard())["do"] == "hello"
        yield Desk(toy, session, clock)


async def double(number: int) -> dict[str, int]:
    """Double a number."""
    return {"doubled": 2 * number}


def halve(number: float) -> float:
    return number / 2


async def test_a_call_is_run_and_told_and_answered(toy: Toy) -> None:
    async with opened(toy, double) as desk:
        await desk.call("double", number=4)

        assert await desk.result() == {"call": "c1", "output": {"doubled": 8}}
        started = await desk.until(unirt.ToolStarted)
        finished = await desk.finished()
        assert (started.call_id, started.name, started.synthesised) == ("c1", "double", True)
        assert (started.plane, started.response_id, started.raw) == ("control", "r1", None)
        assert finished.status is unirt.ToolStatus.COMPLETED
        assert finished.output == {"doubled": 8}
        assert finished.duration_ms == 0
        assert [item.kind for item in desk.session.history] == ["tool_call", "tool_result"]


async def test_a_plain_function_runs_in_a_thread_with_the_context_of_the_call(toy: Toy) -> None:
    def where() -> str:
        return threading.current_thread().name

    async with opened(toy, where) as desk:
        await desk.call("where")
        assert await desk.result() == {"call": "c1", "output": "tool where"}


async def test_one_call_id_runs_once_whatever_is_repeated(toy: Toy) -> None:
    """Field 9: tools run twice."""
    ran: list[int] = []

    async def count() -> int:
        ran.append(1)
        return len(ran)

    async with opened(toy, count) as desk:
        await desk.call("count")
        await desk.call("count")
        assert await desk.result() == {"call": "c1", "output": 1}
        await desk.finished()
        await desk.call("count")
        again = desk.session._tooling._calls
        for event in [e async for e in first_calls(desk, 1)]:
            again.handlers[unirt.ToolCall](event)  # even where a translator told it again
        await desk.call("count", "c2")
        assert await desk.result() == {"call": "c2", "output": 2}


async def test_the_latest_call_ids_are_remembered_and_no_more(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_REMEMBERED", 3)
    async with opened(toy, double) as desk:
        known = desk.session._tooling._calls._calls
        for n in range(6):
            await desk.call("double", f"c{n}", number=n)
            await desk.result()
            await desk.finished()
            assert f"c{max(0, n - 2)}" in known
        assert len(known) == 4


async def first_calls(desk: Desk, number: int) -> AsyncIterator[unirt.ToolCall]:
    left = number
    async for event in desk.session.view():
        if isinstance(event, unirt.ToolCall):
            yield event
            left -= 1
            if not left:
                return


async def test_a_tool_without_a_function_is_the_applications_and_both_kinds_mix(toy: Toy) -> None:
    async with opened(toy, double, unirt.Tool(name="manual")) as desk:
        await desk.call("manual", "c1")
        await desk.call("double", "c2", number=1)
        assert await desk.result() == {"call": "c2", "output": {"doubled": 2}}
        await desk.session.send_tool_result("c1", "mine")
        assert await desk.result() == {"call": "c1", "output": "mine"}


async def test_without_any_function_unknown_names_are_the_applications_too(toy: Toy) -> None:
    async with opened(toy, unirt.Tool(name="manual")) as desk:
        await desk.call("other")
        await desk.until(unirt.ToolCall)
        await desk.session.send_tool_result("c1", "mine")
        assert await desk.result() == {"call": "c1", "output": "mine"}


async def test_a_tool_that_nobody_declared_is_answered_with_the_names_there_are(toy: Toy) -> None:
    async with opened(toy, double, halve) as desk:
        await desk.call("triple")
        error = "there is no tool 'triple'; the tools are: double, halve"
        assert await desk.result() == {"call": "c1", "error": error}
        finished = await desk.finished()
        assert (finished.status, finished.error) == (unirt.ToolStatus.UNKNOWN_TOOL, error)
        assert finished.duration_ms is None


async def test_invalid_arguments_go_to_the_model_and_to_the_application(toy: Toy) -> None:
    async with opened(toy, double) as desk:
        await desk.call("double", number="four")
        answer = await desk.result()
        assert answer["error"].startswith("invalid arguments: number: Input should be a valid int")
        finished = await desk.finished()
        assert finished.status is unirt.ToolStatus.INVALID_ARGUMENTS
        assert finished.error == answer["error"]
        await desk.call("double", "c2", number=4)  # the model tries again
        assert (await desk.result())["output"] == {"doubled": 8}


async def test_what_a_tool_says_of_its_failure_is_told_and_nothing_else(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(kindly: bool) -> None:
        if kindly:
            raise unirt.ToolError("the table is taken; try another day")
        raise ValueError("the password is hunter2")

    async with opened(toy, fail) as desk:
        await desk.call("fail", kindly=True)
        assert await desk.result() == {"call": "c1", "error": "the table is taken; try another day"}
        told = await desk.finished()
        assert (told.status, type(told.exception)) == (unirt.ToolStatus.FAILED, unirt.ToolError)
        await desk.call("fail", "c2", kindly=False)
        assert await desk.result() == {"call": "c2", "error": "the tool failed"}
        told = await desk.finished()
        assert str(told.exception) == "the password is hunter2"
        assert told.exception is not None
        assert told.exception.__traceback__ is not None
        assert "hunter2" not in repr(told)
        assert "hunter2" in caplog.text


class Unserialisable:
    pass


async def exits() -> None:
    raise SystemExit(3)


def exits_in_its_thread() -> None:
    raise SystemExit(3)


async def cancels_itself() -> None:
    raise asyncio.CancelledError


def stops() -> None:
    raise StopIteration


def returns_nonsense() -> Any:
    return Unserialisable()


@pytest.mark.parametrize(
    "function", [exits, exits_in_its_thread, cancels_itself, stops, returns_nonsense]
)
async def test_nothing_that_a_tool_raises_ends_the_session(
    toy: Toy, function: Callable[..., Any]
) -> None:
    async with opened(toy, function, double) as desk:
        await desk.call(function.__name__)
        assert await desk.result() == {"call": "c1", "error": "the tool failed"}
        assert (await desk.finished()).status is unirt.ToolStatus.FAILED
        await desk.call("double", "c2", number=1)
        assert (await desk.result())["call"] == "c2"


async def test_audio_flows_while_a_tool_takes_ten_seconds(toy: Toy) -> None:
    """Field 10: tools freeze the receive loop."""
    async with opened(toy, unirt.tool(wait_ten_seconds, timeout=60)) as desk:
        await desk.call("wait_ten_seconds")
        await desk.until(unirt.ToolStarted)
        for _ in range(500):  # ten seconds of audio
            await toy.say("audio", response="r1", size=960)
            assert (await desk.until(unirt.AudioDelta)).duration_ms == 20
        desk.clock.advance(10)
        assert await desk.result() == {"call": "c1", "output": "done"}
        assert (await desk.finished()).duration_ms == 10_000


async def wait_ten_seconds(info: unirt.ToolContext) -> str:
    clock = info.session._clock
    await clock.sleep_until(clock.now() + 10)
    return "done"


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


async def test_few_run_at_once_some_wait_and_the_rest_are_refused(toy: Toy) -> None:
    go = asyncio.Event()
    running: list[int] = []
    most: list[int] = []

    async def wait() -> str:
        running.append(1)
        most.append(len(running))
        await go.wait()
        running.pop()
        return "done"

    limits = unirt.Limits(tools_running=2, tools_waiting=3)
    async with opened(toy, wait, limits=limits) as desk:
        for n in range(6):
            await desk.call("wait", f"c{n}")
        assert await desk.result() == {
            "call": "c5",
            "error": "too many calls wait; try again later",
        }
        assert (await desk.finished()).status is unirt.ToolStatus.REJECTED
        go.set()
        answered = [(await desk.result())["call"] for _ in range(5)]
        assert sorted(answered) == ["c0", "c1", "c2", "c3", "c4"]
        assert max(most) == 2


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


async def test_a_long_result_is_cut_for_the_model_and_whole_for_the_application(toy: Toy) -> None:
    async def read(text: bool) -> Any:
        return "x" * 100 if text else {"x": "y" * 100}

    async with opened(toy, read, limits=unirt.Limits(tool_output=10)) as desk:
        await desk.call("read", text=True)
        answer = await desk.result()
        assert answer["output"] == f"{'x' * 10}\n[cut here: the whole has 100 characters]"
        assert (await desk.finished()).output == "x" * 100
        await desk.call("read", "c2", text=False)
        assert (await desk.result())["output"].startswith('{"x": "yyy\n[cut here')
        assert (await desk.finished()).output == {"x": "y" * 100}


async def test_half_characters_in_a_result_are_mended(toy: Toy) -> None:
    async def read() -> Any:
        return {"name": ["\ud800.txt", float("inf")]}

    async with opened(toy, read) as desk:
        await desk.call("read")
        assert (await desk.result())["output"] == {"name": ["?.txt", "inf"]}


async def test_a_tool_reports_before_its_result(toy: Toy) -> None:
    async def work(info: unirt.ToolContext) -> str:
        assert await info.report({"percent": 50})
        return f"{info.name} {info.call_id} {info.response_id}"

    async with opened(toy, work) as desk:
        await desk.call("work")
        assert await desk.result() == {"call": "c1", "output": {"percent": 50}, "more": True}
        assert await desk.result() == {"call": "c1", "output": "work c1 r1"}
        progress = await desk.until(unirt.ToolProgress)
        assert (progress.output, progress.sent) == ({"percent": 50}, True)


async def test_a_result_that_the_provider_cannot_take_so_is_a_failure_and_not_silence(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    async def whisper() -> unirt.ToolResult:
        return unirt.ToolResult(output="psst", scheduling=unirt.Scheduling.SILENT)

    async with opened(toy, whisper) as desk:
        await desk.call("whisper")
        assert await desk.result() == {"call": "c1", "error": "the tool failed"}
        finished = await desk.finished()
        assert isinstance(finished.exception, unirt.UnsupportedCommand)
        assert "cannot be sent so" in caplog.text


# Approvals.


async def test_a_call_runs_when_it_is_approved_and_not_otherwise(toy: Toy) -> None:
    asked: list[unirt.ToolRequest] = []

    def approve(request: unirt.ToolRequest) -> bool:
        asked.append(request)
        if request.call_id == "c3":
            raise unirt.ToolError("not before noon")
        return request.call_id == "c1"

    async with opened(toy, unirt.tool(double, approve=True), approve=approve) as desk:
        await desk.call("double", "c1", number=1)
        assert (await desk.result())["output"] == {"doubled": 2}
        await desk.call("double", "c2", number=1)
        assert (await desk.result())["error"] == "the call was not approved"
        await desk.call("double", "c3", number=1)
        assert (await desk.result())["error"] == "not before noon"
        statuses = [(await desk.finished()).status for _ in range(3)]
        assert statuses == ["completed", "rejected", "rejected"]
        assert [(r.name, r.call_id, r.response_id) for r in asked[:1]] == [("double", "c1", "r1")]


@pytest.mark.parametrize("answer", ["yes", None, 1])
async def test_only_true_is_a_yes(toy: Toy, answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def approve(request: unirt.ToolRequest) -> Any:
        return answer

    async with opened(toy, unirt.tool(double, approve=approve)) as desk:
        await desk.call("double", number=1)
        assert (await desk.result())["error"] == "the call was not approved"
        assert isinstance((await desk.finished()).exception, TypeError)


async def test_a_call_that_is_cancelled_while_somebody_thinks_is_never_run(toy: Toy) -> None:
    asked = asyncio.Event()

    async def approve(request: unirt.ToolRequest) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    async with opened(toy, unirt.tool(double, approve=approve)) as desk:
        await desk.call("double", number=1)
        await asked.wait()
        await toy.say("cancel", calls=["c1"])
        assert (await desk.finished()).status is unirt.ToolStatus.CANCELLED


def test_a_tool_that_nobody_could_approve_is_refused_at_once() -> None:
    with pytest.raises(unirt.ConfigurationError, match="nobody is there to approve"):
        unirt.connect("openai", tools=[unirt.tool(double, approve=True)], env_file=None)


async def test_an_update_with_a_tool_that_nobody_could_approve_is_refused(toy: Toy) -> None:
    async with opened(toy) as desk:
        with pytest.raises(unirt.ConfigurationError, match="nobody is there to approve"):
            await desk.session.update(tools=[unirt.tool(double, approve=True)])


async def test_a_providers_request_for_approval_is_answered_by_the_callback(toy: Toy) -> None:
    def approve(request: unirt.ToolRequest) -> bool:
        if request.arguments != {"path": "/tmp"}:
            raise unirt.ToolError("only /tmp")
        return request.server == "far away"

    async with opened(toy, approve=approve) as desk:
        await toy.say("approval", id="a1", name="remove", arguments='{"path": "/tmp"}')
        assert await toy.heard() == {"do": "ApproveServerTool", "approve": True, "reason": None}
        settled = await desk.until(unirt.ApprovalSettled)
        assert (settled.approval_id, settled.name, settled.approved) == ("a1", "remove", True)
        await toy.say("approval", id="a2", name="remove", arguments="[nonsense")
        assert await toy.heard() == {
            "do": "ApproveServerTool",
            "approve": False,
            "reason": "only /tmp",
        }
        settled = await desk.until(unirt.ApprovalSettled)
        assert (settled.approved, settled.reason) == (False, "only /tmp")


async def test_without_a_callback_a_request_for_approval_is_only_told(toy: Toy) -> None:
    async with opened(toy) as desk:
        await toy.say("approval", id="a1", name="remove")
        assert (await desk.until(unirt.ApprovalRequested)).approval_id == "a1"
        await desk.session.approve("a1", False, reason="no")
        assert (await toy.heard())["reason"] == "no"


# Tools that come and go.


async def test_tools_of_an_update_and_of_one_response_are_run_too(toy: Toy) -> None:
    async with opened(toy) as desk:
        await desk.session.update(tools=[double])
        await toy.heard()
        await desk.call("double", number=1)
        assert (await desk.result())["output"] == {"doubled": 2}
        await desk.session.respond(tools=[halve])
        await toy.heard()
        await desk.call("halve", "c2", number=3)
        assert (await desk.result())["output"] == 1.5
        with pytest.raises(unirt.ConfigurationError, match="configure the session"):
            await desk.session.respond(tools=[unirt.ProviderTool(spec={"type": "mcp"})])


class Shelf:
    """A source of tools that changes when it is told to."""

    def __init__(self) -> None:
        self.tools: list[unirt.FunctionTool] = []
        self.followers: list[Callable[[], None]] = []

    def put(self, *functions: Any) -> None:
        self.tools = [attrs.evolve(unirt.tool(f), source=self) for f in functions]
        for changed in self.followers:
            changed()

    def follow(self, changed: Callable[[], None]) -> Callable[[], None]:
        self.followers.append(changed)
        return lambda: self.followers.remove(changed)


async def test_a_source_is_followed_as_long_as_the_session_is_open(toy: Toy) -> None:
    shelf = Shelf()
    shelf.put(double)
    async with opened(toy, shelf, unirt.Tool(name="mine")) as desk:
        shelf.put(double)  # the same: nothing to tell
        shelf.put(halve)
        changed = await desk.until(unirt.ToolsChanged)
        assert (changed.added, changed.removed) == (("halve",), ("double",))
        assert (await toy.heard())["do"] == "UpdateSession"
        assert [t.name for t in desk.session.config.tools or ()] == ["mine", "halve"]  # type: ignore[union-attr]
        await desk.call("halve", number=3)
        assert (await desk.result())["output"] == 1.5
        assert len(shelf.followers) == 1
        await desk.session.close()
        assert shelf.followers == []


# The end.


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

    async with opened(toy, stubborn, close_timeout=0.05) as desk:
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
