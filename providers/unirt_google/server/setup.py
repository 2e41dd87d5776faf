"""
The first message: which setups the server accepts, and what they mean in canonical terms.

:data:`SETUP` lists the fields that ``google.genai.live`` can send (3.4.0, 2026-11), with those of
their values that matter here. What a model does not take is in :mod:`unirt_google.facts`; how the
service refuses it (a close, never an answer) was collected from public issue threads (2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from unirt.audio import PCM16_16K, PCM16_24K
from unirt.config import (
    Manual,
    ProviderTool,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt_google.families import Family, family_of, waits_for_tools
from unirt_google.server.checks import ANY, BOOL, NUMBER, TEXT, Spec, check, invalid
from unirt_google.server.state import HangUp

__all__ = ["CONTENT", "SETUP", "TOOLS", "accepted", "read_instructions", "read_tools"]

_NOT_FOUND = 1008

_BLOB: Spec = {"data": TEXT, "mimeType": TEXT, "displayName": TEXT}
CONTENT: Spec = {
    "role": TEXT,
    "parts": [
        {
            "text": TEXT,
            "thought": BOOL,
            "inlineData": _BLOB,
            "functionCall": {"id": TEXT, "name": TEXT, "args": ANY},
            "functionResponse": {"id": TEXT, "name": TEXT, "response": ANY},
            **dict.fromkeys(
                (
                    "audioMetadata",
                    "audioTranscription",
                    "codeExecutionResult",
                    "documentMetadata",
                    "executableCode",
                    "fileData",
                    "mediaProcessing",
                    "mediaResolution",
                    "partMetadata",
                    "speechMetadata",
                    "spreadsheetMetadata",
                    "thoughtSignature",
                    "toolCall",
                    "toolResponse",
                    "videoMetadata",
                ),
                ANY,
            ),
        }
    ],
}
"A turn of a conversation, with all 20 kinds of parts."

TOOLS: Spec = [
    {
        "functionDeclarations": [
            {
                "name": TEXT,
                "description": TEXT,
                "parameters": ANY,
                "parametersJsonSchema": ANY,
                "response": ANY,
                "responseJsonSchema": ANY,
                "behavior": frozenset({"UNSPECIFIED", "BLOCKING", "NON_BLOCKING"}),
            }
        ],
        **dict.fromkeys(
            (
                "codeExecution",
                "computerUse",
                "enterpriseWebSearch",
                "exaAiSearch",
                "fileSearch",
                "googleMaps",
                "googleSearch",
                "googleSearchRetrieval",
                "mcpServers",
                "parallelAiSearch",
                "retrieval",
                "urlContext",
            ),
            ANY,
        ),
    }
]
_TRANSCRIPTION: Spec = {
    "languageCodes": [TEXT],
    "customVocabulary": [TEXT],
    "wordTimestamp": BOOL,
    "diarization": BOOL,
    "mode": TEXT,
    **dict.fromkeys(("adaptationPhrases", "languageAuto", "languageHints", "sourceText"), ANY),
}
_SENSITIVITY = ("UNSPECIFIED", "HIGH", "LOW")

SETUP: Mapping[str, Any] = {
    "model": TEXT,
    "generationConfig": {
        "responseModalities": [frozenset({"TEXT", "AUDIO", "IMAGE", "VIDEO"})],
        "speechConfig": {"voiceConfig": ANY, "languageCode": TEXT, "multiSpeakerVoiceConfig": ANY},
        "thinkingConfig": {
            "includeThoughts": BOOL,
            "thinkingBudget": NUMBER,
            "thinkingLevel": frozenset(
                {"THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"}
            ),
        },
        "enableAffectiveDialog": BOOL,
        "translationConfig": {"targetLanguageCode": TEXT, "echoTargetLanguage": BOOL},
        **dict.fromkeys(
            (
                "candidateCount",
                "frequencyPenalty",
                "logprobs",
                "maxOutputTokens",
                "presencePenalty",
                "seed",
                "temperature",
                "topK",
                "topP",
            ),
            NUMBER,
        ),
        **dict.fromkeys(
            (
                "audioTimestamp",
                "audioTranscriptionConfig",
                "enableEnhancedCivicAnswers",
                "mediaResolution",
                "modelSelectionConfig",
                "responseFormat",
                "responseJsonSchema",
                "responseLogprobs",
                "responseMimeType",
                "responseSchema",
                "routingConfig",
                "stopSequences",
            ),
            ANY,
        ),
    },
    "systemInstruction": CONTENT,
    "tools": TOOLS,
    "sessionResumption": {"handle": TEXT, "transparent": BOOL},
    "contextWindowCompression": {
        "triggerTokens": NUMBER,
        "slidingWindow": {"targetTokens": NUMBER},
    },
    "inputAudioTranscription": _TRANSCRIPTION,
    "outputAudioTranscription": _TRANSCRIPTION,
    "realtimeInputConfig": {
        "automaticActivityDetection": {
            "disabled": BOOL,
            "startOfSpeechSensitivity": frozenset(f"START_SENSITIVITY_{x}" for x in _SENSITIVITY),
            "endOfSpeechSensitivity": frozenset(f"END_SENSITIVITY_{x}" for x in _SENSITIVITY),
            "prefixPaddingMs": NUMBER,
            "silenceDurationMs": NUMBER,
        },
        "activityHandling": frozenset(
            {
                "ACTIVITY_HANDLING_UNSPECIFIED",
                "START_OF_ACTIVITY_INTERRUPTS",
                "NO_INTERRUPTION",
            }
        ),
        "turnCoverage": TEXT,
        "interimTranscriptTimestampEnabled": BOOL,
    },
    "proactivity": {"proactiveAudio": BOOL, "proactiveVideo": BOOL},
    "explicitVadSignal": BOOL,
    "historyConfig": {"initialHistoryInClientContent": BOOL},
    "avatarConfig": ANY,
    "safetySettings": [ANY],
    "labels": ANY,
}
"The 15 fields of a setup."

_LIVE = re.compile(r"gemini-.*(live|native-audio|transcribe|robotics)")
"What the models that speak this protocol have in their names."
_WRITES = re.compile(r"transcribe|robotics|live-2\.5-flash-preview|2\.0-flash-live")
"The models that answer in text; all others speak (ai.google.dev, models, 2026-11)."


def accepted(setup: Any, *, also: str | None = None) -> SessionConfig:
    """
    The canonical form of a setup, if the server accepts it.

    Args:
        setup: The setup object, in one spelling.
        also: A model that is served whatever its name.

    Raises:
        HangUp: The service would close the connection.
    """
    check(setup, SETUP, "setup")
    model = setup.get("model") or ""
    name = model.rpartition("/")[2]
    if not _LIVE.match(name) and name != also:
        raise HangUp(
            _NOT_FOUND,
            f"{model or 'the model'} is not found for API version v1, or is not supported for "
            "bidiGenerateContent. Call ListModels to see the list of available models.",
        )
    family, generation = family_of(model), setup.get("generationConfig") or {}
    _check_modalities(generation.get("responseModalities") or [], model, name)
    _check_thinking(generation.get("thinkingConfig"), family)
    _check_tools(setup.get("tools") or [], family)
    if (
        family.name.startswith("3.8")
        and (setup.get("proactivity") or {}).get("proactiveAudio", True) is False
    ):
        raise invalid("Proactive audio cannot be disabled for this model.")
    return _read(setup, generation, waits=waits_for_tools(model))


def _check_modalities(modalities: list[str], model: str, name: str) -> None:
    if len(modalities) > 1 or ("TEXT" in modalities and not _WRITES.search(name)):
        listed = ", ".join(modalities)
        raise invalid(
            f"The requested combination of response modalities ({listed}) is not supported by the "
            f"model. {model}"
        )


def _check_thinking(thinking: Mapping[str, Any] | None, family: Family) -> None:
    """What a model must be told, or must not be, about thinking."""
    level = (thinking or {}).get("thinkingLevel")
    budget = (thinking or {}).get("thinkingBudget")
    takes_none = not family.thinking_levels and not family.thinking_budget
    if thinking is not None and takes_none:
        raise invalid("Thinking is not supported for this model.")
    if level is not None and str(level).lower() not in family.thinking_levels:
        raise invalid("Thinking level is not supported for this model.")
    if budget is not None and not family.thinking_budget:
        raise invalid("Thinking budget is not supported for this model.")
    if family.default_effort is not None and level is None and budget is None:
        raise invalid("Thinking level is required for this model.")


def _check_tools(tools: list[Mapping[str, Any]], family: Family) -> None:
    for tool in tools:
        for function in tool.get("functionDeclarations") or ():
            behavior = function.get("behavior", "UNSPECIFIED")
            if behavior != "UNSPECIFIED" and behavior not in family.behaviors:
                raise invalid(f"Function behavior {behavior} is not supported for this model.")


# What it means.


def read_instructions(content: Mapping[str, Any]) -> str:
    """The text of a system instruction."""
    return "".join(part.get("text") or "" for part in content.get("parts") or ())


def read_tools(tools: list[Mapping[str, Any]], *, waits: bool) -> tuple[Tool | ProviderTool, ...]:
    """
    Functions one by one, and the provider's own tools as they are.

    Args:
        tools: As they are in a setup.
        waits: Whether the model waits for a function that does not say.
    """
    read: list[Tool | ProviderTool] = []
    for tool in tools:
        for function in tool.get("functionDeclarations") or ():
            schema = function.get("parametersJsonSchema", function.get("parameters"))
            read.append(
                Tool(
                    name=function.get("name") or "",
                    description=function.get("description"),
                    parameters=schema if isinstance(schema, dict) else None,
                    blocking=_BLOCKING.get(function.get("behavior", ""), waits),
                )
            )
        if rest := {key: spec for key, spec in tool.items() if key != "functionDeclarations"}:
            read.append(ProviderTool(spec=rest))
    return tuple(read)


_BLOCKING = {"BLOCKING": True, "NON_BLOCKING": False}


def _read(setup: Mapping[str, Any], generation: Mapping[str, Any], *, waits: bool) -> SessionConfig:
    speech = generation.get("speechConfig") or {}
    instruction, tools = setup.get("systemInstruction"), setup.get("tools")
    return SessionConfig(
        model=setup["model"].removeprefix("models/"),
        instructions=None if instruction is None else read_instructions(instruction),
        voice=_voice(speech.get("voiceConfig")),
        modalities=tuple(m.lower() for m in generation.get("responseModalities") or ["AUDIO"]),
        language=speech.get("languageCode"),
        temperature=_number(generation.get("temperature")),
        max_output_tokens=_whole(generation.get("maxOutputTokens")),
        tools=None if tools is None else read_tools(tools, waits=waits),
        turn_detection=_turn_detection(setup.get("realtimeInputConfig") or {}),
        input_transcription=_transcription(setup.get("inputAudioTranscription")),
        output_transcription=setup.get("outputAudioTranscription") is not None,
        input_format=PCM16_16K,
        output_format=PCM16_24K,
        thinking=_thinking(generation.get("thinkingConfig")),
    )


def _voice(voice: Any) -> str | None:
    prebuilt = voice.get("prebuiltVoiceConfig") if isinstance(voice, dict) else None
    name = prebuilt.get("voiceName") if isinstance(prebuilt, dict) else None
    return name if isinstance(name, str) else None


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        raise invalid(f"Invalid value: {value!r} is not a number") from None


def _whole(value: Any) -> int | None:
    number = _number(value)
    if number is None:
        return None
    if not number.is_integer():
        raise invalid(f"Invalid value: {value!r} is not an integer")
    return int(number)


def _turn_detection(config: Mapping[str, Any]) -> ServerVAD | Manual:
    detection = config.get("automaticActivityDetection") or {}
    if detection.get("disabled"):
        return Manual()
    return ServerVAD(
        prefix_padding_ms=_whole(detection.get("prefixPaddingMs")),
        silence_ms=_whole(detection.get("silenceDurationMs")),
        interrupt=config.get("activityHandling") != "NO_INTERRUPTION",
    )


def _transcription(config: Mapping[str, Any] | None) -> Transcription:
    if config is None:
        return Transcription(enabled=False)
    languages = config.get("languageCodes") or [None]
    return Transcription(
        language=languages[0],
        vocabulary=config.get("customVocabulary"),
        word_times=config.get("wordTimestamp"),
        speakers=config.get("diarization"),
    )


def _thinking(config: Mapping[str, Any] | None) -> Thinking | None:
    if config is None:
        return None
    level = config.get("thinkingLevel")
    return Thinking(
        effort=None if level is None else str(level).lower(),
        budget_tokens=_whole(config.get("thinkingBudget")),
        include_thoughts=config.get("includeThoughts"),
    )
