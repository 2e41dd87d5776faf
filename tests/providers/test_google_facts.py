"""The tables of facts are whole, and the families are told apart."""

from typing import Any

import attrs
import pytest

from unirt import (
    AudioFormat,
    Event,
    LocalVAD,
    Manual,
    NoiseReduction,
    Scheduling,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    SessionEvent,
    Support,
    Thinking,
    Tool,
    Transcription,
    commands,
    events,
)
from unirt.capabilities import settings_in
from unirt_google.facts import capabilities
from unirt_google.families import family_of, is_vertex

MODELS = [
    "gemini-3.8-live",
    "gemini-3.8-live-extended-thinking",
    "gemini-3.1-flash-live-preview",
    "gemini-2.5-flash-native-audio-latest",
]
VERTEX = "projects/p/locations/l/publishers/google/models/gemini-3.8-live"


def full(kind: type[attrs.AttrsInstance]) -> object:
    """An object of that class with every field set to something."""
    return kind(**{field.name: True for field in attrs.fields(kind)})


def every_path() -> set[str]:
    """Every path that a configuration can set."""
    whole: dict[str, Any] = {field.name: True for field in attrs.fields(SessionConfig)}
    whole |= {
        "tools": tuple(Tool(name=kind, scheduling=kind) for kind in Scheduling),
        "input_transcription": full(Transcription),
        "thinking": full(Thinking),
        "input_format": AudioFormat(),
        "output_format": AudioFormat(),
        "noise_reduction": NoiseReduction.NEAR_FIELD,
    }
    local = LocalVAD(threshold=0.5, prefix_padding_ms=1, silence_ms=1, min_speech_ms=1)
    detections = [full(ServerVAD), full(SemanticVAD), Manual(), local]
    configs = [SessionConfig(**{**whole, "turn_detection": choice}) for choice in detections]
    return {path for config in configs for path, _ in settings_in(config)}


@pytest.mark.parametrize("model", [*MODELS, VERTEX])
def test_every_setting_has_a_row(model: str) -> None:
    assert set(capabilities(model).settings) == every_path()


@pytest.mark.parametrize("model", [*MODELS, VERTEX])
def test_every_verb_has_a_row(model: str) -> None:
    verbs = set(commands.__all__) - {"Command", "Scheduling"}
    assert set(capabilities(model).verbs) == verbs


@pytest.mark.parametrize("model", [*MODELS, VERTEX])
def test_every_event_has_a_row(model: str) -> None:
    named = {name: getattr(events, name) for name in events.__all__}
    kinds = {
        name
        for name, kind in named.items()
        if isinstance(kind, type)
        and issubclass(kind, Event)
        and hasattr(kind, "plane")
        and not issubclass(kind, SessionEvent)
    } - {"Event", "ControlEvent", "ContentEvent"}
    assert set(capabilities(model).emits) == kinds


@pytest.mark.parametrize("model", [*MODELS, VERTEX])
def test_every_row_says_how_and_every_refusal_what_to_do(model: str) -> None:
    facts = capabilities(model)
    for name, fact in {**facts.settings, **facts.verbs}.items():
        assert fact.how, name
        assert fact.remedy or fact.support is not Support.REFUSED, name
    assert all(row.why for row in facts.emits.values())


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gemini-3.8-live", "3.8"),
        ("models/gemini-3.8-live-extended-thinking", "3.8-extended-thinking"),
        ("models/gemini-3.1-flash-live-preview", "3.1"),
        ("gemini-2.5-flash-native-audio-preview-09-2025", "2.5"),
        ("gemini-live-2.5-flash-native-audio", "2.5"),
        ("projects/p/locations/2.5/publishers/google/models/gemini-3.8-live", "3.8"),
        ("gemini-9-live", "3.8"),
        ("", "3.8"),
    ],
)
def test_a_model_belongs_to_a_family(model: str, family: str) -> None:
    assert family_of(model).name == family


@pytest.mark.parametrize(
    ("model", "vertex"),
    [(VERTEX, True), ("publishers/google/models/m", True), ("models/m", False), ("m", False)],
)
def test_a_model_s_path_tells_the_backend(model: str, vertex: bool) -> None:
    assert is_vertex(model) is vertex


@pytest.mark.parametrize(
    ("model", "waits"),
    [
        ("gemini-3.8-live", False),
        ("gemini-2.5-flash-native-audio-latest", True),
        ("publishers/google/models/gemini-live-2.5-flash-native-audio", False),
    ],
)
def test_whether_a_tool_that_does_not_say_is_waited_for(model: str, waits: bool) -> None:
    assert capabilities(model).waits_for_tools is waits
