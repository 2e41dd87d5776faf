"""Each field of a server message, each part kind, and what shares a frame."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from google.genai.types import LiveServerContent, LiveServerMessage, Part, TurnCompleteReason

from unirt import (
    AudioDelta,
    CitationsDelta,
    ContentDiscarded,
    ContentEvent,
    Ending,
    Event,
    Interrupted,
    Malformed,
    Noted,
    ResponseDone,
    ResponseStarted,
    ResumptionUpdated,
    ServerToolDelta,
    ServerToolResult,
    SessionConfig,
    SessionExpiring,
    SessionStarted,
    SpeechStarted,
    StreamClosed,
    StreamOpened,
    Tokens,
    ToolCall,
    TranscriptDelta,
    Unmapped,
    Usage,
    UsageReported,
    Word,
)
from unirt.testing import check, translate
from unirt_google.inbound import FIELDS, REASONS
from unirt_google.parts import PARTS
from unirt_google.spelling import snake
from unirt_google.translator import GoogleTranslator

PCM = base64.b64encode(b"\x01\x00\x02\x00").decode()
AUDIO = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": PCM}}


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def parts(*many: dict[str, Any]) -> dict[str, Any]:
    return content(modelTurn={"parts": list(many)})


def short(event: Event) -> str:
    """An event in a word or three: its class, its stream's kind, whether it was synthesised."""
    name = type(event).__name__
    if isinstance(event, ContentEvent):
        whose = "user " if event.role == "user" else ""
        name += f" {whose}{event.kind}"
    return name + ("*" if event.synthesised else "")


def told(*frames: dict[str, Any]) -> list[str]:
    """What frames after ``setupComplete`` tell, shortened."""
    events = translate("google", [{"setupComplete": {}}, *frames])
    check(events)
    return [short(event) for event in events[2:]]


def events_of(*frames: dict[str, Any]) -> list[Event]:
    events = translate("google", [{"setupComplete": {}}, *frames])
    check(events)
    return events[2:]


def only(kind: type[Any], events: list[Event]) -> Any:
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, found
    return found[0]


STARTS = ["ResponseStarted*"]
SAYS = ["StreamOpened audio*", "AudioDelta audio"]
HEARS = ["StreamOpened user transcript*", "TranscriptDelta user transcript"]
CALLS = [
    "StreamOpened tool_call*",
    "ToolCallDelta tool_call*",
    "ToolCall tool_call",
    "StreamClosed tool_call*",
]
WRITES = ["StreamOpened transcript*", "TranscriptDelta transcript"]

