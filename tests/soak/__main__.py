"""``python -m tests.soak``: run it, show what was found, write it to the docs."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from tests.benchmarks.machine import machine
from tests.soak.alone import alone
from tests.soak.long import run_long
from tests.soak.many import FORMATS, run_many
from tests.soak.report import PAGE, complaints, page

MOST_S = 600.0
"All of it is given up after ten minutes."

_console = Console(width=None if sys.stdout.isatty() else 160)


def main(
    sessions: Annotated[int, typer.Option(min=2, help="At once; half with each provider.")] = 500,
    generations: Annotated[int, typer.Option(min=6, help="How often all are opened.")] = 6,
    rounds: Annotated[int, typer.Option(min=1, help="Of two turns each, a generation.")] = 3,
    turns: Annotated[int, typer.Option(min=120, help="Of the long session.")] = 1000,
    reconnects: Annotated[int, typer.Option(min=0, help="Of the long session.")] = 30,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="Write the figures to the docs.")
    ] = True,
) -> None:
    """Hold many sessions, and one for long; compare all that is said; look for what is left."""
    longs, begun = [], time.monotonic()

    def left() -> float:
        return MOST_S - (time.monotonic() - begun)

    for provider in FORMATS:
        with _console.status(f"{turns} turns, {provider}"):
            longs.append(alone(run_long, provider, turns, reconnects, seconds=left()))
    with _console.status(f"{sessions} sessions"):
        many = alone(run_many, sessions, generations, rounds, seconds=left())
    text = page(many, longs, machine())
    _console.print(Markdown(text))
    if write:
        PAGE.write_text(text, encoding="utf-8")
    found = list(complaints(many, longs))
    for complaint in found:
        _console.print(f"[red]{complaint}[/]", highlight=False)
    raise typer.Exit(bool(found))


if __name__ == "__main__":
    typer.run(main)
