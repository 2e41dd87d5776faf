"""The front door: what is public, and what importing it costs."""

import subprocess
import sys

import pytest

import unirt
from unirt import commands, config, errors, events, items

PROVIDERS = ("openai", "google")


@pytest.mark.parametrize("module", [events, commands, config, errors, items])
def test_every_public_name_of_the_vocabulary_is_at_the_front_door(module: object) -> None:
    names = set(getattr(module, "__all__", ()))
    assert names <= set(unirt.__all__)


def test_every_name_listed_exists_and_is_listed_once() -> None:
    assert len(unirt.__all__) == len(set(unirt.__all__))
    for name in unirt.__all__:
        assert hasattr(unirt, name), name
        assert name in dir(unirt), name
    assert not hasattr(unirt, "NoSuchName")
    assert not hasattr(events, "NoSuchName")
    assert set(events.__all__) <= set(dir(events))


LATER = {
    "a vendor's SDK": {"openai", "google.genai", "google.auth"},
    "another way to travel": {"websockets", "picows", "uvloop", "aiortc"},
    "the running half": {"unirt.session"},
    "the conversion of audio": {"numpy", "soxr"},
    "settings": {"pydantic", "pydantic_settings", "dotenv", "unirt.settings"},
    "the command line": {"rich", "typer", "unirt.cli"},
    "simulators and tests": {"unirt.simulator", "unirt.testing", "tomllib"},
    "prices and budgets": {"genai_prices", "unirt.prices", "unirt.budget"},
    "telemetry": {"opentelemetry", "unirt.telemetry"},
    "the remedy of a misspelt name": {"difflib"},
}
"What is imported where it is used, and not before."


@pytest.mark.parametrize(
    "code",
    ["import unirt", *(f"from unirt.registry import load; load({n!r})" for n in PROVIDERS)],
)
def test_what_a_session_may_never_need_is_not_imported(code: str) -> None:
    code = f"import sys; {code}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "unirt" in loaded
    assert {why: names & loaded for why, names in LATER.items() if names & loaded} == {}


def test_what_only_a_session_or_a_provider_needs_is_not_imported_with_the_front_door() -> None:
    code = "import sys, unirt; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    rooms = {"session", "tools", "turns"}
    assert not loaded & {f"unirt.events.{room}" for room in rooms}
    assert not loaded & {"unirt.commands", "unirt.capabilities", "unirt.translator", "unirt.plan"}


@pytest.mark.parametrize("module", ["unirt", "unirt.events"])
def test_a_name_that_is_loaded_later_is_the_same_wherever_it_is_asked_for(module: str) -> None:
    code = (
        f"import {module} as m; from unirt.events import turns;"
        "late = 'SpeechStarted'; assert late not in vars(m); assert late in dir(m);"
        f"from {module} import SpeechStarted;"
        "assert SpeechStarted is turns.SpeechStarted is m.SpeechStarted;"
        "assert vars(m)[late] is SpeechStarted"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_does_not_load_its_server_side_before_it_is_asked_for(provider: str) -> None:
    code = f"import sys; from unirt.registry import load; load({provider!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if ".server" in name and "unirt_" in name]


def test_events_carry_their_plane_origin_and_native_object() -> None:
    origin = unirt.Origin(
        provider="toy", received_at=2.5, raw={"type": "x"}, parse_native=lambda raw: raw["type"]
    )
    event = unirt.InputCleared(origin=origin)
    assert (event.plane, event.provider, event.received_at) == ("control", "toy", 2.5)
    assert event.raw == {"type": "x"}
    assert event.native() == "x"
    assert unirt.InputCleared(origin=unirt.Origin(provider="toy")).native() is None


def test_events_are_frozen() -> None:
    event = unirt.InputCleared(origin=unirt.Origin(provider="toy"))
    with pytest.raises(AttributeError):
        event.turn_id = "x"  # type: ignore[misc]  # the case