ONE_FRAME: list[tuple[str, dict[str, Any], list[str]]] = [
    ("setup repeated", {"setupComplete": {}}, ["Noted", "SessionUpdated*"]),
    (
        "voice consent",
        {"setupComplete": {"voiceConsentSignature": {"signature": "x"}}},
        ["Noted", "SessionUpdated*", "Unmapped"],
    ),
    ("empty frame", {}, ["Noted"]),
    ("empty content", content(), ["Noted"]),
    ("flags that say no", content(interrupted=False, turnComplete=False), ["Noted"]),
    ("nulls", {"serverContent": None, "goAway": None}, ["Noted"]),
    ("audio", parts(AUDIO), STARTS + SAYS),
    ("no mime type", parts({"inlineData": {"data": PCM}}), STARTS + SAYS),
    ("text", parts({"text": "Hi"}), [*STARTS, "StreamOpened text*", "TextDelta text"]),
    ("empty text", parts({"text": ""}), ["Noted"]),
    (
        "thought",
        parts({"text": "Hm", "thought": True}),
        [*STARTS, "StreamOpened thought*", "ThoughtDelta thought"],
    ),
    (
        "image",
        parts({"inlineData": {"mimeType": "image/png", "data": PCM}}),
        [*STARTS, "StreamOpened image*", "ImageDelta image"],
    ),
    (
        "a codec that is not PCM",
        parts({"inlineData": {"mimeType": "audio/opus", "data": PCM}}),
        [*STARTS, "StreamOpened image*", "ImageDelta image"],
    ),
    ("empty part", parts({}), ["Noted"]),
    ("no parts", content(modelTurn={"role": "model"}), ["Noted"]),
    ("file", parts({"fileData": {"fileUri": "gs://x"}}), ["Unmapped"]),
    ("a signature alone", parts({"thoughtSignature": "x"}), ["Unmapped"]),
    (
        "a signature beside a thought",
        parts({"text": "Hm", "thought": True, "thoughtSignature": "x"}),
        [*STARTS, "StreamOpened thought*", "ThoughtDelta thought", "Unmapped"],
    ),
    ("a sound that was only thought", parts({**AUDIO, "thought": True}), ["Unmapped"]),
    ("a turn's unknown key", content(modelTurn={"mood": "fine"}), ["Unmapped"]),
    (
        "code",
        parts({"executableCode": {"language": "PYTHON", "code": "1"}}),
        [*STARTS, "StreamOpened server_tool*", "ServerToolDelta server_tool"],
    ),
    (
        "a function call as a part",
        parts({"functionCall": {"name": "f"}}),
        STARTS + CALLS,
    ),
    (
        "tool call",
        {"toolCall": {"functionCalls": [{"id": "c", "name": "f", "args": {"a": 1}}]}},
        STARTS + CALLS,
    ),
    ("no calls", {"toolCall": {"functionCalls": []}}, ["Noted"]),
    ("cancelled calls", {"toolCallCancellation": {"ids": ["c"]}}, ["ToolCallCancelled"]),
    ("no ids", {"toolCallCancellation": {}}, ["Noted"]),
    ("model's words", content(outputTranscription={"text": "Hi"}), STARTS + WRITES),
    ("no words", content(outputTranscription={}), ["Noted"]),
    ("finished nothing", content(outputTranscription={"finished": True}), ["Noted"]),
    (
        "user's words",
        content(inputTranscription={"text": "Hi"}),
        HEARS,
    ),
    (
        "user's last words",
        content(inputTranscription={"text": "Hi", "finished": True}),
        [*HEARS, "StreamClosed user transcript"],
    ),
    ("no user's words", content(inputTranscription={}), ["Noted"]),
    (
        "a guess",
        content(interimInputTranscription={"text": "H"}),
        ["StreamOpened user transcript*", "TranscriptInterim user transcript"],
    ),
    ("no guess", content(interimInputTranscription={}), ["Noted"]),
    ("no sources", content(groundingMetadata={}), ["Noted"]),
    ("sources of nothing", content(groundingMetadata={"webSearchQueries": ["q"]}), ["Unmapped"]),
    ("pages of nothing", content(urlContextMetadata={"urlMetadata": [{}]}), ["Unmapped"]),
    ("generated nothing", content(generationComplete=True), ["Noted"]),
    ("interrupted nothing", content(interrupted=True), ["Noted"]),
    ("a turn of nothing", content(turnComplete=True), ["Noted"]),
    ("a reason alone", content(turnCompleteReason="BLOCKLIST"), ["Unmapped"]),
    ("waiting", content(waitingForInput=True), ["InteractionStatus"]),
    ("a status alone", content(interactionStatus="IDLE"), ["InteractionStatus"]),
    ("no status", content(interactionStatus="INTERACTION_STATUS_UNSPECIFIED"), ["Noted"]),
    ("usage alone", {"usageMetadata": {"promptTokenCount": 3}}, ["UsageReported"]),
    ("go away", {"goAway": {"timeLeft": "49.5s"}}, ["SessionExpiring"]),
    ("no handle", {"sessionResumptionUpdate": {}}, ["ResumptionUpdated"]),
    ("voice starts", {"voiceActivity": {"type": "ACTIVITY_START"}}, ["SpeechStarted"]),
    ("voice ends", {"voiceActivity": {"type": "ACTIVITY_END"}}, ["SpeechStopped"]),
    ("a new voice sign", {"voiceActivity": {"type": "COUGH"}}, ["Unmapped"]),
    (
        "the SDK's name of it",
        {"voiceActivity": {"voiceActivityType": "ACTIVITY_START"}},
        ["SpeechStarted"],
    ),
    (
        "start of speech",
        {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_SOS"}},
        ["SpeechStarted"],
    ),
    (
        "end of speech",
        {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_EOS"}},
        ["SpeechStopped"],
    ),
    ("an unknown message", {"novelty": {"a": 1}}, ["Unmapped"]),
    ("an unknown field of content", content(novelty=1), ["Unmapped"]),
    ("a name that looks like a path", {"serverContent.interrupted": True}, ["Unmapped"]),
    ("an unknown name that looks like a path", {"serverContent.novelty": 1}, ["Unmapped"]),
    ("an inner name with a dot", content(**{"modelTurn.parts": 1}), ["Unmapped"]),
]


@pytest.mark.parametrize(
    ("frame", "expected"), [row[1:] for row in ONE_FRAME], ids=[row[0] for row in ONE_FRAME]
)
def test_one_frame(frame: dict[str, Any], expected: list[str]) -> None:
    assert told(frame) == expected


def snaked(value: Any) -> Any:
    """The frame with every name in snake_case."""
    if isinstance(value, dict):
        return {snake(name): snaked(inner) for name, inner in value.items()}
    return [snaked(entry) for entry in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("frame", "expected"), [row[1:] for row in ONE_FRAME], ids=[row[0] for row in ONE_FRAME]
)
def test_the_other_spelling_says_the_same(frame: dict[str, Any], expected: list[str]) -> None:
    assert told(snaked(frame)) == expected


def test_every_field_of_the_sdk_s_message_types_has_a_row() -> None:
    top = {field.alias for field in LiveServerMessage.model_fields.values()} - {"serverContent"}
    inner = {
        f"serverContent.{field.alias or name}"
        for name, field in LiveServerContent.model_fields.items()
    }
    assert set(FIELDS) == top | inner


def test_every_part_kind_of_the_sdk_is_told_one_way_or_the_other() -> None:
    names = {field.alias or name for name, field in Part.model_fields.items()}
    assert set(PARTS) <= names
    for name in names - set(PARTS) - {"thought"}:
        event = only(Unmapped, events_of(parts({name: {"some": "data"}})))
        assert (event.type, event.data) == (
            f"serverContent.modelTurn.parts[].{name}",
            {"some": "data"},
        )


def test_every_reason_of_the_sdk_is_listed() -> None:
    assert set(REASONS) == {reason.value for reason in TurnCompleteReason}


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"serverContent": 5}, "$.serverContent"),
    (content(modelTurn=[]), "$.serverContent.modelTurn"),
    (content(modelTurn={"parts": {}}), "$.serverContent.modelTurn.parts"),
    (content(modelTurn={"parts": ["text"]}), "$.serverContent.modelTurn.parts[0]"),
    (parts({"text": 5}), "$.serverContent.modelTurn.parts[0].text"),
    (parts({"inlineData": {"data": "*"}}), "$.serverContent.modelTurn.parts[0].inlineData.data"),
    (
        parts({"inlineData": {"mimeType": "audio/pcm;rate=5", "data": PCM}}),
        "$.serverContent.modelTurn.parts[0].inlineData.mimeType",
    ),
    (content(turnComplete="yes"), "$.serverContent.turnComplete"),
    (content(outputTranscription={"text": 1}), "$.serverContent.outputTranscription.text"),
    ({"toolCall": {"functionCalls": [{}]}}, "$.toolCall.functionCalls[0].name"),
    (
        {"toolCall": {"functionCalls": [{"name": "f", "args": 1}]}},
        "$.toolCall.functionCalls[0].args",
    ),
    ({"toolCallCancellation": {"ids": [1]}}, "$.toolCallCancellation.ids[0]"),
    ({"goAway": {"timeLeft": "soon"}}, "$.goAway.timeLeft"),
    ({"goAway": []}, "$.goAway"),
    ({"usageMetadata": {"promptTokenCount": "x"}}, "$.usageMetadata.promptTokenCount"),
    ({"setupComplete": {"sessionId": 1}}, "$.setupComplete.sessionId"),
    ({"voiceActivity": {"type": 1}}, "$.voiceActivity.type"),
]


