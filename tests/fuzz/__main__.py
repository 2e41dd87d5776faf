"""``python -m tests.fuzz --minutes N``: search for inputs that break something."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.fuzz import corpus
from tests.fuzz.runs import FOUND, NAMES, fuzz, merge

_console = Console(highlight=False, soft_wrap=True)


def main(
    minutes: Annotated[float, typer.Option(help="For all targets together.")] = 1.0,
    target: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(NAMES)}.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Add to the corpus what reaches more than it does.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the engine's random numbers; 0 draws one.")] = 0,
) -> None:
    """
    Search for inputs that break something; 1 if there are any.

    Each target has its share of the time. What was found is shown, and kept in .fuzz; add it to the
    tests of what it broke when that is mended.
    """
    targets, broke = target or list(NAMES), False
    for name in targets:
        with tempfile.TemporaryDirectory(prefix="unirt-fuzz-") as place:
            folder = Path(place)
            run = fuzz(name, max(1, round(minutes * 60 / len(targets))), folder, seed=seed)
            _console.print(
                f"{name}: {run.inputs:,} inputs with {run.lines:,} lines, "
                f"{run.reached:,} places reached"
            )
            if keep:
                _console.print(f"{merge(name, corpus.FOLDER / name, folder)} inputs are kept")
        if run.found is not None:
            broke = True
            _console.print(run.found, markup=False)
            _console.print(f"It is in {FOUND}.")
    sys.exit(broke)


if __name__ == "__main__":
    typer.run(main)
