"""The recordings: fresh, legal, whole, and the same conversation on every provider."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unirt.events import AudioDelta, Event
from unirt.registry import installed
from unirt.testing import check, fold, outline, translate

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "cassettes"
SCENARIOS = sorted({path.stem for path in FOLDER.glob("*/*.jsonl")})


def lines(provider: str, scenario: str) -> list[dict[str, Any]]:
    text = (FOLDER / provider / f"{scenario}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def translated(provider: str, scenario: str) -> list[Event]:
    frames = [e["data"] for e in lines(provider, scenario) if e["direction"] == "received"]
    return translate(provider, frames)


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
    note, *rest = lines(provider, scenario)
    assert note["data"]["origin"] == "simulator"
    assert (note["data"]["provider"], note["data"]["scenario"]) == (provider, scenario)
    assert not any(word in json.dumps(rest) for word in ("sk-", "AIza", "Bearer"))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("provider", installed())
def test_it_translates_offline_to_a_legal_stream(provider: str, scenario: str) -> None:
    received = [e for e in lines(provider, scenario) if e["direction"] == "received"]
    events = translated(provider, scenario)
    check(events)

    heard = [event.raw for event in events]
    assert all(entry["data"] in heard for entry in received)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("provider", installed())
@pytest.mark.parametrize("start", [1, 3, 7])
def test_it_may_start_in_the_middle(provider: str, scenario: str, start: int) -> None:
    entries = [e["data"] for e in lines(provider, scenario) if e["direction"] == "received"]
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
        entries = outline(fold(translated(provider, scenario)))
        keys = ("kind", "name", "text", "ending", "reason", "usage")
        return [tuple(e[key] for key in keys) for e in entries if e["role"] == "assistant"]

    first, *others = [answers(provider) for provider in installed()]
    assert first
    assert others == [first] * len(others)
