"""What another's events make OpenAI's server say: legal ones, that no script of ours would tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

import unirt.events as ev
from unirt import SessionConfig
from unirt.events import Event, Origin, StreamKind
from unirt.items import Item, ItemKind
from unirt.testing import check
from unirt_openai import PROVIDER
from unirt_openai.server import OpenAIServer

ORIGIN = Origin(provider="test")
IDS: dict[str, Any] = {"response_id": "resp_a"}
DEEP = "[" * 5_000


def relayed(*events: Event) -> tuple[list[dict[str, Any]], list[Event]]:
    """The frames that a server says, and what a client hears in them."""
    server = OpenAIServer()
    server.start(0.0)
    client = PROVIDER.new_translator(SessionConfig(), offline=True)
    client.start(0.0)
    for event in events:
        server.send(event, 0.0)
    frames = server.frames_to_send()
    for frame in frames:
        client.receive(frame, 0.0)
    heard = client.events_received()
    check(heard)
    assert not any(isinstance(event, ev.Malformed) for event in heard)
    return [json.loads(frame) for frame in frames], heard


def stream(kind: StreamKind, **more: Any) -> ev.Stream:
    return ev.Stream(id=f"item_a.{kind}", kind=kind, item_id="item_a", **IDS, **more)


def test_what_shares_an_item_elsewhere_is_two_items_here() -> None:
    text, call = stream(StreamKind.TEXT), stream(StreamKind.TOOL_CALL, call_id="call_a", name="f")
    _, heard = relayed(
        ev.ResponseStarted(origin=ORIGIN, **IDS),
        ev.StreamOpened(origin=ORIGIN, stream=text),
        ev.TextDelta(origin=ORIGIN, stream=text, text="Hm."),
        ev.StreamOpened(origin=ORIGIN, stream=call),
        ev.ToolCallDelta(origin=ORIGIN, stream=call, text="{}"),
        ev.ToolCall(origin=ORIGIN, stream=call, name="f", arguments="{}", args={}),
        ev.StreamClosed(origin=ORIGIN, stream=call, text="{}"),
        ev.StreamClosed(origin=ORIGIN, stream=text, text="Hm."),
        ev.ResponseDone(origin=ORIGIN, **IDS),
    )
    closed = {e.stream.kind: (e.text, e.item_id) for e in heard if isinstance(e, ev.StreamClosed)}
    assert closed == {
        StreamKind.TEXT: ("Hm.", "item_a"),
        StreamKind.TOOL_CALL: ("{}", "item_a_tool_call"),
    }


def test_an_unknown_part_of_a_frame_is_relayed_in_a_frame_and_not_as_one() -> None:
    part = {"type": "error", "text": "a part"}
    frames, _ = relayed(ev.Unmapped(origin=ORIGIN, type="x.part.added.part", data=part))
    assert frames[-1] == {"type": "x.part.added.part", "data": part}
    whole = {"type": "novel", "text": "a frame"}
    frames, _ = relayed(ev.Unmapped(origin=ORIGIN, type="novel", data=whole))
    assert frames[-1] == whole


def test_items_that_lack_what_others_have_are_relayed() -> None:
    items = [
        Item(kind=ItemKind.OTHER, id="item_x", data={"id": "item_x"}),
        Item(kind=ItemKind.TOOL_CALL, id="item_f"),
    ]
    events: list[Event] = [ev.ResponseStarted(origin=ORIGIN, **IDS)]
    for item in items:
        events += [
            ev.OutputItemAdded(origin=ORIGIN, item=item, **IDS),
            ev.OutputItemDone(origin=ORIGIN, item=item, **IDS),
        ]
    frames, _ = relayed(*events, ev.ResponseDone(origin=ORIGIN, **IDS))
    done = [f["item"] for f in frames if f["type"] == "response.output_item.done"]
    assert [item["id"] for item in done] == ["item_x", "item_f"]
    assert done[1]["call_id"] == "item_f"


@pytest.mark.parametrize("delivered", [True, False])
def test_arguments_that_are_no_text_are_none(delivered: bool) -> None:
    data = {"id": "item_a", "type": "mcp_call", "name": "f", "arguments": 500}
    item = Item(kind=ItemKind.SERVER_TOOL, id="item_a", data=data)
    call = stream(StreamKind.SERVER_TOOL, call_id="call_a", name="f")
    result = ev.ServerToolResult(origin=ORIGIN, stream=call, output="1")
    frames, _ = relayed(
        ev.ResponseStarted(origin=ORIGIN, **IDS),
        ev.OutputItemAdded(origin=ORIGIN, item=item, item_id="item_a", **IDS),
        ev.StreamOpened(origin=ORIGIN, stream=call),
        *([result] if delivered else []),
        ev.StreamClosed(origin=ORIGIN, stream=call),
        ev.ResponseDone(origin=ORIGIN, **IDS),
    )
    done = [f for f in frames if f["type"] == "response.mcp_call_arguments.done"]
    assert [f["arguments"] for f in done] == [""]


def test_an_error_that_nests_without_measure_is_a_text() -> None:
    call = stream(StreamKind.SERVER_TOOL, call_id="call_a", name="f")
    frames, _ = relayed(
        ev.ResponseStarted(origin=ORIGIN, **IDS),
        ev.StreamOpened(origin=ORIGIN, stream=call),
        ev.ServerToolResult(origin=ORIGIN, stream=call, error=DEEP),
    )
    done = [f["item"] for f in frames if f["type"] == "response.output_item.done"]
    assert done[-1]["error"]["message"] == DEEP