@pytest.mark.parametrize(("frame", "where"), MALFORMED, ids=[row[1] for row in MALFORMED])
def test_what_breaks_the_protocol_is_told_with_its_path(frame: dict[str, Any], where: str) -> None:
    assert only(Malformed, events_of(frame)).where == where


@pytest.mark.parametrize("frame", ["not json", b"\xff\xfe", "[]", "5", "null", ""])
def test_what_is_no_object_is_told_as_it_came(frame: str | bytes) -> None:
    events = translate("google", [frame])
    assert only(Malformed, events).where == "$"


def test_a_malformed_field_does_not_take_the_others_with_it() -> None:
    bad = {"inlineData": {"data": "*"}}
    frame = {**parts(AUDIO, bad, {"text": "Hi"}), "goAway": {"timeLeft": 3}, "toolCall": []}
    assert told(frame) == [
        *STARTS,
        *SAYS,
        "Malformed",
        "StreamOpened text*",
        "TextDelta text",
        "Malformed",
        "Malformed",
    ]


def test_usage_that_is_malformed_does_not_keep_the_turn_open() -> None:
    frames = (
        parts(AUDIO),
        {**content(turnComplete=True), "usageMetadata": {"promptTokenCount": "x"}},
    )
    events = events_of(*frames)
    assert only(Malformed, events).where == "$.usageMetadata.promptTokenCount"
    assert only(ResponseDone, events).usage is None


