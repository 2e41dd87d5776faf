"""Google's server side: whom it lets in, and the setups that it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

import unirt.events as ev
from tests.providers.google_server_wire import (
    LIVE,
    MANUAL,
    OLDER,
    PREVIEW,
    SPEECH,
    SPOKEN,
    STARTED,
    THINKS,
    VERTEX,
    Strict,
    Wire,
    say,
)
from unirt import PCM16_16K, PCM16_24K
from unirt.config import (
    Manual,
    ProviderTool,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.translator import Upgrade
from unirt_google.server import GoogleServer

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
