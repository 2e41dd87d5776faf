"""Tools that the session runs, with both providers' simulators on real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import unirt
from unirt.events import ContentEvent
from unirt.fold import fold
from unirt.grammar import Checker
from unirt.registry import installed, load
from unirt.simulator import Simulator, loads
from unirt.testing import outline

FAST = "[pace]\nlatency_ms = 0\nword_ms = 0\nspeed = 1000\n"

PARALLEL = f"""
{FAST}
[[reply]]
cue = "text"
steps = [
    {{ call = "get_weather", args = {{ city = "Lagos" }} }},
    {{ call = "get_time", args = {{ city = "Lagos" }} }},
    {{ call = "get_weather", args = {{ city = "Accra" }} }},
]
[[reply]]
cue = "tool_result"
steps = [{{ say = "It is warm in both." }}]
"""

TALKING = f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ call = "look_up" }}, {{ say = "One moment, please.", ms = 10000 }}]
[[reply]]
cue = "tool_result"
steps = [{{ say = "Here it is." }}]
"""

ONE = f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ call = "get_weather", args = {{ city = "Lagos" }} }}]
[[reply]]
cue = "tool_result"
steps = [{{ say = "That is that." }}]
"""

BESIDE = f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ call = "get_weather", args = {{ city = "Lagos" }} }}]
[[reply]]
cue = "text"
steps = [{{ say = "Noon." }}]
[[reply]]
cue = "text"
steps = [{{ say = "You are welcome." }}]
"""