def test_every_event_of_a_frame_reaches_the_frame_as_it_came() -> None:
    frame = {**content(modelTurn={"parts": [AUDIO]}, turnComplete=True), "novelty": 1}
    events = translate("google", [frame])
    assert len(events) > 4
    assert all(event.raw is frame for event in events)


# What shares a frame.


def test_a_bundled_frame_is_told_in_the_stated_order() -> None:
    everything = {
        "usageMetadata": {"promptTokenCount": 7},
        "novelty": 1,
        "goAway": {"timeLeft": "1s"},
        "toolCallCancellation": {"ids": ["c"]},
        "toolCall": {"functionCalls": [{"id": "c", "name": "f"}]},
        "serverContent": {
            "interactionStatus": "IDLE",
            "turnComplete": True,
            "generationComplete": True,
            "groundingMetadata": {"webSearchQueries": ["q"]},
            "outputTranscription": {"text": "Hi"},
            "modelTurn": {"parts": [AUDIO]},
            "inputTranscription": {"text": "Hello"},
            "interimInputTranscription": {"text": "Hell"},
        },
        "voiceActivity": {"type": "ACTIVITY_START"},
        "sessionResumptionUpdate": {"newHandle": "h", "resumable": True},
    }
    assert told(everything) == [
        "ResumptionUpdated",
        "SpeechStarted",
        "StreamOpened user transcript*",
        "TranscriptInterim user transcript",
        "TranscriptDelta user transcript",
        "InputCommitted*",
        *STARTS,
        *SAYS,
        *WRITES,
        "StreamOpened citations*",
        "CitationsDelta citations",
        "StreamClosed audio*",
        "GenerationDone",
        "StreamClosed user transcript*",
        "StreamOpened tool_call*",
        "ToolCallDelta tool_call*",
        "ToolCall tool_call",
        "StreamClosed tool_call*",
        "ToolCallCancelled",
        "StreamClosed transcript*",
        "StreamClosed citations*",
        "ResponseDone",
        "InteractionStatus",
        "SessionExpiring",
        "Unmapped",
    ]


