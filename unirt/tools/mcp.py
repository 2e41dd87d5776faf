"""
The tools of an MCP server, as tools of a session.

The official ``mcp`` client talks to the server: over HTTP, or over the pipes of a process that it
starts. The server is asked for its tools when the source is entered, and again whenever it says
that they changed. Servers since 2026-07-28 say so on a stream that is opened for it, older ones in
a notification.

What a tool returns: its structured content where it has any, else its text. Of a picture, a sound
or a file the model is told what it is, for a tool's result is text. An error that the tool reports
goes to the model in the tool's words; so does one about the arguments. When the connection fails,
the model learns that the tool failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from unirt.config import Scheduling
from unirt.errors import ConfigurationError, ToolError, UsageError
from unirt.log import logger
from unirt.tools.context import Approve
from unirt.tools.function import TIMEOUT_S, FunctionTool
from unirt.tools.inputs import Arguments, InvalidArguments
from unirt.wire import WireError, parse_frame

if TYPE_CHECKING:
    from mcp import Client, ClientSession
    from mcp import types as mcp_types

__all__ = ["McpTools"]

_LOG = logger(__name__)

_REQUEST_S = 30.0
_STREAM_S = 300.0
"How long a request over HTTP may take, and how long a stream may be silent: as ``mcp`` has it."
_PAGES = 100
"A list of tools that has more pages has no end."
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
"What a model cannot be given in a name."
_CALLERS_FAULT = (-32602, -32601)
"JSON-RPC: invalid parameters, and no such method; the model can act on them."


class McpTools:
    """
    An MCP server as a source of tools: ``async with unirt.McpTools(server) as source``.

    Give it where tools are given, as it is: ``connect(tools=[source])``. Sessions follow it.

    Args:
        server: The URL of a server that speaks streamable HTTP; the words of a command that starts
            one that speaks over its pipes; whatever else ``mcp.Client`` takes; or an
            ``mcp.Client`` or ``mcp.ClientSession`` that is open, which stays the caller's.
        only: The names of the tools to take; by default all of them.
        prefix: Put before each name, to tell the tools of several servers apart.
        timeout: How long a call may take, in seconds; ``None`` for as long as it likes.
        blocking: Whether the model waits for the results, where it can be told.
        scheduling: What the results may do to the conversation.
        approve: Who is asked before each call; see :data:`unirt.tools.context.Approve`.
        client_options: Other arguments of ``mcp.Client``, where one is made here.
    """

    def __init__(
        self,
        server: Any,
        *,
        only: Iterable[str] | None = None,
        prefix: str = "",
        timeout: float | None = TIMEOUT_S,
        blocking: bool | None = None,
        scheduling: Scheduling | None = None,
        approve: Approve | bool | None = None,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._options = {"message_handler": self._heard, **(client_options or {})}
        self._server = server
        self._only = None if only is None else frozenset(only)
        self._prefix = prefix
        self._fields: dict[str, Any] = {
            "timeout": timeout,
            "blocking": blocking,
            "scheduling": scheduling,
            "approve": approve,
        }
        self._tools: tuple[FunctionTool, ...] | None = None
        self._followers: dict[object, Callable[[], None]] = {}
        self._peer: Client | ClientSession | None = None
        self._stack = contextlib.AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def tools(self) -> Sequence[FunctionTool]:
        """
        The tools as they are now.

        Raises:
            UsageError: It was not entered.
        """
        if self._tools is None:
            raise UsageError(
                "its tools are not known yet",
                where="McpTools",
                remedy="enter it first: async with unirt.McpTools(...) as source",
            )
        return self._tools

    def follow(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called after each change of the tools; returns what ends that."""
        key = object()
        self._followers[key] = changed
        return lambda: self._followers.pop(key, None) and None

    async def refresh(self) -> None:
        """Ask the server for its tools again; sessions are told where they changed."""
        listed = await self._listed()
        names = {tool.name for tool in listed}
        if self._only is not None and (missing := sorted(self._only - names)):
            _LOG.warning("the MCP server has no tool named %s", ", ".join(missing))
        wanted = [tool for tool in listed if self._only is None or tool.name in self._only]
        self._tools = tuple(self._tool(tool) for tool in wanted)
        for changed in list(self._followers.values()):
            changed()

    # The connection.

    async def __aenter__(self) -> Self:
        try:
            import mcp
        except ImportError:
            raise ConfigurationError(
                "MCP needs a package that is not installed",
                where="McpTools",
                remedy="install unirt-realtime[mcp]",
            ) from None
        if self._tools is not None:
            raise UsageError(
                "it was entered before", where="async with", remedy="make a new McpTools"
            )
        try:
            if isinstance(self._server, mcp.Client | mcp.ClientSession):
                self._peer = self._server
            else:
                client = mcp.Client(await self._way(), **self._options)
                self._peer = await self._stack.enter_async_context(client)
            await self.refresh()
            self._spawn(self._watch())
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def _way(self) -> Any:
        """
        What ``mcp.Client`` takes; of an address the way there.

        Its own HTTP client would read the certificates that this machine trusts while all others
        of the event loop wait. It makes it where answers are kept in a store of the application's,
        for those are kept by the address.
        """
        server = _address(self._server)
        cache = self._options.get("cache")
        if not isinstance(server, str) or getattr(cache, "store", None) is not None:
            return server
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        timeout = httpx2.Timeout(_REQUEST_S, read=_STREAM_S)
        made = await asyncio.to_thread(httpx2.AsyncClient, timeout=timeout)
        http_client = await self._stack.enter_async_context(made)
        return streamable_http_client(server, http_client=http_client)

    async def _close(self) -> None:
        self._followers.clear()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._stack.aclose()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name="MCP tools")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What the server says.

    async def _listed(self) -> list[mcp_types.Tool]:
        import mcp
        from mcp.types import PaginatedRequestParams

        found: list[mcp_types.Tool] = []
        cursor: str | None = None
        for _ in range(_PAGES):
            peer = self._peer
            if isinstance(peer, mcp.ClientSession):
                params = PaginatedRequestParams(cursor=cursor)
                page = await peer.list_tools(params=params)
            else:
                assert peer is not None  # noqa: S101  (it was entered)
                page = await peer.list_tools(cursor=cursor, cache_mode="bypass")
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def _heard(self, message: object) -> None:
        """Older servers tell of a change in a notification."""
        from mcp.types import ToolListChangedNotification

        if isinstance(message, ToolListChangedNotification):
            self._spawn(self._again())

    async def _watch(self) -> None:
        """Newer servers tell of a change on a stream of its own."""
        import mcp
        from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost, listen

        peer = self._peer
        session = peer.session if isinstance(peer, mcp.Client) else peer
        assert session is not None  # noqa: S101  (it was entered)
        try:
            async with listen(session, tools_list_changed=True) as changes:
                async for _ in changes:
                    await self._again()
        except (ListenNotSupportedError, mcp.MCPError) as exc:
            _LOG.debug("the MCP server offers no stream of changes: %s", exc)
        except SubscriptionLost as exc:
            _LOG.warning("changes of the MCP server's tools are not heard any more: %s", exc)

    async def _again(self) -> None:
        try:
            await self.refresh()
        except Exception as exc:
            _LOG.warning("the MCP server's tools could not be read again", exc_info=exc)

    # One tool.

    def _tool(self, listed: mcp_types.Tool) -> FunctionTool:
        async def call(arguments: dict[str, Any]) -> Any:
            return await self._call(listed.name, arguments)

        return FunctionTool(
            name=_UNFIT.sub("_", f"{self._prefix}{listed.name}")[:64],
            description=listed.description,
            parameters=listed.input_schema,
            function=call,
            read=_read,
            source=self,
            **self._fields,
        )

    async def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        import mcp

        assert self._peer is not None  # noqa: S101  (its tools are known)
        try:
            result = await self._peer.call_tool(name, arguments)
        except mcp.MCPError as exc:
            if exc.code in _CALLERS_FAULT:
                raise ToolError(exc.message) from exc
            raise
        text = "\n".join(_told(block) for block in result.content)
        if result.is_error:
            raise ToolError(text or "the tool failed")
        return text if result.structured_content is None else result.structured_content


