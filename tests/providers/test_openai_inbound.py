"""
Every server event, by a table: what it becomes, and with which fields.

Its rows are in ``tests/providers/openai_rows``, in files named like those of the handlers.
"""

from __future__ import annotations

import typing
from typing import Any

import pytest
from openai.types import realtime
from openai.types.beta import realtime as beta

from tests.providers.openai_rows import content, items, response, session, tools, user
from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import MESSAGE, OUT, STARTED, last, told
from unirt import events as ev
from unirt.events import Event
from unirt.items import ItemKind
from unirt.testing import translate
from unirt_openai.inbound import HANDLERS

ROWS: list[Row] = [
    *session.ROWS,
    *user.ROWS,
    *items.ROWS,
    *response.ROWS,
    *content.ROWS,
    *tools.ROWS,
    # What has no name here.
    (
        [STARTED],
        {"type": "response.levitated", "response_id": "r1", "x": 1},
        [
            (
                ev.Unmapped,
                {
                    "type": "response.levitated",
                    "response_id": "r1",
                    "data": {"type": "response.levitated", "response_id": "r1", "x": 1},
                },
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("before", "frame", "expected"), ROWS, ids=[str(row[1]["type"]) for row in ROWS]
)
def test_a_frame_becomes(
    before: list[dict[str, Any]],
    frame: dict[str, Any],
    expected: list[tuple[type[Event], dict[str, Any]]],
) -> None:
    events = last([*before, frame])
    assert [type(event) for event in events] == [kind for kind, _ in expected]
    for event, (_, fields) in zip(events, expected, strict=True):
        said = told(event)
        assert {name: said[name] for name in fields} == fields


def _types(union: Any) -> set[str]:
    members = typing.get_args(typing.get_args(union)[0])
    return {
        literal
        for member in members
        for literal in typing.get_args(member.model_fields["type"].annotation)
    }


def test_every_type_of_the_sdk_and_of_the_beta_has_a_row() -> None:
    ga = _types(realtime.RealtimeServerEvent)
    assert len(ga) == 46
    assert ga | _types(beta.RealtimeServerEvent) <= set(HANDLERS)


def test_the_table_above_shows_every_type_or_its_beta_alias() -> None:
    shown = {HANDLERS[row[1]["type"]] for row in ROWS if row[1]["type"] in HANDLERS}
    assert {name for name, row in HANDLERS.items() if row not in shown} == set()


@pytest.mark.parametrize(
    ("beta_name", "name"),
    [
        ("response.audio.delta", "response.output_audio.delta"),
        ("response.audio.done", "response.output_audio.done"),
        ("response.text.delta", "response.output_text.delta"),
        ("response.text.done", "response.output_text.done"),
        ("response.audio_transcript.delta", "response.output_audio_transcript.delta"),
        ("response.audio_transcript.done", "response.output_audio_transcript.done"),
        ("conversation.item.created", "conversation.item.added"),
        ("transcription_session.updated", "session.updated"),
    ],
)
def test_a_beta_name_means_what_the_ga_name_means(beta_name: str, name: str) -> None:
    assert HANDLERS[beta_name] is HANDLERS[name]


@pytest.mark.parametrize(
    ("row", "kinds"),
    [(row[1], [kind for kind, _ in row[2]]) for row in ROWS if row[1]["type"] in HANDLERS],
    ids=[str(row[1]["type"]) for row in ROWS if row[1]["type"] in HANDLERS],
)
def test_the_rows_say_what_their_frames_become(
    row: dict[str, Any], kinds: list[type[Event]]
) -> None:
    always = {ev.Noted, ev.SessionStarted, ev.Unmapped, ev.StreamOpened, ev.StreamClosed}
    growth = {ev.TextDelta, ev.TranscriptDelta, ev.ToolCallDelta, ev.ServerToolDelta}
    assert set(kinds) <= {*HANDLERS[row["type"]].gives, *always, *growth}


MALFORMED: list[tuple[Any, str]] = [
    ("not json", "$"),
    (b"\xff\xfe", "$"),
    ("null", "$"),
    ({}, "$.type"),
    ({"type": 5}, "$.type"),
    ({"type": "response.output_audio.delta", "delta": "*", **OUT}, "$.delta"),
    ({"type": "response.output_audio.delta", **OUT}, "$.delta"),
    ({"type": "response.output_text.delta", "delta": 5, **OUT}, "$.delta"),
    ({"type": "response.output_text.delta", "delta": "a", "item_id": []}, "$.item_id"),
    ({"type": "response.output_item.added", "item": "i"}, "$.item"),
    ({"type": "response.done", "response": {"output": [5]}}, "$.response.output[0]"),
    ({"type": "response.created"}, "$.response"),
    ({"type": "error", "error": {"type": []}}, "$.error.type"),
    ({"type": "conversation.item.added", "item": {"role": "user", "content": 5}}, "$.item.content"),
    (
        {
            "type": "conversation.item.retrieved",
            "item": {"role": "user", "content": [{"type": "input_audio", "audio": "*"}]},
        },
        "$.item.content[0].audio",
    ),
    ({"type": "rate_limits.updated", "rate_limits": {}}, "$.rate_limits"),
]


@pytest.mark.parametrize(("frame", "where"), MALFORMED, ids=[str(row[0])[:40] for row in MALFORMED])
def test_a_malformed_frame_says_where_and_does_nothing_else(frame: Any, where: str) -> None:
    events = translate("openai", [STARTED, MESSAGE, frame])[3:]
    assert [type(event) for event in events] == [ev.Malformed]
    assert isinstance(events[0], ev.Malformed)
    assert events[0].where == where
    assert events[0].raw == frame


@pytest.mark.parametrize("what", ["conversation.item.added", "conversation.item.done"])
def test_an_item_of_an_unknown_type_may_hold_anything(openai_wire: Any, what: str) -> None:
    alien = {"id": "i1", "type": "hologram", "role": ["user"], "content": 5}
    told = openai_wire().hear({"type": what, "item": alien})
    (item,) = [event.item for event in told if isinstance(event, ev.ItemAdded | ev.ItemDone)]
    assert (item.kind, item.data) == (ItemKind.OTHER, alien)
