"""Google's server side: the setups it takes, what it hears, and the order of what it says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unirt.events as ev
from unirt import PCM16_16K, PCM16_24K, AudioFormat
from unirt.commands import (
    AppendAudio,
    CancelResponse,
    CommitInput,
    EndTurn,
    Respond,
    Scheduling,
    SeedHistory,
    SendImage,
    SendText,
    SendToolResult,
    StartTurn,
    UpdateSession,
)
from unirt.config import (
    Manual,
    ProviderTool,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.events import Ending, Event, Origin, Severity, StreamKind
from unirt.items import Item, ItemKind, Role, TextContent
from unirt.translator import Upgrade
from unirt.usage import Tokens, Usage
from unirt_google.server import GoogleServer

ORIGIN = Origin(provider="test")
SOUND = bytes(4800)
LIVE = "models/gemini-3.8-live"
THINKS = "models/gemini-3.8-live-extended-thinking"
PREVIEW = "models/gemini-3.1-flash-live-preview"
OLDER = "models/gemini-2.5-flash-native-audio-latest"
VERTEX = "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash-native-audio"
MANUAL = {"automaticActivityDetection": {"disabled": True}}
TRANSCRIBED: dict[str, Any] = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
Strict = Callable[[str | bytes], dict[str, Any]]


class Wire:
    """A server and both ends of its wire; every frame is judged."""

    def __init__(self, strict: Strict, model: str = LIVE, bundle: bool = False, **setup: Any):
        self.server = GoogleServer(bundle=bundle)
        self.strict = strict
        self.server.start(0.0)
        assert self.take() == []
        [complete] = self.hear(setup={"model": model, **TRANSCRIBED, **setup})
        self.complete = complete["setupComplete"]
        self.server.heard()

    def take(self) -> list[dict[str, Any]]:
        return [self.strict(frame) for frame in self.server.frames_to_send()]

    def hear(self, **message: Any) -> list[dict[str, Any]]:
        self.server.receive(json.dumps(message), 0.0)
        return self.take()

    def commands(self, **message: Any) -> list[Any]:
        assert self.hear(**message) == []
        assert self.server.close_wanted() is None
        return [heard.command for heard in self.server.heard()]

    def closed(self, **message: Any) -> tuple[int, str]:
        assert self.hear(**message) == []
        assert [heard.command for heard in self.server.heard()] == [None]
        close = self.server.close_wanted()
        assert close is not None
        assert len(close[1].encode()) <= 123
        return close

    def say(self, *events: Event) -> list[dict[str, Any]]:
        for event in events:
            self.server.send(event, 0.0)
        return self.take()


def say(kind: type[Event], **fields: Any) -> Event:
    return kind(origin=ORIGIN, **fields)


def stream(kind: StreamKind, **fields: Any) -> ev.Stream:
    place = {"item_id": f"item_{kind}", "response_id": "resp_a", **fields}
    return ev.Stream(id=f"{place['response_id']}.{kind}", kind=kind, **place)


def turn(role: str | None, *texts: str) -> dict[str, Any]:
    content: dict[str, Any] = {"parts": [{"text": text} for text in texts]}
    return content if role is None else {"role": role, **content}


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


VOICE = stream(StreamKind.AUDIO)
CAPTION = stream(StreamKind.TRANSCRIPT)
CALL = stream(StreamKind.TOOL_CALL, call_id="call_a", name="f")
SPEECH = ev.Stream(id="speech", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
USAGE = Usage(input=Tokens(text=10), output=Tokens(audio=20))
COUNTS = {
    "promptTokenCount": 10,
    "responseTokenCount": 20,
    "totalTokenCount": 30,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
}
STARTED = say(ev.ResponseStarted, response_id="resp_a")
DONE = say(ev.ResponseDone, response_id="resp_a", usage=USAGE)
SPOKEN = [
    say(ev.StreamOpened, stream=CAPTION),
    say(ev.TranscriptDelta, stream=CAPTION, text="Hello"),
    say(ev.StreamOpened, stream=VOICE),
    say(ev.AudioDelta, stream=VOICE, data=SOUND, format=PCM16_24K),
]
HELLO = content(outputTranscription={"text": "Hello"})
CALLED = say(ev.ToolCall, stream=CALL, name="f", arguments='{"a":1}', args={"a": 1})
SOUND_PART = {
    "inlineData": {
        "mimeType": "audio/pcm;rate=24000",
        "data": base64.b64encode(SOUND).decode(),
    }
}


# The upgrade.


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"x-goog-api-key": "AIza"}, {}, 101),
        ({"authorization": "Token auth_tokens/x"}, {}, 101),
        ({"authorization": "Bearer ya29"}, {}, 101),
        ({}, {"key": "AIza"}, 101),
        ({}, {"access_token": "x"}, 101),
        ({}, {}, 403),
        ({"authorization": "Bearer "}, {}, 403),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "//ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent",
        "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent",
        "/a/gateway",
    ],
)
def test_an_upgrade_needs_a_key_on_any_path(
    path: str, headers: dict[str, str], query: dict[str, str], status: int
) -> None:
    verdict = GoogleServer().upgrade(Upgrade(path=path, query=query, headers=headers))
    assert verdict.status == status
    if status != 101:
        assert json.loads(verdict.body)["error"]["status"] == "PERMISSION_DENIED"


def test_vertex_asks_for_a_token_in_its_own_words() -> None:
    verdict = GoogleServer(dialect="vertex").upgrade(Upgrade(path="/", query={}, headers={}))
    assert verdict.status == 401
    assert json.loads(verdict.body)["error"]["status"] == "UNAUTHENTICATED"


# The setup.


def test_a_setup_is_completed_with_a_session_id_on_vertex_only(google_strict: Strict) -> None:
    assert Wire(google_strict).complete == {}
    assert len(Wire(google_strict, VERTEX).complete["sessionId"]) == 36


def test_a_setup_in_mixed_spellings_is_heard_in_canonical_terms(google_strict: Strict) -> None:
    # As the official SDK sends it: camelCase outside, snake_case in places inside.
    wire = Wire(
        google_strict,
        OLDER,
        generationConfig={
            "responseModalities": ["AUDIO"],
            "speechConfig": {
                "voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}},
                "language_code": "de-DE",
            },
            "thinkingConfig": {"thinking_budget": 100, "include_thoughts": True},
            "temperature": 0.5,
            "maxOutputTokens": 200,
        },
        systemInstruction={"role": "user", "parts": [{"text": "Be brief."}]},
        tools=[
            {"google_search": {}},
            {
                "functionDeclarations": [
                    {
                        "name": "f",
                        "description": "d",
                        "parameters": {"type": "OBJECT", "properties": {"my_key": {}}},
                        "behavior": "NON_BLOCKING",
                    }
                ]
            },
        ],
        realtimeInputConfig={
            "automatic_activity_detection": {"prefix_padding_ms": 100, "silence_duration_ms": 700},
            "activity_handling": "NO_INTERRUPTION",
        },
        inputAudioTranscription={"language_codes": ["de"], "word_timestamp": True},
        labels={"my_team": "x"},
    )
    assert wire.server.ready
    assert wire.server.config == SessionConfig(
        model="gemini-2.5-flash-native-audio-latest",
        instructions="Be brief.",
        voice="Kore",
        modalities=("audio",),
        language="de-DE",
        temperature=0.5,
        max_output_tokens=200,
        tools=(
            ProviderTool(spec={"googleSearch": {}}),
            Tool(
                name="f",
                description="d",
                parameters={"type": "OBJECT", "properties": {"my_key": {}}},
                blocking=False,
            ),
        ),
        turn_detection=ServerVAD(prefix_padding_ms=100, silence_ms=700, interrupt=False),
        input_transcription=Transcription(language="de", word_times=True),
        output_transcription=True,
        input_format=PCM16_16K,
        output_format=PCM16_24K,
        thinking=Thinking(budget_tokens=100, include_thoughts=True),
    )


def test_what_is_not_set_up_is_off(google_strict: Strict) -> None:
    wire = Wire(
        google_strict,
        inputAudioTranscription=None,
        outputAudioTranscription=None,
        realtimeInputConfig=MANUAL,
    )
    config = wire.server.config
    assert config.input_transcription == Transcription(enabled=False)
    assert config.output_transcription is False
    assert config.turn_detection == Manual()
    assert wire.say(STARTED, SPOKEN[1]) == []
    assert wire.say(say(ev.TranscriptDelta, stream=SPEECH, text="Hi")) == []


@pytest.mark.parametrize(
    ("setup", "code", "reason"),
    [
        ({"model": "models/gpt-realtime"}, 1008, "models/gpt-realtime is not found"),
        ({}, 1008, "is not found"),
        ({"model": LIVE, "toolConfig": {}}, 1007, "Unknown name \"toolConfig\" at 'setup'"),
        ({"model": 5}, 1007, "Invalid value at 'setup.model'"),
        (
            {"model": LIVE, "generationConfig": {"responseModalities": ["TEXT"]}},
            1007,
            "The requested combination of response modalities (TEXT) is not supported",
        ),
        (
            {"model": LIVE, "generationConfig": {"responseModalities": ["SMELL"]}},
            1007,
            "responseModalities[0]",
        ),
        (
            {"model": LIVE, "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
            1007,
            "Thinking is not supported",
        ),
        (
            {"model": THINKS, "generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}},
            1007,
            "Thinking level is not supported",
        ),
        ({"model": THINKS}, 1007, "Thinking level is required"),
        ({"model": LIVE, "proactivity": {"proactiveAudio": False}}, 1007, "Proactive audio"),
        (
            {"model": PREVIEW, "tools": [{"functionDeclarations": [{"behavior": "BLOCKING"}]}]},
            1007,
            "behavior BLOCKING is not supported",
        ),
        (
            {"model": LIVE, "generationConfig": {"maxOutputTokens": "many"}},
            1007,
            "is not a number",
        ),
    ],
)
def test_a_bad_setup_ends_the_connection_with_a_reason(
    setup: dict[str, Any], code: int, reason: str
) -> None:
    server = GoogleServer()
    server.start(0.0)
    server.receive(json.dumps({"setup": setup}), 0.0)
    close = server.close_wanted()
    assert close is not None
    assert close[0] == code
    assert reason in close[1]
    assert not server.ready
    assert server.frames_to_send() == []


def test_a_model_of_ones_own_is_served_if_the_server_was_told(google_strict: Strict) -> None:
    server = GoogleServer(model="my-own")
    server.receive('{"setup":{"model":"models/my-own"}}', 0.0)
    assert (server.ready, server.close_wanted()) == (True, None)


@pytest.mark.parametrize(
    "frame",
    [
        '{"clientContent":{"turnComplete":true}}',
        '{"setup":{"model":"models/gemini-3.8-live"},"realtimeInput":{}}',
        "[]",
        "{",
        b"\xff",
    ],
)
def test_the_first_message_is_a_setup_or_the_last_one(frame: str | bytes) -> None:
    server = GoogleServer()
    server.receive(frame, 0.0)
    close = server.close_wanted()
    assert close is not None
    assert close[0] == 1007
    server.receive('{"setup":{"model":"models/gemini-3.8-live"}}', 0.0)
    assert (server.ready, len(server.heard())) == (False, 1)


def test_a_second_setup_ends_the_connection(google_strict: Strict) -> None:
    assert Wire(google_strict).closed(setup={"model": LIVE})[0] == 1007


# What is heard.


def _user(text: str) -> Item:
    return Item(role=Role.USER, content=(TextContent(text=text),), status="completed")


def _model(text: str) -> Item:
    return Item(role=Role.ASSISTANT, content=(TextContent(text=text),), status="completed")


@pytest.mark.parametrize(
    ("body", "commands"),
    [
        (
            {"turns": [turn("user", "Hi")], "turnComplete": True},
            [SendText(text="Hi", respond=True)],
        ),
        (
            {"turns": [turn("user", "Hi")], "turn_complete": False},
            [SendText(text="Hi", respond=False)],
        ),
        ({"turns": [turn("user", "Hi")]}, [SendText(text="Hi", respond=False)]),
        ({"turnComplete": True}, [Respond()]),
        ({"turns": [], "turnComplete": False}, [CancelResponse()]),
        (
            {"turns": [turn("user", "A"), turn("model", "B")], "turnComplete": False},
            [SeedHistory(items=(_user("A"), _model("B")))],
        ),
        (
            {"turns": [turn("user", "A"), turn("model", "B")], "turnComplete": True},
            [SeedHistory(items=(_user("A"), _model("B"))), Respond()],
        ),
        (
            {
                "turns": [turn("user", "A"), turn("model", "B"), turn("user", "C", "D")],
                "turnComplete": True,
            },
            [SeedHistory(items=(_user("A"), _model("B"))), SendText(text="CD")],
        ),
        (
            {
                "turns": [
                    {
                        "role": "user",
                        "parts": [
                            {"inline_data": {"mime_type": "image/png", "data": "iVBORw=="}},
                            {"text": "What is this?"},
                        ],
                    }
                ],
                "turnComplete": True,
            },
            [SendImage(data=b"\x89PNG", mime_type="image/png"), SendText(text="What is this?")],
        ),
        (
            {
                "turns": [
                    {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
                    {
                        "role": "user",
                        "parts": [{"functionResponse": {"name": "f", "response": {"b": 2}}}],
                    },
                ]
            },
            [
                SeedHistory(
                    items=(
                        Item(kind=ItemKind.TOOL_CALL, name="f", arguments='{"a":1}'),
                        Item(kind=ItemKind.TOOL_RESULT, name="f", output='{"b":2}'),
                    )
                )
            ],
        ),
    ],
)
@pytest.mark.parametrize("spelling", ["clientContent", "client_content"])
def test_written_turns_are_heard(
    google_strict: Strict, spelling: str, body: dict[str, Any], commands: list[object]
) -> None:
    assert Wire(google_strict).commands(**{spelling: body}) == commands


@pytest.mark.parametrize(
    ("model", "role", "accepted"),
    [
        (LIVE, None, False),
        (PREVIEW, None, False),
        (OLDER, None, True),
        (LIVE, "assistant", False),
        (OLDER, "system", False),
        (VERTEX, "user", True),
    ],
)
def test_a_turn_needs_a_role_that_its_model_knows(
    google_strict: Strict, model: str, role: str | None, accepted: bool
) -> None:
    wire = Wire(google_strict, model)
    wire.hear(clientContent={"turns": [turn(role, "Hi")], "turnComplete": True})
    assert (wire.server.close_wanted() is None) == accepted


def test_a_system_turn_replaces_the_instructions_on_vertex(google_strict: Strict) -> None:
    wire = Wire(google_strict, VERTEX)
    [update, text] = wire.commands(
        clientContent={"turns": [turn("system", "Rhyme."), turn("user", "Hi")]}
    )
    assert update == UpdateSession(changes=SessionConfig(instructions="Rhyme."))
    assert text == SendText(text="Hi", respond=False)
    assert wire.server.config.instructions == "Rhyme."


def test_announced_history_is_history_until_it_ends(google_strict: Strict) -> None:
    wire = Wire(google_strict, historyConfig={"initialHistoryInClientContent": True})
    said = {"turns": [turn("user", "A")], "turnComplete": False}
    assert wire.commands(clientContent=said) == [SeedHistory(items=(_user("A"),))]
    said = {"turns": [turn("user", "B")], "turnComplete": True}
    assert wire.commands(clientContent=said) == [SeedHistory(items=(_user("B"),))]
    assert wire.commands(clientContent=said) == [SendText(text="B")]


@pytest.mark.parametrize(
    ("model", "body", "commands"),
    [
        (
            LIVE,
            {"audio": {"data": "-_8", "mime_type": "audio/pcm;rate=16000"}},
            [AppendAudio(data=b"\xfb\xff")],
        ),
        (
            LIVE,
            {"mediaChunks": [{"data": "AAA=", "mimeType": "audio/pcm"}]},
            [AppendAudio(data=b"\0\0")],
        ),
        (
            LIVE,
            {"video": {"data": "iVBORw==", "mimeType": "image/png"}},
            [SendImage(data=b"\x89PNG", mime_type="image/png")],
        ),
        (LIVE, {"text": "Hi"}, [SendText(text="Hi")]),
        (PREVIEW, {"audioStreamEnd": True}, [CommitInput()]),
        (LIVE, {"audio_stream_end": True}, [None]),
    ],
)
@pytest.mark.parametrize("spelling", ["realtimeInput", "realtime_input"])
def test_streaming_input_is_heard(
    google_strict: Strict, spelling: str, model: str, body: dict[str, Any], commands: list[object]
) -> None:
    assert Wire(google_strict, model).commands(**{spelling: body}) == commands


def test_the_rate_of_the_input_is_what_its_frames_say(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    wire.hear(realtimeInput={"audio": {"data": "AAA=", "mimeType": "audio/pcm; rate=48000"}})
    assert wire.server.config.input_format == AudioFormat(rate=48_000)
    bad = {"audio": {"data": "AAA=", "mimeType": "audio/pcm;rate=fast"}}
    assert wire.hear(realtimeInput=bad) == []
    assert wire.server.close_wanted() is not None


def test_activity_is_for_those_who_set_it_up(google_strict: Strict) -> None:
    wire = Wire(google_strict, realtimeInputConfig=MANUAL)
    assert wire.commands(realtimeInput={"activityStart": {}}) == [StartTurn()]
    assert wire.commands(realtime_input={"activity_end": {}}) == [EndTurn()]
    code, reason = Wire(google_strict).closed(realtimeInput={"activityStart": {}})
    assert (code, "Explicit activity control" in reason) == (1007, True)


@pytest.mark.parametrize(
    ("response", "result"),
    [
        (
            {"id": "call_a", "name": "f", "response": {"output": "Sunny."}},
            SendToolResult(call_id="call_a", output="Sunny."),
        ),
        (
            {"name": "f", "response": {"temperature": 20}},
            SendToolResult(call_id="call_a", output={"temperature": 20}),
        ),
        (
            {"id": "call_a", "response": {"error": "No."}},
            SendToolResult(call_id="call_a", error="No."),
        ),
        (
            {"id": "call_a", "response": {}, "scheduling": "WHEN_IDLE", "will_continue": True},
            SendToolResult(
                call_id="call_a", output={}, scheduling=Scheduling.WHEN_IDLE, more_follows=True
            ),
        ),
    ],
)
@pytest.mark.parametrize("spelling", ["toolResponse", "tool_response"])
def test_results_are_heard_by_the_id_or_the_name_of_the_call(
    google_strict: Strict, spelling: str, response: dict[str, Any], result: SendToolResult
) -> None:
    wire = Wire(google_strict)
    wire.say(STARTED, CALLED, DONE)
    assert wire.commands(**{spelling: {"functionResponses": [response]}}) == [result]


def test_a_result_counts_once_and_not_after_its_call_was_cancelled(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    wire.say(STARTED, CALLED, DONE)
    answer = {"functionResponses": [{"id": "call_a", "response": {}}]}
    assert len(wire.commands(toolResponse=answer)) == 1
    assert wire.commands(toolResponse=answer) == [None]
    again = attrs.evolve(CALL, call_id="call_b", item_id="item_b", id="b")
    wire.say(say(ev.ToolCall, stream=again, name="f", arguments="{}", args={}))
    wire.say(say(ev.ToolCallCancelled, call_ids=("call_b",)))
    late = {"functionResponses": [{"id": "call_b", "response": {}}]}
    assert wire.commands(toolResponse=late) == [None]


def test_the_result_of_a_call_nobody_made_ends_the_connection(google_strict: Strict) -> None:
    answer = {"functionResponses": [{"id": "call_x", "response": {}}]}
    assert Wire(google_strict).closed(toolResponse=answer) == (
        1008,
        "Requested entity was not found.",
    )


def test_scheduling_ends_the_connection_where_the_model_has_none(google_strict: Strict) -> None:
    wire = Wire(google_strict, PREVIEW)
    wire.say(STARTED, CALLED, DONE)
    answer = {"functionResponses": [{"id": "call_a", "scheduling": "SILENT"}]}
    assert wire.closed(toolResponse=answer)[0] == 1007


def beside(ms: int) -> dict[str, Any]:
    """So much of the user's audio."""
    return {"audio": {"data": base64.b64encode(bytes(32 * ms)).decode(), "mimeType": "audio/pcm"}}


