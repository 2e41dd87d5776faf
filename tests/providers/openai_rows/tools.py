"""Tools: calls, those that the server makes itself, and what it offers."""

from __future__ import annotations

from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import CALL, MCP, STARTED
from unirt import events as ev

__all__ = ["ROWS"]


def calling(status: str) -> Row:
    """A server tool's call goes on."""
    return (
        [STARTED, MCP],
        {"type": f"response.mcp_call.{status}", "item_id": "i3", "output_index": 0},
        [(ev.ServerToolStatus, {"status": status, "item_id": "i3", "response_id": "r1"})],
    )


def listing(status: str) -> Row:
    """The listing of a server's tools goes on."""
    return (
        [
            STARTED,
            {
                "type": "conversation.item.added",
                "item": {"id": "l1", "type": "mcp_list_tools", "server_label": "s"},
            },
        ],
        {"type": f"mcp_list_tools.{status}", "item_id": "l1"},
        [(ev.ToolsListed, {"status": status, "server": "s", "item_id": "l1"})],
    )


ROWS: list[Row] = [
    (
        [STARTED, CALL],
        {
            "type": "response.function_call_arguments.delta",
            "response_id": "r1",
            "item_id": "i2",
            "call_id": "k1",
            "delta": "{",
        },
        [(ev.ToolCallDelta, {"text": "{"})],
    ),
    (
        [STARTED, CALL],
        {
            "type": "response.function_call_arguments.done",
            "response_id": "r1",
            "item_id": "i2",
            "arguments": "{}",
        },
        [(ev.Noted, {"item_id": "i2", "response_id": "r1"})],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.mcp_call_arguments.delta",
            "response_id": "r1",
            "item_id": "i3",
            "delta": "{",
        },
        [(ev.ServerToolDelta, {"text": "{"})],
    ),
    (
        [STARTED, MCP],
        {
            "type": "response.mcp_call_arguments.done",
            "response_id": "r1",
            "item_id": "i3",
            "arguments": "{}",
        },
        [(ev.Noted, {"item_id": "i3"})],
    ),
    *map(calling, ("in_progress", "completed", "failed")),
    *map(listing, ("in_progress", "completed", "failed")),
]
