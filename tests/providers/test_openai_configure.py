"""Configuration to wire: what reaches the session object, and what is refused by name."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import pytest
from openai.types.realtime.realtime_response_create_params import RealtimeResponseCreateParams
from openai.types.realtime.realtime_session_create_request import RealtimeSessionCreateRequest
from pydantic import BaseModel

from unirt.audio import G711_ALAW, G711_ULAW, PCM16_16K, PCM16_24K
from unirt.capabilities import Capabilities
from unirt.commands import Respond
from unirt.config import (
    Manual,
    NoiseReduction,
    ProviderTool,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.errors import ConfigurationError, UnsupportedSetting
from unirt_openai.configure import response_object, session_object, with_defaults
from unirt_openai.facts import DEFAULT_MODEL, capabilities
from unirt_openai.translator import OpenAITranslator

NEWEST = capabilities(DEFAULT_MODEL)


def written(config: SessionConfig, facts: Capabilities = NEWEST) -> dict[str, Any]:
    session = session_object(config, facts)
    assert session.pop("type") == "realtime"
    return session


ROWS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"instructions": ""}, {"instructions": ""}),
    ({"voice": "marin"}, {"audio": {"output": {"voice": "marin"}}}),
    ({"voice": "voice_123"}, {"audio": {"output": {"voice": {"id": "voice_123"}}}}),
    ({"modalities": ("text",)}, {"output_modalities": ["text"]}),
    ({"max_output_tokens": 7}, {"max_output_tokens": 7}),
    ({"speed": 1.25}, {"audio": {"output": {"speed": 1.25}}}),
    (
        {"tools": (Tool(name="a", description="d", parameters={"type": "object"}),)},
        {
            "tools": [
                {
                    "type": "function",
                    "name": "a",
                    "description": "d",
                    "parameters": {"type": "object"},
                }
            ]
        },
    ),
    (
        {"tools": (ProviderTool(spec={"type": "mcp", "server_label": "s"}),)},
        {"tools": [{"type": "mcp", "server_label": "s"}]},
    ),
    ({"tools": ()}, {"tools": []}),
    ({"tool_choice": "required"}, {"tool_choice": "required"}),
    ({"tool_choice": "look"}, {"tool_choice": {"type": "function", "name": "look"}}),
    ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    ({"turn_detection": Manual()}, {"audio": {"input": {"turn_detection": None}}}),
    (
        {"turn_detection": ServerVAD()},
        {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}},
    ),
    (
        {
            "turn_detection": ServerVAD(
                threshold=0.25,
                prefix_padding_ms=1,
                silence_ms=2,
                respond=False,
                interrupt=False,
                idle_timeout_ms=5000,
            )
        },
        {
            "audio": {
                "input": {
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.25,
                        "prefix_padding_ms": 1,
                        "silence_duration_ms": 2,
                        "create_response": False,
                        "interrupt_response": False,
                        "idle_timeout_ms": 5000,
                    }
                }
            }
        },
    ),
    (
        {"turn_detection": SemanticVAD(eagerness="low", respond=True, interrupt=True)},
        {
            "audio": {
                "input": {
                    "turn_detection": {
                        "type": "semantic_vad",
                        "eagerness": "low",
                        "create_response": True,
                        "interrupt_response": True,
                    }
                }
            }
        },
    ),
    (
        {"input_transcription": Transcription(enabled=False)},
        {"audio": {"input": {"transcription": None}}},
    ),
    (
        {"input_transcription": Transcription(language="en-GB")},
        {
            "audio": {
                "input": {"transcription": {"model": "gpt-realtime-whisper", "language": "en"}}
            }
        },
    ),
    (
        {"input_transcription": Transcription(vocabulary=("unirt",), prompt="p")},
        {
            "audio": {
                "input": {
                    "transcription": {
                        "model": "gpt-transcribe",
                        "prompt": "p",
                        "keywords": ["unirt"],
                    }
                }
            }
        },
    ),
    (
        {"input_transcription": Transcription(speakers=True)},
        {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe-diarize"}}}},
    ),
    (
        {"input_transcription": Transcription(model="next-year", vocabulary=("x",))},
        {"audio": {"input": {"transcription": {"model": "next-year", "keywords": ["x"]}}}},
    ),
    ({"output_transcription": True}, {}),
    (
        {"input_format": PCM16_24K, "output_format": G711_ULAW},
        {
            "audio": {
                "input": {"format": {"type": "audio/pcm", "rate": 24000}},
                "output": {"format": {"type": "audio/pcmu"}},
            }
        },
    ),
    (
        {"input_format": G711_ALAW},
        {"audio": {"input": {"format": {"type": "audio/pcma"}}}},
    ),
    (
        {"noise_reduction": NoiseReduction.FAR_FIELD},
        {"audio": {"input": {"noise_reduction": {"type": "far_field"}}}},
    ),
    (
        {"thinking": Thinking(effort="high", include_thoughts=False)},
        {"reasoning": {"effort": "high"}},
    ),
    (
        {
            "noise_reduction": NoiseReduction.NEAR_FIELD,
            "provider_options": {
                "audio": {"input": {"noise_reduction": {"strength": 0.5}}},
                "truncation": {"type": "retention_ratio", "retention_ratio": 0.5},
                "tracing": None,
            },
        },
        {
            "audio": {"input": {"noise_reduction": {"type": "near_field", "strength": 0.5}}},
            "truncation": {"type": "retention_ratio", "retention_ratio": 0.5},
            "tracing": None,
        },
    ),
    (
        {"instructions": "canonical", "provider_options": {"instructions": "theirs"}},
        {"instructions": "theirs"},
    ),
]


@pytest.mark.parametrize(("config", "session"), ROWS, ids=[str(row[0])[:60] for row in ROWS])
def test_a_configuration_becomes(config: dict[str, Any], session: dict[str, Any]) -> None:
    assert written(SessionConfig(**config)) == session


def test_the_users_words_are_transcribed_unless_told_otherwise() -> None:
    asked = with_defaults(SessionConfig()).input_transcription
    assert asked == Transcription(model="gpt-realtime-whisper")
    off = Transcription(enabled=False)
    assert with_defaults(SessionConfig(input_transcription=off)).input_transcription == off


def test_the_model_has_a_default() -> None:
    assert with_defaults(SessionConfig()).model == DEFAULT_MODEL
    assert with_defaults(SessionConfig(model="m")).model == "m"


OLD = "gpt-realtime-2025-08-28"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (DEFAULT_MODEL, {"temperature": 0.5}, "temperature"),
    (DEFAULT_MODEL, {"language": "de"}, "language"),
    (DEFAULT_MODEL, {"output_transcription": False}, "output_transcription"),
    (DEFAULT_MODEL, {"modalities": ("text", "audio")}, "modalities"),
    (DEFAULT_MODEL, {"input_format": PCM16_16K}, "input_format"),
    (DEFAULT_MODEL, {"output_format": PCM16_16K}, "output_format"),
    (DEFAULT_MODEL, {"thinking": Thinking(effort="none")}, "thinking.effort"),
    (DEFAULT_MODEL, {"thinking": Thinking(budget_tokens=5)}, "thinking.budget_tokens"),
    (DEFAULT_MODEL, {"thinking": Thinking(include_thoughts=True)}, "thinking.include_thoughts"),
    (DEFAULT_MODEL, {"turn_detection": SemanticVAD(eagerness="very")}, "eagerness"),
    (
        DEFAULT_MODEL,
        {"input_transcription": Transcription(word_times=True)},
        "input_transcription.word_times",
    ),
    (
        DEFAULT_MODEL,
        {"input_transcription": Transcription(model="gpt-realtime-whisper", prompt="x")},
        "input_transcription.prompt",
    ),
    (
        DEFAULT_MODEL,
        {"input_transcription": Transcription(vocabulary=("x",), speakers=True)},
        "input_transcription.speakers",
    ),
    (OLD, {"thinking": Thinking(effort="low")}, "thinking"),
    (OLD, {"parallel_tool_calls": True}, "parallel_tool_calls"),
]


@pytest.mark.parametrize(
    ("model", "config", "setting"), REFUSED, ids=[str(row[1])[:60] for row in REFUSED]
)
def test_what_cannot_be_done_is_refused_before_there_is_a_translator(
    model: str, config: dict[str, Any], setting: str
) -> None:
    with pytest.raises(UnsupportedSetting) as refused:
        OpenAITranslator(SessionConfig(model=model, **config))
    assert setting in refused.value.setting


OPTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"temperature": 1}, "temperature", "use one of"),
    ({"audio": {"input": {"gain": 1}}}, "audio.input.gain", "noise_reduction"),
    ({"audio": {"output": {"voice": 5}}}, "audio.output.voice", "str or a mapping"),
    ({"audio": None}, "audio", "a mapping"),
    ({"truncation": "sometimes"}, "truncation", "'auto'"),
    ({"include": "logprobs"}, "include", "a sequence"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "bool"),
    ({"max_output_tokens": True}, "max_output_tokens", "int"),
    ({"tools": [{"type": "mcp", "url": "x"}]}, "tools[0].url", "server_url"),
    ({"tools": [5]}, "tools[0]", "a mapping"),
    ({"id": "x"}, "id", "leave it out"),
    ({"object": "x"}, "object", "leave it out"),
    ({"expires_at": 5}, "expires_at", "leave it out"),
    ({"type": "transcription"}, "type", "leave it out"),
    ({"model": "x"}, "model", "model="),
    (
        {"audio": {"input": {"format": {"type": "audio/pcmu"}}}},
        "audio.input.format",
        "input_format",
    ),
    ({"audio": {"output": {"format": {}}}}, "audio.output.format", "output_format"),
]


@pytest.mark.parametrize(
    ("options", "path", "remedy"), OPTIONS, ids=[str(row[0]) for row in OPTIONS]
)
def test_options_that_are_no_fields_are_refused_by_name(
    options: dict[str, Any], path: str, remedy: str
) -> None:
    with pytest.raises(UnsupportedSetting) as refused:
        written(SessionConfig(provider_options=options))
    assert refused.value.setting == f"provider_options[{path!r}]"
    assert remedy in refused.value.remedy


def test_a_refused_option_does_not_show_its_value() -> None:
    options = {"tools": [{"type": "mcp", "authorization": ["secret"]}]}
    with pytest.raises(UnsupportedSetting) as refused:
        written(SessionConfig(provider_options=options))
    assert "secret" not in str(refused.value)


def test_a_setting_that_is_no_json_is_refused() -> None:
    tool = Tool(name="a", parameters={"default": object()})
    with pytest.raises(ConfigurationError, match="JSON"):
        written(SessionConfig(tools=(tool,)))


# Every field of the SDK's types reaches the wire, or is refused by name.


def _fields(annotation: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all fields below a type, each with a value of its type at the end."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from _fields(field.annotation, (*path, field.alias or name))
    elif origin is list:
        yield from _fields(get_args(annotation)[0], (*path, 0))
    elif origin is dict:
        yield (*path, {"key": "value"})
    elif origin is typing.Literal:
        yield (*path, get_args(annotation)[0])
    elif origin is typing.Annotated:
        yield from _fields(get_args(annotation)[0], path)
    elif get_args(annotation):
        for member in get_args(annotation):
            if member is not type(None):
                yield from _fields(member, path)
    else:
        values: dict[Any, Any] = {str: "x", int: 3, float: 0.5, bool: True, object: {"k": 1}}
        yield (*path, values[annotation])


def _nested(path: tuple[Any, ...]) -> Any:
    *steps, value = path
    for step in reversed(steps):
        value = [value] if step == 0 else {step: value}
    return value


def _at(wire: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        wire = wire[step]
    return wire


SESSION_FIELDS = sorted(set(map(json.dumps, _fields(RealtimeSessionCreateRequest))))
RESPONSE_FIELDS = sorted(set(map(json.dumps, _fields(RealtimeResponseCreateParams))))


def _reaches_or_is_refused(path: tuple[Any, ...], write: Any) -> str:
    options = _nested(path)
    try:
        wire = write(options)
    except UnsupportedSetting as refused:
        steps = [str(step) for step in path[:-1] if step != 0]
        named = refused.setting.removeprefix("provider_options['").removesuffix("']")
        assert ".".join(steps).startswith(named.replace("[0]", ""))
        return named
    assert _at(wire, path) == path[-1]
    return ""


@pytest.mark.parametrize("field", SESSION_FIELDS)
def test_every_field_of_the_session_object_reaches_the_wire_or_is_refused(field: str) -> None:
    def write(options: Mapping[str, Any]) -> Any:
        return written(SessionConfig(provider_options=options))

    refused = _reaches_or_is_refused(tuple(json.loads(field)), write)
    assert refused in ("", "type", "model", "audio.input.format", "audio.output.format")


@pytest.mark.parametrize("field", RESPONSE_FIELDS)
def test_every_field_of_a_response_reaches_the_wire_or_is_refused(field: str) -> None:
    def write(options: Mapping[str, Any]) -> Any:
        return response_object(Respond(provider_options=options), NEWEST)

    refused = _reaches_or_is_refused(tuple(json.loads(field)), write)
    assert refused in ("", "conversation")


def test_what_options_refuse_has_a_canonical_setting() -> None:
    config = SessionConfig(input_format=G711_ULAW, output_format=G711_ULAW)
    audio = written(config)["audio"]
    assert audio["input"]["format"] == audio["output"]["format"] == {"type": "audio/pcmu"}
    assert response_object(Respond(in_conversation=False), NEWEST) == {"conversation": "none"}


def test_the_walk_sees_the_whole_of_both_types() -> None:
    top = {json.loads(field)[0] for field in SESSION_FIELDS}
    assert top == set(RealtimeSessionCreateRequest.model_fields)
    assert len(top) == 14
    assert len({json.loads(field)[0] for field in RESPONSE_FIELDS}) == 12
