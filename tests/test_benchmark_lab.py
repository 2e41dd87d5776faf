"""The lab of the benchmarks, with real processes, and the commits and cassettes it can measure."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import attrs
import pytest

from tests.benchmarked import BOTH
from tests.benchmarks import bygone, cassettes, imports
from tests.benchmarks.experiments import Experiment, Section
from tests.benchmarks.lab import Lab
from tests.benchmarks.processes import ROOT, Failed, Process
from tests.benchmarks.roster import FLOOR, Entry, roster
from unirt.cassettes import Framed, write

# The lab, with real processes.

TINY = Experiment(
    name="tiny",
    title="a tiny drain",
    load={"kind": "drain", "chunk_ms": 20, "turns": 1},
    ask={"do": "drain", "count": 5},
    contenders=(FLOOR, "deaf", "dead", "broken", "absent"),
)
DEAF = """
import json, sys
print(json.dumps({"hello": "deaf", "versions": {}}), flush=True)
for line in sys.stdin:
    print(json.dumps({"cpu_s": 1, "wall_s": 1, "wire_events": 1, "audio_bytes": 5}), flush=True)
"""
DEAD = DEAF.replace('"audio_bytes": 5', '"failed": 3')


def test_a_lab_compares_and_counts_nobody_who_did_not_hear() -> None:
    entries = {
        FLOOR: roster()[FLOOR],
        "deaf": Entry(name="deaf", title="deaf", command=(sys.executable, "-c", DEAF)),
        "dead": Entry(name="dead", title="dead", command=(sys.executable, "-c", DEAD)),
        "broken": Entry(
            name="broken", title="broken", command=(sys.executable, "-c", "raise OSError('no')")
        ),
        "absent": Entry(name="absent", title="absent", command=(), missing="cannot be built"),
    }
    heard: list[str] = []
    with Lab(entries, rounds=2, tell=heard.append) as lab:
        row = lab.experiment(TINY, "openai")
    found = row["contenders"]
    assert found[FLOOR]["ratios"]["us"]["median"] == 1
    assert found["deaf"] == {"skip": "failed: deaf: heard 5 of 67200 bytes of audio"}
    assert found["dead"] == {"skip": "failed: dead: 3 of 5 sessions ended too early"}
    assert found["broken"]["skip"].endswith("(OSError: no)")
    assert found["absent"] == {"skip": "cannot be built"}
    assert heard[-1] == "a tiny drain, openai, round 2 of 2"
    assert lab.versions[FLOOR]["websockets"]


NOTING = """
import json, sys
print(json.dumps({"hello": "noting", "versions": {}}), flush=True)
for line in sys.stdin:
    turns = json.loads(line)["turns"]
    print(turns, file=open(sys.argv[1], "a"), flush=True)
    measured = {"cpu_s": turns, "wall_s": 1, "wire_events": 1, "minor_faults": 0}
    print(json.dumps(measured), flush=True)
