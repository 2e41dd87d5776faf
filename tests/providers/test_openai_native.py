"""Frames as the SDK's own objects."""

from __future__ import annotations

from typing import Any

import pytest
from openai import BaseModel
from openai.types import realtime
from openai.types.beta import realtime as beta

from unirt.testing import translate
from unirt_openai.native import parse_native


@pytest.mark.parametrize(
    ("frame", "model"),
    [
        ({"type": "response.output_text.delta", "delta": "a"}, realtime.ResponseTextDeltaEvent),
        ({"type": "session.created", "session": 5}, realtime.SessionCreatedEvent),
        ({"type": "response.audio.delta", "delta": "AAAA"}, beta.ResponseAudioDeltaEvent),
        ({"type": "response.levitated", "height": 3}, BaseModel),
        ({"type": ["odd"]}, BaseModel),
        ({}, BaseModel),
    ],
)
def test_a_frame_becomes_the_class_of_its_type(frame: dict[str, Any], model: type[Any]) -> None:
    native = parse_native(frame)
    assert type(native) is model
    assert native.to_dict(warnings=False) == frame


def test_names_of_the_parsers_own_parameters_do_no_harm() -> None:
    assert parse_native({"type": "x", "_fields_set": 5, "height": 3}).height == 3


@pytest.mark.parametrize("raw", ["text", 5, [1]])
def test_what_is_no_object_stays_what_it_is(raw: Any) -> None:
    assert parse_native(raw) is raw


def test_events_give_their_frame_as_the_sdks_object() -> None:
    frame = {"type": "conversation.item.deleted", "event_id": "e", "item_id": "i"}
    event = translate("openai", [frame])[-1]
    assert event.native() == realtime.ConversationItemDeletedEvent(
        type="conversation.item.deleted", event_id="e", item_id="i"
    )
