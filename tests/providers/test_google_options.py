"""``provider_options``: each field of the SDK's configuration reaches the wire or is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import typing
from typing import Any

import pydantic
import pytest
from google.genai import types

from unirt import SessionConfig, Tool, UnsupportedSetting
from unirt_google.options import PLACES, REFUSED, REFUSED_ON_GEMINI_API, REFUSED_ON_VERTEX
from unirt_google.spelling import camel
from unirt_google.translator import GoogleTranslator

VERTEX = "publishers/google/models/gemini-3.8-live"

TRANSCRIPTION = {
    "language_codes": ["de"],
    "language_auto": {},
    "language_hints": {"language_codes": ["de"]},
    "custom_vocabulary": ["Köln"],
    "adaptation_phrases": ["Köln"],
    "word_timestamp": True,
    "diarization": True,
    "mode": "SMART",
    "source_text": "x",
}

VALUES: dict[str, Any] = {
    "response_modalities": ["AUDIO"],
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 3.0,
    "max_output_tokens": 9,
    "media_resolution": "MEDIA_RESOLUTION_LOW",
    "seed": 7,
    "speech_config": {
        "voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}},
        "language_code": "de-DE",
    },
    "thinking_config": {
        "include_thoughts": True,
        "thinking_budget": 5,
        "thinking_level": "LOW",
    },
    "enable_affective_dialog": True,
    "translation_config": {"target_language_code": "de", "echo_target_language": True},
    "system_instruction": {"role": "user", "parts": [{"text": "Hi"}]},
    "tools": [{"google_search": {}}],
    "session_resumption": {"handle": "h", "transparent": True},
    "input_audio_transcription": TRANSCRIPTION,
    "output_audio_transcription": TRANSCRIPTION,
    "realtime_input_config": {
        "automatic_activity_detection": {"start_of_speech_sensitivity": "START_SENSITIVITY_LOW"},
        "activity_handling": "NO_INTERRUPTION",
        "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
        "interim_transcript_timestamp_enabled": True,
    },
    "context_window_compression": {
        "trigger_tokens": 1000,
        "sliding_window": {"target_tokens": 500},
    },
    "proactivity": {"proactive_audio": True, "proactive_video": True},
    "explicit_vad_signal": True,
    "history_config": {"initial_history_in_client_content": True},
    "avatar_config": {
        "avatar_name": "Ada",
        "customized_avatar": {"image_mime_type": "image/png", "image_data": "AAAA"},
        "audio_bitrate_bps": 1,
        "video_bitrate_bps": 2,
    },
    "safety_settings": [
        {
            "category": "HARM_CATEGORY_HARASSMENT",
            "threshold": "BLOCK_NONE",
            "method": "SEVERITY",
        }
    ],
    "labels": {"team": "x"},
    "http_options": {"base_url": "https://example.org"},
    "generation_config": {"temperature": 0.5},
}


def setup(options: dict[str, Any], **settings: Any) -> dict[str, Any]:
    config = SessionConfig(**{"model": VERTEX, **settings}, provider_options=options)
    translator = GoogleTranslator(config)
    translator.start(0.0)
    (frame,) = translator.frames_to_send()
    sent: dict[str, Any] = json.loads(frame)["setup"]
    return sent


def at(setup: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        setup = setup[step]
    return setup


def cameled(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(name): cameled(inner) for name, inner in value.items()}
    return [cameled(entry) for entry in value] if isinstance(value, list) else value


FIELDS = list(types.LiveConnectConfig.model_fields)


def test_there_are_26_fields_and_each_has_a_place_or_a_reason() -> None:
    assert len(FIELDS) == 26
    assert set(PLACES) | {name for name in REFUSED if "." not in name} == set(FIELDS)
    assert set(VALUES) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_reaches_the_wire_or_is_refused_by_its_name(name: str) -> None:
    if name in REFUSED:
        with pytest.raises(UnsupportedSetting, match=rf"provider_options\.{name}"):
            setup({name: VALUES[name]})
    else:
        sent = at(setup({name: VALUES[name]}), PLACES[name])
        assert sent == (VALUES[name] if name == "labels" else cameled(VALUES[name]))


def sub_fields(name: str) -> list[str]:
    """The fields of a field, one level down, where it is an object or a list of them."""
    annotation: Any = types.LiveConnectConfig.model_fields[name].annotation
    for _ in range(3):
        if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
            return list(annotation.model_fields)
        inner = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        annotation = inner[0] if inner else None
    return []


SUB_FIELDS = [
    (name, inner)
    for name in FIELDS
    if name not in REFUSED and name not in ("system_instruction", "tools")
    for inner in sub_fields(name)
]
ELSEWHERE: dict[str, dict[str, list[Any]]] = {
    "speech_config.multi_speaker_voice_config": {"speaker_voice_configs": []},
}


@pytest.mark.parametrize(("name", "inner"), SUB_FIELDS)
def test_a_field_of_a_field_reaches_the_wire_or_is_refused_by_its_name(
    name: str, inner: str
) -> None:
    path = f"{name}.{inner}"
    if path in REFUSED:
        with pytest.raises(UnsupportedSetting, match=path):
            setup({name: {inner: ELSEWHERE[path]}})
        return
    whole = VALUES[name]
    given = [{inner: whole[0][inner]}] if isinstance(whole, list) else {inner: whole[inner]}
    sent = at(setup({name: given}), PLACES[name])
    found = sent[0] if isinstance(sent, list) else sent
    expected = cameled(given)[0] if isinstance(given, list) else cameled(given)
    assert found[camel(inner)] == expected[camel(inner)]


def test_the_walk_goes_through_sub_fields() -> None:
    assert len(SUB_FIELDS) > 25


@pytest.mark.parametrize("spelling", [lambda name: name, camel], ids=["snake", "camel"])
@pytest.mark.parametrize("path", REFUSED_ON_GEMINI_API)
def test_what_only_vertex_knows_is_refused_elsewhere(path: str, spelling: Any) -> None:
    name = path.partition(".")[0]
    value = VALUES[name] if spelling(name) == name else cameled(VALUES[name])
    options = {spelling(name): value}
    setup(options)
    with pytest.raises(UnsupportedSetting, match=path.replace(".", r"\.")):
        setup(options, model="gemini-3.8-live")


@pytest.mark.parametrize("path", REFUSED_ON_VERTEX)
def test_what_only_the_gemini_api_knows_is_refused_on_vertex(path: str) -> None:
    value: Any = "AAAA"
    if path.endswith("signature"):
        value = {"signature": "x"}
    options: dict[str, Any] = {path.rpartition(".")[2]: value}
    for step in reversed(path.split(".")[:-1]):
        options = {step: options}
    setup(options, model="gemini-3.8-live")
    with pytest.raises(UnsupportedSetting, match="Gemini API"):
        setup(options)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"colour": 1}, "provider_options.colour"),
        ({"temperature": "hot"}, "provider_options.temperature"),
        ({"realtime_input_config": {"speed": 1}}, "provider_options.realtime_input_config.speed"),
        ({"tools": [print]}, "provider_options.tools"),
    ],
)
def test_what_the_sdk_s_type_does_not_know_is_refused_by_its_path(
    options: dict[str, Any], where: str
) -> None:
    with pytest.raises(UnsupportedSetting) as caught:
        setup(options)
    assert caught.value.setting == where


def test_an_object_is_merged_over_what_the_settings_produced() -> None:
    sent = setup(
        {"speech_config": {"language_code": "de-DE"}, "temperature": 0.1},
        voice="Puck",
        temperature=1.0,
    )
    assert sent["generationConfig"] == {
        "responseModalities": ["AUDIO"],
        "temperature": 0.1,
        "speechConfig": {
            "languageCode": "de-DE",
            "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}},
        },
    }


def test_tools_are_added_to_the_configured_ones() -> None:
    sent = setup({"tools": [{"google_search": {}}]}, tools=(Tool(name="f"),))
    assert sent["tools"] == [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]


@pytest.mark.parametrize(
    "value", ["Hi", ["Hi"], [{"text": "Hi"}], {"text": "Hi"}, {"parts": [{"text": "Hi"}]}], ids=str
)
def test_an_instruction_may_be_written_short(value: Any) -> None:
    assert setup({"system_instruction": value})["systemInstruction"]["parts"] == [{"text": "Hi"}]


def test_the_sdk_is_not_imported_unless_options_are_given() -> None:
    program = (
        "import sys, unirt\n"
        "from unirt_google import PROVIDER\n"
        "PROVIDER.new_translator(unirt.SessionConfig()).start(0.0)\n"
        "assert not [name for name in sys.modules if name.startswith('google')]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
