"""The commands and their options; what they do is in the room of the same name."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from unirt.cli.calls import calling, number_or_name
from unirt.cli.cassette_app import app as cassettes
from unirt.cli.guards import Guard
from unirt.registry import installed

__all__ = ["app"]

app = typer.Typer(
    name="unirt",
    help="One session over any realtime speech model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cassettes)

ProviderName = StrEnum("ProviderName", {name: name for name in installed()})  # type: ignore[misc]  # a functional enum of what is installed

Fast = Annotated[bool, typer.Option("--fast", help="Do not wait for real time.")]
Scenario = Annotated[
    Path | None, typer.Option("--script", help="A scenario file (TOML) for the server's side.")
]


@app.command()
def demo(
    fast: Fast = False,
    provider: Annotated[ProviderName | None, typer.Option(help="Run only this provider.")] = None,
    out: Annotated[Path, typer.Option(help="Where the replies are written as WAV files.")] = Path(
        "unirt-demo"
    ),
) -> None:
    """Hold one spoken conversation over every protocol at once, on simulators, with no key."""
    from unirt.cli.demo import run

    names = [provider.value] if provider is not None else list(installed())
    raise typer.Exit(asyncio.run(run(names, fast=fast, out=out)))


@app.command()
def chat(
    wav: Annotated[
        list[Path] | None,
        typer.Option(help="Speak this file instead of a microphone; - is standard input."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write what is heard to this WAV file; - is standard output."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Use no sound device.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Show every event.")] = False,
    *,
    mic: Annotated[
        str | None, typer.Option(help="The microphone: a part of its name, or its number.")
    ] = None,
    speaker: Annotated[str | None, typer.Option(help="The speaker, likewise.")] = None,
    device: Annotated[str | None, typer.Option(help="Both, where one device is both.")] = None,
    guard: Annotated[
        Guard, typer.Option(help="What keeps the model from hearing itself without headphones.")
    ] = Guard.NONE,
    format: Annotated[
        str, typer.Option(help="What goes through pipes: wav, or raw, like pcm16/16000 or ulaw.")
    ] = "wav",
) -> None:
    """Talk to a model: by keyboard always, by voice where there is a sound device."""
    from unirt.cli.chat import run
    from unirt.cli.ends import Voice, format_named

    voice = Voice(
        microphone=mic or device,
        speaker=speaker or device,
        guard=guard,
        raw=format_named(format),
    )
    conversation = run(wavs=wav or [], out=out, text=text, voice=voice, show_events=events)
    raise typer.Exit(asyncio.run(conversation))


@app.command()
def devices() -> None:
    """List the sound devices that chat can use."""
    from unirt.cli.devices import run

    run()


@app.command()
def providers() -> None:
    """Show what is installed, what it reads and which of that is set, and what it can do."""
    from unirt.cli.providers import run

    run()


@app.command()
def simulate(
    provider: Annotated[ProviderName, typer.Argument(help="Whose protocol to speak.")],
    port: Annotated[int, typer.Option(help="0 for any free port.")] = 0,
    script: Scenario = None,
) -> None:
    """Run a simulator in the foreground that any client of the protocol can talk to."""
    from unirt.cli.simulate import run

    asyncio.run(run(provider.value, port=port, script=script))


@app.command()
def record(
    out: Annotated[Path, typer.Argument(help="The cassette: .jsonl, or .jsonl.gz.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(help="What to say, in order: texts and WAV files.")
    ] = None,
    *,
    simulator: Annotated[
        ProviderName | None, typer.Option(help="Talk to a simulator of this provider.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Say what this scenario says: its name, or a TOML file.")
    ] = None,
    instructions: Annotated[str | None, typer.Option(help="For the model.")] = None,
    audio: Annotated[
        str, typer.Option(help="keep, silence, or how many ms of each piece to keep.")
    ] = "keep",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Record a conversation: with a simulator, or live with the provider of the settings."""
    from unirt.cli.record import run

    with calling():
        status = run(
            out,
            inputs or [],
            simulator=None if simulator is None else simulator.value,
            scenario=scenario,
            instructions=instructions,
            audio=number_or_name(audio),
            force=force,
        )
    raise typer.Exit(status)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A cassette.")],
    *,
    plane: Annotated[
        list[str] | None, typer.Option(help="Show only this: wire, control, content, command.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="From then on: 1500 (ms), or 1.5s.")] = None,
    until: Annotated[str | None, typer.Option(help="Until then.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Events, commands or frames of this name; * is any.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to this file instead.")] = None,
) -> None:
    """Show a cassette as a timeline: the wire, what it means, what was heard, how long it took."""
    from unirt.cli.inspect import run

    with calling():
        status = run(file, planes=plane or [], since=since, until=until, only=only or [], html=html)
    raise typer.Exit(status)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A cassette.")],
    *,
    pace: Annotated[
        str, typer.Option(help="fast, recorded, or how many times faster than recorded.")
    ] = "fast",
    verbatim: Annotated[
        bool | None,
        typer.Option(
            "--verbatim/--anew",
            help="Send the recorded frames as they are, or say anew what they mean and compare. "
            "By default anew, where a session of unirt said them.",
        ),
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(help="Write what the model said to this WAV file.")
    ] = None,
) -> None:
    """Play a cassette through a real session, and show what it tells in both views."""
    from unirt.cli.replay import run

    with calling():
        status = run(file, pace=number_or_name(pace), verbatim=verbatim, audio=audio)
    raise typer.Exit(status)
