"""Google's server side: what it says, in which frames, and in which order."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

import unirt.events as ev
from tests.providers.google_server_wire import (
    CALL,
    CALLED,
    CAPTION,
    COUNTS,
    DONE,
    HELLO,
    LIVE,
    PREVIEW,
    SOUND,
    SOUND_PART,
    SPEECH,
    SPOKEN,
    STARTED,
    THINKS,
    USAGE,
    VERTEX,
    VOICE,
    Strict,
    Wire,
    content,
    say,
    stream,
)
from unirt import PCM16_24K
from unirt.events import Ending, Severity, StreamKind
from unirt_google.server import GoogleServer


def test_a_spoken_answer_is_said_a_field_a_frame(google_strict: Strict) -> None:
    frames = Wire(google_strict).say(
        STARTED,
        say(ev.ThoughtDelta, stream=stream(StreamKind.THOUGHT), text="Hm."),
        *SPOKEN,
        say(ev.StreamClosed, stream=VOICE),
        say(ev.StreamClosed, stream=CAPTION, text="Hello there."),
        say(ev.GenerationDone, response_id="resp_a"),
        DONE,
    )
    assert frames == [
        content(modelTurn={"parts": [{"text": "Hm.", "thought": True}]}),
        HELLO,
        content(modelTurn={"parts": [SOUND_PART]}),
        content(outputTranscription={"text": " there."}),
        content(generationComplete=True),
        {**content(turnComplete=True), "usageMetadata": COUNTS},
    ]


def test_vertex_says_it_with_its_own_names(google_strict: Strict) -> None:
    frames = Wire(google_strict, VERTEX).say(
        STARTED, *SPOKEN, say(ev.StreamClosed, stream=CAPTION, text="Hello"), DONE
    )
    sound = {"inlineData": {**SOUND_PART["inlineData"], "mimeType": "audio/pcm"}}
    counts = {key.replace("response", "candidates"): count for key, count in COUNTS.items()}
    assert frames == [
        HELLO,
        content(modelTurn={"role": "model", "parts": [sound]}),
        content(outputTranscription={"finished": True}),
        content(generationComplete=True),
        {**content(turnComplete=True, groundingMetadata={}), "usageMetadata": counts},
    ]


def test_sound_and_transcript_share_a_frame_where_they_come_together(
    google_strict: Strict,
) -> None:
    wire = Wire(google_strict, bundle=True)
    assert wire.say(STARTED, *SPOKEN, *SPOKEN, DONE)[:2] == [
        content(outputTranscription={"text": "Hello"}, modelTurn={"parts": [SOUND_PART]}),
        content(outputTranscription={"text": "Hello"}, modelTurn={"parts": [SOUND_PART]}),
    ]


def test_a_tool_round_is_one_turn_with_the_usage_of_both_halves(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    call = {"id": "call_a", "name": "f", "args": {"a": 1}}
    deltas = say(ev.ToolCallDelta, stream=CALL, text='{"a":1}')
    assert wire.say(STARTED, say(ev.StreamOpened, stream=CALL), deltas, CALLED, DONE) == [
        {"toolCall": {"functionCalls": [call]}}
    ]
    answer = {"functionResponses": [{"id": "call_a", "response": {}}]}
    assert wire.hear(toolResponse=answer) == []
    voice = attrs.evolve(VOICE, response_id="resp_b")
    frames = wire.say(
        say(ev.ResponseStarted, response_id="resp_b"),
        say(ev.AudioDelta, stream=voice, data=SOUND, format=PCM16_24K),
        say(ev.ResponseDone, response_id="resp_b", usage=USAGE),
    )
    assert [list(frame["serverContent"]) for frame in frames] == [
        ["modelTurn"],
        ["generationComplete"],
        ["turnComplete"],
    ]
    assert frames[-1]["usageMetadata"]["totalTokenCount"] == 60


@pytest.mark.parametrize("answered_first", [False, True])
def test_vertex_ends_the_calling_turn_once_its_tools_were_answered(
    google_strict: Strict, answered_first: bool
) -> None:
    wire = Wire(google_strict, VERTEX)
    answer = {"functionResponses": [{"name": "f", "response": {}}]}
    wire.say(STARTED, CALLED)
    frames: list[dict[str, Any]] = []
    if answered_first:
        frames += wire.hear(toolResponse=answer)
        assert frames == []
        frames += wire.say(DONE)
    else:
        assert wire.say(DONE) == []
        frames += wire.hear(toolResponse=answer)
    assert [next(iter(frame["serverContent"])) for frame in frames] == [
        "generationComplete",
        "turnComplete",
    ]
    assert frames[-1]["usageMetadata"]["totalTokenCount"] == 30


def test_an_interruption_ends_the_turn_without_generation_complete(google_strict: Strict) -> None:
    frames = Wire(google_strict).say(
        STARTED,
        *SPOKEN,
        say(ev.StreamClosed, stream=VOICE, ending=Ending.INTERRUPTED),
        say(ev.Interrupted, response_id="resp_a"),
        say(ev.ResponseDone, response_id="resp_a", ending=Ending.INTERRUPTED, usage=USAGE),
    )
    assert frames[2:] == [
        content(interrupted=True),
        {**content(turnComplete=True), "usageMetadata": COUNTS},
    ]


def test_a_cut_nobody_told_of_is_said_with_the_end(google_strict: Strict) -> None:
    cancelled = say(ev.ResponseDone, response_id="resp_a", ending=Ending.CANCELLED)
    assert Wire(google_strict).say(STARTED, SPOKEN[1], cancelled) == [
        HELLO,
        content(interrupted=True),
        content(turnComplete=True),
    ]


def test_a_barge_in_on_a_waiting_turn_cancels_its_calls_and_ends_it(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    wire.say(STARTED, CALLED, DONE)
    frames = wire.say(
        say(ev.Interrupted, response_id="resp_a", generating=False),
        say(ev.ToolCallCancelled, call_ids=("call_a",)),
    )
    assert frames == [
        content(interrupted=True),
        {"toolCallCancellation": {"ids": ["call_a"]}},
        {**content(turnComplete=True), "usageMetadata": COUNTS},
    ]


def test_a_playback_that_is_cut_is_said_after_the_turn(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    wire.say(STARTED, *SPOKEN, DONE)
    cut = say(ev.Interrupted, response_id="resp_a", generating=False)
    assert wire.say(cut) == [content(interrupted=True)]
    assert wire.say(DONE) == []


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        ({"ending": Ending.INCOMPLETE, "reason": "content_filter"}, "GENERATED_CONTENT_SAFETY"),
        ({"ending": Ending.FAILED, "reason": "malformed_call"}, "MALFORMED_FUNCTION_CALL"),
        ({"ending": Ending.FAILED, "reason": "model_error"}, "GENERATED_OTHER"),
        (
            {"ending": Ending.INCOMPLETE, "reason": "content_filter", "detail": "BLOCKLIST"},
            "BLOCKLIST",
        ),
        ({"ending": Ending.FAILED, "reason": "quota", "detail": "no money"}, "GENERATED_OTHER"),
        ({"ending": Ending.INCOMPLETE, "reason": "max_output_tokens"}, None),
    ],
)
def test_why_a_turn_did_not_complete_is_said_in_googles_words(
    google_strict: Strict, done: dict[str, Any], reason: str | None
) -> None:
    [end] = Wire(google_strict).say(STARTED, say(ev.ResponseDone, response_id="resp_a", **done))
    expected = {"turnComplete": True}
    assert end == content(**expected, **({} if reason is None else {"turnCompleteReason": reason}))


def test_extended_thinking_says_how_the_interaction_stands(google_strict: Strict) -> None:
    thinking = {"thinkingConfig": {"thinkingLevel": "LOW"}}
    wire = Wire(google_strict, THINKS, generationConfig=thinking)
    frames = wire.say(STARTED, SPOKEN[1], say(ev.InteractionStatus, status="in_progress"), DONE)
    assert frames[1] == content(turnComplete=True, interactionStatus="IN_PROGRESS")
    assert frames[-1]["serverContent"] == {"turnComplete": True, "interactionStatus": "IDLE"}
    assert wire.say(say(ev.InteractionStatus, status="waiting")) == [
        content(turnComplete=True, turnCompleteReason="NEED_MORE_INPUT", waitingForInput=True)
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "result", "parts"),
    [
        (
            "code_execution",
            '{"language":"PYTHON","code":"print(1)"}',
            {"output": "1"},
            [
                {"executableCode": {"language": "PYTHON", "code": "print(1)", "id": "call_s"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1", "id": "call_s"}},
            ],
        ),
        (
            "code_execution",
            "print(1",
            {"error": "SyntaxError"},
            [
                {"executableCode": {"language": "PYTHON", "code": "print(1", "id": "call_s"}},
                {
                    "codeExecutionResult": {
                        "outcome": "OUTCOME_FAILED",
                        "output": "SyntaxError",
                        "id": "call_s",
                    }
                },
            ],
        ),
        (
            "web_search",
            '{"query":"moon"}',
            {"output": '{"km":384400}'},
            [
                {
                    "toolCall": {
                        "id": "call_s",
                        "toolType": "GOOGLE_SEARCH_WEB",
                        "args": {"query": "moon"},
                    }
                },
                {
                    "toolResponse": {
                        "id": "call_s",
                        "toolType": "GOOGLE_SEARCH_WEB",
                        "response": {"km": 384400},
                    }
                },
            ],
        ),
        (
            "url_context",
            "{}",
            {"error": "404"},
            [
                {"toolCall": {"id": "call_s", "toolType": "URL_CONTEXT", "args": {}}},
                {
                    "toolResponse": {
                        "id": "call_s",
                        "toolType": "URL_CONTEXT",
                        "response": {"error": "404"},
                    }
                },
            ],
        ),
    ],
)
def test_a_tool_that_the_server_runs_is_said_as_parts(
    google_strict: Strict,
    name: str,
    arguments: str,
    result: dict[str, str],
    parts: list[dict[str, Any]],
) -> None:
    tool = stream(StreamKind.SERVER_TOOL, name=name, call_id="call_s")
    frames = Wire(google_strict).say(
        STARTED,
        say(ev.ServerToolDelta, stream=tool, text=arguments[:4]),
        say(ev.ServerToolDelta, stream=tool, text=arguments[4:]),
        say(ev.ServerToolResult, stream=tool, **result),
        say(ev.StreamClosed, stream=tool),
    )
    assert frames == [content(modelTurn={"parts": [part]}) for part in parts]


def test_what_is_known_of_a_transcript_is_said(google_strict: Strict) -> None:
    words = (ev.Word(text="Hi", start_ms=500.0, end_ms=1250.0),)
    [frame] = Wire(google_strict).say(
        say(
            ev.TranscriptDelta,
            stream=SPEECH,
            text="Hi",
            words=words,
            language="en",
            speaker="A",
            start_ms=500.0,
            end_ms=1250.0,
        )
    )
    assert frame == content(
        inputTranscription={
            "text": "Hi",
            "languageCode": "en",
            "speakerLabel": "A",
            "words": [{"word": "Hi", "startOffset": "0.5s", "endOffset": "1.25s"}],
            "startOffset": "0.5s",
            "endOffset": "1.25s",
        }
    )


@pytest.mark.parametrize(
    ("model", "setup", "frames"),
    [
        (LIVE, {}, []),
        (PREVIEW, {}, [{"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.2s"}}]),
        (
            VERTEX,
            {"explicitVadSignal": True},
            [{"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_SOS"}}],
        ),
    ],
)
def test_voice_activity_is_said_by_those_who_tell_it(
    google_strict: Strict, model: str, setup: dict[str, Any], frames: list[object]
) -> None:
    wire = Wire(google_strict, model, **setup)
    assert wire.say(say(ev.SpeechStarted, audio_ms=1200.0)) == frames


def test_only_a_fatal_error_is_told_and_by_closing(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    assert wire.say(say(ev.ProviderError, message="hiccup")) == []
    assert wire.server.close_wanted() is None
    wire.say(say(ev.ProviderError, message="é" * 100, severity=Severity.FATAL))
    assert wire.server.close_wanted() == (1011, "é" * 61)
    wire.say(say(ev.SessionClosed, code=1000))
    assert wire.server.close_wanted() == (1011, "é" * 61)


@pytest.mark.parametrize(
    ("type_", "data", "frame"),
    [
        ("", {"serverContent": {"novel": 1}}, {"serverContent": {"novel": 1}}),
        ("novelty", {"novelty": 1}, {"novelty": 1}),
        ("novelty", 5, {"novelty": 5}),
        ("serverContent.novel", {"x": 1}, {"serverContent": {"novel": {"x": 1}}}),
        (
            "serverContent.modelTurn.parts[].novel",
            "x",
            {"serverContent": {"modelTurn": {"parts": [{"novel": "x"}]}}},
        ),
        ("", 5, None),
    ],
)
def test_what_has_no_name_goes_back_where_it_was(type_: str, data: Any, frame: Any) -> None:
    server = GoogleServer()
    server.send(say(ev.Unmapped, type=type_, data=data), 0.0)
    assert [json.loads(f) for f in server.frames_to_send()] == ([] if frame is None else [frame])
