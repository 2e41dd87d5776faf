"""Tools of MCP servers: real ones, over pipes and over HTTP, in sessions with both simulators."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp
import pytest
import uvicorn

import unirt
from tests.mcp_server import new_server
from tests.test_tools import FAST, Stage, staged
from unirt.registry import installed

SERVER = Path(__file__).with_name("mcp_server.py")
NAMES = ["add", "read", "show", "hang", "grow"]


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "diary"
    path.touch()
    return path


@asynccontextmanager
async def over_http(diary: Path) -> AsyncIterator[str]:
    """A server on loopback; gives its address."""
    app = new_server(diary).streamable_http_app()
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def opened(way: str, diary: Path, **fields: Any) -> AsyncIterator[unirt.McpTools]:
    """A source of tools, over each way to a server."""
    command = [sys.executable, str(SERVER), str(diary)]
    if way == "http":
        async with over_http(diary) as url, unirt.McpTools(url, **fields) as source:
            yield source
    elif way == "client":
        words = mcp.StdioServerParameters(command=command[0], args=command[1:])
        async with mcp.Client(words) as client, unirt.McpTools(client.session, **fields) as source:
            yield source
    elif way == "memory":
        async with unirt.McpTools(new_server(diary), **fields) as source:
            yield source
    else:
        options = {"mode": "legacy"} if way == "old" else {}
        async with unirt.McpTools(command, client_options=options, **fields) as source:
            yield source


def calling(tool: str, **arguments: Any) -> str:
    """A scenario in which the model calls a tool."""
    written = ", ".join(f"{key} = {value!r}" for key, value in arguments.items())
    return f"""
{FAST}
[[reply]]
cue = "text"
steps = [{{ call = "{tool}", args = {{ {written} }} }}]
[[reply]]
cue = "tool_result"
steps = [{{ say = "Done." }}]
"""


async def finished(stage: Stage) -> unirt.ToolFinished:
    await stage.session.send_text("Go.")
    await stage.until(done=2)
    (event,) = stage.told(unirt.ToolFinished)
    assert isinstance(event, unirt.ToolFinished)
    return event


@pytest.mark.parametrize("way", ["pipes", "http", "old", "client"])
async def test_a_servers_tools_are_listed_called_and_their_errors_told(
    way: str, diary: Path
) -> None:
    async with opened(way, diary) as source:
        assert [tool.name for tool in source.tools] == NAMES
        assert source.tools[0].description == "Add two numbers."
        async with staged("openai", calling("add", first=1, second=2), source) as stage:
            assert (await finished(stage)).output == {"result": 3}
            assert stage.results == [{"result": 3}]
        async with staged("openai", calling("read", name="secret"), source) as stage:
            told = await finished(stage)
            assert told.status is unirt.ToolStatus.FAILED
            assert "the file is secret" in (told.error or "")
            assert stage.results == [{"error": told.error}]


@pytest.mark.parametrize("provider", installed())
async def test_both_providers_take_a_servers_tools(provider: str, diary: Path) -> None:
    async with opened("memory", diary) as source:
        async with staged(provider, calling("show"), source) as stage:
            shown = "Look:\n[image of type image/png, which cannot be given as text]\n"
            assert (await finished(stage)).output == f"{shown}[more: file:///more]\ninside"
        async with staged(provider, calling("add", first="one"), source) as stage:
            told = await finished(stage)
            assert told.status is unirt.ToolStatus.FAILED
            assert "valid integer" in (told.error or "")


async def test_what_is_taken_can_be_chosen_and_named(diary: Path) -> None:
    async with opened("memory", diary, only=["add"], prefix="sums.", timeout=5) as source:
        (tool,) = source.tools
        assert (tool.name, tool.timeout) == ("sums_add", 5)
        async with staged("openai", calling("sums_add", first=1, second=1), source) as stage:
            assert (await finished(stage)).output == {"result": 2}


@pytest.mark.parametrize(("way", "provider"), [("pipes", "openai"), ("http", "google")])
async def test_a_call_that_is_cancelled_is_cancelled_at_the_server(
    way: str, provider: str, diary: Path
) -> None:
    async def until(words: str) -> None:
        while words not in await asyncio.to_thread(diary.read_text):
            pass  # another process writes it

    async with (
        opened(way, diary, blocking=True) as source,
        staged(provider, calling("hang"), source) as stage,
    ):
        await stage.session.send_text("Go.")
        await until("hangs")
        await stage.session.interrupt()
        async for event in stage.session:
            if isinstance(event, unirt.ToolFinished):
                assert event.status is unirt.ToolStatus.CANCELLED
                break
        await until("cancelled")


@pytest.mark.parametrize("way", ["pipes", "http", "old", "client"])
async def test_new_tools_reach_the_model_where_the_provider_takes_them(
    way: str, diary: Path
) -> None:
    async with (
        opened(way, diary) as source,
        staged("openai", calling("grow"), source, unirt.Tool(name="mine")) as stage,
    ):
        await stage.session.send_text("Go.")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolsChanged):
                break
        (changed,) = stage.told(unirt.ToolsChanged)
        assert (changed.added, changed.removed, changed.applied) == (("brag",), (), True)
        names = [getattr(tool, "name", "") for tool in stage.session.config.tools or ()]
        assert sorted(names) == sorted(["mine", *NAMES, "brag"])


async def test_new_tools_that_the_provider_does_not_take_are_told_so(diary: Path) -> None:
    async with (
        opened("memory", diary) as source,
        staged("google", calling("grow"), source) as stage,
    ):
        await stage.session.send_text("Go.")
        async for event in stage.session:
            stage.events.append(event)
            if isinstance(event, unirt.ToolsChanged):
                break
        (changed,) = stage.told(unirt.ToolsChanged)
        assert (changed.added, changed.applied) == (("brag",), False)
        assert "fixed while the connection is open" in (changed.why or "")


async def test_a_server_that_is_gone_is_a_tool_that_failed(diary: Path) -> None:
    async with opened("client", diary) as source:
        pass
    async with staged("openai", calling("add", first=1, second=2), *source.tools) as stage:
        told = await finished(stage)
        assert (told.status, told.error) == (unirt.ToolStatus.FAILED, "the tool failed")
        assert told.exception is not None


async def test_what_is_no_server_is_refused(diary: Path) -> None:
    with pytest.raises(unirt.ConfigurationError, match="no address of a server"):
        async with unirt.McpTools("python server.py"):
            pass
    with pytest.raises(unirt.UsageError, match="enter it first"):
        _ = unirt.McpTools(["server"]).tools
    async with opened("memory", diary) as source:
        with pytest.raises(unirt.UsageError, match="entered before"):
            async with source:
                pass


async def test_arguments_that_are_no_object_are_told_to_the_model(diary: Path) -> None:
    from unirt.tools.inputs import InvalidArguments

    async with opened("memory", diary) as source:
        for text in ("[1]", "{", "[" * 50_000):
            with pytest.raises(InvalidArguments):
                source.tools[0].read(text)