def _address(server: Any) -> Any:
    """What ``mcp.Client`` takes, of what an application gives."""
    if isinstance(server, str) and not server.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"{server!r} is no address of a server",
            where="McpTools",
            remedy="give a URL, or a command as a list of its words",
        )
    if isinstance(server, Sequence) and not isinstance(server, str) and server:
        from mcp import StdioServerParameters

        command, *arguments = map(str, server)
        return StdioServerParameters(command=command, args=arguments)
    return server


def _read(text: str) -> Arguments:
    """The arguments, which the server checks."""
    try:
        arguments = parse_frame(text.strip() or "{}")
    except WireError as exc:
        raise InvalidArguments(f"invalid arguments: {exc.what}") from None
    if not isinstance(arguments, dict):
        raise InvalidArguments("invalid arguments: not an object")
    return (arguments,), {}


def _told(block: mcp_types.ContentBlock) -> str:
    """One piece of a result, in words."""
    match block.type:
        case "text":
            return block.text
        case "image" | "audio":
            return f"[{block.type} of type {block.mime_type}, which cannot be given as text]"
        case "resource_link":
            return f"[{block.name}: {block.uri}]"
        case "resource":
            resource = block.resource
            text = getattr(resource, "text", None)
            kind = resource.mime_type or "unknown type"
            return text if text is not None else f"[{resource.uri}, of {kind}]"
