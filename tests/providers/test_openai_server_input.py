"""OpenAI's server side: the audio that it is sent, and the transcript of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import unirt.events as ev
from tests.providers.openai_server_wire import SECOND, Strict, Wire, say, types
from unirt.commands import AppendAudio, ClearInput, ClearPlayback, CommitInput
from unirt.events import Ending, StreamKind
from unirt.usage import Tokens, Usage


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


def append(wire: Wire, data: bytes) -> list[dict[str, Any]]:
    audio = base64.b64encode(data).decode()
    return wire.hear(type="input_audio_buffer.append", audio=audio)


def test_audio_is_heard_and_not_acknowledged(wire: Wire) -> None:
    assert append(wire, SECOND) == []
    assert wire.server.heard()[-1].command == AppendAudio(data=SECOND)
    assert wire.error(type="input_audio_buffer.append", audio="*")["param"] == "audio"
    assert wire.error(type="input_audio_buffer.append")["code"] == "missing_required_parameter"
    assert wire.error(type="input_audio_buffer.append", audio=5)["code"] == "invalid_type"


def test_a_commit_makes_an_item_and_an_empty_one_is_refused(wire: Wire) -> None:
    commit = {"type": "input_audio_buffer.commit"}
    assert wire.error(**commit)["code"] == "input_audio_buffer_commit_empty"
    append(wire, SECOND)
    frames = wire.hear(**commit)
    assert types(frames) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert frames[1]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert frames[0]["item_id"] == frames[1]["item"]["id"]
    assert wire.server.heard()[-1].command == CommitInput()
    assert wire.error(**commit)["code"] == "input_audio_buffer_commit_empty"


def test_a_cleared_buffer_is_empty(wire: Wire) -> None:
    append(wire, SECOND)
    assert types(wire.hear(type="input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert wire.server.heard()[-1].command == ClearInput()
    error = wire.error(type="input_audio_buffer.commit")
    assert "only has 0.00ms of audio" in error["message"]


def test_clearing_the_playback_is_left_to_whoever_plays(wire: Wire) -> None:
    assert wire.hear(type="output_audio_buffer.clear") == []
    assert wire.server.heard()[-1].command == ClearPlayback()


def test_a_transcript_finds_the_item_that_the_clients_own_commit_made(wire: Wire) -> None:
    transcription = {"model": "gpt-realtime-whisper"}
    wire.configure(audio={"input": {"turn_detection": None, "transcription": transcription}})
    append(wire, SECOND)
    item_id = wire.hear(type="input_audio_buffer.commit")[0]["item_id"]
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_of_mine")
    frames = wire.say(
        say(ev.InputCommitted, item_id="item_of_mine"),
        say(ev.TranscriptDelta, stream=words, text=" Hello"),
        say(ev.StreamClosed, stream=words),
    )
    assert types(frames) == [
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert {frame["item_id"] for frame in frames} == {item_id}
    assert frames[1]["transcript"] == "Hello"
    assert frames[1]["usage"] == {"type": "duration", "seconds": 1}


def test_nobody_is_told_a_transcript_who_did_not_ask(wire: Wire) -> None:
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    assert not wire.say(
        say(ev.TranscriptDelta, stream=words, text="Hello"),
        say(ev.StreamClosed, stream=words, text="Hello"),
    )


def test_a_failed_transcription_is_told_once(wire: Wire) -> None:
    wire.configure(audio={"input": {"transcription": {"model": "m"}}})
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    frames = wire.say(
        say(
            ev.TranscriptionFailed,
            message="Mumbled.",
            code="audio_unintelligible",
            item_id="item_u",
        ),
        say(ev.StreamClosed, stream=words, ending=Ending.FAILED),
    )
    assert types(frames) == ["conversation.item.input_audio_transcription.failed"]
    assert frames[0]["error"]["message"] == "Mumbled."


def test_usage_of_a_transcription_travels_with_it(wire: Wire) -> None:
    wire.configure(audio={"input": {"transcription": {"model": "m"}}})
    words = ev.Stream(id="w", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
    usage = Usage(input=Tokens(audio=20, text=2), output=Tokens(text=5))
    [completed] = wire.say(
        say(ev.UsageReported, scope="transcription", usage=usage),
        say(ev.StreamClosed, stream=words, text="Hello"),
    )
    assert completed["usage"] == {
        "type": "tokens",
        "total_tokens": 27,
        "input_tokens": 22,
        "output_tokens": 5,
        "input_token_details": {"text_tokens": 2, "audio_tokens": 20},
    }
