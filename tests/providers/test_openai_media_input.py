"""The user's audio in a call, without a call: it leaves beside the frames, and waits for one."""

from __future__ import annotations

import json

import pytest

from tests.providers.openai_call_wire import LOUD, QUIET, Wire, kinds
from unirt.commands import AppendAudio, ClearInput, StartTurn
from unirt.config import Manual, SessionConfig
from unirt_openai.media import CLEAR_S


def test_the_users_audio_leaves_beside_the_frames() -> None:
    wire = Wire()
    wire.say(AppendAudio(data=LOUD))
    wire.say(AppendAudio(data=QUIET))
    assert wire.translator.audio_to_send() == [LOUD, QUIET]
    assert wire.translator.audio_to_send() == []
    assert wire.sent() == []


MANUAL = SessionConfig(turn_detection=Manual())


def asked_to_clear(wire: Wire) -> str:
    (frame,) = [json.loads(each) for each in wire.translator.frames_to_send()]
    assert frame["type"] == "input_audio_buffer.clear"
    return str(frame["event_id"])


def test_audio_waits_until_the_input_is_empty() -> None:
    """What asks for it may be lost and said again, and what was spoken meanwhile is not thrown."""
    wire = Wire(MANUAL)
    assert not wire.translator.audio_waits
    wire.say(StartTurn())
    assert wire.translator.audio_waits
    wire.say(AppendAudio(data=LOUD))
    assert wire.translator.audio_to_send() == [LOUD]  # to the transport, which holds it
    assert kinds(wire.frame("input_audio_buffer.cleared")) == ["InputCleared"]
    assert not wire.translator.audio_waits


def test_audio_waits_for_each_request_to_empty_the_input() -> None:
    wire = Wire(MANUAL)
    wire.say(StartTurn())
    wire.say(ClearInput())
    wire.frame("input_audio_buffer.cleared")
    assert wire.translator.audio_waits
    wire.frame("input_audio_buffer.cleared")
    assert not wire.translator.audio_waits
    wire.frame("input_audio_buffer.cleared")  # unasked
    wire.say(ClearInput())
    assert wire.translator.audio_waits


def test_audio_does_not_wait_for_what_was_refused_or_is_not_answered() -> None:
    wire = Wire(MANUAL)
    wire.say(ClearInput())
    refused = asked_to_clear(wire)
    wire.frame("error", error={"message": "no", "event_id": "another"})
    assert wire.translator.audio_waits
    wire.frame("error", error={"message": "no", "event_id": refused})
    assert not wire.translator.audio_waits
    wire.say(ClearInput())
    assert wire.translator.get_timer() == pytest.approx(wire.now + CLEAR_S)
    wire.wait(CLEAR_S - 0.1)
    assert wire.translator.audio_waits
    wire.wait(0.2)
    assert not wire.translator.audio_waits
