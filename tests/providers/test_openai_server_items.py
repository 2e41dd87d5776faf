"""OpenAI's server side: the items of its conversation, which clients make, read and remove."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.openai_server_wire import (
    CALLED,
    DONE,
    SPOKEN,
    STARTED,
    Strict,
    Wire,
    types,
    user_text,
)
from unirt.commands import (
    ApproveServerTool,
    CreateItem,
    DeleteItem,
    RetrieveItem,
    SendImage,
    SendText,
    SendToolResult,
    TruncateItem,
)
from unirt.items import ImageContent, Item, ItemKind, Role, TextContent


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


@pytest.mark.parametrize(
    ("item", "command"),
    [
        (user_text("Hi"), SendText(text="Hi", respond=False)),
        (
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="}],
            },
            SendImage(data=b"\x89PNG", mime_type="image/png"),
        ),
        (
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "https://example.org/a.png"},
                ],
            },
            CreateItem(
                item=Item(
                    role=Role.USER,
                    content=(
                        TextContent(text="What is this?"),
                        ImageContent(url="https://example.org/a.png"),
                    ),
                )
            ),
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Hello"}],
            },
            CreateItem(item=Item(role=Role.ASSISTANT, content=(TextContent(text="Hello"),))),
        ),
        (
            {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"},
            CreateItem(item=Item(kind=ItemKind.TOOL_CALL, name="f", arguments="{}", call_id="c")),
        ),
        (
            {
                "type": "mcp_approval_response",
                "approval_request_id": "mcpr_1",
                "approve": True,
                "id": "item_mine",
            },
            ApproveServerTool(approval_id="mcpr_1", approve=True),
        ),
    ],
)
def test_an_item_is_acknowledged_and_heard_as_a_command(
    wire: Wire, item: dict[str, Any], command: object
) -> None:
    frames = wire.hear(type="conversation.item.create", event_id="event_7", item=item)
    assert types(frames) == ["conversation.item.added", "conversation.item.done"]
    [heard] = wire.server.heard()
    assert heard.command == command
    assert (heard.type, heard.command_id) == ("conversation.item.create", "event_7")


def test_items_chain_and_can_be_put_anywhere(wire: Wire) -> None:
    def create(id_: str, **place: str) -> str | None:
        item = {"id": id_, **user_text(id_)}
        previous = wire.hear(type="conversation.item.create", item=item, **place)[0][
            "previous_item_id"
        ]
        return None if previous is None else str(previous)

    assert create("item_1") is None
    assert create("item_2") == "item_1"
    assert create("item_0", previous_item_id="root") is None
    assert create("item_1b", previous_item_id="item_1") == "item_1"
    assert create("item_3") == "item_2"


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": "Hi"}],
            },
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"type": "message", "role": "robot", "content": []},
            "invalid_value",
            "item.role",
        ),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        ({"type": "poem"}, "invalid_value", "item.type"),
        ({}, "missing_required_parameter", "item.type"),
        ({"type": "message", "role": "user", "content": "Hi"}, "invalid_type", "item.content"),
        ({"id": "x" * 33, **user_text("Hi")}, "string_above_max_length", "item.id"),
        (
            {"type": "function_call_output", "call_id": "nobody", "output": ""},
            "invalid_tool_call_id",
            "item.call_id",
        ),
    ],
)
def test_a_bad_item_is_refused_and_the_next_one_is_not(
    wire: Wire, item: dict[str, Any], code: str, param: str
) -> None:
    error = wire.error(type="conversation.item.create", item=item)
    assert (error["code"], error["param"]) == (code, param)
    assert wire.command(type="conversation.item.create", item=user_text("Hi")) is not None


def test_an_item_is_refused_whose_id_is_taken_or_whose_place_is_nowhere(wire: Wire) -> None:
    item = {"id": "item_x", **user_text("Hi")}
    wire.hear(type="conversation.item.create", item=item)
    assert wire.error(type="conversation.item.create", item=item)["param"] == "item.id"
    lost = wire.error(
        type="conversation.item.create", item=user_text("Hi"), previous_item_id="item_y"
    )
    assert lost["param"] == "previous_item_id"


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("Sunny.", SendToolResult(call_id="call_a", output="Sunny.", respond=False)),
        ('{"error":"No."}', SendToolResult(call_id="call_a", error="No.", respond=False)),
        ('{"error":1}', SendToolResult(call_id="call_a", output='{"error":1}', respond=False)),
    ],
)
def test_the_result_of_a_call_is_heard(wire: Wire, output: str, result: SendToolResult) -> None:
    wire.say(STARTED, CALLED, DONE)
    item = {"type": "function_call_output", "call_id": "call_a", "output": output}
    frames = wire.hear(type="conversation.item.create", item=item)
    assert "status" not in frames[0]["item"]  # as recorded
    assert wire.server.heard()[-1].command == result


def test_items_can_be_read_and_removed(wire: Wire) -> None:
    wire.hear(type="conversation.item.create", item={"id": "item_x", **user_text("Hi")})
    [retrieved] = wire.hear(type="conversation.item.retrieve", item_id="item_x")
    assert retrieved["item"]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert wire.server.heard()[-1].command == RetrieveItem(item_id="item_x")
    assert types(wire.hear(type="conversation.item.delete", item_id="item_x")) == [
        "conversation.item.deleted"
    ]
    assert wire.server.heard()[-1].command == DeleteItem(item_id="item_x")
    for verb in ("retrieve", "delete", "truncate"):
        error = wire.error(type=f"conversation.item.{verb}", item_id="item_x")
        assert (error["code"], error["param"]) == (f"item_{verb}_invalid_item_id", "item_id")


def test_a_spoken_answer_can_be_cut_to_what_was_heard(wire: Wire) -> None:
    wire.say(STARTED, *SPOKEN, DONE)
    cut = {"type": "conversation.item.truncate", "item_id": "item_a", "content_index": 0}
    too_far = wire.error(**cut, audio_end_ms=1500)
    assert too_far["message"] == "Audio content of 1000ms is already shorter than 1500ms"
    [truncated] = wire.hear(**cut, audio_end_ms=400)
    assert (truncated["type"], truncated["audio_end_ms"]) == ("conversation.item.truncated", 400)
    assert wire.server.heard()[-1].command == TruncateItem(item_id="item_a", audio_end_ms=400)
    again = wire.error(**cut, audio_end_ms=500)
    assert again["message"] == "Audio content of 400ms is already shorter than 500ms"
    [retrieved] = wire.hear(type="conversation.item.retrieve", item_id="item_a")
    assert retrieved["item"]["content"] == [{"type": "output_audio", "transcript": None}]


def test_what_has_no_sound_cannot_be_cut(wire: Wire) -> None:
    wire.hear(type="conversation.item.create", item={"id": "item_x", **user_text("Hi")})
    error = wire.error(type="conversation.item.truncate", item_id="item_x", audio_end_ms=10)
    assert error["code"] == "unsupported_content_type"
