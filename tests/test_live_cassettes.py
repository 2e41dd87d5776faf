"""Recording live and reporting, tried on simulators: an honest one, and a doctored one."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from cassettes.live import differences, main, record
from cassettes.record import FOLDER
from unirt.cassettes import read
from unirt.registry import load
from unirt.simulator import Pace, Simulator, builtin
from unirt.translator import Frame
from unirt_openai.server import OpenAIServer

FAST = Pace(speed=50, latency_ms=1, word_ms=1)


async def recorded(server: Any, scenario: str, path: Path) -> list[str]:
    """Record from a server, and report."""
    provider = attrs.evolve(load("openai"), server=server)
    async with Simulator(provider, builtin(scenario), pace=FAST) as simulator:
        environ = simulator.env
        assert await record(load("openai"), builtin(scenario), path, environ=environ) == ""
    return differences(read(path), read(FOLDER / "openai" / f"{scenario}.jsonl"))


@pytest.mark.parametrize("scenario", ["text_turn", "parallel_tool_calls"])
async def test_an_honest_simulator_differs_in_nothing(scenario: str, tmp_path: Path) -> None:
    path = tmp_path / "live.jsonl"
    assert await recorded(OpenAIServer, scenario, path) == []
    header = read(path).header
    assert (header.provider, header.notes["scenario"]) == ("openai", scenario)


class Doctored(OpenAIServer):
    """Sends what the simulator does not, leaves out what it does, and changes fields."""

    def frames_to_send(self) -> list[Frame]:
        sent: list[Frame] = []
        for frame in super().frames_to_send():
            data = json.loads(frame)
            if data["type"] == "rate_limits.updated":
                data = {"type": "weather.updated"}
            if data["type"] == "response.done":
                del data["response"]["usage"]
                data["response"]["mood"] = {"happy": True}
            sent.append(json.dumps(data))
        return sent


async def test_a_doctored_one_is_found_out(tmp_path: Path) -> None:
    found = await recorded(Doctored, "text_turn", tmp_path / "live.jsonl")
    assert "only live: weather.updated" in found
    assert "only simulated: rate_limits.updated" in found
    assert "response.done: response.mood only live" in found
    assert "response.done: response.mood.happy only live" in found
    assert "response.done: response.usage only simulated" in found


async def test_order_is_reported() -> None:
    good = read(FOLDER / "openai" / "text_turn.jsonl")
    entries = list(good.entries)
    first = next(n for n, e in enumerate(entries) if "response.created" in repr(e))
    entries[first], entries[first + 1] = (
        attrs.evolve(entries[first + 1], at_ms=entries[first].at_ms),
        attrs.evolve(entries[first], at_ms=entries[first + 1].at_ms),
    )
    (line,) = differences(attrs.evolve(good, entries=tuple(entries)), good)
    assert line.startswith("first seen live in the order [")


async def test_the_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong, status in (([], 2), (["--dry-run"], 2), (["--help"], 0)):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == status
    assert main([str(tmp_path)]) == 1
    assert "no provider has a key" in capsys.readouterr().err


async def test_the_one_command_records_all_that_there_is_a_key_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cassettes.live.builtin_names", lambda: ("text_turn", "bad_config"))
    async with Simulator(load("openai"), builtin("text_turn"), pace=FAST) as simulator:
        for name, value in simulator.env.items():
            monkeypatch.setenv(name, value)
        assert await asyncio.to_thread(main, [str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""
    assert read(tmp_path / "openai" / "text_turn.jsonl").header.origin == "simulator"


async def test_what_a_provider_does_not_do_is_told_and_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("barge_in_playing", "text_turn")
    monkeypatch.setattr("cassettes.live.builtin_names", lambda: names)
    monkeypatch.setattr("cassettes.live.record", partial(record, patience_ms=200.0))
    async with Simulator(load("openai"), builtin("text_turn"), pace=FAST) as simulator:
        for name, value in simulator.env.items():
            monkeypatch.setenv(name, value)
        assert await asyncio.to_thread(main, [str(tmp_path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "openai barge_in_playing: 2600 ms of sound never came, for which Speak waits" in told
    assert not [line for line in told if "text_turn" in line]
    assert {path.stem for path in (tmp_path / "openai").iterdir()} == set(names)
