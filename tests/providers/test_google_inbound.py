"""Each field of a server message, each part kind, and what shares a frame."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai.types import LiveServerContent, LiveServerMessage, Part, TurnCompleteReason

from tests.providers.google_told import (
    AUDIO,
    CALLS,
    HEARS,
    PCM,
    SAYS,
    STARTS,
    WRITES,
    content,
    events_of,
    only,
    parts,
    told,
)
from unirt import ContentDiscarded, Interrupted, Malformed, Noted, ResponseDone, Unmapped
from unirt.testing import translate
from unirt_google.inbound import FIELDS, REASONS
from unirt_google.parts import PARTS
from unirt_google.spelling import snake

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
    """Field 7: not even from the same frame."""
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
