"""
Server events about tools: the application's functions, and MCP servers that OpenAI calls itself.

A call is delivered when its item is done and complete, never at
``function_call_arguments.done``: a response that was cancelled sends that too, with half a JSON
text in it. In dialects where the item is never said to be done, the response's own ``done``
delivers it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt import events as ev
from unirt.composer import Response
from unirt.events import Ending, StreamKind
from unirt.items import Item
from unirt.wire import Wire, WireError, parse_frame
from unirt_openai.inbound.rows import Handler, Row
from unirt_openai.state import OutputItem, State, ids_of

__all__ = ["ROWS", "call_added", "call_done", "deliver_call", "server_call_done"]


# Calls of the application's functions.


def call_added(state: State, response: Response, output: OutputItem, kind: StreamKind) -> None:
    """A response begins a call: open its stream."""
    fields: dict[str, Any] = {"name": output.name}
    if kind is StreamKind.TOOL_CALL:
        fields["call_id"] = output.call_id or state.composer.mint("call")
    if (output.id, 0, kind) not in response.streams:
        state.composer.open(response, kind, output.id, synthesised=False, **fields)


def call_done(state: State, response: Response, output: OutputItem, item: Item) -> None:
    """The item of a call is done: deliver it if it is whole, close it if it was cut."""
    if item.status in (None, "completed"):
        output.settled = True
        deliver_call(state, response, output, item.arguments)
    elif item.status == "incomplete":
        output.settled = True
        state.composer.finish(
            response,
            StreamKind.TOOL_CALL,
            output.id,
            text=item.arguments or None,
            ending=Ending.INCOMPLETE,
        )


def deliver_call(
    state: State, response: Response, output: OutputItem, arguments: str | None
) -> None:
    """Hand a whole call to the application, unless it has it."""
    if output.call_id is not None and state.composer.call_named(output.call_id) is not None:
        return
    arguments = arguments or output.arguments or ""
    name = output.name or ""
    state.composer.tool_call(
        response,
        output.id,
        call_id=output.call_id,
        name=name,
        arguments=arguments,
        args=_parsed(arguments),
        blocking=state.blocking(name),
    )


def _parsed(arguments: str) -> Mapping[str, Any] | None:
    try:
        parsed = parse_frame(arguments)
    except WireError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _arguments_delta(kind: StreamKind) -> Handler:
    def handle(state: State, wire: Wire) -> None:
        text, call_id = wire.text("delta"), wire.text_or("call_id")
        response = state.response_of(wire)
        item_id = state.item_of(wire, response)
        output = state.output(item_id, response.id)
        output.call_id = output.call_id or call_id
        if not text:
            _noted(state, wire, "an empty piece", response, item_id)
            return
        output.streamed = True
        call_added(state, response, output, kind)
        state.composer.text(response, kind, item_id, 0, text)

    return handle


def _arguments_done(state: State, wire: Wire) -> None:
    arguments = wire.text_or("arguments")
    name, call_id = wire.text_or("name"), wire.text_or("call_id")
    response = state.response_of(wire)
    item_id = state.item_of(wire, response)
    output = state.output(item_id, response.id)
    output.type = output.type or str(wire.data.get("type")).split(".")[1].removesuffix("_arguments")
    output.arguments = arguments or output.arguments
    output.name, output.call_id = output.name or name, output.call_id or call_id
    _noted(state, wire, "the call comes when its item is done", response, item_id)


def _noted(state: State, wire: Wire, why: str, response: Response, item_id: str) -> None:
    state.composer.noted(str(wire.data.get("type")), why, item_id=item_id, **ids_of(response))


# Calls that the provider makes.


def server_call_done(state: State, response: Response, output: OutputItem, item: Item) -> None:
    """The item of a server-side call is done: deliver what it returned."""
    composer, kind = state.composer, StreamKind.SERVER_TOOL
    output.settled = True
    arguments = item.arguments or output.arguments
    if arguments and not output.streamed:
        output.streamed = True
        call_added(state, response, output, kind)
        composer.text(response, kind, output.id, 0, arguments)
    if item.output is None and item.error is None and item.status == "incomplete":
        composer.finish(response, kind, output.id, ending=Ending.INCOMPLETE)
        return
    composer.server_tool_result(
        response,
        output.id,
        output=item.output if item.error is not None else item.output or "",
        error=item.error,
        name=output.name,
    )


def _server_status(status: str) -> Handler:
    def handle(state: State, wire: Wire) -> None:
        item_id = wire.text_or("item_id")
        state.composer.emit(ev.ServerToolStatus, status=status, **state.ids_of_item(item_id))

    return handle


def _listed(status: str) -> Handler:
    def handle(state: State, wire: Wire) -> None:
        item_id = wire.text_or("item_id")
        server = state.servers.get(item_id or "")
        state.composer.emit(
            ev.ToolsListed, status=status, server=server, **state.ids_of_item(item_id)
        )

    return handle


_STATUSES = ("in_progress", "completed", "failed")

ROWS: Mapping[str, Row] = {
    "response.function_call_arguments.delta": Row(
        _arguments_delta(StreamKind.TOOL_CALL), (ev.ToolCallDelta, ev.StreamOpened)
    ),
    "response.function_call_arguments.done": Row(_arguments_done, (ev.Noted,)),
    "response.mcp_call_arguments.delta": Row(
        _arguments_delta(StreamKind.SERVER_TOOL), (ev.ServerToolDelta, ev.StreamOpened)
    ),
    "response.mcp_call_arguments.done": Row(_arguments_done, (ev.Noted,)),
    **{
        f"response.mcp_call.{status}": Row(_server_status(status), (ev.ServerToolStatus,))
        for status in _STATUSES
    },
    **{f"mcp_list_tools.{status}": Row(_listed(status), (ev.ToolsListed,)) for status in _STATUSES},
}
