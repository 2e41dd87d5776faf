"""A history that is handed over: what becomes of each item, and what is said of it."""

from __future__ import annotations

from typing import Any

from tests.providers.openai_sending import said, typed
from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import G711_ULAW
from unirt.items import AudioContent, ImageContent, Item, ItemKind, Role, TextContent


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
