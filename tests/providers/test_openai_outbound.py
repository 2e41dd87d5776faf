"""Every command, by the exact frames that it becomes, or the error that refuses it."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import pytest
from openai.types import realtime

from tests.providers.openai_sending import CREATE, said, typed
from unirt import commands as cmd
from unirt import events as ev
from unirt.config import Manual, SessionConfig, Tool
from unirt.errors import (
    AudioFormatError,
    ConfigurationError,
    UnirtError,
    UnsupportedCommand,
    UnsupportedSetting,
    UsageError,
)
from unirt.items import AudioContent, ImageContent, Item, ItemKind, Role, TextContent
from unirt_openai import outbound
from unirt_openai.facts import VERBS

USER = {"id": "u_item_1", "type": "message", "role": "user"}
CREATE_ITEM = {"type": "conversation.item.create"}

ROWS: list[tuple[cmd.Command, list[dict[str, Any]]]] = [
    (
        cmd.SendText(text="Hé"),
        [{**CREATE_ITEM, "item": {**USER, "content": [typed("Hé")]}}, CREATE],
    ),
    (
        cmd.SendText(text="fyi", respond=False),
        [{**CREATE_ITEM, "item": {**USER, "content": [typed("fyi")]}}],
    ),
    (
        cmd.SendImage(data=b"\0\0\0", mime_type="image/png"),
        [
            {
                **CREATE_ITEM,
                "item": {
                    **USER,
                    "content": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}],
                },
            }
        ],
    ),
    (cmd.ClearInput(), [{"type": "input_audio_buffer.clear"}]),
    (cmd.Respond(), [CREATE]),
    (
        cmd.Respond(
            instructions="i",
            modalities=("text",),
            tools=(Tool(name="t"),),
            tool_choice="t",
            voice="voice_1",
            max_output_tokens=5,
            metadata={"a": "b"},
            in_conversation=False,
            input=(said(Role.USER, TextContent(text="x")),),
            provider_options={
                "audio": {"output": {"format": {"type": "audio/pcmu"}}},
                "parallel_tool_calls": True,
                "prompt": {"id": "p"},
                "reasoning": {"effort": "low"},
            },
        ),
        [
            {
                **CREATE,
                "response": {
                    "conversation": "none",
                    "instructions": "i",
                    "output_modalities": ["text"],
                    "max_output_tokens": 5,
                    "tools": [{"type": "function", "name": "t"}],
                    "tool_choice": {"type": "function", "name": "t"},
                    "audio": {
                        "output": {"voice": {"id": "voice_1"}, "format": {"type": "audio/pcmu"}}
                    },
                    "metadata": {"a": "b"},
                    "input": [{"type": "message", "role": "user", "content": [typed("x")]}],
                    "parallel_tool_calls": True,
                    "prompt": {"id": "p"},
                    "reasoning": {"effort": "low"},
                },
            }
        ],
    ),
    (
        cmd.Respond(
            input=(Item(kind=ItemKind.OTHER, data={"type": "item_reference", "id": "i7"}),)
        ),
        [{**CREATE, "response": {"input": [{"type": "item_reference", "id": "i7"}]}}],
    ),
    (
        cmd.TruncateItem(item_id="i1", audio_end_ms=5, content_index=1),
        [
            {
                "type": "conversation.item.truncate",
                "item_id": "i1",
                "content_index": 1,
                "audio_end_ms": 5,
            }
        ],
    ),
    (cmd.DeleteItem(item_id="i1"), [{"type": "conversation.item.delete", "item_id": "i1"}]),
    (cmd.RetrieveItem(item_id="i1"), [{"type": "conversation.item.retrieve", "item_id": "i1"}]),
    (
        cmd.ApproveServerTool(approval_id="q1", approve=False, reason="no"),
        [
            {
                **CREATE_ITEM,
                "item": {
                    "id": "u_item_1",
                    "type": "mcp_approval_response",
                    "approval_request_id": "q1",
                    "approve": False,
                    "reason": "no",
                },
            }
        ],
    ),
    (
        cmd.UpdateSession(changes=SessionConfig(instructions="new", turn_detection=Manual())),
        [
            {
                "type": "session.update",
                "session": {
                    "type": "realtime",
                    "instructions": "new",
                    "audio": {"input": {"turn_detection": None}},
                },
            }
        ],
    ),
    (
        cmd.CreateItem(item=said(Role.SYSTEM, TextContent(text="s")), previous_item_id="root"),
        [
            {
                **CREATE_ITEM,
                "item": {
                    "id": "u_item_1",
                    "type": "message",
                    "role": "system",
                    "content": [typed("s")],
                },
                "previous_item_id": "root",
            }
        ],
    ),
    (
        cmd.CreateItem(item=said(Role.USER, AudioContent(data=b"\0\0\0\0"), id="mine")),
        [
            {
                **CREATE_ITEM,
                "item": {
                    **USER,
                    "id": "mine",
                    "content": [{"type": "input_audio", "audio": "AAAAAA=="}],
                },
            }
        ],
    ),
    (cmd.ReportPlayback(played_ms=5), []),
    (cmd.SendRaw(frame={"type": "x", "event_id": "e"}), [{"type": "x"}]),
]


@pytest.mark.parametrize(("command", "frames"), ROWS, ids=[type(row[0]).__name__ for row in ROWS])
def test_a_command_becomes(
    openai_wire: Any, command: cmd.Command, frames: list[dict[str, Any]]
) -> None:
    assert openai_wire().send(command) == frames


def test_audio_becomes_one_frame_of_base64(openai_wire: Any) -> None:
    wire = openai_wire()
    data = bytes(range(200)) * 2
    (frame,) = wire.send(cmd.AppendAudio(data=data))
    assert frame.pop("type") == "input_audio_buffer.append"
    assert base64.b64decode(frame.pop("audio")) == data
    assert frame == {}


def test_no_audio_is_no_frame(openai_wire: Any) -> None:
    assert openai_wire().send(cmd.AppendAudio(data=b"")) == []


def test_audio_that_is_too_long_for_one_frame_is_sent_in_several(openai_wire: Any) -> None:
    wire = openai_wire()
    data = bytes(outbound.APPEND_BYTES + 2)
    frames = wire.send(cmd.AppendAudio(data=data))
    assert b"".join(base64.b64decode(frame["audio"]) for frame in frames) == data
    assert all(len(frame["audio"]) <= 15 * 1024 * 1024 for frame in frames)
    assert len(frames) == 2


@pytest.mark.parametrize("raw", ['{"type":"x" }', b"\0\1"])
def test_raw_frames_go_untouched(openai_wire: Any, raw: str | bytes) -> None:
    wire = openai_wire()
    wire.translator.send(cmd.SendRaw(frame=raw), 0.0)
    assert wire.translator.frames_to_send() == [raw]


def test_every_frame_carries_its_own_id(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.translator.send(cmd.SendText(text="a"), 0.0)
    wire.translator.send(cmd.AppendAudio(data=b"\0\0"), 0.0)
    ids = [json.loads(frame)["event_id"] for frame in wire.translator.frames_to_send()]
    assert len(set(ids)) == len(ids) == 3


def test_a_manual_turn_is_committed_and_answered(openai_wire: Any) -> None:
    wire = openai_wire(turn_detection=Manual())
    assert wire.send(cmd.StartTurn()) == []
    wire.send(cmd.AppendAudio(data=bytes(4800)))
    assert wire.send(cmd.EndTurn()) == [{"type": "input_audio_buffer.commit"}, CREATE]
    committed = {"type": "input_audio_buffer.committed", "item_id": "u1"}
    (event,) = wire.hear(committed)
    assert event.turn_id == "u_turn_1"


def test_a_manual_turn_can_go_unanswered(openai_wire: Any) -> None:
    wire = openai_wire(turn_detection=Manual())
    wire.send(cmd.StartTurn())
    wire.send(cmd.AppendAudio(data=bytes(4800)))
    assert wire.send(cmd.EndTurn(respond=False)) == [{"type": "input_audio_buffer.commit"}]


def test_a_commit_of_what_was_appended(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.send(cmd.AppendAudio(data=bytes(4800)))
    assert wire.send(cmd.CommitInput()) == [{"type": "input_audio_buffer.commit"}]


# What is refused, before anything is sent.

REFUSED: list[tuple[cmd.Command, type[UnirtError], str]] = [
    (cmd.ClearPlayback(), UnsupportedCommand, "interrupt"),
    (cmd.StartTurn(), UsageError, "Manual"),
    (cmd.EndTurn(), UsageError, "Manual"),
    (cmd.CommitInput(), UsageError, "no audio"),
    (cmd.AppendAudio(data=b"\0"), AudioFormatError, "1 bytes"),
    (cmd.SendToolResult(call_id="never"), UsageError, "never"),
    (cmd.SendRaw(frame={"x": object()}), UsageError, "JSON"),
    (cmd.Respond(provider_options={"nope": 1}), UnsupportedSetting, "nope"),
    (cmd.Respond(provider_options={"conversation": "x"}), UnsupportedSetting, "in_conversation"),
    (cmd.Respond(metadata={"a": object()}), ConfigurationError, "JSON"),  # type: ignore[dict-item]  # the case
    (cmd.UpdateSession(changes=SessionConfig(model="other")), UnsupportedSetting, "new connection"),
    (cmd.UpdateSession(changes=SessionConfig(history=())), UnsupportedSetting, "seed"),
    (cmd.UpdateSession(changes=SessionConfig(temperature=1)), UnsupportedSetting, "temperature"),
    (
        cmd.CreateItem(item=said(Role.ASSISTANT, AudioContent(data=b"\0\0"))),
        UsageError,
        "transcript",
    ),
    (
        cmd.CreateItem(item=said(Role.ASSISTANT, ImageContent(data=b"x"))),
        UsageError,
        "picture",
    ),
    (cmd.CreateItem(item=said(Role.USER)), UsageError, "nothing"),
    (
        cmd.CreateItem(item=Item(kind=ItemKind.OTHER, data={"x": object()})),
        UsageError,
        "JSON",
    ),
    (
        cmd.SeedHistory(
            items=(
                said(Role.USER, TextContent(text="fine")),
                Item(kind=ItemKind.OTHER, data={"type": "novelty", "x": {1}}),
            )
        ),
        UsageError,
        "JSON",
    ),
]


@pytest.mark.parametrize(
    ("command", "error", "words"), REFUSED, ids=[type(row[0]).__name__ for row in REFUSED]
)
def test_a_command_that_cannot_be_done_sends_nothing(
    openai_wire: Any, command: cmd.Command, error: type[UnirtError], words: str
) -> None:
    wire = openai_wire()
    with pytest.raises(error, match=words):
        wire.send(command)
    assert wire.sent() == []
    assert wire.events() == []


# Completeness.


def test_every_command_has_a_fact_and_a_test() -> None:
    commands = {command.__name__ for command in get_args(cmd.Command)}
    assert set(VERBS) == commands
    shown = {type(row[0]).__name__ for row in ROWS} | {type(row[0]).__name__ for row in REFUSED}
    elsewhere = {"SeedHistory", "Interrupt", "CancelResponse", "SendToolResult"}
    assert shown | elsewhere == commands


def test_all_eleven_client_events_can_be_sent(openai_wire: Any) -> None:
    names = {
        literal
        for member in get_args(get_args(realtime.RealtimeClientEvent)[0])
        for literal in get_args(member.model_fields["type"].annotation)
    }
    assert len(names) == 11
    wire = openai_wire(turn_detection=Manual())
    wire.hear({"type": "response.created", "response": {"id": "r1"}})
    sent = set()
    for command in (
        cmd.StartTurn(),
        cmd.AppendAudio(data=bytes(4800)),
        cmd.CommitInput(),
        cmd.CancelResponse(),
        *(row[0] for row in ROWS),
    ):
        sent |= {frame["type"] for frame in wire.send(command)}
    wire.hear({"type": "response.done", "response": {"id": "r1"}})
    sent |= {frame["type"] for frame in wire.sent()}
    refused = {"output_audio_buffer.clear"}
    assert names - sent == refused


@pytest.mark.parametrize(("said", "held"), [(575, 575), (576, 512), (2000, 528)])
def test_of_texts_that_were_never_confirmed_the_latest_are_told(
    openai_wire: Any, said: int, held: int
) -> None:
    """No more than 512 are held, but for 63 that are yet to be forgotten together."""
    wire = openai_wire()
    for number in range(said):
        wire.send(cmd.SendText(text=str(number), respond=False))
    wire.translator.receive_close(1006, "", "network", wire.now)
    ended = [e.text for e in wire.translator.events_received() if type(e) is ev.StreamClosed]
    assert ended == [str(number) for number in range(said)][-held:]