def test_a_model_that_waits_for_a_tool_takes_no_more_audio_than_was_on_its_way(
    google_strict: Strict,
) -> None:
    wire = Wire(google_strict, OLDER)
    wire.commands(realtimeInput=beside(2_000))
    wire.say(CALLED)
    wire.commands(realtimeInput=beside(300))
    wire.commands(realtimeInput=beside(200))
    assert wire.closed(realtimeInput=beside(20)) == (
        1008,
        "Operation is not implemented, or supported, or enabled.",
    )


@pytest.mark.parametrize("signal", ["activityStart", "activityEnd"])
def test_a_model_that_waits_for_a_tool_takes_no_activity(
    signal: str, google_strict: Strict
) -> None:
    wire = Wire(google_strict, OLDER, realtimeInputConfig=MANUAL)
    wire.say(CALLED)
    assert wire.closed(realtimeInput={signal: {}})[0] == 1008


@pytest.mark.parametrize(
    ("model", "behavior"),
    [(LIVE, "BLOCKING"), (THINKS, None), (PREVIEW, None), (OLDER, "NON_BLOCKING"), (VERTEX, None)],
)
def test_other_models_and_tools_take_audio(
    model: str, behavior: str | None, google_strict: Strict
) -> None:
    function = {"name": "f"} if behavior is None else {"name": "f", "behavior": behavior}
    setup: dict[str, Any] = {"tools": [{"functionDeclarations": [function]}]}
    if model is THINKS:
        setup["generationConfig"] = {"thinkingConfig": {"thinkingLevel": "LOW"}}
    wire = Wire(google_strict, model, **setup)
    wire.say(CALLED)
    assert len(wire.commands(realtimeInput=beside(2_000))) == 1


