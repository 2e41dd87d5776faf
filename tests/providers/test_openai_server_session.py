"""OpenAI's server side: whom it lets in, and the settings of its session."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.providers.openai_server_wire import SPOKEN, STARTED, Strict, Wire, types
from unirt import G711_ULAW, PCM16_24K
from unirt.commands import UpdateSession
from unirt.config import (
    Manual,
    NoiseReduction,
    ProviderTool,
    SemanticVAD,
    ServerVAD,
    Thinking,
    Tool,
    Transcription,
)
from unirt.translator import Upgrade
from unirt_openai.server import OpenAIServer


@pytest.fixture
def wire(openai_strict: Strict) -> Wire:
    return Wire(openai_strict)


# The upgrade.


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/realtime", {"authorization": "Bearer sk-x"}, 101),
        ("/openai/v1/realtime", {"api-key": "azure"}, 101),
        ("/v1/realtime", {"sec-websocket-protocol": "realtime, openai-insecure-api-key.ek"}, 101),
        ("/v1/realtime", {}, 401),
        ("/v1/realtime", {"authorization": "Bearer "}, 401),
        ("/v1/chat", {"authorization": "Bearer sk-x"}, 404),
    ],
)
def test_an_upgrade_needs_the_path_and_a_key(
    path: str, headers: dict[str, str], status: int
) -> None:
    verdict = OpenAIServer().upgrade(Upgrade(path=path, query={}, headers=headers))
    assert verdict.status == status
    if status != 101:
        assert json.loads(verdict.body)["error"]["type"] == "invalid_request_error"
    offers = "realtime" in headers.get("sec-websocket-protocol", "")
    assert verdict.subprotocol == ("realtime" if offers else None)


# The session.


def test_a_session_begins_with_every_field_of_its_defaults(openai_strict: Strict) -> None:
    [created] = Wire(openai_strict, model="gpt-realtime").opening
    assert created["type"] == "session.created"
    session = created["session"]
    assert set(session) == {
        *("type", "object", "id", "model", "output_modalities", "instructions", "tools"),
        *("tool_choice", "max_output_tokens", "tracing", "truncation", "prompt", "expires_at"),
        *("audio", "include"),
    }
    assert (session["model"], session["expires_at"]) == ("gpt-realtime", 4600)
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200


def test_a_control_connection_to_a_running_call_is_not_told_of_its_session(
    openai_strict: Strict,
) -> None:
    wire = Wire(openai_strict, call_id="rtc_1")
    assert wire.opening == []
    assert wire.configure(instructions="Be brief.")["instructions"] == "Be brief."


def test_a_transcription_session_knows_only_input(openai_strict: Strict) -> None:
    wire = Wire(openai_strict, intent="transcription")
    assert set(wire.opening[0]["session"]["audio"]) == {"input"}
    session = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
    assert types(wire.hear(type="session.update", session=session)) == ["session.updated"]
    assert wire.server.config.turn_detection == Manual()
    error = wire.error(type="session.update", session={"type": "transcription", "tools": []})
    assert error["param"] == "session.tools"


def test_an_update_keeps_what_it_does_not_name(wire: Wire) -> None:
    wire.configure(instructions="Be brief.")
    session = wire.configure(
        audio={
            "input": {
                "turn_detection": {"type": "server_vad", "threshold": 0.7},
                "transcription": {"model": "gpt-realtime-whisper"},
            }
        }
    )
    assert session["instructions"] == "Be brief."
    assert session["audio"]["output"]["voice"] == "marin"
    detection = session["audio"]["input"]["turn_detection"]
    assert (detection["threshold"], detection["prefix_padding_ms"]) == (0.7, 300)
    assert session["audio"]["input"]["transcription"] == {
        "model": "gpt-realtime-whisper",
        "language": None,
        "prompt": None,
    }


def test_a_turn_detection_of_another_type_starts_from_its_own_defaults(wire: Wire) -> None:
    detection = {"type": "semantic_vad", "eagerness": "low"}
    session = wire.configure(audio={"input": {"turn_detection": detection}})
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "low",
        "create_response": True,
        "interrupt_response": True,
    }


def test_the_configuration_is_heard_in_canonical_terms(wire: Wire) -> None:
    assert not wire.server.ready
    mcp = {"type": "mcp", "server_label": "docs", "server_url": "https://example.org"}
    wire.configure(
        output_modalities=["text"],
        max_output_tokens=100,
        tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}, mcp],
        tool_choice={"type": "function", "name": "f"},
        reasoning={"effort": "low"},
        audio={
            "input": {
                "format": {"type": "audio/pcmu"},
                "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
                "transcription": {"model": "m", "language": "de", "keywords": ["unirt"]},
                "noise_reduction": {"type": "far_field"},
            },
            "output": {"voice": {"id": "voice_1"}, "speed": 1.2},
        },
    )
    config = wire.server.config
    assert wire.server.ready
    assert wire.server.heard()[-1].command == UpdateSession(changes=config)
    assert (config.modalities, config.max_output_tokens, config.speed) == (("text",), 100, 1.2)
    assert config.tools == (Tool(name="f", parameters={"type": "object"}), ProviderTool(spec=mcp))
    assert (config.tool_choice, config.voice) == ("f", "voice_1")
    assert config.thinking == Thinking(effort="low")
    assert config.turn_detection == SemanticVAD(eagerness="high", respond=True, interrupt=True)
    assert config.input_transcription == Transcription(
        model="m", language="de", vocabulary=["unirt"]
    )
    assert (config.input_format, config.output_format) == (G711_ULAW, PCM16_24K)
    assert config.noise_reduction is NoiseReduction.FAR_FIELD


def test_defaults_are_a_server_vad_and_no_transcription(wire: Wire) -> None:
    config = wire.server.config
    assert config.turn_detection == ServerVAD(
        threshold=0.5, prefix_padding_ms=300, silence_ms=500, respond=True, interrupt=True
    )
    assert config.input_transcription == Transcription(enabled=False)


_VAD = ("audio", "input", "turn_detection")


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "other"}, "invalid_value", "session.type"),
        ({"type": "realtime", "temperature": 1}, "unknown_parameter", "session.temperature"),
        ({"type": "realtime", "model": "gpt-5"}, "invalid_value", "session.model"),
        ({"type": "realtime", "instructions": 5}, "invalid_type", "session.instructions"),
        (
            {"type": "realtime", "output_modalities": ["text", "audio"]},
            "invalid_value",
            "session.output_modalities",
        ),
        (
            {"type": "realtime", "max_output_tokens": 4097},
            "invalid_value",
            "session.max_output_tokens",
        ),
        (
            {"type": "realtime", "max_output_tokens": "many"},
            "invalid_value",
            "session.max_output_tokens",
        ),
        (
            {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "psychic"}}}},
            "invalid_value",
            "session.audio.input.turn_detection.type",
        ),
        (
            {"type": "realtime", "audio": {"output": {"speed": 3}}},
            "invalid_value",
            "session.audio.output.speed",
        ),
        (
            {
                "type": "realtime",
                "audio": {
                    "input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 100}}
                },
            },
            "invalid_value",
            "session.audio.input.turn_detection.idle_timeout_ms",
        ),
        (
            {"type": "realtime", "tools": [{"type": "function", "name": "f", "strict": True}]},
            "unknown_parameter",
            "session.tools[0].strict",
        ),
        (
            {"type": "realtime", "tools": [{}]},
            "missing_required_parameter",
            "session.tools[0].type",
        ),
        ({"type": "realtime", "tool_choice": "maybe"}, "invalid_value", "session.tool_choice"),
        ({"type": "realtime", "audio": None}, "invalid_type", "session.audio"),
        ([], "invalid_type", "session"),
    ],
)
def test_a_bad_update_is_refused_by_its_path_and_changes_nothing(
    wire: Wire, session: Any, code: str, param: str
) -> None:
    before = wire.server.config
    error = wire.error(type="session.update", session=session)
    assert (error["code"], error["param"]) == (code, param)
    assert wire.server.config == before


def test_a_voice_nobody_knows_is_accepted_until_the_model_has_spoken(wire: Wire) -> None:
    output = {"output": {"voice": "nightingale"}}
    assert wire.configure(audio=output)["audio"]["output"]["voice"] == "nightingale"
    wire.say(STARTED, *SPOKEN)
    wire.configure(audio=output)
    later = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    assert wire.error(type="session.update", session=later)["code"] == "cannot_update_voice"
