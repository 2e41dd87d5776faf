"""
``unirt inspect``: a cassette as a timeline, in the terminal or as a page.

On the left what went over the wire, on the right what it means. Frames that say the same thing
piece by piece share a line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import attrs
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unirt.cli.calls import new_file, read_file, writing
from unirt.cli.show import describe, describe_command, merged
from unirt.commands import Command
from unirt.errors import ConfigurationError
from unirt.events import Event
from unirt.timeline import Lane, Row, RowKind, Run, Timeline, runs, timeline
from unirt.timeline.sound import peaks
from unirt.value import Value

__all__ = ["Filter", "milliseconds", "run"]

PLANES = ("wire", "control", "content", "command")
_BLOCKS = " ▁▂▃▄▅▆▇█"
_ARROWS = {RowKind.SENT: "[cyan]→[/]", RowKind.RECEIVED: "[magenta]←[/]"}


@attrs.frozen(kw_only=True)
class Filter(Value):
    """Which rows are shown, and what of them."""

    planes: tuple[str, ...] = ()
    "``wire``, ``control``, ``content``, ``command``; none for all."
    since_ms: float | None = None
    until_ms: float | None = None
    only: tuple[str, ...] = ()
    "Names of events, commands or frames; ``*`` stands for anything."

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that are shown, without what is not."""
        for row in rows:
            if self.since_ms is not None and row.at_ms < self.since_ms:
                continue
            if self.until_ms is not None and row.at_ms > self.until_ms:
                continue
            events = tuple(event for event in row.events if self._of_plane(event))
            commands = tuple(c for c in row.commands if self._of_plane(c))
            if self.only and not self._named(row.name):
                events = tuple(event for event in events if self._named(type(event).__name__))
                commands = tuple(c for c in commands if self._named(type(c).__name__))
                if not (events or commands):
                    continue
            if self.planes and "wire" not in self.planes and not (events or commands):
                continue
            yield attrs.evolve(row, events=events, commands=commands)

    def _of_plane(self, what: Event | Command) -> bool:
        plane = what.plane if isinstance(what, Event) else "command"
        return not self.planes or plane in self.planes

    def _named(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.only)


def milliseconds(text: str | None, option: str) -> float | None:
    """
    A time as a person writes it: ``1500``, ``1500ms`` or ``1.5s``.

    Raises:
        ConfigurationError: It is none.
    """
    if text is None:
        return None
    number, scale = text.removesuffix("ms"), 1.0
    if number.endswith("s"):
        number, scale = number.removesuffix("s"), 1000.0
    try:
        found = float(number) * scale
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise ConfigurationError(
            f"{text!r} is no time", where=option, remedy="write 1500 (ms), or 1.5s"
        )
    return found


def run(
    path: Path,
    *,
    planes: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    only: Sequence[str] = (),
    html: Path | None = None,
    console: Console | None = None,
) -> int:
    """
    Show a cassette; returns the exit status.

    Raises:
        ConfigurationError: There is no such file, an option cannot be, or no page can be written.
        CassetteError: It holds no cassette.
    """
    console = console or Console(highlight=False)
    for plane in planes:
        if plane not in PLANES:
            raise ConfigurationError(
                f"there is no plane {plane!r}",
                where="--plane",
                remedy=f"use one of {', '.join(PLANES)}",
            )
    chosen = Filter(
        planes=tuple(planes),
        since_ms=milliseconds(since, "--since"),
        until_ms=milliseconds(until, "--until"),
        only=tuple(only),
    )
    cassette = read_file(path)
    if html is not None:
        new_file(html, path, force=True)
    seen = timeline(cassette)
    if html is not None:
        from unirt.cli.page import page

        with writing(html):
            html.write_text(page(seen, path.name), "utf-8")
        console.print(f"wrote {html}", markup=False)
        return 0
    for part in (_about(seen, path), _lanes(seen, console.width), _turns(seen), _tools(seen)):
        if part is not None:
            console.print(part)
    for warning in seen.warnings:
        console.print(f"[yellow]{escape(warning)}[/]")
    console.print(_table(chosen.rows(seen.rows), several=len(seen.connections) > 1))
    return 0


# What stands above the timeline.


def _about(seen: Timeline, path: Path) -> Table:
    header = seen.header
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="dim")
    table.add_column()
    frames = [row for row in seen.rows if row.kind in (RowKind.SENT, RowKind.RECEIVED)]
    sent = sum(row.kind is RowKind.SENT for row in frames)
    lines = {
        "cassette": f"[bold]{escape(str(path))}[/]",
        "spoken": escape(" · ".join(filter(None, (header.provider, header.model)))) or "unknown",
        "origin": escape(", ".join(filter(None, (header.origin, header.against)))),
        "recorded": escape(", ".join(filter(None, (header.recorded_at, header.recorded_by)))),
        "scrubbed": escape(", ".join(f"{k}: {v}" for k, v in header.scrubbed.items())),
        "length": f"{seen.end_ms / 1000:.2f} s, {sent} frames sent, {len(frames) - sent} received",
        "tokens": ""
        if seen.usage is None
        else f"{seen.usage.input_tokens} in, {seen.usage.output_tokens} out",
        "notes": escape(json.dumps(dict(header.notes))) if header.notes else "",
    }
    for name, text in lines.items():
        if text:
            table.add_row(name, text)
    return table


