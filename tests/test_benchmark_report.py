"""The report of the benchmarks: it says what was measured, of whom, and on what."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from tests.benchmarked import BOTH, FOLDER, row
from tests.benchmarks import __main__ as program
from tests.benchmarks import report
from tests.benchmarks.experiments import SECTIONS
from tests.benchmarks.lab import Runs, summary
from tests.benchmarks.machine import machine
from tests.benchmarks.peers.footnotes import FOOTNOTES
from tests.benchmarks.peers.registry import PEERS, named
from tests.benchmarks.peers.venvs import VENVS
from tests.benchmarks.roster import FLOOR, roster
from tests.benchmarks.targets import TARGETS, judge

# The report.


def results() -> dict[str, Any]:
    """Results of one round, for every shape of section."""
    series = [
        {**row(p, "us", 10.0 * x, 5.0 * x, experiment=f"length-{x}", title="t"), "x": float(x)}
        for p in BOTH
        for x in (1, 10)
    ]
    climb = [row("openai", "share", 3, 2, experiment="sessions-1") | {"x": 1.0}]
    climb[0]["contenders"]["unirt"]["metrics"]["lag_p99_ms"] = {"median": 1.0}
    drained = [row(p, "us", 12.3, 10, experiment="drained-200", title="200 ms") for p in BOTH]
    drained[0]["contenders"]["sdk"] = {"skip": "not | installed"}
    steps = Runs({"anatomy_transport": [{"us": 3.0}], "unirt": [{"us": 4.5}], FLOOR: [{"us": 4}]})
    dissected = {
        "experiment": "anatomy-20",
        "title": "20 ms chunks",
        "protocol": "openai",
        "x": None,
        "contenders": summary(steps, {"unirt": "anatomy_transport", "both_views": "unirt"}),
    }
    sections = {
        "anatomy": {"title": "Anatomy", "experiments": [dissected]},
        "drained": {"title": "Drained", "experiments": drained},
        "length": {"title": "Length", "experiments": series},
        "capacity": {
            "title": "Capacity",
            "experiments": climb,
            "held": {"openai": {"unirt": 700.0}},
        },
    }
    return {"machine": machine(), "versions": {}, "sections": sections}


def test_the_tables_say_what_was_measured() -> None:
    found = results()
    blocks = report.blocks(found, judge(TARGETS, found["sections"]), roster())
    assert "| **unirt** | 12.3 | 1.23 (1.23 to 1.23) | 12.3 |" in blocks["drained"]
    assert "| --- | ---: | ---: | ---: | ---: |" in blocks["drained"]
    assert "- official SDK, PCM decoded on OpenAI: not | installed." in blocks["drained"]
    assert "| provider | contender | 1 | 10 |" in blocks["length"]
    assert "| Gemini | **unirt** | 10.0 | 100.0 |" in blocks["length"]
    assert "| **unirt** | 700 |" in blocks["capacity"]
    assert blocks["anatomy"].index("off the socket") < blocks["anatomy"].index("whole | 4.5")
    assert "whole | 4.5 | +1.50 (+1.50 to +1.50) |" in blocks["anatomy"]
    assert "| unirt | OpenAI | 1.23 | ≤ 1.35 | yes |" in blocks["targets"]
    assert found["machine"]["python"] in blocks["machine"]


def test_a_page_keeps_its_prose_around_the_blocks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Before.\n<!-- benchmarks:begin a -->\nold\n<!-- benchmarks:end a -->\nAfter.\n",
        encoding="utf-8",
    )
    for _ in range(2):
        assert report.write(page, {"a": "new \\1 table", "b": "homeless"}) == ["b"]
    assert page.read_text(encoding="utf-8") == (
        "Before.\n<!-- benchmarks:begin a -->\nnew \\1 table\n<!-- benchmarks:end a -->\nAfter.\n"
    )


def test_a_block_without_an_end_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- benchmarks:begin a -->\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no end"):
        report.write(page, {"a": "new"})


def test_a_new_page_has_a_place_for_everything(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(report.skeleton(), encoding="utf-8")
    blocks = dict.fromkeys(["machine", "targets", *SECTIONS], "text")
    assert report.write(page, blocks) == []
    assert page.read_text(encoding="utf-8").count("text\n<!--") == len(blocks)


def test_a_terminal_shows_every_section() -> None:
    output = StringIO()
    console = Console(file=output, width=200)
    for table in report.terminal_tables(results(), roster()):
        console.print(table)
    for word in ("Drained", "Length", "unirt", "700", "installed"):
        assert word in output.getvalue()


@pytest.mark.long
def test_plots_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="it is in the extra [bench]")
    from tests.benchmarks.plots import draw

    first, again = tmp_path / "a", tmp_path / "b"
    names = [path.name for path in draw(results(), roster(), first)]
    draw(results(), roster(), again)
    assert "ratios.svg" in names
    for name in names:
        assert (first / name).read_bytes() == (again / name).read_bytes()


# Peers.


def test_peers_their_footnotes_and_their_environments_are_about_the_same() -> None:
    assert {peer.name for peer in PEERS} == FOOTNOTES.keys()
    assert {peer.venv for peer in PEERS} == VENVS.keys()


def test_the_machine_is_described_and_not_named() -> None:
    import platform

    text = json.dumps(machine())
    assert platform.node() not in text or len(platform.node()) < 4
    assert str(Path.home()) not in text


def test_no_module_is_a_hall() -> None:
    for path in FOLDER.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, path


def test_the_page_calls_peers_by_their_names_whoever_took_part_last() -> None:
    called = {entry.name: entry.title for entry in named()}
    assert len(called) >= 8
    page = report.PAGE.read_text("utf-8")
    assert "peer_" not in page
    assert all(f"| {title} |" in page for title in called.values())


def test_without_what_draws_nothing_is_measured_that_could_not_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program, "find_spec", lambda name: None)
    monkeypatch.setattr(program, "_compile", lambda: None)
    app = typer.Typer()
    app.command()(program.main)
    done = CliRunner().invoke(app, ["--only", "calls"])
    assert done.exit_code == 2
    assert "--no-write" in done.output
