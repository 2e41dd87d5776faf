"""The calls that a session runs by itself, over a toy protocol."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import attrs
import pytest

import unirt
from tests.unirt.desk import Desk, double, halve, opened
from unirt.session import calls

from .conftest import Toy


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


async def test_so_are_what_a_tool_reports_and_what_it_says_of_its_failure(toy: Toy) -> None:
    async def work(info: unirt.ToolContext) -> str:
        await info.report("x" * 100)
        raise unirt.ToolError("y" * 100)

    async with opened(toy, work, limits=unirt.Limits(tool_output=10)) as desk:
        await desk.call("work")
        cut = "\n[cut here: the whole has 100 characters]"
        reported, failed = await desk.result(), await desk.result()
        assert (reported["output"], failed["error"]) == ("x" * 10 + cut, "y" * 10 + cut)
        assert (await desk.until(unirt.ToolProgress)).output == "x" * 100


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
        assert [t.name for t in desk.session.config.tools or ()] == ["mine", "halve"]  # type: ignore[union-attr]  # all have names
        await desk.call("halve", number=3)
        assert (await desk.result())["output"] == 1.5
        assert len(shelf.followers) == 1
        await desk.session.close()
        assert shelf.followers == []
