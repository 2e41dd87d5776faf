"""
Tools: how a function of the application's becomes something that the model can call.

A room for each noun: what a function takes (:mod:`~unirt.tools.inputs`) and what is said of it
(:mod:`~unirt.tools.docstring`), the tool itself (:mod:`~unirt.tools.function`), what a running call
knows (:mod:`~unirt.tools.context`), and tools that come from elsewhere
(:mod:`~unirt.tools.source`, :mod:`~unirt.tools.mcp`). Nothing here runs by itself: a session runs
the calls, in :mod:`unirt.session.calls`.

pydantic is imported when a function becomes a tool, and not before.
"""

from unirt.tools.context import ToolContext, ToolRequest, ToolResult
from unirt.tools.function import AnyTool, FunctionTool, tool, tools_of
from unirt.tools.source import ToolSource

__all__ = [
    "AnyTool",
    "FunctionTool",
    "ToolContext",
    "ToolRequest",
    "ToolResult",
    "ToolSource",
    "tool",
    "tools_of",
]
