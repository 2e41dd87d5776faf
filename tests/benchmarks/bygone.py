"""
``python -m tests.benchmarks.bygone REV...``: what a change was worth.

unirt as it was at some commits of this repository, and as it is, in one alternating run with the
floor: drained, with 200 and with 20 ms of audio an event. Each commit is unpacked into a temporary
folder, which stands on the path before what is installed; so the benchmarks are today's, and only
what they measure is of that time. A commit that today's contender cannot drive is told with the
reason.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Annotated

import attrs
import typer
from rich.console import Console

from tests.benchmarks import report
from tests.benchmarks.experiments import SECTIONS, Section
from tests.benchmarks.lab import Lab
from tests.benchmarks.machine import machine
from tests.benchmarks.processes import ENVIRONMENT, ROOT
from tests.benchmarks.roster import BOTH, FLOOR, Entry, roster

__all__ = ["bygone", "obstacle", "on_path", "section"]

RESULTS = ROOT / "docs" / "performance" / "bygone.json"

_MEASURED = ("unirt", "providers")
"The folders of a commit that are measured; they are on the path as here."
_CONTENDER = "tests.benchmarks.contenders.unirt"
_LOADED = f"""
import sys, unirt.registry, {_CONTENDER}
for name in {BOTH!r}:
    unirt.registry.load(name)
for name, module in list(sys.modules.items()):
    if name.partition(".")[0].startswith("unirt"):
        print(module.__file__)
"""

_console = Console(width=None if sys.stdout.isatty() else 160)


def main(
    revisions: Annotated[list[str], typer.Argument(metavar="REV...", help="Commits, in order.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that count.")] = 15,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="Write the table to the docs.")
    ] = True,
) -> None:
    """Measure unirt at these commits, and as it is, beside the floor."""
    with tempfile.TemporaryDirectory(prefix="unirt-bygone-") as folder:
        entries = {FLOOR: roster()[FLOOR]}
        for revision in revisions:
            entry = bygone(revision, Path(folder))
            entries[entry.name] = entry
        entries["unirt"] = attrs.evolve(roster()["unirt"], title="**unirt**, as it is")
        shape = section(entries)
        with (
            _console.status("starting") as status,
            Lab(entries, rounds=rounds, tell=status.update) as lab,
        ):
            results = lab.section(shape)
    for table in report.tables(shape, results, entries):
        _console.print(table, highlight=False)
    if write:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        kept = {"machine": machine(), "titles": _titles(entries), "section": results}
        RESULTS.write_text(report.dumped(kept), encoding="utf-8")
        if not report.PAGE.exists():
            report.PAGE.write_text(report.skeleton(), encoding="utf-8")
        report.write(report.PAGE, {"bygone": report.block(shape, results, entries)})


def _titles(entries: dict[str, Entry]) -> dict[str, str]:
    return {name: entry.title for name, entry in entries.items()}


def section(entries: dict[str, Entry]) -> Section:
    """The drained measure, of these contenders."""
    drained = SECTIONS["drained"]
    return Section(
        name="bygone",
        title="After each change",
        metrics=("us",),
        ratios=("us",),
        ordered=True,
        experiments=tuple(
            attrs.evolve(experiment, contenders=tuple(entries), peers=False)
            for experiment in drained.experiments
        ),
    )


def bygone(revision: str, folder: Path) -> Entry:
    """
    unirt at a commit, unpacked into `folder`, as a contender.

    Raises:
        subprocess.CalledProcessError: There is no such commit.
    """
    named = _git("log", "-1", "--format=%h %s", revision, "--").decode().strip()
    short, _, subject = named.partition(" ")
    home = folder / short
    with tarfile.open(fileobj=BytesIO(_git("archive", revision, *_MEASURED))) as files:
        files.extraction_filter = getattr(tarfile, "data_filter", None)  # since 3.11.4
        files.extractall(home)
    environ = on_path(home)
    return Entry(
        name=f"bygone_{short}",
        title=f"`{short}` {subject}",
        # Without -P the folder it is started in, which holds today's unirt, would come first.
        command=(sys.executable, "-P", "-m", _CONTENDER),
        environ=environ,
        missing=obstacle(home, environ),
    )


def on_path(home: Path) -> dict[str, str]:
    """The variables with which what is unpacked in `home` is imported, and these benchmarks."""
    return {"PYTHONPATH": os.pathsep.join(map(str, (home, home / "providers", ROOT)))}


def obstacle(home: Path, environ: dict[str, str]) -> str | None:
    """
    Why today's contender cannot drive what is unpacked in `home`; ``None`` where it can.

    The plug-ins are found by the metadata of what is installed, which names modules and no files;
    that all of unirt and of the plug-ins came from `home` is looked at, and not believed.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-c", _LOADED],
        env={"PATH": os.defpath, **ENVIRONMENT, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2].replace(f"{home}{os.sep}", "")
    strangers = [path for path in done.stdout.split() if not Path(path).is_relative_to(home)]
    return f"{len(strangers)} of its modules are not its own" if strangers else None


def _git(*arguments: str) -> bytes:
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True
    ).stdout


if __name__ == "__main__":
    typer.run(main)
