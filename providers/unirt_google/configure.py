"""
A session's configuration as the ``setup`` frame. Pure: the same configuration, the same frame.

unirt turns transcripts on on every provider, asks for handles that can resume the session, and
names the modality; those and what a model insists on are the defaults of :func:`with_defaults`,
so that ``session.config`` tells what is in force.
"""

from __future__ import annotations

from typing import Any

from unirt.audio import PCM16_16K, PCM16_24K, AudioFormat, Encoding
from unirt.config import (
    Manual,
    ProviderTool,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.errors import UnsupportedSetting
from unirt_google.facts import DEFAULT_MODEL, PROVIDER_NAME
from unirt_google.families import Family, family_of, is_vertex, waits_for_tools
from unirt_google.options import apply_options
from unirt_google.schema import openapi_schema

__all__ = ["instruction", "setup_frame", "tool_list", "with_defaults"]


def with_defaults(config: SessionConfig) -> SessionConfig:
    """The configuration with everything that unirt decides where it says nothing."""
    model = config.model or DEFAULT_MODEL
    effort = family_of(model).default_effort
    defaults = SessionConfig(
        model=model,
        modalities=("audio",),
        turn_detection=ServerVAD(),
        input_transcription=Transcription(),
        output_transcription=True,
        input_format=PCM16_16K,
        output_format=PCM16_24K,
        thinking=None if effort is None else Thinking(effort=effort),
    )
    return defaults.merged(config)


def setup_frame(config: SessionConfig) -> dict[str, Any]:
    """
    The first frame of a connection, from a configuration with its defaults.

    Raises:
        UnsupportedSetting: The model cannot do what a setting asks.
    """
    model = config.model or DEFAULT_MODEL
    vertex = is_vertex(model)
    setup: dict[str, Any] = {
        "model": model if "/" in model else f"models/{model}",
        "generationConfig": _generation(config),
        "sessionResumption": {},
    }
    if config.instructions is not None:
        setup["systemInstruction"] = instruction(config.instructions)
    if tools := tool_list(config, family_of(model)):
        setup["tools"] = tools
    transcription = config.input_transcription
    if transcription is not None and transcription.enabled:
        setup["inputAudioTranscription"] = _transcription(transcription)
    if config.output_transcription:
        setup["outputAudioTranscription"] = {}
    if realtime := _realtime_input(config):
        setup["realtimeInputConfig"] = realtime
    _check_input_format(config.input_format)
    if config.provider_options:
        apply_options(setup, config.provider_options, vertex=vertex)
    return {"setup": setup}


def instruction(text: str) -> dict[str, Any]:
    """A system instruction."""
    return {"role": "user", "parts": [{"text": text}]}


def tool_list(config: SessionConfig, family: Family) -> list[dict[str, Any]]:
    """
    The tools, the provider's own first and all functions in one, as the SDK sends them.

    Raises:
        UnsupportedSetting: A function's schema, or its way of waiting, has no counterpart.
    """
    own: list[dict[str, Any]] = []
    functions: list[dict[str, Any]] = []
    for tool in config.tools or ():
        if isinstance(tool, ProviderTool):
            own.append(dict(tool.spec))
        else:
            functions.append(_function(tool, family, config.model))
    return [*own, {"functionDeclarations": functions}] if functions else own


def _function(tool: Tool, family: Family, model: str | None) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    # A schema without properties is no schema to Gemini: it is left out.
    if tool.parameters is not None and tool.parameters.get("properties"):
        function["parameters"] = openapi_schema(tool.parameters, where=f"tools.{tool.name}")
    if tool.blocking is not None:
        behavior = "BLOCKING" if tool.blocking else "NON_BLOCKING"
        if behavior in family.behaviors:
            function["behavior"] = behavior
        elif tool.blocking is not family.tools_block:
            raise UnsupportedSetting(
                f"tools.{tool.name}.blocking",
                provider=PROVIDER_NAME,
                model=model,
                why="this model always waits for tools"
                if family.tools_block
                else "this model never waits for tools",
                remedy="leave it out, or use another model",
            )
    if tool.scheduling is not None:
        _check_scheduling(tool, family, model)
    return function


def _check_scheduling(tool: Tool, family: Family, model: str | None) -> None:
    """Refuse what would be ignored, or would close the connection; see ``results``."""
    vertex = is_vertex(model or "")
    blocks = waits_for_tools(model or "") if tool.blocking is None else tool.blocking
    if family.scheduling and not vertex and not blocks:
        return
    raise UnsupportedSetting(
        f"tools.{tool.name}.scheduling",
        provider=PROVIDER_NAME,
        model=model,
        why="the model waits for this tool, so it speaks of the result at once"
        if blocks
        else "this model decides by itself when it speaks of a result",
        remedy="leave it out; or declare the tool with blocking=False on a model that takes it",
    )


def _generation(config: SessionConfig) -> dict[str, Any]:
    written: dict[str, Any] = {
        "responseModalities": [name.upper() for name in config.modalities or ("audio",)]
    }
    speech: dict[str, Any] = {}
    if config.voice is not None:
        speech["voiceConfig"] = {"prebuiltVoiceConfig": {"voiceName": config.voice}}
    if config.language is not None:
        speech["languageCode"] = config.language
    if speech:
        written["speechConfig"] = speech
    if config.temperature is not None:
        written["temperature"] = config.temperature
    if config.max_output_tokens is not None:
        written["maxOutputTokens"] = config.max_output_tokens
    if config.thinking is not None and (thinking := _thinking(config.thinking)):
        written["thinkingConfig"] = thinking
    return written


def _thinking(thinking: Thinking) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if thinking.effort is not None:
        written["thinkingLevel"] = thinking.effort.upper()
    if thinking.budget_tokens is not None:
        written["thinkingBudget"] = thinking.budget_tokens
    if thinking.include_thoughts is not None:
        written["includeThoughts"] = thinking.include_thoughts
    return written


def _transcription(transcription: Transcription) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if transcription.language is not None:
        written["languageCodes"] = [transcription.language]
    if transcription.vocabulary is not None:
        written["customVocabulary"] = list(transcription.vocabulary)
    if transcription.word_times is not None:
        written["wordTimestamp"] = transcription.word_times
    if transcription.speakers is not None:
        written["diarization"] = transcription.speakers
    return written


def _realtime_input(config: SessionConfig) -> dict[str, Any]:
    match config.turn_detection:
        case Manual():
            return {"automaticActivityDetection": {"disabled": True}}
        case ServerVAD() as vad:
            written: dict[str, Any] = {}
            timing = {"prefixPaddingMs": vad.prefix_padding_ms, "silenceDurationMs": vad.silence_ms}
            if given := {name: ms for name, ms in timing.items() if ms is not None}:
                written["automaticActivityDetection"] = given
            if vad.interrupt is not None:
                written["activityHandling"] = (
                    "START_OF_ACTIVITY_INTERRUPTS" if vad.interrupt else "NO_INTERRUPTION"
                )
            return written
        case _:
            return {}


def _check_input_format(format: AudioFormat | None) -> None:
    if format is None or (format.encoding is Encoding.PCM16 and format.channels == 1):
        return
    raise UnsupportedSetting(
        "input_format",
        provider=PROVIDER_NAME,
        why=f"it listens to PCM16 mono, not {format}",
        remedy="use AudioFormat(rate=16000); the session converts what the application sends",
    )
