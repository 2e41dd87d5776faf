"""The tables of facts are complete, and every row says where it is from."""

from __future__ import annotations

import inspect
from typing import Any, get_args

import attrs
import pytest

from unirt import commands, events
from unirt.audio import PCM16_24K
from unirt.capabilities import Emission, Support, settings_in
from unirt.config import (
    LocalVAD,
    Manual,
    NoiseReduction,
    Scheduling,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
)
from unirt.events import Event, SessionEvent
from unirt_openai.facts import EMITS, SETTINGS, VERBS, capabilities

VALUES: dict[str, Any] = {
    "tools": tuple(Tool(name=kind, scheduling=kind) for kind in Scheduling),
    "modalities": ("audio",),
    "input_format": PCM16_24K,
    "output_format": PCM16_24K,
    "noise_reduction": NoiseReduction.NEAR_FIELD,
    "history": (),
    "provider_options": {},
}


def full(cls: type[Any]) -> Any:
    return cls(**{field.name: 1 for field in attrs.fields(cls)})


def test_every_path_of_the_configuration_has_a_row() -> None:
    paths = set()
    local = LocalVAD(threshold=0.5, prefix_padding_ms=1, silence_ms=1, min_speech_ms=1)
    for detection in (full(ServerVAD), full(SemanticVAD), Manual(), local):
        values = {field.name: 1 for field in attrs.fields(SessionConfig)} | VALUES
        values |= {
            "turn_detection": detection,
            "input_transcription": full(Transcription),
            "thinking": full(Thinking),
        }
        paths |= {path for path, _ in settings_in(SessionConfig(**values))}
    assert set(SETTINGS) == paths


def test_every_command_has_a_row() -> None:
    assert set(VERBS) == {command.__name__ for command in get_args(commands.Command)}


def test_every_event_has_a_row() -> None:
    bases = {"Event", "ControlEvent", "ContentEvent"}
    classes = {
        name
        for name in events.__all__
        if inspect.isclass(value := getattr(events, name))
        and issubclass(value, Event)
        and not issubclass(value, SessionEvent)
    }
    assert set(EMITS) == classes - bases


@pytest.mark.parametrize("table", [SETTINGS, VERBS, EMITS])
def test_every_row_has_a_source(table: dict[str, Any]) -> None:
    assert [name for name, row in table.items() if not row.source] == []


def test_what_is_refused_has_a_reason_and_a_remedy() -> None:
    for model in ("gpt-realtime-2.1", "gpt-realtime", "gpt-4o-realtime-preview"):
        facts = capabilities(model)
        for row in (*facts.settings.values(), *facts.verbs.values()):
            assert row.support is not Support.REFUSED or (row.how and row.remedy)


def test_what_is_never_emitted_says_why() -> None:
    assert all(row.why for row in EMITS.values() if row.emission is Emission.NEVER)


@pytest.mark.parametrize(
    ("model", "reasons", "sees"),
    [
        ("gpt-realtime-2.1", True, True),
        ("gpt-realtime-2", True, True),
        ("gpt-realtime-2.1-mini", True, True),
        ("a-model-of-next-year", True, True),
        ("gpt-realtime", False, True),
        ("gpt-realtime-1.5", False, True),
        ("gpt-realtime-2025-08-28", False, True),
        ("gpt-realtime-mini", False, True),
        ("gpt-realtime-mini-2025-12-15", False, True),
        ("gpt-audio-1.5", False, True),
        ("gpt-4o-realtime-preview-2025-06-03", False, False),
        ("gpt-4o-mini-realtime-preview", False, False),
    ],
)
def test_a_model_has_the_facts_of_its_family(model: str, reasons: bool, sees: bool) -> None:
    facts = capabilities(model)
    assert (facts.settings["thinking.effort"].support is not Support.REFUSED) == reasons
    assert (facts.settings["parallel_tool_calls"].support is not Support.REFUSED) == reasons
    assert (facts.verbs["SendImage"].support is not Support.REFUSED) == sees
    assert facts.model == model
