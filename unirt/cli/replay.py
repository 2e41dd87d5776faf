"""``unirt replay``: a cassette through a real session, in both views."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unirt.audio import PCM16_24K
from unirt.cli.calls import new_file, read_file
from unirt.cli.performance import Performed, is_ours, perform
from unirt.cli.show import describe_step, merged
from unirt.sound import write_wav
from unirt.testing import outline
from unirt.transports.tape_clock import speed_of

__all__ = ["run"]

_ROW_S = 0.5
"How much time shares a row on the screen."


def run(
    path: Path,
    *,
    pace: float | str = "fast",
    verbatim: bool | None = None,
    audio: Path | None = None,
    console: Console | None = None,
) -> int:
    """
    Play a cassette and show it; returns the exit status: 1 for a mismatch, or a frame that is lost.

    Args:
        path: The file.
        pace: ``fast``, ``recorded``, or how many times faster than recorded.
        verbatim: Whether the recorded frames are sent as they are.
        audio: Where to write what the model said.
        console: Where it is shown.

    Raises:
        ConfigurationError: There is no such file, an option cannot be, or no sound can be written.
        CassetteError: It holds no cassette, or none that can be played.
    """
    console = console or Console(highlight=False)
    cassette = read_file(path)
    if audio is not None:
        new_file(audio, path, force=True)
    speed = speed_of(pace, "--pace")
    if verbatim is None and not is_ours(cassette):
        console.print("[dim]Not said by unirt, so its frames are sent as they are.[/]")
    played = asyncio.run(perform(cassette, str(path), verbatim=verbatim, speed=speed))
    for one in played:
        _show(one, console, several=len(played) > 1)
    if audio is not None:
        write_wav(audio, b"".join(bytes(one.sound) for one in played), PCM16_24K)
        console.print(f"[dim]wrote {escape(str(audio))}[/]")
    failures = [one.failure for one in played if one.failure is not None]
    for failure in failures:
        console.print(f"[bold red]{escape(str(failure))}[/]")
    if not failures:
        console.print("[bold green]Everything was sent and received as recorded.[/]")
    return 1 if failures else 0


def _show(one: Performed, console: Console, *, several: bool) -> None:
    segment = one.segment
    number = f"connection {segment.number}: " if several else ""
    about = " · ".join(filter(None, (segment.provider, segment.model)))
    console.print(f"\n[bold]{escape(number + about)}[/]")
    console.print("[bold]Kept[/]: every event. · control  ▸ content  * concluded, not said")
    table = Table(box=None, show_header=False, padding=(0, 1), expand=True)
    table.add_column(width=7, style="dim", no_wrap=True)
    table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    for when, lines in _kept(one):
        for n, line in enumerate(lines):
            table.add_row(f"{when:6.2f}s" if n == 0 else "", escape(line))
    console.print(table)
    console.print("[bold]Folded[/]: one stream of content")
    for n, entry in enumerate(outline(one.steps), 1):
        console.print(f"  {n:2} {describe_step(entry)}", markup=False)
    if one.ended is not None:
        console.print(f"[yellow]As recorded: {escape(str(one.ended))}[/]")


def _kept(one: Performed) -> Iterator[tuple[float, list[str]]]:
    """The events in words, half a second of them at a time."""
    for _, group in itertools.groupby(one.events, lambda event: int(event.received_at / _ROW_S)):
        events = list(group)
        yield events[0].received_at, list(merged(events))
