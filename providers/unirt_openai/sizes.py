"""
How large the frames of a command are: a data channel takes no larger ones than its peer said.

What is too large is refused before anything of the command is queued. Only the commands are looked
at that can be large, and of those the one part that is. Of a history that a connection begins with,
what is too large is left out and told, as all else that cannot be carried.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from unirt import commands as cmd
from unirt.commands import Command
from unirt.composer import Seeds
from unirt.errors import UsageError
from unirt.items import ImageContent, Item, Role, TextContent
from unirt_openai.configure import response_object, session_object
from unirt_openai.items import write_item
from unirt_openai.seeding import creatable, fitting
from unirt_openai.state import State

__all__ = ["check", "passes"]

_AROUND = 512
"Bytes for what is around that part: the type, and ids of ours."


def check(state: State, command: Command, largest: int | None) -> None:
    """
    Refuse a command one of whose frames would be too large.

    Raises:
        UsageError: It would.
    """
    if largest is None:
        return
    for part in _parts(state, command):
        size = _AROUND + len(_written(part))
        if size > largest:
            raise UsageError(
                f"a message of some {size} bytes is more than the peer takes in one ({largest})",
                where=type(command).__name__,
                remedy="send less at once, or use transport='websocket'",
            )


def passes(item: Item, largest: int | None) -> bool:
    """Whether an item can be created where frames may have so many bytes."""
    return largest is None or _AROUND + len(_written(write_item(item))) <= largest


def _parts(state: State, command: Command) -> Iterator[Any]:
    match command:
        case cmd.SendText(text=text):
            yield write_item(Item(role=Role.USER, content=(TextContent(text=text),)))
        case cmd.SendImage(data=data, mime_type=mime_type):
            image = ImageContent(data=data, mime_type=mime_type)
            yield write_item(Item(role=Role.USER, content=(image,)))
        case cmd.SendToolResult(output=output, error=error):
            said: Any = output if error is None else {"error": error}
            yield {"output": said if isinstance(said, str) else _written(said).decode()}
        case cmd.CreateItem(item=item):
            written = creatable(item, audio_format=state.input_format, where="CreateItem.item")
            yield None if written is None else write_item(written)
        case cmd.SeedHistory(items=items):
            yield from map(write_item, _fitted(state, items))
        case cmd.UpdateSession(changes=changes):
            yield session_object(attrs.evolve(changes, model=None), state.capabilities)
        case cmd.Respond():
            yield response_object(command, state.capabilities)
        case cmd.SendRaw(frame=frame):
            yield frame
        case _:
            pass


def _fitted(state: State, items: tuple[Item, ...]) -> Iterable[Item]:
    return fitting(
        items,
        audio_format=state.input_format,
        known_calls=state.names.calls,
        seeds=Seeds(len(items)),
    )


def _written(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, str):
        return part.encode()
    return json.dumps(part, ensure_ascii=False, default=str).encode()