def _lanes(seen: Timeline, width: int) -> Table | None:
    """Each side's sound, over the whole time."""
    if not seen.lanes:
        return None
    width = max(20, min(width, 160) - 24)
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    for lane in seen.lanes:
        colour = "cyan" if lane.role == "user" else "magenta"
        number = f" {lane.connection}" if len(seen.connections) > 1 else ""
        name = f"{'user' if lane.role == 'user' else 'model'}{number}"
        table.add_row(name, f"[{colour}]{_wave(lane, seen.end_ms, width)}[/]")
    ends = f"0 s{f'{seen.end_ms / 1000:.1f} s':>{width - 3}}"
    table.add_row("", f"[dim]{ends}[/]")
    return table


def _wave(lane: Lane, end_ms: float, width: int) -> str:
    if lane.audible:
        return "".join(_BLOCKS[(value * 8 + 254) // 255] for value in peaks(lane, end_ms, width))
    covered = [" "] * width
    for piece in lane.pieces:
        first = int(piece.start_ms / end_ms * width)
        last = int(piece.end_ms / end_ms * width)
        covered[first : last + 1] = "░" * (min(last, width - 1) - first + 1)
    return "".join(covered[:width])


def _turns(seen: Timeline) -> Table | None:
    if not seen.turns:
        return None
    table = Table(title="Turns", title_justify="left")
    for column in ("at", "user", "model", "first audio", "done", "ending", "tokens"):
        table.add_column(column, overflow="fold")
    for turn in seen.turns:
        latency = turn.latency_ms
        since = f"after {latency:.0f} ms" if latency is not None else ""
        by = {"voice": "of silence", "speech_stopped": "(as told)", "command": ""}
        ending = "open" if turn.ending is None else turn.ending.value
        ending += f" ({turn.reason})" if turn.reason else ""
        ending += f" at {turn.heard_ms:.0f} ms" if turn.heard_ms is not None else ""
        table.add_row(
            _seconds(turn.started_ms),
            escape(turn.user_text),
            escape(turn.text),
            f"{since} {by.get(turn.asked_by, '') if since else ''}".strip(),
            "" if turn.done_ms is None else _seconds(turn.done_ms),
            escape(ending),
            "" if turn.usage is None else str(turn.usage.total_tokens),
        )
    return table


def _tools(seen: Timeline) -> Table | None:
    if not seen.tools:
        return None
    table = Table(title="Tools", title_justify="left")
    for column in ("at", "call", "took"):
        table.add_column(column, overflow="fold")
    for tool in seen.tools:
        took = "no result" if tool.took_ms is None else f"{tool.took_ms:.0f} ms"
        took = "cancelled" if tool.cancelled else took
        table.add_row(_seconds(tool.called_ms), escape(f"{tool.name}({tool.arguments})"), took)
    return table


def _seconds(ms: float) -> str:
    return f"{ms / 1000:.2f} s"


# The timeline.


def _table(rows: Iterable[Row], *, several: bool) -> Table:
    table = Table(box=None, padding=(0, 1), expand=True, header_style="bold")
    table.add_column("line", justify="right", style="dim", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    if several:
        table.add_column("c", style="dim", no_wrap=True)
    table.add_column("wire", ratio=2, overflow="ellipsis", no_wrap=True)
    table.add_column("meaning  · control  ▸ content  » command  * concluded", ratio=3,
                     overflow="ellipsis", no_wrap=True)  # fmt: skip
    for group in runs(rows):
        first = group.first
        place = [str(first.line or ""), f"{first.at_ms / 1000:.3f}"]
        place += [str(first.connection)] if several else []
        meanings = list(_meanings(group)) or [""]
        table.add_row(*place, _wire(group), escape(meanings[0]))
        for meaning in meanings[1:]:
            table.add_row(*[""] * len(place), "", escape(meaning))
    return table


def _wire(group: Run) -> str:
    first = group.first
    arrow = _ARROWS.get(first.kind, "[dim]-[/]")
    kind = "" if first.kind in _ARROWS else f"{first.kind}: "
    many = f" [dim]in {len(group.rows)} frames[/]" if len(group.rows) > 1 else ""
    sound = f" [dim]{group.audio_ms:.0f} ms[/]" if group.audio_ms else ""
    note = f" [yellow]({first.note})[/]" if first.note else ""
    return f"{arrow} {kind}{escape(first.name)}{many}{sound}{note}"


def _meanings(group: Run) -> Iterator[str]:
    if len(group.rows) == 1:
        yield from map(describe_command, group.first.commands)
        yield from map(describe, group.first.events)
        return
    commands = [command for row in group.rows for command in row.commands]
    if commands:
        yield f"» {type(commands[0]).__name__} in {len(commands)} pieces"
    yield from merged(event for row in group.rows for event in row.events)
