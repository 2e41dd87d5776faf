"""What the session calls items whose ids another connection used, and what the provider hears."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.providers.conftest import OpenAIWire
from unirt import commands as cmd
from unirt import events as ev
from unirt.config import SessionConfig
from unirt.errors import UsageError
from unirt.ids import counting_ids
from unirt.items import Item, ItemKind, Role, TextContent
from unirt_openai.names import Names

SOUND = base64.b64encode(bytes(48_000)).decode()  # 1 s
STARTS: list[dict[str, Any]] = [
    {"type": "input_audio_buffer.committed", "item_id": "i0", "previous_item_id": None},
    {"type": "response.created", "response": {"id": "r1"}},
]
SPEAKS: list[dict[str, Any]] = [
    {
        "type": "response.output_item.added",
        "response_id": "r1",
        "output_index": 0,
        "item": {"id": "i1", "type": "message", "role": "assistant", "content": []},
    },
    {
        "type": "response.output_audio.delta",
        "response_id": "r1",
        "item_id": "i1",
        "output_index": 0,
        "content_index": 0,
        "delta": SOUND,
    },
]
CALLS: list[dict[str, Any]] = [
    {
        "type": "response.output_item.done",
        "response_id": "r1",
        "output_index": 1,
        "item": {
            "id": "i2",
            "type": "function_call",
            "call_id": "c1",
            "name": "f",
            "arguments": "{}",
            "status": "completed",
        },
    },
    {"type": "response.done", "response": {"id": "r1", "status": "completed", "output": []}},
]
APPROVAL: dict[str, Any] = {
    "type": "conversation.item.done",
    "item": {"id": "q1", "type": "mcp_approval_request", "server_label": "s", "name": "rm"},
}
ALL = [*STARTS, *SPEAKS, *CALLS, APPROVAL]


def second(config: SessionConfig | None = None) -> OpenAIWire:
    """The second connection of a session; its provider says what that of the first said."""
    ids = counting_ids()
    OpenAIWire(SessionConfig(), ids).open().hear(*ALL)
    return OpenAIWire(config or SessionConfig(), ids).open()


def without(events: list[ev.Event], *kinds: type[ev.Event]) -> list[ev.Event]:
    return [event for event in events if not isinstance(event, kinds)]


def test_events_tell_nothing_by_a_name_of_before() -> None:
    told = second().hear(*ALL)
    for event in told:
        assert event.response_id in (None, "r1@2"), event
        assert event.item_id in (None, "i0@2", "i1@2", "i2@2", "q1@2"), event
    (call,) = [event for event in told if isinstance(event, ev.ToolCall)]
    assert call.call_id == "c1@2"
    (asked,) = [event for event in told if isinstance(event, ev.ApprovalRequested)]
    assert asked.approval_id == "q1@2"
    items = [e.item for e in told if isinstance(e, ev.OutputItemAdded | ev.OutputItemDone)]
    assert [(item.id, item.call_id) for item in items] == [("i1@2", None), ("i2@2", "c1@2")]


def test_the_provider_hears_its_own_names() -> None:
    wire = second()
    wire.hear(*ALL)
    sent = [
        wire.send(cmd.DeleteItem(item_id="i1@2")),
        wire.send(cmd.RetrieveItem(item_id="i1@2")),
        wire.send(cmd.TruncateItem(item_id="i1@2", audio_end_ms=20)),
    ]
    assert [frame["item_id"] for (frame,) in sent] == ["i1", "i1", "i1"]
    (made,) = wire.send(
        cmd.CreateItem(
            item=Item(role=Role.USER, content=(TextContent(text="a"),)), previous_item_id="i1@2"
        )
    )
    assert made["previous_item_id"] == "i1"
    result, *_ = wire.send(cmd.SendToolResult(call_id="c1@2", output="1"))
    assert result["item"]["call_id"] == "c1"
    (approved,) = wire.send(cmd.ApproveServerTool(approval_id="q1@2", approve=True))
    assert approved["item"]["approval_request_id"] == "q1"


def test_an_interruption_names_what_the_provider_knows() -> None:
    wire = second()
    wire.hear(*STARTS, *SPEAKS)
    sent = wire.send(cmd.Interrupt(played_ms=400.0, response_id="r1@2"))
    assert [(f["type"], f.get("response_id"), f.get("item_id")) for f in sent] == [
        ("response.cancel", "r1", None),
        ("conversation.item.truncate", None, "i1"),
    ]


@pytest.mark.parametrize(
    "command",
    [
        cmd.DeleteItem(item_id="i1"),
        cmd.RetrieveItem(item_id="i1"),
        cmd.TruncateItem(item_id="i1", audio_end_ms=20),
        cmd.ApproveServerTool(approval_id="q1", approve=True),
        cmd.SendToolResult(call_id="c1", output="1"),
        cmd.ReportPlayback(played_ms=1.0, response_id="r1"),
    ],
)
def test_what_is_meant_for_another_connection_is_refused(command: cmd.Command) -> None:
    wire = second()
    wire.hear(*STARTS, *SPEAKS, CALLS[0], APPROVAL)
    with pytest.raises(UsageError):
        wire.send(command)
    assert wire.sent() == []


def test_an_answer_of_another_connection_is_not_cancelled_here() -> None:
    wire = second()
    wire.hear(*STARTS, *SPEAKS)
    assert wire.send(cmd.CancelResponse(response_id="r1")) == []
    assert wire.send(cmd.CancelResponse(response_id="r1@2"))[0]["response_id"] == "r1"


def test_what_is_told_of_an_item_is_told_of_the_one_here() -> None:
    wire = second()
    wire.hear(*STARTS, *SPEAKS)
    told = wire.hear(
        {"type": "conversation.item.truncated", "item_id": "i1", "audio_end_ms": 20,
         "content_index": 0},
        {"type": "conversation.item.deleted", "item_id": "i1"},
        {"type": "conversation.item.deleted", "item_id": "i2"},
    )  # fmt: skip
    assert [event.item_id for event in told] == ["i1@2", "i1@2", "i2@2"]
    wire.hear(*CALLS)
    assert wire.send(cmd.DeleteItem(item_id="i2@2"))[0]["item_id"] == "i2"


def test_the_short_way_is_taken_by_audio_of_a_second_connection() -> None:
    wire = second()
    wire.hear(*STARTS, *SPEAKS)
    state = wire.translator._state
    speaking = state.speaking
    assert speaking is not None
    (more,) = wire.hear(SPEAKS[-1])
    assert isinstance(more, ev.AudioDelta)
    assert state.speaking is speaking
    assert (speaking.item_id, more.item_id) == ("i1", "i1@2")


HISTORY = (
    Item(id="i1", role=Role.USER, content=(TextContent(text="a"),)),
    Item(id="i1@2", kind=ItemKind.TOOL_CALL, call_id="c1@2", name="f", arguments="{}"),
    Item(id="i2", kind=ItemKind.TOOL_RESULT, call_id="c1@2", output="1"),
)


def seeded(wire: OpenAIWire) -> list[dict[str, Any]]:
    return [frame["item"] for frame in wire.send(cmd.SeedHistory(items=HISTORY))]


def test_a_history_has_ids_that_a_provider_may_give_and_keeps_its_names() -> None:
    wire = second()
    said, call, result = seeded(wire)
    assert (said["id"], result["id"]) == ("i1", "i2")
    assert call["call_id"] == result["call_id"]
    assert "@" not in call["id"] + call["call_id"]
    told = wire.hear({"type": "conversation.item.added", "item": call})
    (added,) = [event for event in told if isinstance(event, ev.ItemAdded)]
    assert (added.item_id, added.item.id, added.item.call_id) == ("i1@2", "i1@2", "c1@2")
    assert wire.send(cmd.DeleteItem(item_id="i1@2"))[0]["item_id"] == call["id"]
    assert wire.send(cmd.DeleteItem(item_id="i1"))[0]["item_id"] == "i1"
    (late,) = [frame["item"] for frame in wire.send(cmd.SeedHistory(items=(HISTORY[2],)))]
    assert late["call_id"] == call["call_id"]


def test_what_a_provider_calls_like_something_of_the_history_is_something_else() -> None:
    wire = second()
    seeded(wire)
    told = wire.hear(*STARTS, *SPEAKS)
    assert {event.item_id for event in told if isinstance(event, ev.AudioDelta)} == {"i1@2"}


def test_items_of_two_responses_are_told_apart_on_one_connection() -> None:
    wire = OpenAIWire(SessionConfig()).open()
    wire.hear(*STARTS, *SPEAKS, *CALLS)
    told = wire.hear(
        {"type": "response.created", "response": {"id": "r2"}},
        {**SPEAKS[1], "response_id": "r2"},
    )
    (more,) = [event for event in told if isinstance(event, ev.AudioDelta)]
    assert more.item_id == "i1@r2"
    (truncate,) = [
        frame
        for frame in wire.send(cmd.Interrupt(played_ms=1_400.0 - 1_000.0, response_id="r2"))
        if frame["type"] == "conversation.item.truncate"
    ]
    assert truncate["item_id"] == "i1"


def test_a_provider_may_call_things_as_marks_would() -> None:
    names = Names(str)
    assert [names.claim("i", "r"), names.claim("i", "user"), names.claim("i", None)] == [
        "i",
        "i@user",
        "i@user@user",
    ]
    assert names.claim("i@user", "r") == "i@user@r"
    assert [names.claim("i", owner) for owner in ("r", "user", None)] == [
        "i",
        "i@user",
        "i@user@user",
    ]
    assert names.wire_id("i@user@user", where="test") == "i"
    assert names.wire_id("i@user@r", where="test") == "i@user"