def test_content_beside_an_interruption_belongs_to_what_was_interrupted() -> None:
    frames = (
        parts(AUDIO),
        {
            **content(
                interrupted=True,
                modelTurn={"parts": [AUDIO, {"text": "Hi"}, {"executableCode": {"code": "1"}}]},
                outputTranscription={"text": "Hello"},
                groundingMetadata={"webSearchQueries": ["q"]},
            ),
            "toolCall": {"functionCalls": [{"name": "f"}]},
        },
    )
    events = events_of(*frames)
    discarded = [event for event in events if isinstance(event, ContentDiscarded)]
    assert [(event.kind.value, event.size) for event in discarded] == [
        ("audio", 4),
        ("text", 2),
        ("server_tool", len('{"language":null,"code":"1"}')),
        ("transcript", 5),
        ("citations", 0),
        ("tool_call", 2),
    ]
    assert {event.response_id for event in discarded} == {only(Interrupted, events).response_id}


def test_an_interruption_of_nothing_discards_what_shares_its_frame() -> None:
    frame = content(interrupted=True, modelTurn={"parts": [AUDIO]})
    assert told(frame) == ["Noted", "ContentDiscarded"]
    assert told(frame, parts(AUDIO)) == ["Noted", "ContentDiscarded", *STARTS, *SAYS]


# What the fields carry.


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


# How a turn ends.


@pytest.mark.parametrize(
    ("detail", "ending", "reason"),
    [
        (None, Ending.COMPLETE, None),
        ("TURN_COMPLETE_REASON_UNSPECIFIED", Ending.COMPLETE, None),
        ("MALFORMED_FUNCTION_CALL", Ending.FAILED, "malformed_call"),
        ("RESPONSE_REJECTED", Ending.FAILED, "model_error"),
        ("MAX_REGENERATION_REACHED", Ending.FAILED, "model_error"),
        ("BLOCKLIST", Ending.INCOMPLETE, "content_filter"),
        ("GENERATED_AUDIO_SAFETY", Ending.INCOMPLETE, "content_filter"),
        ("A_REASON_OF_TOMORROW", Ending.FAILED, "model_error"),
    ],
)
def test_the_reason_of_a_turn_s_end(detail: str | None, ending: Ending, reason: str | None) -> None:
    done = only(
        ResponseDone,
        events_of(parts(AUDIO), content(turnComplete=True, turnCompleteReason=detail)),
    )
    assert (done.ending, done.reason) == (ending, reason)
    assert done.detail == (detail if reason else None)


USAGE = {"promptTokenCount": 3, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]}
SPENT = Usage(input=Tokens(text=3))


def test_usage_beside_the_end_is_the_response_s() -> None:
    events = events_of(parts(AUDIO), {**content(turnComplete=True), "usageMetadata": USAGE})
    assert only(ResponseDone, events).usage == SPENT
    assert not [event for event in events if isinstance(event, UsageReported)]


def test_usage_that_came_before_is_the_response_s_where_the_end_brings_none() -> None:
    events = events_of(parts(AUDIO), {"usageMetadata": USAGE}, content(turnComplete=True))
    reported, done = only(UsageReported, events), only(ResponseDone, events)
    assert (reported.usage, reported.response_id) == (SPENT, done.response_id)
    assert done.usage == SPENT


def test_usage_of_a_turn_of_nothing_is_told() -> None:
    event = only(UsageReported, events_of({**content(turnComplete=True), "usageMetadata": USAGE}))
    assert (event.usage, event.response_id, event.scope) == (SPENT, None, "turn")


def test_usage_that_comes_late_is_of_the_response_that_ended() -> None:
    events = events_of(parts(AUDIO), content(turnComplete=True), {"usageMetadata": USAGE})
    done, late = only(ResponseDone, events), only(UsageReported, events)
    assert done.usage is None
    assert (late.scope, late.response_id, late.turn_id) == (
        "response",
        done.response_id,
        done.turn_id,
    )


