"""
Configuration to wire: a :class:`~unirt.config.SessionConfig` as OpenAI's session object.

Pure. :func:`session_object` writes only what is asked for, so the provider's defaults stay the
provider's; the one default of unirt's own, that the user's speech is transcribed, is put into the
configuration by :func:`with_defaults` where everybody can see it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, assert_never

import attrs

from unirt.audio import AudioFormat
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
    TurnDetection,
)
from unirt.errors import ConfigurationError, UnsupportedSetting
from unirt_openai.facts import DEFAULT_MODEL, TRANSCRIBER, TRANSCRIBERS, TRANSCRIBERS_FOR
from unirt_openai.formats import write_format
from unirt_openai.items import write_item
from unirt_openai.options import ResponseOptions, SessionOptions, check_options, merge_options

__all__ = ["response_object", "session_object", "with_defaults"]

Put = Callable[[Any], dict[str, Any]]


def with_defaults(config: SessionConfig) -> SessionConfig:
    """The configuration with unirt's own defaults: a model, and the user's transcripts."""
    asked = config.input_transcription or Transcription()
    return attrs.evolve(
        config,
        model=config.model or DEFAULT_MODEL,
        input_transcription=attrs.evolve(asked, model=_transcriber(asked))
        if asked.enabled
        else asked,
    )


def session_object(config: SessionConfig, capabilities: Capabilities) -> dict[str, Any]:
    """
    The session object that asks for what `config` sets.

    Raises:
        UnsupportedSetting: The model cannot do it.
        ConfigurationError: A value cannot be written as JSON.
    """
    capabilities.check_config(config)
    if config.input_transcription is not None:
        _check_transcription(config.input_transcription, capabilities)
    session: dict[str, Any] = {"type": "realtime"}
    for name, put in _FIELDS.items():
        value = getattr(config, name)
        if value is not None:
            session = merge_options(session, put(value))
    if config.provider_options is not None:
        options = config.provider_options
        check_options(
            options,
            SessionOptions,
            provider=capabilities.provider,
            model=capabilities.model,
        )
        session = merge_options(session, options)
    _check_json(session, where="connect")
    return session


def response_object(respond: Respond, capabilities: Capabilities) -> dict[str, Any]:
    """
    The response object that asks for what `respond` sets; empty where it sets nothing.

    Raises:
        UnsupportedSetting: An option is not a field of it.
        ConfigurationError: A value cannot be written as JSON.
    """
    response: dict[str, Any] = {} if respond.in_conversation else {"conversation": "none"}
    for name, put in _RESPONSE_FIELDS.items():
        value = getattr(respond, name)
        if value is not None:
            response = merge_options(response, put(value))
    if respond.provider_options is not None:
        check_options(
            respond.provider_options,
            ResponseOptions,
            provider=capabilities.provider,
            model=capabilities.model,
        )
        response = merge_options(response, respond.provider_options)
    _check_json(response, where="respond")
    return response


# One function a field, each giving the piece of the object that it fills.


def _voice(voice: str) -> dict[str, Any]:
    # A custom voice is an object with its id (SDK RealtimeAudioConfigOutput.voice, 2026-11).
    return _output("voice", {"id": voice} if voice.startswith("voice_") else voice)


def _tools(tools: tuple[Tool | ProviderTool, ...]) -> dict[str, Any]:
    return {"tools": [_tool(tool) for tool in tools]}


def _tool(tool: Tool | ProviderTool) -> dict[str, Any]:
    if isinstance(tool, ProviderTool):
        return dict(tool.spec)
    written: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.parameters is not None:
        written["parameters"] = tool.parameters
    return written


def _tool_choice(choice: str) -> dict[str, Any]:
    if choice in ("auto", "none", "required"):
        return {"tool_choice": choice}
    return {"tool_choice": {"type": "function", "name": choice}}


def _turn_detection(detection: TurnDetection) -> dict[str, Any]:
    match detection:
        case Manual():
            return _input("turn_detection", None)
        case ServerVAD():
            wire = {
                "type": "server_vad",
                "threshold": detection.threshold,
                "prefix_padding_ms": detection.prefix_padding_ms,
                "silence_duration_ms": detection.silence_ms,
                "create_response": detection.respond,
                "interrupt_response": detection.interrupt,
                "idle_timeout_ms": detection.idle_timeout_ms,
            }
        case SemanticVAD():
            wire = {
                "type": "semantic_vad",
                "eagerness": detection.eagerness,
                "create_response": detection.respond,
                "interrupt_response": detection.interrupt,
            }
        case _:
            assert_never(detection)
    return _input("turn_detection", _set(wire))


def _transcription(asked: Transcription) -> dict[str, Any]:
    if not asked.enabled:
        return _input("transcription", None)
    wire = {
        "model": _transcriber(asked),
        # The field takes ISO 639-1 (SDK AudioTranscription.language, 2026-11).
        "language": None if asked.language is None else asked.language.split("-")[0].lower(),
        "prompt": asked.prompt,
        "keywords": None if asked.vocabulary is None else list(asked.vocabulary),
    }
    return _input("transcription", _set(wire))


def _transcriber(asked: Transcription) -> str:
    if asked.model is not None:
        return asked.model
    for setting, models in TRANSCRIBERS_FOR.items():
        if getattr(asked, setting):
            return models[0]
    return TRANSCRIBER


def _check_transcription(asked: Transcription, capabilities: Capabilities) -> None:
    """Refuse settings that the transcription model would silently drop."""
    model = _transcriber(asked)
    for setting, models in TRANSCRIBERS_FOR.items():
        if getattr(asked, setting) and model in TRANSCRIBERS and model not in models:
            raise UnsupportedSetting(
                f"input_transcription.{setting}",
                provider=capabilities.provider,
                model=capabilities.model,
                why=f"the transcription model {model!r} does not take it",
                remedy=f"set input_transcription.model to one of {', '.join(models)}",
            )


def _thinking(thinking: Thinking) -> dict[str, Any]:
    return {} if thinking.effort is None else {"reasoning": {"effort": thinking.effort}}


def _noise_reduction(place: NoiseReduction) -> dict[str, Any]:
    return _input("noise_reduction", {"type": place.value})


def _format(side: Callable[[str, Any], dict[str, Any]]) -> Callable[[AudioFormat], dict[str, Any]]:
    return lambda format_: side("format", write_format(format_))


def _input(key: str, value: Any) -> dict[str, Any]:
    return {"audio": {"input": {key: value}}}


def _output(key: str, value: Any) -> dict[str, Any]:
    return {"audio": {"output": {key: value}}}


def _plain(key: str) -> Put:
    return lambda value: {key: list(value) if isinstance(value, tuple) else value}


_FIELDS: Mapping[str, Put] = {
    "instructions": _plain("instructions"),
    "modalities": _plain("output_modalities"),
    "max_output_tokens": _plain("max_output_tokens"),
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _plain("parallel_tool_calls"),
    "thinking": _thinking,
    "input_format": _format(_input),
    "noise_reduction": _noise_reduction,
    "input_transcription": _transcription,
    "turn_detection": _turn_detection,
    "output_format": _format(_output),
    "voice": _voice,
    "speed": lambda speed: _output("speed", speed),
}
"The fields of a session that have a canonical setting, in the order of the wire object."

_RESPONSE_FIELDS: Mapping[str, Put] = {
    "instructions": _plain("instructions"),
    "modalities": _plain("output_modalities"),
    "max_output_tokens": _plain("max_output_tokens"),
    "tools": _tools,
    "tool_choice": _tool_choice,
    "voice": _voice,
    "metadata": lambda metadata: {"metadata": dict(metadata)},
    "input": lambda items: {"input": [write_item(item) for item in items]},
}


def _set(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _check_json(wire: Mapping[str, Any], *, where: str) -> None:
    try:
        json.dumps(wire)
    except (TypeError, ValueError) as exc:
        raise ConfigurationError(
            f"a setting cannot be written as JSON: {exc}",
            where=where,
            remedy="use strings, numbers, booleans, lists and mappings only",
        ) from None