"""


def test_before_each_sample_a_contender_warms_up_and_that_does_not_count(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    command = (sys.executable, "-c", NOTING, str(notes))
    entries = {"noting": Entry(name="noting", title="noting", command=command)}
    warm = attrs.evolve(TINY, warm=3, contenders=("noting",), load={**TINY.load, "turns": 5})
    with Lab(entries, rounds=1, tell=lambda what: None) as lab:
        row = lab.experiment(warm, "openai")
    assert notes.read_text("utf-8").split() == ["3", "5"] * 2  # a round before the first, too
    assert row["contenders"]["noting"]["metrics"]["us"]["median"] == 5e6


CLIMBER = """
import json, sys
print(json.dumps({"hello": "climber", "versions": {}}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    due = task["count"] * 1e3 / task["interval_ms"] * task["audio_events"] / task["wire_events"]
    late = 5 if task["count"] <= 3 else 50
    print(json.dumps({"cpu_s": 0.5, "wall_s": 1, "audio_events": due, "lag_p99_ms": late}))
    sys.stdout.flush()
"""


def test_whoever_climbs_is_told_to_hold_what_it_held() -> None:
    command = (sys.executable, "-c", CLIMBER)
    entries = {"climber": Entry(name="climber", title="climber", command=command)}
    steps = [
        attrs.evolve(
            TINY,
            name=f"steps-{count}",
            load={"kind": "paced", "chunk_ms": 20, "interval_ms": 20, "turns": 1},
            ask={"do": "sessions", "count": count},
            contenders=("climber",),
            x=count,
        )
        for count in (1, 2, 3, 5, 8)
    ]
    section = Section(name="steps", title="", metrics=(), climbs=True, experiments=tuple(steps))
    told: list[str] = []
    with Lab(entries, rounds=1, tell=told.append) as lab:
        result = lab.section(section)
    assert sum(what.endswith("openai, round 3 of 3") for what in told) == 2  # of the last two
    assert result["held"] == {"openai": {"climber": 3}, "google": {"climber": 3}}
    assert [row["x"] for row in result["experiments"]] == [1, 2, 3, 5] * 2
    lags = [row["contenders"]["climber"]["metrics"]["lag_p99_ms"] for row in result["experiments"]]
    assert [lag["median"] for lag in lags] == [5, 5, 5, 50] * 2


def test_a_silent_process_is_not_waited_for() -> None:
    mute = Process("mute", [sys.executable, "-c", "input()"])
    with mute, pytest.raises(Failed, match="said nothing"):
        mute.hear(0.01)


@pytest.mark.parametrize("provider", BOTH)
def test_no_vendor_s_package_is_imported_for_a_turn(provider: str) -> None:
    found = imports.vendors_after_a_turn(provider)
    assert found["events"] > 0
    assert found["vendors"] == []


def test_bare_dependencies_are_what_is_imported_anyway_and_nothing_of_ours() -> None:
    lines = imports.bare("import unirt\n")
    assert "import attrs\n" in lines
    assert "unirt" not in lines


# Commits of the past.


def test_what_is_measured_of_a_commit_is_all_its_own(tmp_path: Path) -> None:
    for name in ("unirt", "providers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    environ = bygone.on_path(tmp_path)
    assert bygone.obstacle(tmp_path, environ) is None
    shutil.rmtree(tmp_path / "providers" / "unirt_openai")
    assert "not its own" in (bygone.obstacle(tmp_path, environ) or "")
    (tmp_path / "unirt" / "__init__.py").write_text("from unirt.fold import Gone", encoding="utf-8")
    reason = bygone.obstacle(tmp_path, environ) or ""
    assert "Gone" in reason
    assert str(tmp_path) not in reason


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_a_commit_is_unpacked_and_leaves_the_repository_alone(tmp_path: Path) -> None:
    entry = bygone.bygone("HEAD", tmp_path)
    assert entry.name.startswith("bygone_")
    (home,) = tmp_path.iterdir()
    assert (home / "unirt" / "__init__.py").exists()
    assert entry.environ["PYTHONPATH"].startswith(str(home))
    shape = bygone.section({FLOOR: roster()[FLOOR], entry.name: entry})
    assert {e.contenders for e in shape.experiments} == {(FLOOR, entry.name)}


@pytest.mark.parametrize("protocol", ["openai", "google"])
def test_a_cassette_of_the_benchmarks_is_played_to_its_end(protocol: str, tmp_path: Path) -> None:
    cassette, turns = cassettes.recording(protocol)
    write(tmp_path / "talk.jsonl", cassette)
    received = [e for e in cassette.entries if isinstance(e, Framed) and e.direction == "received"]
    assert len(received) >= cassettes.FRAMES
    assert cassettes.translated(cassette, protocol) > 0
    assert cassettes.played(tmp_path / "talk.jsonl", turns) > 0
