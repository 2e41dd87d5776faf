"""
MCP servers whose tools a server reads by itself, when a client configures them.

Each server is read once, and told as an item of the conversation. Nothing is dialled here: what is
listed are the tools that the client allows by name, and a server whose host ends in ``.invalid``
(RFC 2606, 2) cannot be reached. The order is the one of OpenAI's guide; it is recorded nowhere
(2026-11).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from unirt_openai.server.state import ServerState, oldest_dropped

__all__ = ["Listings"]


class Listings:
    """The MCP servers of one connection."""

    def __init__(self) -> None:
        self._read: dict[str, Any] = {}
        "By label, what was read last."

    def read(self, state: ServerState) -> None:
        """Read the tools of the servers that the session has now and did not have before."""
        for tool in state.session.get("tools") or ():
            label = tool.get("server_label")
            if tool["type"] == "mcp" and self._read.get(label) != tool:
                self._read[label] = tool
                oldest_dropped(self._read)
                _list(state, tool)


def _list(state: ServerState, tool: dict[str, Any]) -> None:
    item: dict[str, Any] = {
        "id": state.mint("mcpl"),
        "type": "mcp_list_tools",
        "server_label": tool.get("server_label"),
        "tools": [],
    }
    previous = state.conversation.add(item)
    state.say("conversation.item.added", previous_item_id=previous, item=dict(item))
    state.say("mcp_list_tools.in_progress", item_id=item["id"])
    if (urlsplit(tool.get("server_url") or "").hostname or "").endswith(".invalid"):
        state.say("mcp_list_tools.failed", item_id=item["id"])
        return
    item["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in _names(tool)]
    state.say("conversation.item.done", previous_item_id=previous, item=dict(item))
    state.say("mcp_list_tools.completed", item_id=item["id"])


def _names(tool: dict[str, Any]) -> list[str]:
    """The tools that the client allows, where it names any."""
    allowed = tool.get("allowed_tools") or ()
    return list(allowed.get("tool_names") or () if isinstance(allowed, dict) else allowed)
