"""A history that is handed over: what becomes of each item, and what is said of it."""

from __future__ import annotations

import pytest

from tests.providers.google_sending import (
    B64,
    PCM,
    SAYS,
    client_content,
    frames,
    message,
    opened,
    said,
)
from unirt import (
    AudioContent,
    Command,
    CreateItem,
    HistorySeeded,
    ImageContent,
    Item,
    ItemKind,
    Role,
    SeedHistory,
    SendText,
    SessionConfig,
    UsageError,
)


def test_what_is_no_text_becomes_text_and_is_said_to() -> None:
    items = (
        message(Role.SYSTEM, "Be kind."),
        Item(role=Role.USER, content=(AudioContent(transcript="Weather?"), AudioContent())),
        Item(kind=ItemKind.TOOL_CALL, call_id="c", name="f", arguments='{"a":1}'),
        Item(kind=ItemKind.TOOL_RESULT, call_id="c", name="f", output="rain"),
        Item(kind=ItemKind.TOOL_RESULT, call_id="d", name="g", error="down"),
        Item(kind=ItemKind.SERVER_TOOL, name="search"),
        Item(role=Role.USER, content=(ImageContent(data=PCM), ImageContent(url="https://e.org/x"))),
    )
    translator = opened()
    (frame,) = frames(translator, SeedHistory(items=items))
    image = {"inlineData": {"mimeType": "image/jpeg", "data": B64}}
    assert frame["clientContent"]["turns"] == [
        said("user", "Be kind.", "Weather?"),
        said("model", '[called f with {"a":1}]'),
        {
            "role": "user",
            "parts": [{"text": "[f returned rain]"}, {"text": "[g failed: down]"}, image],
        },
    ]
    (seeded,) = (e for e in translator.events_received() if isinstance(e, HistorySeeded))
    assert seeded.carried == 0
    assert {note.index: note.what for note in seeded.changed} == {
        0: "a system message became the user's",
        1: "speech became its transcript; speech without a transcript was left out",
        2: "a tool call became text",
        3: "a tool result became text",
        4: "a tool result became text",
        6: "a picture that is only an address was left out",
    }
    assert [(note.index, note.what) for note in seeded.lost] == [
        (5, "an item of kind server_tool has no form here")
    ]


def test_what_nobody_heard_or_wrote_is_lost_and_sends_nothing() -> None:
    translator = opened()
    unheard = AudioContent(transcript="", whole="Well,")
    items = (message(Role.USER, ""), Item(role=Role.ASSISTANT, content=(unheard,)))
    assert frames(translator, SeedHistory(items=items)) == []
    (seeded,) = (e for e in translator.events_received() if isinstance(e, HistorySeeded))
    assert (seeded.carried, seeded.changed) == (0, ())
    assert [note.what for note in seeded.lost] == [
        "it has no words",
        "speech that nobody heard was left out; it has no words",
    ]


def test_a_server_that_waits_for_its_history_is_told_where_it_ends() -> None:
    options = {"history_config": {"initial_history_in_client_content": True}}
    translator = opened(SessionConfig(provider_options=options))
    first, second = SeedHistory(items=(message(Role.USER, "Hi"),)), SendText(text="Go")
    assert frames(translator, first, first, second) == [
        client_content(said("user", "Hi"), complete=True),
        client_content(said("user", "Hi"), complete=False),
        client_content(said("user", "Go"), complete=True),
    ]


@pytest.mark.parametrize(
    "command",
    [SeedHistory(items=()), CreateItem(item=message(Role.USER, "Hi"))],
    ids=["seed", "item"],
)
def test_history_does_not_interrupt(command: Command) -> None:
    translator = opened()
    translator.receive(SAYS, 0.0)
    with pytest.raises(UsageError, match="would interrupt"):
        translator.send(command, 0.0)
