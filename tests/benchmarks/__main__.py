"""``python -m tests.benchmarks``: run the benchmarks, show the tables, write them to the docs."""

from __future__ import annotations

import compileall
import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from tests.benchmarks import report
from tests.benchmarks.calls.section import run_calls
from tests.benchmarks.cassettes import run_cassettes
from tests.benchmarks.experiments import SECTIONS
from tests.benchmarks.imports import run_imports
from tests.benchmarks.instructions import run_instructions
from tests.benchmarks.lab import Lab
from tests.benchmarks.machine import machine
from tests.benchmarks.processes import ROOT
from tests.benchmarks.report import PAGE, dumped
from tests.benchmarks.roster import Entry, roster
from tests.benchmarks.short import run_short
from tests.benchmarks.targets import TARGETS, judge

RESULTS = ROOT / "docs" / "performance" / "results.json"

_APART = {
    "imports": run_imports,
    "instructions": run_instructions,
    "cassettes": run_cassettes,
    "calls": run_calls,
}
"The sections that the lab cannot run."

_console = Console(width=None if sys.stdout.isatty() else 160)


def main(
    short: Annotated[
        bool, typer.Option("--short", help="The form for CI: a few ratios, with room for noise.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count.")] = 15,
    only: Annotated[str, typer.Option(help=f"Sections, with commas: {', '.join(SECTIONS)}.")] = "",
    peers: Annotated[
        bool, typer.Option("--peers", help="Also the libraries of others, in environments of ours.")
    ] = False,
    cache: Annotated[
        str | None, typer.Option(help="Where the environments of the peers are kept.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="Write tables and plots to the docs.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if a target is missed.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the results there.")
    ] = None,
) -> None:
    """Measure what a session costs, beside the floor and beside others."""
    _compile()
    if short:
        raise typer.Exit(run_short(_console, rounds=min(rounds, 7), json_file=json_file))
    names = [name for name in only.split(",") if name] or list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        raise typer.BadParameter(f"there is no section {', '.join(sorted(unknown))}")
    if write and find_spec("matplotlib") is None:
        remedy = "pip install -e '.[bench]', or measure with --no-write"
        raise typer.BadParameter(f"nothing is installed that draws plots: {remedy}")
    entries = roster(peers=peers, cache=cache)
    results = _measure(names, entries, rounds)
    _show(results, entries)
    if json_file is not None:
        json_file.write_text(dumped(results), encoding="utf-8")
    if write:
        _write(results, entries)
    if check and not all(verdict.met for verdict in judge(TARGETS, results["sections"])):
        raise typer.Exit(1)


def _measure(names: list[str], entries: dict[str, Entry], rounds: int) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    with (
        _console.status("starting") as status,
        Lab(entries, rounds=rounds, tell=lambda what: _tell(status, what)) as lab,
    ):
        for name in names:
            if run := _APART.get(name):
                sections[name] = run(rounds, lambda what: _tell(status, what))
            else:
                sections[name] = lab.section(SECTIONS[name])
        return {"machine": machine(), "versions": lab.versions, "sections": sections}


def _tell(status: Status, what: str) -> None:
    status.update(what)


def _show(results: dict[str, Any], entries: dict[str, Entry]) -> None:
    for table in report.terminal_tables(results, entries):
        _console.print(table, highlight=False)
    for verdict in judge(TARGETS, results["sections"]):
        mark = "[green]met[/]   " if verdict.met else "[red]missed[/]"
        line = escape(report.verdict_line(verdict))
        _console.print(mark, line, highlight=False, soft_wrap=True)


def _write(results: dict[str, Any], entries: dict[str, Entry]) -> None:
    """Add the results to what was measured before, and write page and plots anew."""
    from tests.benchmarks.peers.registry import named
    from tests.benchmarks.plots import draw

    entries = {**{entry.name: entry for entry in named()}, **entries}
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    merged = {
        "machine": results["machine"],
        "versions": {**known.get("versions", {}), **results["versions"]},
        "sections": {**known.get("sections", {}), **results["sections"]},
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(dumped(merged), encoding="utf-8")
    draw(merged, entries, RESULTS.parent)
    blocks = report.blocks(merged, judge(TARGETS, merged["sections"]), entries)
    if not PAGE.exists():
        PAGE.write_text(report.skeleton(), encoding="utf-8")
    for name in report.write(PAGE, blocks):
        _console.print(f"{PAGE.name} has no place for {name!r}", highlight=False)


def _compile() -> None:
    """Byte-compile what is measured, so that no import pays for it."""
    for folder in ("unirt", "providers", "tests/benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=2)


if __name__ == "__main__":
    typer.run(main)
