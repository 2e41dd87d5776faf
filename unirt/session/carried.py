"""
Tool calls whose connection was left, and whose results somebody still has to know.

Their functions go on. Whoever answers now has never asked for what they return, so that goes in as
conversation, and once the last one is there the model is asked to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from unirt.commands import Command, Respond, SeedHistory, SendToolResult
from unirt.errors import UnsupportedCommand
from unirt.events import Event, ToolCallCancelled
from unirt.items import Item, ItemKind

__all__ = ["Carried"]


class Carried:
    """The calls of one session that a move did not settle."""

    def __init__(self) -> None:
        self._calls: set[str] = set()
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            ToolCallCancelled: self._cancelled
        }

    def __bool__(self) -> bool:
        return bool(self._calls)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._calls))

    def leave(self, history: Iterable[Item]) -> None:
        """A connection is left; what it asked for and did not get is in its history."""
        items = tuple(history)
        answered = {item.call_id for item in items if item.kind is ItemKind.TOOL_RESULT}
        for item in items:
            pending = item.kind is ItemKind.TOOL_CALL and item.status != "incomplete"
            if pending and item.call_id is not None and item.call_id not in answered:
                self._calls.add(item.call_id)

    def takes(self, command: Command) -> bool:
        """Whether a command is the result of one of them."""
        return isinstance(command, SendToolResult) and command.call_id in self._calls

    def as_conversation(
        self, result: SendToolResult, history: Iterable[Item], provider: str
    ) -> list[Command]:
        """
        What to say instead of the result of one of them, once the history has it.

        Raises:
            UnsupportedCommand: It is not the whole result.
        """
        if result.more_follows:
            raise UnsupportedCommand(
                "SendToolResult(more_follows=)",
                provider=provider,
                why="the call was made over a connection that was left",
                remedy="send the whole result",
            )
        self._calls.discard(result.call_id)
        mine = [
            item
            for item in history
            if item.kind is ItemKind.TOOL_RESULT and item.call_id == result.call_id
        ]
        said: list[Command] = [SeedHistory(items=tuple(mine))] if mine else []
        if result.respond and not self._calls:
            said.append(Respond())
        return said

    def _cancelled(self, event: ToolCallCancelled) -> None:
        self._calls -= set(event.call_ids)
