"""
The short form, for CI: the few ratios that tell whether the way of a frame has become longer.

Only ratios are held to, each with room for a noisy machine, and never a time. What is missed is
measured once more, with more rounds, before it counts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import attrs
from rich.console import Console
from rich.markup import escape

from tests.benchmarks.experiments import SECTIONS, Experiment
from tests.benchmarks.instructions import run_instructions
from tests.benchmarks.lab import Lab
from tests.benchmarks.machine import machine
from tests.benchmarks.report import verdict_line
from tests.benchmarks.roster import roster
from tests.benchmarks.targets import COUNTED, SHORT, Target, Verdict, judge

__all__ = ["Measures", "held", "run_short", "shortened", "told"]

_CONTENDERS = ("floor", "unirt")
_LESS: dict[str, dict[str, dict[str, Any]]] = {
    "drained-200": {"load": {"turns": 20}},
    "drained-20": {"load": {"turns": 30}},
    "paced": {"load": {"turns": 2}},
    "send-20": {"ask": {"count": 1_500}},
    "send-20-resampled": {"ask": {"count": 1_000}},
}
"How much shorter each of its experiments is."
_AGAIN = 2
"How many times as many rounds a second try has."


class Measures(Protocol):
    """What runs experiments: the lab."""

    rounds: int

    def experiment(self, experiment: Experiment, protocol: str) -> dict[str, Any]:
        """Run one on one protocol."""


def run_short(console: Console, *, rounds: int, json_file: Path | None = None) -> int:
    """Measure and judge; the exit status."""
    entries = {name: entry for name, entry in roster().items() if name in _CONTENDERS}
    with Lab(entries, rounds=rounds, tell=lambda what: None) as lab:
        verdicts, rows = held(lab, SHORT)
        versions = lab.versions
    targets = SHORT
    if shutil.which("valgrind"):
        counted = run_instructions(1, lambda what: None)
        verdicts += judge(COUNTED, {"instructions": counted})
        targets += COUNTED
    else:
        console.print("no instructions were counted: valgrind is not there", highlight=False)
    if json_file is not None:
        sections = {"short": {"title": "Short form", "experiments": rows}}
        results = {"machine": machine(), "versions": versions, "sections": sections}
        json_file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(not told(console, targets, verdicts))


def told(console: Console, targets: Sequence[Target], verdicts: Sequence[Verdict]) -> bool:
    """Say how it went; whether all targets were judged, and met."""
    for verdict in verdicts:
        mark = "[green]held[/]  " if verdict.met else "[red]MISSED[/]"
        console.print(mark, escape(verdict_line(verdict)), highlight=False, soft_wrap=True)
    missing = _unjudged(targets, verdicts)
    for name in missing:
        console.print(f"[red]MISSED[/] {name}: nothing was measured", highlight=False)
    return not missing and all(verdict.met for verdict in verdicts)


def held(lab: Measures, targets: Sequence[Target]) -> tuple[list[Verdict], list[dict[str, Any]]]:
    """
    Hold the lab to `targets`, those that are missed a second time.

    Returns:
        The verdicts, and the results they are based on.
    """
    verdicts: list[Verdict] = []
    kept: list[dict[str, Any]] = []
    for experiment in shortened(target.experiment for target in targets):
        for protocol in experiment.protocols:
            row = lab.experiment(experiment, protocol)
            found = _judged(targets, row)
            if not all(verdict.met for verdict in found):
                lab.rounds *= _AGAIN
                row = lab.experiment(experiment, protocol)
                lab.rounds //= _AGAIN
                found = _judged(targets, row)
            verdicts += found
            kept.append(row)
    return verdicts, kept


def shortened(names: Iterable[str]) -> list[Experiment]:
    """The experiments of these names, in their short form."""
    wanted = set(names)
    found = {}
    for section in SECTIONS.values():
        for experiment in section.experiments:
            if experiment.name in wanted and experiment.name not in found:
                less = _LESS[experiment.name]
                found[experiment.name] = attrs.evolve(
                    experiment,
                    load={**experiment.load, **less.get("load", {})},
                    ask={**experiment.ask, **less.get("ask", {})},
                    contenders=_CONTENDERS,
                    peers=False,
                )
    return list(found.values())


def _judged(targets: Sequence[Target], row: dict[str, Any]) -> list[Verdict]:
    return judge(targets, {"short": {"experiments": [row]}})


def _unjudged(targets: Sequence[Target], verdicts: Sequence[Verdict]) -> list[str]:
    judged = {(v.target.experiment, v.target.metric, v.protocol) for v in verdicts}
    return [
        f"{target.experiment} on {protocol}"
        for target in targets
        for protocol in ("openai", "google")
        if (target.experiment, target.metric, protocol) not in judged
    ]