WRONG = f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ call = "get_weather", args = {{ town = "Lagos" }} }}]
[[reply]]
cue = "tool_result"
steps = [{{ call = "get_weather", args = {{ city = "Lagos" }} }}]
[[reply]]
cue = "tool_result"
steps = [{{ say = "It is warm." }}]
"""

every_provider = pytest.mark.parametrize("provider", installed())


class Stage:
    """A simulated server, a session with it, and all that the session told."""

    def __init__(self, simulator: Simulator, session: unirt.Session) -> None:
        self.simulator, self.session = simulator, session
        self.events: list[unirt.Event] = []

    async def until(self, done: int) -> None:
        """Read on until so many responses are done."""
        async for event in self.session:
            self.events.append(event)
            done -= type(event) is unirt.ResponseDone
            if not done:
                return

    def told(self, *kinds: type[unirt.Event]) -> list[Any]:
        return [event for event in self.events if type(event) in kinds]

    @property
    def heard(self) -> list[unirt.Command]:
        """What the server was told by the tools and about them, in order."""
        kinds = (unirt.SendToolResult, unirt.Respond, unirt.ApproveServerTool)
        return [c for c in self.simulator.connections[-1].commands if isinstance(c, kinds)]

    @property
    def results(self) -> list[Any]:
        found = [c for c in self.heard if isinstance(c, unirt.SendToolResult)]
        return [_parsed(c.output) if c.error is None else {"error": c.error} for c in found]


def _parsed(output: Any) -> Any:
    return json.loads(output) if isinstance(output, str) and output[0] in "{[" else output


@asynccontextmanager
async def staged(
    provider: str, scenario: str, *tools: Any, **arguments: Any
) -> AsyncIterator[Stage]:
    async with Simulator(load(provider), loads(scenario), log=True) as simulator:
        connecting = unirt.connect(
            provider,
            tools=tools,
            environ=simulator.env,
            env_file=None,
            observers=[Checker().feed_all],
            **arguments,
        )
        async with connecting as session:
            yield Stage(simulator, session)


async def get_weather(city: str) -> dict[str, Any]:
    """Tell the weather in a city."""
    return {"city": city, "celsius": 31}


def get_time(city: str) -> str:
    """Tell the time in a city."""
    return "18:40"


@every_provider
async def test_parallel_calls_are_answered_by_one_response(provider: str) -> None:
    """Field 5: N parallel tool calls give exactly one request for a response."""
    async with staged(provider, PARALLEL, get_weather, get_time) as stage:
        await stage.session.send_text("How is it?")
        await stage.until(done=2)
        finished = stage.told(unirt.ToolFinished)
        assert [event.status for event in finished] == ["completed"] * 3
        assert sorted(map(str, stage.results)) == [
            "18:40",
            "{'city': 'Accra', 'celsius': 31}",
            "{'city': 'Lagos', 'celsius': 31}",
        ]
        asked = [isinstance(command, unirt.Respond) for command in stage.heard]
        if provider == "openai":
            assert asked == [True, False, False, False, True]
        else:
            assert not any(asked)
        assert stage.told(unirt.ProviderError) == []
        kinds = [item.kind for item in stage.session.history]
        assert kinds.count(unirt.ItemKind.TOOL_RESULT) == 3


@every_provider
async def test_audio_flows_while_a_tool_runs(provider: str) -> None:
    """Field 10: ten seconds of audio are heard while the tool has not returned."""
    heard = asyncio.Event()

    async def look_up() -> str:
        await heard.wait()
        return "found"

    tool = unirt.tool(look_up, blocking=False)
    async with staged(provider, TALKING, tool) as stage:
        await stage.session.send_text("Look it up.")
        audio_ms = 0.0
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.AudioDelta):
                audio_ms += event.duration_ms
            if audio_ms >= 10_000:
                break
        assert stage.told(unirt.ToolStarted)
        assert not stage.told(unirt.ToolFinished)
        heard.set()
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.TranscriptDelta) and "Here" in event.text:
                break
        await stage.until(done=1)
        assert stage.results == ["found"]
        assert [event.status for event in stage.told(unirt.ToolFinished)] == ["completed"]


@every_provider
async def test_invalid_arguments_are_told_and_the_model_tries_again(provider: str) -> None:
    async with staged(provider, WRONG, get_weather) as stage:
        await stage.session.send_text("How is it?")
        await stage.until(done=3)
        wrong, right = stage.told(unirt.ToolFinished)
        assert (wrong.status, right.status) == ("invalid_arguments", "completed")
        assert stage.results == [{"error": wrong.error}, {"city": "Lagos", "celsius": 31}]
        assert "city: Field required" in wrong.error


OVER = {
    "a turn": lambda session: session.start_turn(),
    "a text": lambda session: session.send_text("Never mind."),
    "a picture": lambda session: session.send_image(b"jpeg", respond=True),
    "an interruption": lambda session: session.interrupt(),
    "a cancellation": lambda session: session.cancel(),
}
"What calls off a tool that the model waits for."


@pytest.mark.parametrize("what", OVER)
@every_provider
async def test_a_call_that_is_cancelled_by_the_user_is_not_answered(
    provider: str, what: str
) -> None:
    """Fields 3 and 10: the task is cancelled, and what it returns goes nowhere."""
    ended = asyncio.Event()

    async def get_weather(city: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    tool = unirt.tool(get_weather, blocking=True)
    async with staged(provider, ONE, tool, turn_detection="manual") as stage:
        await stage.session.send_text("How is it?")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolStarted):
                break
        await OVER[what](stage.session)
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolFinished):
                break
        await ended.wait()
        await stage.simulator.settled()
        assert [e.status for e in stage.told(unirt.ToolFinished)] == ["cancelled"]
        assert len(stage.told(unirt.ToolCallCancelled)) == 1
        assert stage.results == []


@pytest.mark.parametrize(
    ("model", "waits"),
    [
        ("openai:gpt-realtime", True),
        ("google:gemini-2.5-flash-native-audio-latest", True),
        ("google:gemini-3.1-flash-live-preview", True),
        ("google:gemini-3.8-live", False),
    ],
)
async def test_a_tool_that_does_not_say_is_waited_for_where_the_model_does(
    model: str, waits: bool
) -> None:
    """Field 3: a text goes over it there, and beside it elsewhere; its result is not lost."""
    written = asyncio.Event()

    async def get_weather(city: str) -> str:
        await written.wait()
        return "warm"

    provider, _, name = model.partition(":")
    async with staged(provider, BESIDE, get_weather, model=name) as stage:
        assert stage.session.capabilities.waits_for_tools is waits
        await stage.session.send_text("How is it?")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolStarted):
                await stage.session.send_text("And what is the time?")
            if isinstance(event, unirt.TranscriptDelta) and "Noon" in event.text:
                break
        written.set()
        await stage.session.send_text("Thank you.")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.TranscriptDelta) and "welcome" in event.text:
                break
        while not waits and not stage.results:  # it may still be on its way
            await asyncio.sleep(0)
        await stage.simulator.settled()
        (finished,) = stage.told(unirt.ToolFinished)
        assert finished.status == ("cancelled" if waits else "completed")
        assert len(stage.told(unirt.ToolCallCancelled)) == waits
        assert stage.results == ([] if waits else ["warm"])


@every_provider
async def test_what_a_tool_does_is_told_alike_and_is_not_part_of_the_conversation(
    provider: str,
) -> None:
    async def get_weather(city: str, info: unirt.ToolContext) -> str:
        await info.report("half of it")
        raise unirt.ToolError("no weather today")

    async with staged(provider, ONE, get_weather) as stage:
        await stage.session.send_text("How is it?")
        await stage.until(done=2)
        started, progress, finished = stage.told(
            unirt.ToolStarted, unirt.ToolProgress, unirt.ToolFinished
        )
        assert (started.name, progress.output) == ("get_weather", "half of it")
        assert (finished.status, finished.error) == ("failed", "no weather today")
        takes_pieces = provider == "google"  # 3.8 waits for no tool, so results may come in pieces
        assert progress.sent is takes_pieces
        told = {started.call_id, progress.call_id, finished.call_id}
        assert told == {call.call_id for call in stage.told(unirt.ToolCall)}
        without = [e for e in stage.events if not isinstance(e, unirt.SessionEvent)]
        assert outline(fold(without)) == outline(fold(stage.events))
        assert not any(isinstance(event, ContentEvent) for event in stage.told(type(finished)))


@every_provider
async def test_a_tool_that_the_application_answers_may_stand_beside(provider: str) -> None:
    scenario = ONE.replace('call = "get_weather"', 'call = "by_hand"')
    async with staged(provider, scenario, get_time, unirt.Tool(name="by_hand")) as stage:
        await stage.session.send_text("How is it?")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolCall):
                await stage.session.send_tool_result(event.call_id, "by hand")
                break
        await stage.until(done=2 - len(stage.told(unirt.ResponseDone)))
        assert stage.results == ["by hand"]
        assert stage.told(unirt.ToolStarted, unirt.ToolFinished) == []


# Tools that the provider runs.

ASKING = f"""
{FAST}
[[reply]]
cue = "text"
steps = [
    {{ server_tool = "read", args = {{ path = "/tmp" }}, output = "[]", approval = true }},
    {{ server_tool = "write", args = {{ path = "/etc" }}, failure = "denied", approval = true }},
    {{ say = "That is all." }},
]
"""

FILES = unirt.ProviderTool(
    spec={
        "type": "mcp",
        "server_label": "files",
        "server_url": "https://files.example",
        "allowed_tools": ["read", "write"],
        "require_approval": "always",
    }
)


def server_tools(stage: Stage) -> list[tuple[str | None, str | None, str | None]]:
    results = stage.told(unirt.ServerToolResult)
    return [(event.stream.name, event.output, event.error) for event in results]


async def test_a_server_side_tool_runs_when_the_callback_approves_of_it() -> None:
    asked: list[unirt.ToolRequest] = []

    async def approve(request: unirt.ToolRequest) -> bool:
        asked.append(request)
        return True

    async with staged("openai", ASKING, FILES, approve=approve) as stage:
        await stage.session.send_text("Look.")
        await stage.until(done=1)
        listed = [(e.status, e.server) for e in stage.told(unirt.ToolsListed)]
        assert listed == [("in_progress", "files"), ("completed", "files")]
        assert [(r.name, r.server, r.arguments) for r in asked] == [
            ("read", "files", {"path": "/tmp"}),
            ("write", "files", {"path": "/etc"}),
        ]
        assert [event.approved for event in stage.told(unirt.ApprovalSettled)] == [True, True]
        read, write = server_tools(stage)
        assert read == ("read", "[]", None)
        assert write[:2] == ("write", None)
        assert "denied" in (write[2] or "")
        statuses = [event.status for event in stage.told(unirt.ServerToolStatus)]
        assert statuses == ["in_progress", "completed", "in_progress", "failed"]


async def test_a_server_side_tool_that_is_refused_does_not_run() -> None:
    def approve(request: unirt.ToolRequest) -> bool:
        if request.arguments["path"] != "/tmp":
            raise unirt.ToolError("only /tmp")
        return True

    async with staged("openai", ASKING, FILES, approve=approve) as stage:
        await stage.session.send_text("Look.")
        await stage.until(done=1)
        assert server_tools(stage) == [("read", "[]", None)]
        settled = [(e.approved, e.reason) for e in stage.told(unirt.ApprovalSettled)]
        assert settled == [(True, None), (False, "only /tmp")]
        answers = [c for c in stage.heard if isinstance(c, unirt.ApproveServerTool)]
        assert [(c.approve, c.reason) for c in answers] == [(True, None), (False, "only /tmp")]


async def test_an_application_may_approve_by_hand() -> None:
    async with staged("openai", ASKING, FILES) as stage:
        await stage.session.send_text("Look.")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ApprovalRequested):
                await stage.session.approve(event.approval_id, event.name == "read")
            if isinstance(event, unirt.ResponseDone):
                break
        assert server_tools(stage) == [("read", "[]", None)]
        assert stage.told(unirt.ApprovalSettled) == []


async def test_a_server_that_cannot_be_reached_is_told() -> None:
    gone = unirt.ProviderTool(spec={**FILES.spec, "server_url": "https://files.invalid"})
    async with staged("openai", ASKING, gone) as stage:
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolsListed) and event.status != "in_progress":
                break
        listed = [(event.status, event.server) for event in stage.told(unirt.ToolsListed)]
        assert listed == [("in_progress", "files"), ("failed", "files")]