def test_audio_is_taken_again_once_the_tool_was_answered(google_strict: Strict) -> None:
    wire = Wire(google_strict, OLDER)
    answer = {"functionResponses": [{"id": "call_a", "name": "f", "response": {"output": 1}}]}
    wire.say(CALLED)
    wire.commands(realtimeInput=beside(400))
    wire.commands(toolResponse=answer)
    wire.commands(realtimeInput=beside(2_000))
    again = stream(StreamKind.TOOL_CALL, call_id="call_b", name="f")
    wire.say(say(ev.ToolCall, stream=again, name="f", arguments="{}", args={}))
    assert len(wire.commands(realtimeInput=beside(400))) == 1  # counted anew


def test_a_context_update_changes_instructions_and_tools(google_strict: Strict) -> None:
    wire = Wire(google_strict)
    update = {
        "systemInstruction": turn("user", "Rhyme."),
        "tools": {"tools": [{"functionDeclarations": [{"name": "g"}]}]},
    }
    changes = SessionConfig(instructions="Rhyme.", tools=(Tool(name="g"),))
    assert wire.commands(contextUpdate=update) == [UpdateSession(changes=changes)]
    assert wire.server.config.tools == (Tool(name="g"),)
    cleared = wire.commands(contextUpdate={"tools": {"tools": []}})
    assert cleared == [UpdateSession(changes=SessionConfig(tools=()))]


