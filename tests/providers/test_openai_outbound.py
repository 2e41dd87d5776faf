"""Every command, by the exact frames that it becomes, or the error that refuses it."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import pytest
from openai.types import realtime

from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import G711_ULAW
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
CREATE = {"type": "response.create"}
CALL_ITEM = {
    "id": "f1",
    "type": "function_call",
    "status": "completed",
    "name": "look",
    "call_id": "k1",
    "arguments": "{}",
}
CALLED = [
    {"type": "response.created", "response": {"id": "r1"}},
    {"type": "response.output_item.done", "response_id": "r1", "item": CALL_ITEM},
    {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
]


def said(role: Role, *content: Any, **fields: Any) -> Item:
    return Item(role=role, content=content, **fields)


def typed(text: str) -> dict[str, Any]:
    return {"type": "input_text", "text": text}


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


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ({"output": "plain"}, "plain"),
        ({"output": {"a": 1}}, '{"a": 1}'),
        ({"output": None}, "null"),
        ({"error": "broke"}, '{"error": "broke"}'),
    ],
)
def test_a_result_becomes_text(openai_wire: Any, command: dict[str, Any], output: str) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    item, create = wire.send(cmd.SendToolResult(call_id="k1", **command))
    assert item["item"] == {
        "id": "u_item_1",
        "type": "function_call_output",
        "call_id": "k1",
        "output": output,
    }
    assert create == CREATE


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


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (cmd.SendToolResult(call_id="k1", output=object()), UsageError),
        (cmd.SendToolResult(call_id="k1", more_follows=True), UnsupportedCommand),
    ],
)
def test_a_result_that_cannot_be_sent_leaves_the_call_open(
    openai_wire: Any, command: cmd.Command, error: type[UnirtError]
) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    with pytest.raises(error):
        wire.send(command)
    assert len(wire.send(cmd.SendToolResult(call_id="k1", output="x"))) == 2


def test_a_call_is_answered_once(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    wire.send(cmd.SendToolResult(call_id="k1", output="x"))
    with pytest.raises(UsageError, match="already"):
        wire.send(cmd.SendToolResult(call_id="k1", output="x"))


def test_a_call_that_was_answered_by_an_item_is_answered(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(*CALLED)
    item = Item(kind=ItemKind.TOOL_RESULT, call_id="k1", output="x")
    assert len(wire.send(cmd.CreateItem(item=item))) == 1
    with pytest.raises(UsageError, match="already"):
        wire.send(cmd.SendToolResult(call_id="k1", output="x"))


# History.


def test_history_is_created_item_by_item_and_asks_for_no_answer(openai_wire: Any) -> None:
    wire = openai_wire()
    items = (
        said(Role.USER, TextContent(text="Hi"), id="old_1", status="completed"),
        said(Role.ASSISTANT, AudioContent(transcript="Hello"), phase="final_answer"),
        said(Role.USER, AudioContent(transcript="Weather?")),
        Item(kind=ItemKind.TOOL_CALL, call_id="k1", name="look", arguments="{}"),
        Item(kind=ItemKind.TOOL_RESULT, call_id="k1", output="fog"),
    )
    frames = wire.send(cmd.SeedHistory(items=items))
    assert [frame["type"] for frame in frames] == ["conversation.item.create"] * 5
    assert [frame["item"] for frame in frames] == [
        {"id": "old_1", "type": "message", "role": "user", "content": [typed("Hi")]},
        {
            "id": "u_item_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello"}],
        },
        {"id": "u_item_2", "type": "message", "role": "user", "content": [typed("Weather?")]},
        {
            "id": "u_item_3",
            "type": "function_call",
            "name": "look",
            "call_id": "k1",
            "arguments": "{}",
        },
        {"id": "u_item_4", "type": "function_call_output", "call_id": "k1", "output": "fog"},
    ]


def test_history_opens_no_turn(openai_wire: Any) -> None:
    wire = openai_wire()
    (frame,) = wire.send(cmd.SeedHistory(items=(said(Role.USER, TextContent(text="Hi")),)))
    added = {"type": "conversation.item.added", "item": {**frame["item"], "status": "completed"}}
    seeded, event = wire.hear(added)
    assert isinstance(seeded, ev.HistorySeeded)
    assert isinstance(event, ev.ItemAdded)
    assert event.turn_id is None


def test_ids_that_the_provider_would_refuse_are_replaced_in_pairs(openai_wire: Any) -> None:
    wire = openai_wire()
    long = "x" * 40
    items = (
        Item(kind=ItemKind.TOOL_CALL, id=long, call_id=long, name="look", arguments="{}"),
        Item(kind=ItemKind.TOOL_RESULT, id="same", call_id=long, output="fog"),
        said(Role.USER, TextContent(text="x"), id="same"),
    )
    call, result, other = (f["item"] for f in wire.send(cmd.SeedHistory(items=items)))
    assert call["call_id"] == result["call_id"] == "u_call_1"
    ids = [call["id"], result["id"], other["id"]]
    assert len(set(ids)) == 3
    assert all(len(id_) <= 32 for id_ in ids)


def test_items_that_hold_no_words_are_left_out_and_that_is_said(openai_wire: Any) -> None:
    wire = openai_wire()
    items = (
        said(Role.ASSISTANT, AudioContent()),
        Item(kind=ItemKind.SERVER_TOOL, data={"type": "mcp_call"}),
    )
    assert wire.send(cmd.SeedHistory(items=items)) == []
    (seeded,) = wire.events()
    assert isinstance(seeded, ev.HistorySeeded)
    assert (seeded.carried, seeded.changed) == (0, ())
    assert [(note.index, note.what) for note in seeded.lost] == [
        (0, "speech without a transcript was left out; it has no words"),
        (1, "only the provider creates what is of kind server_tool"),
    ]


def test_what_the_protocol_has_no_form_for_is_changed_and_that_is_said(openai_wire: Any) -> None:
    """Field 17."""
    wire = openai_wire()
    picture = ImageContent(data=b"x")
    items = (
        said(Role.SYSTEM, TextContent(text="Be kind.")),
        said(Role.USER, AudioContent(data=b"\0" * 4, transcript="four bytes")),
        said(Role.USER, AudioContent(data=b"\0", format=G711_ULAW, transcript="another format")),
        said(Role.USER, TextContent(text="look"), picture),
        said(Role.ASSISTANT, TextContent(text="here"), picture),
        said(Role.ASSISTANT, AudioContent(transcript="Well", whole="Well then")),
        Item(kind=ItemKind.TOOL_RESULT, call_id="k9", name="look", output="fog"),
        Item(kind=ItemKind.TOOL_CALL, call_id="k1", name="look", arguments="{}"),
        Item(kind=ItemKind.TOOL_RESULT, call_id="k1", name="look", output="sun"),
    )
    frames = wire.send(cmd.SeedHistory(items=items))
    (seeded,) = wire.events()

    assert [(f["item"]["type"], f["item"].get("role")) for f in frames] == [
        ("message", "system"),
        ("message", "user"),
        ("message", "user"),
        ("message", "user"),
        ("message", "assistant"),
        ("message", "assistant"),
        ("message", "user"),
        ("function_call", None),
        ("function_call_output", None),
    ]
    assert frames[1]["item"]["content"][0]["type"] == "input_audio"
    assert [part["type"] for part in frames[3]["item"]["content"]] == ["input_text", "input_image"]
    assert frames[5]["item"]["content"] == [{"type": "output_text", "text": "Well"}]
    assert frames[6]["item"]["content"] == [typed("[look returned fog]")]
    assert (seeded.carried, seeded.lost) == (5, ())
    assert {note.index: note.what for note in seeded.changed} == {
        2: "speech became its transcript",
        4: "a picture that is not the user's was left out",
        5: "speech became its transcript",
        6: "the result of a call that is not there became text",
    }
    later = (Item(kind=ItemKind.TOOL_RESULT, call_id="k1", output="late"),)
    (frame,) = wire.send(cmd.SeedHistory(items=later))
    assert frame["item"]["type"] == "function_call_output"


def test_our_ids_avoid_those_of_the_history(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.send(cmd.SeedHistory(items=(said(Role.USER, TextContent(text="x"), id="u_item_1"),)))
    (frame, _) = wire.send(cmd.SendText(text="y"))
    assert frame["item"]["id"] == "u_item_2"


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


def test_the_result_of_a_call_that_was_created_may_be_seeded(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.send(
        cmd.CreateItem(
            item=Item(kind=ItemKind.TOOL_CALL, call_id="c9", name="look", arguments="{}")
        )
    )
    result = Item(kind=ItemKind.TOOL_RESULT, call_id="c9", output="fine")
    (frame,) = wire.send(cmd.SeedHistory(items=(result,)))
    assert frame["item"]["type"] == "function_call_output"
    assert frame["item"]["call_id"] == "c9"