def test_an_answer_in_progress_goes_on_in_a_new_message() -> None:
    in_progress = content(turnComplete=True, interactionStatus="IN_PROGRESS")
    end = {**content(turnComplete=True, interactionStatus="IDLE"), "usageMetadata": USAGE}
    events = events_of(parts(AUDIO), {**in_progress, "usageMetadata": USAGE}, parts(AUDIO), end)
    assert [short(event) for event in events] == [
        *STARTS,
        *SAYS,
        "StreamClosed audio*",
        "UsageReported",
        "InteractionStatus",
        *SAYS,
        "StreamClosed audio*",
        "ResponseDone",
        "InteractionStatus",
    ]
    items = [event.item_id for event in events if isinstance(event, StreamOpened)]
    assert len(set(items)) == 2
    assert only(ResponseDone, events).usage == SPENT + SPENT


def test_an_answer_in_progress_is_over_when_the_interaction_is_idle() -> None:
    events = events_of(
        parts(AUDIO),
        content(turnComplete=True, interactionStatus="IN_PROGRESS"),
        content(interactionStatus="IDLE"),
    )
    assert only(ResponseDone, events).ending is Ending.COMPLETE


def test_content_after_the_generation_is_a_new_message_and_its_transcript_trails() -> None:
    events = events_of(
        parts(AUDIO),
        content(outputTranscription={"text": "Hel"}),
        content(generationComplete=True),
        content(outputTranscription={"text": "lo"}),
        parts(AUDIO),
    )
    deltas = [event for event in events if isinstance(event, TranscriptDelta | AudioDelta)]
    first, *_, last = (event.item_id for event in deltas)
    assert [event.item_id for event in deltas] == [first, first, first, last]
    assert first != last
    assert len({event.response_id for event in deltas}) == 1


def test_words_after_a_finished_transcript_are_a_new_message() -> None:
    events = events_of(
        content(outputTranscription={"text": "Hello.", "finished": True}),
        content(outputTranscription={"text": "Again."}),
    )
    assert [e.text for e in events if isinstance(e, TranscriptDelta)] == ["Hello.", "Again."]
    assert len({e.item_id for e in events if isinstance(e, TranscriptDelta)}) == 2


def test_a_transcript_may_be_finished_by_a_frame_of_its_own() -> None:
    events = events_of(
        content(outputTranscription={}),
        content(outputTranscription={"text": " Hello."}),
        content(outputTranscription={"finished": True}),
        parts(AUDIO),
    )
    closed = only(StreamClosed, events)
    assert (closed.text, closed.synthesised) == ("Hello.", False)
    assert only(ResponseStarted, events).synthesised


def test_only_an_unknown_frame_is_noted_nowhere() -> None:
    event = only(Unmapped, events_of({"novelty": {"a": [1]}}))
    assert (event.type, event.data) == ("novelty", {"a": [1]})
    assert not [e for e in events_of({"novelty": {"a": [1]}}) if isinstance(e, Noted)]


STREAMS = {"StreamOpened", "StreamClosed", "ResponseStarted", "InputCommitted", "ToolCallDelta"}


@pytest.mark.parametrize("frame", [row[1] for row in ONE_FRAME], ids=[row[0] for row in ONE_FRAME])
def test_a_row_names_what_its_field_becomes(frame: dict[str, Any]) -> None:
    inner = frame.get("serverContent") or {}
    names = {name for name in frame if name != "serverContent"}
    if any("." in name for name in names):
        return
    names |= {f"serverContent.{name}" for name in inner}
    given = {kind.__name__ for name in names & set(FIELDS) for kind in FIELDS[name].gives}
    if not names - set(FIELDS):
        found = {type(event).__name__ for event in events_of(frame)}
        assert found - STREAMS - {"Noted"} <= given
