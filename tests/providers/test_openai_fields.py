"""What the fields of a server event carry, and what is concluded where one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.openai_told import ASR, MESSAGE, OUT, SPEAKING, STARTED, TYPED, last, part
from unirt import events as ev
from unirt.audio import G711_ULAW, PCM16_24K, AudioFormat
from unirt.events import Severity, StreamKind
from unirt.items import ItemKind
from unirt.testing import check, translate


@pytest.mark.parametrize(
    ("error", "severity"),
    [
        ({"code": "response_cancel_not_active"}, Severity.BENIGN),
        ({"code": "input_audio_buffer_commit_empty"}, Severity.BENIGN),
        ({"code": "conversation_already_has_active_response"}, Severity.BENIGN),
        ({"message": "Audio content of 5ms is already shorter than 9ms"}, Severity.BENIGN),
        ({"code": "session_expired"}, Severity.FATAL),
        ({"code": "insufficient_quota"}, Severity.FATAL),
        ({"type": "authentication_error", "code": 17}, Severity.FATAL),
        ({"code": "invalid_value"}, Severity.ERROR),
        ({}, Severity.ERROR),
        ("just words", Severity.ERROR),
        (None, Severity.ERROR),
    ],
)
def test_an_error_says_how_bad_it_is(error: Any, severity: Severity) -> None:
    (event,) = last([STARTED, {"type": "error", "error": error}])
    assert isinstance(event, ev.ProviderError)
    assert event.severity is severity
    assert event.message


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ({"type": "audio/pcm", "rate": 24000}, PCM16_24K),
        ({"type": "audio/pcm", "rate": 16000}, AudioFormat(rate=16000)),
        ({"type": "audio/pcmu"}, G711_ULAW),
        ({"type": "audio/pcm", "rate": -1}, PCM16_24K),
        ({"type": "audio/opus"}, PCM16_24K),
        (None, PCM16_24K),
    ],
)
@pytest.mark.parametrize("where", ["session", "response"])
def test_audio_carries_the_format_that_the_wire_says(
    format_: Any, expected: AudioFormat, where: str
) -> None:
    audio = {"audio": {"output": {"format": format_}}}
    session = audio if where == "session" else {}
    response = audio if where == "response" else {}
    events = last(
        [
            {"type": "session.created", "session": session},
            {"type": "response.created", "response": {"id": "r1", **response}},
            {"type": "response.output_audio.delta", "delta": "AAAA", **OUT},
        ]
    )
    assert isinstance(events[-1], ev.AudioDelta)
    assert events[-1].format == expected


def test_the_betas_word_for_a_format_is_read() -> None:
    events = last(
        [
            {"type": "session.created", "session": {"output_audio_format": "g711_ulaw"}},
            STARTED,
            {"type": "response.audio.delta", "delta": "AAAA", **OUT},
        ]
    )
    assert isinstance(events[-1], ev.AudioDelta)
    assert events[-1].format == G711_ULAW


def test_ids_that_are_missing_fall_back_to_what_is_being_written() -> None:
    frames: list[dict[str, Any]] = [
        STARTED,
        {"type": "response.output_text.delta", "delta": "a"},
        {"type": "response.output_text.delta", "delta": "b"},
        {"type": "response.output_text.done", "text": "ab"},
        {"type": "response.done", "response": {"status": "completed"}},
    ]
    events = translate("openai", frames)
    check(events, complete=True)
    (closed,) = [e for e in events if isinstance(e, ev.StreamClosed)]
    assert (closed.text, closed.response_id, closed.item_id) == ("ab", "r1", "u_item_1")


def test_a_recording_that_starts_in_the_middle_is_completed() -> None:
    frames: list[dict[str, Any]] = [
        {"type": "response.output_text.delta", "delta": "a", **OUT},
        {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
    ]
    events = translate("openai", frames)
    check(events, complete=True)
    kinds = [(type(e), e.synthesised) for e in events]
    assert kinds[:3] == [
        (ev.SessionStarted, True),
        (ev.ResponseStarted, True),
        (ev.StreamOpened, True),
    ]
    assert kinds[-1] == (ev.ResponseDone, False)


def test_phase_of_the_item_is_told_by_its_streams() -> None:
    item = {**MESSAGE["item"], "phase": "commentary"}
    events = last([STARTED, {**MESSAGE, "item": item}, part("response.content_part.added")])
    assert isinstance(events[0], ev.StreamOpened)
    assert events[0].stream.phase == "commentary"


def test_transcript_that_comes_before_its_item_belongs_to_the_turn_of_the_speech() -> None:
    frames: list[dict[str, Any]] = [
        SPEAKING,
        {"type": f"{ASR}.delta", "item_id": "u1", "delta": "Hello"},
        {"type": "input_audio_buffer.committed", "item_id": "u1"},
        {"type": "conversation.item.added", "item": {**TYPED, "content": []}},
        STARTED,
        {"type": f"{ASR}.delta", "item_id": "u1", "delta": " there"},
        {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
        {"type": f"{ASR}.completed", "item_id": "u1", "transcript": "Hello there"},
    ]
    events = translate("openai", frames)
    check(events, complete=True)
    assert {e.turn_id for e in events if e.turn_id} == {"u_turn_1"}
    (closed,) = [e for e in events if isinstance(e, ev.StreamClosed)]
    assert (closed.kind, closed.text) == (StreamKind.TRANSCRIPT, "Hello there")


def test_an_item_id_used_twice_names_two_streams() -> None:
    frames: list[dict[str, Any]] = [
        {
            "type": "conversation.item.added",
            "item": {**TYPED, "id": "i1", "content": [{"type": "input_text", "text": "same id"}]},
        },
        STARTED,
        {"type": "response.output_text.delta", "delta": "a", **OUT},
        {"type": "response.done", "response": {"id": "r1", "status": "completed"}},
    ]
    events = translate("openai", frames)
    check(events, complete=True)
    ids = {e.stream.id for e in events if isinstance(e, ev.StreamOpened)}
    assert len(ids) == 2


def test_items_of_unknown_kinds_keep_their_data() -> None:
    item = {"id": "z", "type": "telepathy", "wave": 3}
    (event,) = last([STARTED, {"type": "conversation.item.added", "item": item}])
    assert isinstance(event, ev.ItemAdded)
    assert event.item.kind is ItemKind.OTHER
    assert event.item.data == item