@pytest.mark.parametrize(
    "message",
    [
        {"responseCreate": {}},
        {"clientContent": {"turns": "Hi"}},
        {"clientContent": {"turns": [{"role": "user", "parts": [{"poem": ""}]}]}},
        {"realtimeInput": {"audio": {"data": "*", "mimeType": "audio/pcm"}}},
        {"realtimeInput": {"smell": {}}},
        {"realtimeInput": 5},
        {"clientContent": {}, "realtimeInput": {}},
    ],
)
def test_what_is_no_client_message_ends_the_connection(
    google_strict: Strict, message: dict[str, Any]
) -> None:
    assert Wire(google_strict).closed(**message)[0] == 1007


# What is said.


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


# Whatever comes.

_NAMES = re.findall(
    r"\w+",
    """
    setup clientContent realtimeInput toolResponse contextUpdate model turns turnComplete role
    parts text audio data mimeType functionResponses id name response scheduling willContinue
    tools functionDeclarations systemInstruction generationConfig thinkingConfig thinkingBudget
    inlineData responseModalities inputAudioTranscription proactivity historyConfig
    realtimeInputConfig automaticActivityDetection silenceDurationMs _ activityEnd
    """,
)
_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5000),
    st.floats(),
    st.sampled_from(
        [LIVE, OLDER, "user", "model", "AAAA", "audio/pcm;rate=16000", "TEXT", "call_a"]
    ),
    st.sampled_from(["", "f", "audio/pcm;rate=²", "SILENT", "MINIMAL", "\ud800"]),
)
_JSON = st.recursive(
    _LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
_MESSAGE = st.builds(
    lambda kind, body: {kind: body},
    st.sampled_from(_NAMES[:5]),
    st.dictionaries(st.sampled_from(_NAMES), _JSON, max_size=5),
)
_TOTAL = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_TOTAL
@given(first=_MESSAGE, frames=st.lists(_MESSAGE | _JSON | st.binary(max_size=20), max_size=6))
def test_no_message_makes_it_raise(
    google_strict: Strict, first: dict[str, Any], frames: list[Any]
) -> None:
    setup = first.get("setup") or {}
    for opening in (first, {"setup": {**setup, "model": LIVE}}, {"setup": {"model": OLDER}}):
        server = GoogleServer()
        server.receive(json.dumps(opening), 0.0)
        server.send(CALLED, 0.0)
        for frame in frames:
            server.receive(frame if isinstance(frame, bytes) else json.dumps(frame), 0.0)
            assert server.config is not None
        assert server.heard()
        for answer in server.frames_to_send():
            google_strict(answer)


_SAYABLE = [
    STARTED,
    DONE,
    *SPOKEN,
    CALLED,
    say(ev.StreamClosed, stream=CAPTION, text="Hello"),
    say(ev.StreamClosed, stream=VOICE, ending=Ending.INTERRUPTED),
    say(ev.ThoughtDelta, stream=stream(StreamKind.THOUGHT), text="x"),
    say(ev.TextDelta, stream=stream(StreamKind.TEXT, response_id=None), text="x"),
    say(ev.ServerToolResult, stream=stream(StreamKind.SERVER_TOOL, name="code_execution")),
    say(ev.GenerationDone, response_id="resp_a"),
    say(ev.Interrupted, response_id="resp_a"),
    say(ev.Interrupted, response_id="resp_b"),
    say(ev.ToolCallCancelled, call_ids=("call_a",)),
    say(ev.ResponseStarted, response_id="resp_b"),
    say(ev.ResponseDone, response_id="resp_b", ending=Ending.INTERRUPTED),
    say(ev.InteractionStatus, status="idle"),
    say(ev.SpeechStarted),
    say(ev.UsageReported, scope="response", usage=USAGE),
]


@_TOTAL
@given(
    events=st.lists(st.sampled_from(_SAYABLE), max_size=25),
    model=st.sampled_from([LIVE, VERTEX, PREVIEW]),
    bundle=st.booleans(),
)
def test_events_in_any_order_are_said_in_messages_that_are_valid(
    google_strict: Strict, events: list[Event], model: str, bundle: bool
) -> None:
    wire = Wire(google_strict, model, bundle)
    wire.say(*events)
    assert wire.server.close_wanted() is None
