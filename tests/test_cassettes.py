"""The cassettes of this repository: fresh, honest, whole, and the same conversation everywhere."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unirt.cassettes import Cassette, Framed, read
from unirt.cassettes.scrub import check_clean
from unirt.cassettes.secrets import Secrets
from unirt.events import AudioDelta, Event
from unirt.registry import installed
from unirt.testing import check, fold, outline, translate

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "cassettes"
SCENARIOS = sorted({path.stem for path in FOLDER.glob("*/*.jsonl")})


def cassette(provider: str, scenario: str) -> Cassette:
    return read(FOLDER / provider / f"{scenario}.jsonl")


def received(provider: str, scenario: str) -> list[Any]:
    entries = cassette(provider, scenario).entries
    return [e.data for e in entries if isinstance(e, Framed) and e.direction == "received"]


@pytest.mark.long
def test_there_is_one_for_each_scenario_and_provider_and_all_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "cassettes/record.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(SCENARIOS) >= 20


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("provider", installed())
def test_it_says_where_it_came_from_and_holds_no_key(provider: str, scenario: str) -> None:
    found = cassette(provider, scenario)
    header = found.header
    assert (header.origin, header.provider) == ("simulator", provider)
    assert header.notes["scenario"] == scenario
    check_clean(found, Secrets(), scenario)
    assert not any(word in json.dumps(received(provider, scenario)) for word in ("sk-", "AIza"))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("provider", installed())
def test_it_translates_offline_to_a_legal_stream(provider: str, scenario: str) -> None:
    frames = received(provider, scenario)
    events = translate(provider, frames)
    check(events)

    heard = [event.raw for event in events]
    assert all(frame in heard for frame in frames)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("provider", installed())
@pytest.mark.parametrize("start", [1, 3, 7])
def test_it_may_start_in_the_middle(provider: str, scenario: str, start: int) -> None:
    entries = received(provider, scenario)
    events = translate(provider, entries[start:])
    check(events)

    def sound(events: list[Event]) -> list[bytes]:
        return [event.data for event in events if isinstance(event, AudioDelta)]

    whole = sound(translate(provider, entries))
    assert sound(events) == whole[len(whole) - len(sound(events)) :]


@pytest.mark.parametrize(
    "scenario", ["text_turn", "spoken_turn", "tool_call", "parallel_tool_calls", "failed"]
)
def test_both_providers_hold_the_same_answers_offline(scenario: str) -> None:
    def answers(provider: str) -> list[tuple[Any, ...]]:
        entries = outline(fold(translate(provider, received(provider, scenario))))
        keys = ("kind", "name", "text", "ending", "reason", "usage")
        return [tuple(e[key] for key in keys) for e in entries if e["role"] == "assistant"]

    first, *others = [answers(provider) for provider in installed()]
    assert first
    assert others == [first] * len(others)
