"""
What an input for translators is: lines, so that people can read, write and shorten it.

::

    #3                      the fourth configuration; only as the first line
    {"serverContent": ...}  a frame of the server, for the client's translator
    >{"setup": ...}         a frame of a client, for the server's translator
    !5                      the sixth command
    @200                    200 ms pass

Whatever is none of the others is a frame of the server, and any bytes are some input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from unirt import commands as cmd
from unirt.commands import Command
from unirt.config import (
    Manual,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.items import Item, ItemKind, Role, TextContent

__all__ = ["COMMANDS", "CONFIGS", "Passes", "Served", "Step", "config_of", "steps_of"]

_SAID: Final = (
    Item(role=Role.USER, content=(TextContent(text="Hi"),)),
    Item(role=Role.ASSISTANT, content=(TextContent(text="Hello"),)),
    Item(kind=ItemKind.TOOL_CALL, call_id="call_0", name="f", arguments="{}"),
    Item(kind=ItemKind.TOOL_RESULT, call_id="call_0", name="f", output="1"),
)
_TOOLS: Final = (Tool(name="f"), Tool(name="get_weather"))

CONFIGS: Final = (
    SessionConfig(),
    SessionConfig(turn_detection=Manual(), tools=_TOOLS),
    SessionConfig(turn_detection=ServerVAD(interrupt=False)),
    SessionConfig(turn_detection=SemanticVAD()),
    SessionConfig(modalities=("text",), history=_SAID),
    SessionConfig(tools=_TOOLS, input_transcription=Transcription(enabled=False)),
    SessionConfig(model="gemini-2.5-flash-native-audio-latest", tools=_TOOLS),
    SessionConfig(
        model="gemini-3.8-live-extended-thinking", thinking=Thinking(include_thoughts=True)
    ),
)
"The configurations of an input; one that a provider refuses is the first one there."

COMMANDS: Final[tuple[Command, ...]] = (
    cmd.AppendAudio(data=bytes(960)),
    cmd.AppendAudio(data=bytes(9_600)),
    cmd.SendText(text="Hi"),
    cmd.SendText(text="Hi", respond=False),
    cmd.StartTurn(),
    cmd.EndTurn(),
    cmd.EndTurn(respond=False),
    cmd.CommitInput(),
    cmd.ClearInput(),
    cmd.Respond(),
    cmd.Respond(in_conversation=False),
    cmd.CancelResponse(),
    cmd.Interrupt(),
    cmd.Interrupt(played_ms=40.0),
    cmd.ReportPlayback(played_ms=20.0),
    cmd.ClearPlayback(),
    cmd.SendImage(data=b"x"),
    cmd.SendToolResult(call_id="call_1", output="sunny"),
    cmd.SendToolResult(call_id="call_1", output={"celsius": 1}, more_follows=True),
    cmd.SendToolResult(call_id="call_2", error="no"),
    cmd.ApproveServerTool(approval_id="approval_1", approve=True),
    cmd.SeedHistory(items=_SAID),
    cmd.UpdateSession(changes=SessionConfig(instructions="Be brief.")),
    cmd.UpdateSession(changes=SessionConfig(tools=_TOOLS)),
    cmd.TruncateItem(item_id="item_1", audio_end_ms=20),
    cmd.DeleteItem(item_id="item_1"),
    cmd.RetrieveItem(item_id="item_1"),
    cmd.CreateItem(item=_SAID[0]),
)

_NUMBERED: Final = re.compile(rb"([#!@])(\d{1,5})")


@attrs.frozen
class Passes:
    """Time passes."""

    seconds: float


@attrs.frozen
class Served:
    """A client's frame comes to the server."""

    frame: bytes


Step = bytes | Command | Passes | Served


def config_of(data: bytes) -> SessionConfig:
    """The configuration that an input asks for."""
    found = re.match(rb"#(\d{1,5})\n", data)
    return CONFIGS[int(found[1]) % len(CONFIGS) if found else 0]


def steps_of(data: bytes) -> Iterator[Step]:
    """What happens, in order."""
    for line in data.split(b"\n"):
        found = _NUMBERED.fullmatch(line)
        if not line or (found and found[1] == b"#"):
            continue
        if found is None:
            yield Served(line[1:]) if line.startswith(b">") else line
        elif found[1] == b"!":
            yield COMMANDS[int(found[2]) % len(COMMANDS)]
        else:
            yield Passes(int(found[2]) / 1000)
