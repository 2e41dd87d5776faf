"""What the fields of a server message carry, and where it is told."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.providers.google_told import AUDIO, PCM, content, events_of, only, parts
from unirt import (
    AudioDelta,
    CitationsDelta,
    Ending,
    ResumptionUpdated,
    ServerToolDelta,
    ServerToolResult,
    SessionConfig,
    SessionExpiring,
    SessionStarted,
    SpeechStarted,
    StreamClosed,
    ToolCall,
    TranscriptDelta,
    Unmapped,
    Word,
)
from unirt.testing import translate
from unirt_google.translator import GoogleTranslator


def test_the_session_id_is_told() -> None:
    events = translate("google", [{"setupComplete": {"sessionId": "abc"}}])
    assert only(SessionStarted, events).session_id == "abc"


def test_a_live_session_tells_the_model_that_was_asked_for() -> None:
    translator = GoogleTranslator(SessionConfig(model="models/gemini-2.5-flash-native-audio"))
    translator.start(0.0)
    translator.receive({"setupComplete": {}}, 0.0)
    started = only(SessionStarted, translator.events_received())
    assert started.model == "models/gemini-2.5-flash-native-audio"


def test_audio_says_its_format_in_its_mime_type() -> None:
    blob = {"mimeType": "audio/pcm;rate=16000", "data": PCM}
    audio = only(AudioDelta, events_of(parts({"inlineData": blob})))
    assert (audio.format.rate, audio.data) == (16_000, b"\x01\x00\x02\x00")
    silent = only(AudioDelta, events_of(parts({"inlineData": {**blob, "mimeType": "audio/pcm"}})))
    assert silent.format.rate == 24_000


def test_audio_in_the_url_safe_alphabet_is_the_same_audio() -> None:
    data = bytes(range(200, 256))
    blob = {"mimeType": "audio/pcm", "data": base64.urlsafe_b64encode(data).decode().rstrip("=")}
    assert only(AudioDelta, events_of(parts({"inlineData": blob}))).data == data


def test_a_transcript_carries_words_language_speaker_and_times() -> None:
    wire = {
        "text": "Hi",
        "languageCode": "en-GB",
        "speakerLabel": "A",
        "startOffset": "1s",
        "endOffset": "1.5s",
        "words": [{"word": "Hi", "startOffset": "1s", "endOffset": "1.250s"}, {}],
    }
    delta = only(TranscriptDelta, events_of(content(inputTranscription=wire)))
    assert delta.words == (Word(text="Hi", start_ms=1000, end_ms=1250), Word(text=""))
    assert (delta.language, delta.speaker) == ("en-GB", "A")
    assert (delta.start_ms, delta.end_ms) == (1000, 1500)


def test_voice_activity_says_where_in_the_audio() -> None:
    frame = {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.2s"}}
    assert only(SpeechStarted, events_of(frame)).audio_ms == 1200


@pytest.mark.parametrize(
    ("update", "resumable", "handle", "index"),
    [
        ({"newHandle": "h", "resumable": True}, True, "h", None),
        ({"newHandle": "", "resumable": False}, False, None, None),
        ({"newHandle": "h", "resumable": False}, False, None, None),
        ({"newHandle": "", "resumable": True}, False, None, None),
        (
            {"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": "12"},
            True,
            "h",
            12,
        ),
    ],
)
def test_only_a_handle_that_resumes_is_handed_out(
    update: dict[str, Any], resumable: bool, handle: str | None, index: int | None
) -> None:
    event = only(ResumptionUpdated, events_of({"sessionResumptionUpdate": update}))
    assert (event.resumable, event.handle) == (resumable, handle)
    assert event.last_client_message == index


@pytest.mark.parametrize(("left", "ms"), [("49.5s", 49_500), ("60s", 60_000), (None, 0)])
def test_go_away_says_how_long_is_left(left: str | None, ms: float) -> None:
    event = only(SessionExpiring, events_of({"goAway": {"timeLeft": left}}))
    assert event.time_left_ms == ms


def test_a_tool_call_carries_its_arguments_twice() -> None:
    call = {"id": "c", "name": "f", "args": {"city": "Köln", "n": 1}}
    event = only(ToolCall, events_of({"toolCall": {"functionCalls": [call]}}))
    assert (event.call_id, event.name) == ("c", "f")
    assert event.arguments == '{"city":"Köln","n":1}'
    assert event.args == {"city": "Köln", "n": 1}


def test_parallel_calls_are_items_of_one_response() -> None:
    calls = [{"id": "a", "name": "f"}, {"id": "b", "name": "g"}]
    events = events_of({"toolCall": {"functionCalls": calls}})
    told_calls = [event for event in events if isinstance(event, ToolCall)]
    assert [call.call_id for call in told_calls] == ["a", "b"]
    assert len({call.item_id for call in told_calls}) == 2
    assert len({call.response_id for call in told_calls}) == 1


def test_a_call_without_an_id_gets_one() -> None:
    call = only(ToolCall, events_of({"toolCall": {"functionCalls": [{"name": "f"}]}}))
    assert call.call_id


def test_what_only_some_backends_say_of_a_call_is_told_as_it_is() -> None:
    call = {"id": "c", "name": "f", "willContinue": True}
    event = only(Unmapped, events_of({"toolCall": {"functionCalls": [call]}}))
    assert (event.type, event.data) == ("toolCall.functionCalls[].willContinue", True)


SERVER_TOOLS: list[tuple[str, dict[str, Any], dict[str, Any], tuple[Any, ...]]] = [
    (
        "code that runs",
        {"executableCode": {"id": "x", "language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"id": "x", "outcome": "OUTCOME_OK", "output": "1"}},
        ("code_execution", '{"language":"PYTHON","code":"print(1)"}', "1", None),
    ),
    (
        "code that fails",
        {"executableCode": {"language": "PYTHON", "code": "1/0"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "ZeroDivisionError"}},
        (
            "code_execution",
            '{"language":"PYTHON","code":"1/0"}',
            None,
            "ZeroDivisionError",
        ),
    ),
    (
        "code that fails silently",
        {"executableCode": {"code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_DEADLINE_EXCEEDED"}},
        ("code_execution", '{"language":null,"code":"1"}', None, "OUTCOME_DEADLINE_EXCEEDED"),
    ),
    (
        "a search",
        {"toolCall": {"id": "s", "toolType": "GOOGLE_SEARCH_WEB", "args": {"q": "x"}}},
        {"toolResponse": {"id": "s", "toolType": "GOOGLE_SEARCH_WEB", "response": {"n": 1}}},
        ("web_search", '{"q":"x"}', '{"n":1}', None),
    ),
    (
        "a search that fails",
        {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB"}},
        {"toolResponse": {"toolType": "GOOGLE_SEARCH_WEB", "response": {"error": "down"}}},
        ("web_search", "{}", None, "down"),
    ),
    (
        "another tool",
        {"toolCall": {"toolType": "GOOGLE_MAPS"}},
        {"toolResponse": {"toolType": "GOOGLE_MAPS"}},
        ("google_maps", "{}", "{}", None),
    ),
]


@pytest.mark.parametrize(
    ("call", "result", "expected"),
    [row[1:] for row in SERVER_TOOLS],
    ids=[r[0] for r in SERVER_TOOLS],
)
def test_a_server_s_tool_is_one_stream(
    call: dict[str, Any], result: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    events = events_of(parts(call), parts(result))
    delta, answer = only(ServerToolDelta, events), only(ServerToolResult, events)
    assert delta.stream is answer.stream
    assert (delta.stream.name, delta.text, answer.output, answer.error) == expected
    closed = only(StreamClosed, events)
    assert closed.ending is (Ending.FAILED if expected[3] else Ending.COMPLETE)


def test_results_of_server_tools_find_their_calls_by_id() -> None:
    calls = [{"executableCode": {"id": name, "code": name}} for name in "ab"]
    results = [{"codeExecutionResult": {"id": name, "output": name}} for name in "ab"]
    events = events_of(parts(*calls), parts(*results))
    items = {e.text[-3]: e.item_id for e in events if isinstance(e, ServerToolDelta)}
    for event in events:
        if isinstance(event, ServerToolResult):
            assert items[event.output or ""] == event.item_id


def test_a_result_without_its_call_is_a_stream_of_its_own() -> None:
    result = only(ServerToolResult, events_of(parts({"codeExecutionResult": {"output": "1"}})))
    assert (result.stream.name, result.output) == ("code_execution", "1")


def test_sources_of_an_answer_are_citations() -> None:
    sources = {"webSearchQueries": ["q"]}
    event = only(CitationsDelta, events_of(parts(AUDIO), content(groundingMetadata=sources)))
    assert event.data == sources
