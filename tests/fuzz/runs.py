"""Runs of the engine, each in a process of its own, and what came of it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import attrs

from tests.fuzz import corpus

__all__ = ["FOUND", "NAMES", "Run", "fuzz", "merge"]

NAMES: Final = ("google", "openai", "cassette")
"The targets; :mod:`tests.fuzz.targets` imports what has to be instrumented."

ROOT: Final = Path(__file__).parents[2]
FOUND: Final = ROOT / ".fuzz"
"Where inputs are kept that broke something."

_LARGEST: Final = 4_000
"Bytes of an input."
_SLOWEST_S: Final = 25
"An input that takes longer is a find, too; the machine may be busy."
_MOST_MB: Final = 2_048
_GRACE_S: Final = 300


@attrs.frozen(kw_only=True)
class Run:
    """What became of one."""

    inputs: int
    lines: int
    "Frames, or lines of cassettes, in them."
    reached: int
    "Places in the code, as the engine counts them."
    found: str | None
    "What broke; ``None`` where nothing did."


def fuzz(
    target: str, seconds: int, place: Path, *, seed: int = 0, tries: int = -1, share: int = 1
) -> Run:
    """
    Search for so long.

    Args:
        target: What is fuzzed.
        seconds: For how long.
        place: An empty folder; the inputs that reached something new are there afterwards.
        seed: Of the engine's random numbers; 0 draws one.
        tries: How many inputs to try at most; -1 for any number.
        share: Begin with one input of so many, so as to be done with them soon.
    """
    FOUND.mkdir(exist_ok=True)
    counter = place / "counter"
    counter.write_bytes(bytes(8))
    folder = place / "inputs"
    folder.mkdir()
    for path in corpus.inputs(target)[::share]:
        shutil.copy(path, folder)
    options = (
        f"-max_total_time={seconds}",
        f"-max_len={_LARGEST}",
        f"-timeout={_SLOWEST_S}",
        f"-rss_limit_mb={_MOST_MB}",
        f"-seed={seed}",
        f"-runs={tries}",
        f"-artifact_prefix={FOUND}/{target}-",
        "-print_final_stats=1",
        str(folder),
    )
    done = _engine(target, place, *options, seconds=seconds, UNIRT_FUZZ_COUNTER=str(counter))
    counts = re.findall(r"stat::number_of_executed_units: (\d+)", done.stdout)
    reached = re.findall(r"cov: (\d+)", done.stdout)
    if not counts or not reached:
        raise RuntimeError(f"the engine did not run: {done.stdout[-2_000:]}")
    return Run(
        inputs=int(counts[-1]),
        lines=int.from_bytes(counter.read_bytes(), "little"),
        reached=int(reached[-1]),
        found=_why(done.stdout) if done.returncode else None,
    )


def merge(target: str, into: Path, place: Path) -> int:
    """Add the inputs that a search left to a folder, where they reach more; how many these are."""
    before = len(list(into.iterdir()))
    done = _engine(target, place, "-merge=1", "-use_counters=0", str(into), str(place / "inputs"))
    if done.returncode:
        raise RuntimeError(f"the engine cannot merge: {done.stdout[-2_000:]}")
    return len(list(into.iterdir())) - before


def _engine(
    target: str, place: Path, *arguments: str, seconds: int = 0, **environ: str
) -> subprocess.CompletedProcess[str]:
    program = place / "engine"
    command = shlex.join([sys.executable, "-m", "tests.fuzz.engine", target])
    program.write_text(f'#!/bin/sh\nexec {command} "$0" "$@"\n')
    program.chmod(0o700)
    return subprocess.run(
        [str(program), *arguments],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds + _GRACE_S,
    )


def _why(said: str) -> str:
    """What the engine said from the first sign of something broken on."""
    at = re.search(r" === Uncaught|==\d+== ?ERROR|ALARM:", said)
    return said[at.start() :] if at else said[-2_000:]
