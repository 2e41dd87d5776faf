"""A real MCP server, for tests; ``python mcp_server.py FILE`` speaks over pipes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

__all__ = ["new_server"]


def new_server(diary: Path) -> MCPServer:
    """A server that notes in `diary` what happened to it."""
    server = MCPServer("tests")

    def note(what: str) -> None:
        with diary.open("a") as file:
            file.write(f"{what}\n")

    @server.tool()
    def add(first: int, second: int) -> int:
        """Add two numbers."""
        return first + second

    @server.tool(structured_output=False)
    def read(name: str) -> str:
        """Read a file."""
        if name == "secret":
            raise ToolError("the file is secret")
        return f"what is in {name}"

    @server.tool(structured_output=False)
    def show() -> list[Any]:
        """Show many things."""
        return [
            TextContent(text="Look:"),
            ImageContent(data="aGk=", mime_type="image/png"),
            ResourceLink(name="more", uri="file:///more"),
            EmbeddedResource(resource=TextResourceContents(uri="file:///x", text="inside")),
        ]

    @server.tool(structured_output=False)
    async def hang() -> str:
        """Never return."""
        note("hangs")
        try:
            await asyncio.Event().wait()
        finally:
            note("cancelled")
        return ""

    @server.tool(structured_output=False)
    async def grow(context: Context[Any]) -> str:
        """Offer another tool."""

        def brag() -> str:
            """Say how tall one is."""
            return "very tall"

        server.add_tool(brag, structured_output=False)
        await context.notify_tools_changed()
        await context.session.send_tool_list_changed()
        return "grown"

    return server


if __name__ == "__main__":
    new_server(Path(sys.argv[1])).run("stdio")
