"""A configuration as the setup frame, or the error that refuses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai.types import LiveClientSetup

from unirt import (
    G711_ULAW,
    PCM16_16K,
    PCM16_24K,
    AudioFormat,
    Manual,
    NoiseReduction,
    ProviderTool,
    Scheduling,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
    UnsupportedSetting,
)
from unirt_google.translator import GoogleTranslator

OLD = "gemini-2.5-flash-native-audio-latest"
PREVIEW = "gemini-3.1-flash-live-preview"
EXTENDED = "gemini-3.8-live-extended-thinking"
PLAIN = {
    "model": "models/gemini-3.8-live",
    "generationConfig": {"responseModalities": ["AUDIO"]},
    "sessionResumption": {},
    "inputAudioTranscription": {},
    "outputAudioTranscription": {},
}


def setup(config: SessionConfig) -> dict[str, Any]:
    translator = GoogleTranslator(config)
    translator.start(0.0)
    (frame,) = translator.frames_to_send()
    sent: dict[str, Any] = json.loads(frame)["setup"]
    return sent


def generation(**fields: Any) -> dict[str, Any]:
    return {"generationConfig": {"responseModalities": ["AUDIO"], **fields}}


def detection(**fields: Any) -> dict[str, Any]:
    return {"realtimeInputConfig": fields}


CITY = {"type": "object", "properties": {"city": {"type": "string"}}}

SET: list[tuple[SessionConfig, dict[str, Any]]] = [
    (SessionConfig(), {}),
    (SessionConfig(model="models/gemini-3.8-live"), {}),
    (
        SessionConfig(instructions="Be kind."),
        {"systemInstruction": {"role": "user", "parts": [{"text": "Be kind."}]}},
    ),
    (
        SessionConfig(voice="Puck", language="de-DE"),
        generation(
            speechConfig={
                "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}},
                "languageCode": "de-DE",
            }
        ),
    ),
    (SessionConfig(modalities=("audio",)), {}),
    (SessionConfig(temperature=0.5), generation(temperature=0.5)),
    (SessionConfig(max_output_tokens=9), generation(maxOutputTokens=9)),
    (SessionConfig(turn_detection=ServerVAD()), {}),
    (SessionConfig(turn_detection=ServerVAD(respond=True)), {}),
    (
        SessionConfig(turn_detection=ServerVAD(prefix_padding_ms=20, silence_ms=500)),
        detection(automaticActivityDetection={"prefixPaddingMs": 20, "silenceDurationMs": 500}),
    ),
    (
        SessionConfig(turn_detection=ServerVAD(interrupt=False)),
        detection(activityHandling="NO_INTERRUPTION"),
    ),
    (
        SessionConfig(turn_detection=ServerVAD(interrupt=True)),
        detection(activityHandling="START_OF_ACTIVITY_INTERRUPTS"),
    ),
    (
        SessionConfig(turn_detection=Manual()),
        detection(automaticActivityDetection={"disabled": True}),
    ),
    (
        SessionConfig(
            input_transcription=Transcription(
                language="de", vocabulary=("Köln",), word_times=True, speakers=True
            )
        ),
        {
            "inputAudioTranscription": {
                "languageCodes": ["de"],
                "customVocabulary": ["Köln"],
                "wordTimestamp": True,
                "diarization": True,
            }
        },
    ),
    (
        SessionConfig(tools=(Tool(name="f", description="d", parameters=CITY),)),
        {
            "tools": [
                {
                    "functionDeclarations": [
                        {
                            "name": "f",
                            "description": "d",
                            "parameters": {
                                "type": "OBJECT",
                                "properties": {"city": {"type": "STRING"}},
                            },
                        }
                    ]
                }
            ]
        },
    ),
    (
        SessionConfig(
            tools=(Tool(name="f"), ProviderTool(spec={"googleSearch": {}}), Tool(name="g"))
        ),
        {
            "tools": [
                {"googleSearch": {}},
                {"functionDeclarations": [{"name": "f"}, {"name": "g"}]},
            ]
        },
    ),
    (
        SessionConfig(
            tools=(
                Tool(name="f", blocking=True, parameters={"type": "object", "properties": {}}),
                Tool(name="g", blocking=False),
            )
        ),
        {
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "f", "behavior": "BLOCKING"},
                        {"name": "g", "behavior": "NON_BLOCKING"},
                    ]
                }
            ]
        },
    ),
    (
        SessionConfig(model=PREVIEW, tools=(Tool(name="f", blocking=True),)),
        {
            "model": f"models/{PREVIEW}",
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
        },
    ),
    (
        SessionConfig(model=OLD, thinking=Thinking(budget_tokens=0, include_thoughts=True)),
        {
            "model": f"models/{OLD}",
            **generation(thinkingConfig={"thinkingBudget": 0, "includeThoughts": True}),
        },
    ),
    (
        SessionConfig(model=PREVIEW, thinking=Thinking(effort="minimal")),
        {"model": f"models/{PREVIEW}", **generation(thinkingConfig={"thinkingLevel": "MINIMAL"})},
    ),
    (
        SessionConfig(model=EXTENDED),
        {"model": f"models/{EXTENDED}", **generation(thinkingConfig={"thinkingLevel": "LOW"})},
    ),
    (
        SessionConfig(model=EXTENDED, thinking=Thinking(effort="high")),
        {"model": f"models/{EXTENDED}", **generation(thinkingConfig={"thinkingLevel": "HIGH"})},
    ),
    (SessionConfig(input_format=PCM16_24K, output_format=PCM16_24K), {}),
]


@pytest.mark.parametrize(("config", "beside"), SET)
def test_a_setting_reaches_its_place(config: SessionConfig, beside: dict[str, Any]) -> None:
    sent = setup(config)
    assert sent == {**PLAIN, **beside}
    sent.pop("realtimeInputConfig", None)  # the one field that the SDK's own class has not
    LiveClientSetup.model_validate(sent)


@pytest.mark.parametrize(
    ("config", "left_out"),
    [
        (
            SessionConfig(input_transcription=Transcription(enabled=False)),
            "inputAudioTranscription",
        ),
        (SessionConfig(output_transcription=False), "outputAudioTranscription"),
    ],
)
def test_a_transcript_can_be_turned_off(config: SessionConfig, left_out: str) -> None:
    assert setup(config) == {name: PLAIN[name] for name in PLAIN if name != left_out}


REFUSED: list[tuple[SessionConfig, str]] = [
    (SessionConfig(modalities=("text",)), "modalities"),
    (SessionConfig(speed=1.5), "speed"),
    (SessionConfig(tool_choice="auto"), "tool_choice"),
    (SessionConfig(parallel_tool_calls=False), "parallel_tool_calls"),
    (SessionConfig(noise_reduction=NoiseReduction.FAR_FIELD), "noise_reduction"),
    (SessionConfig(turn_detection=SemanticVAD()), "turn_detection.semantic_vad"),
    (SessionConfig(turn_detection=ServerVAD(threshold=0.5)), "turn_detection.server_vad.threshold"),
    (SessionConfig(turn_detection=ServerVAD(respond=False)), "turn_detection.server_vad.respond"),
    (
        SessionConfig(turn_detection=ServerVAD(idle_timeout_ms=5)),
        "turn_detection.server_vad.idle_timeout_ms",
    ),
    (SessionConfig(input_transcription=Transcription(model="m")), "input_transcription.model"),
    (SessionConfig(input_transcription=Transcription(prompt="p")), "input_transcription.prompt"),
    (SessionConfig(output_format=PCM16_16K), "output_format"),
    (SessionConfig(input_format=G711_ULAW), "input_format"),
    (SessionConfig(input_format=AudioFormat(channels=2)), "input_format"),
    (SessionConfig(thinking=Thinking(effort="low")), "thinking"),
    (SessionConfig(model=OLD, thinking=Thinking(effort="low")), "thinking.effort"),
    (SessionConfig(model=PREVIEW, thinking=Thinking(budget_tokens=5)), "thinking.budget_tokens"),
    (SessionConfig(model=EXTENDED, thinking=Thinking(effort="minimal")), "thinking.effort"),
    (SessionConfig(model=PREVIEW, tools=(Tool(name="f", blocking=False),)), "tools.f.blocking"),
    (
        SessionConfig(tools=(Tool(name="f", blocking=True, scheduling=Scheduling.SILENT),)),
        "tools.f.scheduling",
    ),
    (
        SessionConfig(model=PREVIEW, tools=(Tool(name="f", scheduling=Scheduling.SILENT),)),
        "tools.scheduling.silent",
    ),
    (SessionConfig(model=EXTENDED, tools=(Tool(name="f", blocking=True),)), "tools.f.blocking"),
    (
        SessionConfig(tools=(Tool(name="f", parameters={"properties": {"a": {"not": {}}}}),)),
        "tools.f.properties.a.not",
    ),
]


@pytest.mark.parametrize(("config", "setting"), REFUSED, ids=[row[1] for row in REFUSED])
def test_a_setting_that_cannot_be_is_refused_by_its_name(
    config: SessionConfig, setting: str
) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        GoogleTranslator(config)
    assert caught.value.setting == setting
    assert caught.value.remedy


def test_what_is_in_force_is_told_with_its_defaults() -> None:
    config = GoogleTranslator(SessionConfig(voice="Puck")).config
    assert (config.model, config.voice) == ("gemini-3.8-live", "Puck")
    assert (config.input_format, config.output_format) == (PCM16_16K, PCM16_24K)
    assert config.input_transcription == Transcription()
    assert config.output_transcription
    assert config.turn_detection == ServerVAD()
