"""Items and token counts, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from unirt.audio import PCM16_24K
from unirt.items import AudioContent, ImageContent, Item, ItemKind, Role, TextContent
from unirt.usage import Tokens, Usage
from unirt.wire import Wire, WireError
from unirt_openai.items import read_item, write_item
from unirt_openai.usage import read_transcription_usage, read_usage, write_usage

PAIRS: list[tuple[dict[str, Any], Item]] = [
    (
        {
            "id": "i",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "a"},
                {"type": "input_audio", "transcript": None},
                {"type": "input_image", "image_url": "https://x/y.png"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ],
        },
        Item(
            id="i",
            role=Role.USER,
            status="completed",
            content=(
                TextContent(text="a"),
                AudioContent(),
                ImageContent(url="https://x/y.png"),
                ImageContent(data=b"\0\0\0", mime_type="image/png"),
            ),
        ),
    ),
    (
        {
            "id": "i",
            "type": "message",
            "role": "assistant",
            "phase": "final_answer",
            "content": [
                {"type": "output_text", "text": "a"},
                {"type": "output_audio", "transcript": "b"},
                {"type": "output_audio", "audio": "AAAA", "transcript": "c"},
            ],
        },
        Item(
            id="i",
            role=Role.ASSISTANT,
            phase="final_answer",
            content=(
                TextContent(text="a"),
                AudioContent(transcript="b"),
                AudioContent(transcript="c", data=b"\0\0\0", format=PCM16_24K),
            ),
        ),
    ),
    (
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
        Item(role=Role.SYSTEM, content=(TextContent(text="s"),)),
    ),
    (
        {
            "id": "f",
            "type": "function_call",
            "status": "in_progress",
            "name": "look",
            "call_id": "k",
            "arguments": "{}",
        },
        Item(
            kind=ItemKind.TOOL_CALL,
            id="f",
            status="in_progress",
            name="look",
            call_id="k",
            arguments="{}",
        ),
    ),
    (
        {"id": "o", "type": "function_call_output", "call_id": "k", "output": "x"},
        Item(kind=ItemKind.TOOL_RESULT, id="o", call_id="k", output="x"),
    ),
]
_MCP: dict[str, Any] = {
    "id": "m",
    "type": "mcp_call",
    "server_label": "s",
    "name": "find",
    "arguments": "{}",
    "output": None,
    "error": {"type": "http_error", "code": 500, "message": "down"},
}
_LIST: dict[str, Any] = {"id": "l", "type": "mcp_list_tools", "server_label": "s", "tools": []}
_ODD: dict[str, Any] = {
    "id": "x",
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "a"}, {"type": "input_smell", "v": 1}],
}
_ALIEN: dict[str, Any] = {"id": "z", "type": "telepathy", "wave": 3}
PAIRS += [
    (
        _MCP,
        Item(
            kind=ItemKind.SERVER_TOOL,
            id="m",
            name="find",
            arguments="{}",
            error="down",
            data=_MCP,
        ),
    ),
    (_LIST, Item(kind=ItemKind.SERVER_TOOL, id="l", data=_LIST)),
    (_ODD, Item(id="x", role=Role.USER, content=(TextContent(text="a"),), data=_ODD)),
    (_ALIEN, Item(kind=ItemKind.OTHER, id="z", data=_ALIEN)),
]


@pytest.mark.parametrize(("wire", "item"), PAIRS, ids=[str(row[0]["type"]) for row in PAIRS])
def test_an_item_is_read_and_written_back(wire: dict[str, Any], item: Item) -> None:
    assert read_item(Wire(wire)) == item
    assert write_item(item) == wire


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        ({"type": "text", "text": "a"}, TextContent(text="a")),
        ({"type": "audio", "transcript": "a"}, AudioContent(transcript="a")),
        ({"type": "input_text", "text": None}, TextContent(text="")),
        ({"type": "input_audio", "audio": ""}, AudioContent()),
    ],
)
def test_the_betas_names_and_empty_fields_are_read(wire: dict[str, Any], content: Any) -> None:
    item = read_item(Wire({"type": "message", "role": "assistant", "content": [wire]}))
    assert item.content == (content,)


def test_a_role_decides_and_not_the_shape() -> None:
    item = read_item(Wire({"role": "user", "content": [{"type": "output_text", "text": "a"}]}))
    assert (item.kind, item.role) == (ItemKind.MESSAGE, Role.USER)


def test_a_role_that_is_not_known_keeps_its_item() -> None:
    wire = {"type": "message", "role": "narrator", "content": []}
    item = read_item(Wire(wire))
    assert (item.role, item.data) == (None, wire)


@pytest.mark.parametrize(
    ("item", "output"),
    [
        (Item(kind=ItemKind.TOOL_RESULT, call_id="k", error="broke"), '{"error": "broke"}'),
        (Item(kind=ItemKind.TOOL_RESULT, call_id="k"), ""),
    ],
)
def test_a_result_without_an_output_is_written(item: Item, output: str) -> None:
    assert write_item(item)["output"] == output


def test_an_output_that_is_no_text_is_read_as_json() -> None:
    item = read_item(Wire({"type": "function_call_output", "output": [{"type": "text"}]}))
    assert item.output == '[{"type": "text"}]'


def test_a_server_side_call_of_another_provider_is_written_as_one_of_mcp() -> None:
    item = Item(kind=ItemKind.SERVER_TOOL, id="m", name="search", output="found")
    wire = write_item(item)
    assert (wire["type"], wire["name"], wire["output"]) == ("mcp_call", "search", "found")


def test_a_field_of_the_wrong_type_says_where() -> None:
    with pytest.raises(WireError, match=r"\$\.content\[0\]\.audio"):
        read_item(
            Wire({"type": "message", "role": "user", "content": [{"type": "audio", "audio": 5}]})
        )


# Usage.

FULL = {
    "total_tokens": 205,
    "input_tokens": 41,
    "output_tokens": 164,
    "input_token_details": {
        "text_tokens": 14,
        "audio_tokens": 27,
        "image_tokens": 0,
        "cached_tokens": 5,
        "cached_tokens_details": {"text_tokens": 5, "audio_tokens": 0, "image_tokens": 0},
    },
    "output_token_details": {"text_tokens": 28, "audio_tokens": 136},
}


def test_usage_is_read_and_written_back() -> None:
    usage = read_usage(Wire(FULL))
    assert usage == Usage(
        input=Tokens(text=14, audio=27), cached=Tokens(text=5), output=Tokens(text=28, audio=136)
    )
    assert usage.total_tokens == 205
    assert write_usage(usage) == FULL


def test_thinking_is_taken_out_of_the_text_and_put_back() -> None:
    details = {"text_tokens": 29, "audio_tokens": 0, "reasoning_tokens": 19}
    wire = {"output_tokens": 29, "output_token_details": details}
    usage = read_usage(Wire(wire))
    assert (usage.output, usage.thinking, usage.output_tokens) == (Tokens(text=10), 19, 29)
    assert write_usage(usage)["output_token_details"] == details


def test_thinking_that_is_counted_beside_the_text_stays_beside_it() -> None:
    details = {"text_tokens": 10, "reasoning_tokens": 19}
    usage = read_usage(Wire({"output_tokens": 29, "output_token_details": details}))
    assert (usage.output, usage.thinking, usage.output_tokens) == (Tokens(text=10), 19, 29)


@pytest.mark.parametrize(
    "wire",
    [{}, {"input_tokens": None}, {"input_token_details": None, "output_token_details": None}],
)
def test_usage_that_says_nothing_is_zero(wire: dict[str, Any]) -> None:
    assert read_usage(Wire(wire)) == Usage()


def test_tokens_that_are_not_split_are_other() -> None:
    usage = read_usage(Wire({"input_tokens": 7, "output_tokens": 3}))
    assert (usage.input, usage.output) == (Tokens(other=7), Tokens(other=3))


@pytest.mark.parametrize(
    ("wire", "usage", "duration_ms"),
    [
        ({"type": "duration", "seconds": 3}, None, 3000),
        ({"seconds": 0.5}, None, 500),
        ({"type": "duration"}, None, None),
        ({"type": "tokens", "input_tokens": 2}, Usage(input=Tokens(other=2)), None),
    ],
)
def test_transcriptions_are_billed_by_tokens_or_by_time(
    wire: dict[str, Any], usage: Usage | None, duration_ms: float | None
) -> None:
    assert read_transcription_usage(Wire(wire)) == (usage, duration_ms)
