"""A frame as the SDK's own object, whatever the frame holds."""

from typing import Any

import pytest
from google.genai.types import LiveServerMessage

from unirt.testing import translate
from unirt_google.native import parse_native


def test_an_event_hands_out_the_sdk_s_message() -> None:
    frame = {"serverContent": {"modelTurn": {"parts": [{"text": "Hi"}]}, "turnComplete": True}}
    native = translate("google", [frame])[-1].native()
    assert isinstance(native, LiveServerMessage)
    assert native.server_content is not None
    assert native.server_content.turn_complete is True
    assert native.text == "Hi"


def test_names_that_only_the_wire_has_are_the_sdk_s() -> None:
    native = parse_native(
        {
            "voiceActivity": {"type": "ACTIVITY_START"},
            "usageMetadata": {"candidatesTokenCount": 5},
        }
    )
    assert native.voice_activity.voice_activity_type == "ACTIVITY_START"
    assert native.usage_metadata.response_token_count == 5


def test_fields_of_tomorrow_are_left_out() -> None:
    frame = {"novelty": 1, "serverContent": {"turnComplete": True, "mood": {"a": 1}}}
    native = parse_native(frame)
    assert native.server_content.turn_complete is True
    assert frame["novelty"] == 1


@pytest.mark.parametrize(
    "raw",
    [{"serverContent": 5}, {"toolCall": {"functionCalls": "x"}, "novelty": 1}, [], "text", {}],
)
def test_nothing_makes_it_raise(raw: Any) -> None:
    assert isinstance(parse_native(raw), LiveServerMessage)


def test_an_event_without_a_frame_has_no_native_object() -> None:
    events = translate("google", ["no json"])
    assert isinstance(events[-1].native(), LiveServerMessage)
    assert events[-1].raw == "no json"
