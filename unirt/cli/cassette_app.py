"""The commands of ``unirt cassette`` and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unirt.cli.calls import calling, number_or_name

__all__ = ["app"]

app = typer.Typer(
    name="cassette",
    help="Look after cassettes. Status 0: fine, 1: something was found, 2: a wrong call.",
    no_args_is_help=True,
)

Source = Annotated[Path, typer.Argument(help="The file to read.")]
Target = Annotated[Path, typer.Argument(help="The file to write: .jsonl, or .jsonl.gz.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help="Cassettes.")]) -> None:
    """Tell whether cassettes are whole, legal when translated, free of secrets, and not stale."""
    from unirt.cli.check import run

    with calling():
        status = run(files)
    raise typer.Exit(status)


@app.command()
def scrub(
    source: Source,
    target: Target,
    *,
    audio: Annotated[
        str, typer.Option(help="keep, silence, or how many ms of each piece to keep.")
    ] = "keep",
    ids: Annotated[bool, typer.Option(help="Rename ids.")] = True,
    force: Force = False,
) -> None:
    """Write a cassette without secrets, with ids renamed, and with as much audio as wanted."""
    from unirt.cli.cassette import scrub

    with calling():
        status = scrub(source, target, audio=number_or_name(audio), ids=ids, force=force)
    raise typer.Exit(status)


@app.command()
def mutate(
    source: Annotated[Path | None, typer.Argument(help="The file to read.")] = None,
    target: Annotated[Path | None, typer.Argument(help="The file to write.")] = None,
    *,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="What goes wrong: NAME, or NAME:option=value,option=value."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="Where: a line of the file, or a text that a received frame has in it. "
            "By default in the middle of what is received."
        ),
    ] = None,
    names: Annotated[bool, typer.Option("--list", help="Tell which faults there are.")] = False,
    force: Force = False,
) -> None:
    """Make a cassette in which something goes wrong that can hardly ever be recorded."""
    from unirt.cli.mutate import listed, run

    with calling():
        status = listed() if names else run(source, target, faults=fault or [], at=at, force=force)
    raise typer.Exit(status)


@app.command()
def convert(
    source: Source,
    target: Target,
    *,
    provider: Annotated[str | None, typer.Option(help="Whose frames they are.")] = None,
    model: Annotated[str | None, typer.Option(help="For what model they were said.")] = None,
    force: Force = False,
) -> None:
    """Make a cassette of a recording in lines like {"direction": "sent", "data": {...}}."""
    from unirt.cli.cassette import convert

    with calling():
        status = convert(source, target, provider=provider, model=model, force=force)
    raise typer.Exit(status)
