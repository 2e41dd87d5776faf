"""
Tool calls, said by a server: functions of the application's, and tools that the server runs.

A function call is over as soon as it is delivered whole. A call that the server runs over MCP is
over with its result; on the way it says how it gets on, in frames that name no response (openai
types ``ResponseMcpCallInProgress`` and its siblings, SDK 3.54.0, 2026-11; their order is not
recorded anywhere and follows OpenAI's guide).
"""

from __future__ import annotations

from typing import Any, ClassVar

from unirt.events import Ending, ServerToolResult, StreamKind, ToolCall
from unirt.wire import parse_frame
from unirt_openai.server.items import Answer, OutputItem
from unirt_openai.server.state import ServerState

__all__ = ["FunctionCall", "McpCall"]


class _Call(OutputItem):
    """What both kinds share: arguments that grow as JSON text."""

    stem = ""

    def __init__(self, state: ServerState, answer: Answer, wire: dict[str, Any]) -> None:
        super().__init__(state, answer, wire)
        self._said: list[str] = []
        self._complete = False

    def named(self) -> dict[str, Any]:
        """What the frames about the arguments say beside them."""
        return {}

    def grow(self, text: str) -> None:
        """Say the next piece of the arguments."""
        self._said.append(text)
        self.say(f"{self.stem}.delta", **self.named(), delta=text)

    def complete(self, arguments: str) -> None:
        """Say that the arguments are whole, and what of them the pieces left out."""
        if self._complete:
            return
        so_far = "".join(self._said)
        if arguments != so_far and arguments.startswith(so_far):
            self.grow(arguments[len(so_far) :])
        self._complete = True
        self._said.clear()
        self.wire["arguments"] = arguments
        self.say_complete(arguments)

    def say_complete(self, arguments: str) -> None:
        self.say(f"{self.stem}.done", arguments=arguments)

    def known(self) -> str:
        """The arguments that the item came with; in a stranger's they may be anything."""
        known = self.wire.get("arguments")
        return known if isinstance(known, str) else ""

    def wind_up(self, ending: Ending) -> None:
        if not self._complete:
            known = self.known()
            self.whole = self.whole and ending is Ending.COMPLETE and bool(known)
            self.complete(known or "".join(self._said))


class FunctionCall(_Call):
    """A call that the application answers."""

    KINDS: ClassVar[frozenset[StreamKind]] = frozenset({StreamKind.TOOL_CALL})
    stem = "response.function_call_arguments"

    def __init__(self, state: ServerState, answer: Answer, wire: dict[str, Any]) -> None:
        named = {"name": wire.get("name", ""), "call_id": wire.get("call_id", wire["id"])}
        super().__init__(state, answer, {**wire, **named})

    def named(self) -> dict[str, Any]:
        return {"call_id": self.wire["call_id"]}

    def say_complete(self, arguments: str) -> None:
        named = {**self.named(), "name": self.wire["name"]}
        self.say(f"{self.stem}.done", **named, arguments=arguments)

    def deliver(self, event: ToolCall) -> None:
        """Say the whole call; that finishes it."""
        self.wire["name"] = event.name
        self.complete(event.arguments)
        self.finish()


class McpCall(_Call):
    """A call that the server runs itself."""

    KINDS: ClassVar[frozenset[StreamKind]] = frozenset({StreamKind.SERVER_TOOL})
    stem = "response.mcp_call_arguments"

    def __init__(self, state: ServerState, answer: Answer, wire: dict[str, Any]) -> None:
        super().__init__(state, answer, wire)
        self._statuses: set[str] = set()

    def status(self, status: str) -> None:
        """Say how it gets on, once each."""
        if status not in self._statuses:
            self._statuses.add(status)
            self.state.say(f"response.mcp_call.{status}", output_index=self.index, item_id=self.id)

    def deliver(self, event: ServerToolResult) -> None:
        """Say what it returned; that finishes it."""
        self.complete(self.known() or "".join(self._said))
        self.status("in_progress")
        self.wire["output"] = event.output
        if event.error is not None:
            self.wire["error"] = _error(event.error)
        self.status("completed" if event.error is None else "failed")
        self.finish()


def _error(text: str) -> dict[str, Any]:
    """The error object of a call: the text as it is, or the object that it holds as JSON."""
    try:
        value = parse_frame(text)
    except ValueError:
        value = None
    if isinstance(value, dict) and isinstance(value.get("type"), str) and "message" in value:
        return value
    return {"type": "tool_execution_error", "message": text}
