"""
``unirt cassette check``: whether cassettes are whole, legal, clean, and still true.

Still true means that a session of today says what was recorded, and that everything that is
received is understood.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import attrs
from rich.console import Console
from rich.markup import escape

from unirt.cassettes import Cassette
from unirt.cassettes.scrub import Scrub, scrubbed, secret_in
from unirt.cassettes.secrets import Secrets
from unirt.cli.calls import existing, read_file
from unirt.cli.performance import is_ours, perform
from unirt.deck.environment import configured
from unirt.errors import CassetteError, IllegalStream, UnirtError
from unirt.grammar import Checker
from unirt.timeline import RowKind, Timeline, timeline

__all__ = ["found_in", "run"]


def run(paths: list[Path], *, console: Console | None = None) -> int:
    """
    Check the files, and print what was found; returns the exit status.

    Raises:
        ConfigurationError: One of them is not there.
    """
    console = console or Console(highlight=False, soft_wrap=True)
    for path in paths:
        existing(path)
    total = 0
    for path in paths:
        try:
            found = list(found_in(read_file(path), str(path)))
        except CassetteError as exc:
            found = [str(exc)]
        total += len(found)
        for line in found:
            console.print(f"[red]{escape(line)}[/]")
        if not found:
            console.print(f"[green]fine[/] {escape(str(path))}")
    return 1 if total else 0


def found_in(cassette: Cassette, where: str) -> Iterator[str]:
    """What is wrong with a cassette, one sentence each."""
    yield from _secrets(cassette, where)
    seen = timeline(cassette)
    yield from (f"{warning} ({where}, line 1)" for warning in seen.warnings)
    yield from _illegal(seen, where)
    yield from _stale(cassette, seen, where)


def _secrets(cassette: Cassette, where: str) -> Iterator[str]:
    """What the scrubber would take out."""
    secrets = Secrets(configured(os.environ))
    clean = scrubbed(cassette, Scrub(ids=False), secrets)
    remedy = "take it out with 'unirt cassette scrub'"
    if attrs.evolve(clean.header, scrubbed=cassette.header.scrubbed) != cassette.header:
        yield f"the header holds a secret ({where}, line 1): {remedy}"
    for (line, entry), new in zip(cassette.numbered(), clean.entries, strict=True):
        if entry != new:
            rule = secret_in(entry, secrets)
            what = rule or "a part of a secret, or a text under a name that is secret"
            yield f"it holds {what} ({where}, line {line}): {remedy}"


def _illegal(seen: Timeline, where: str) -> Iterator[str]:
    """Events that break the legal order."""
    for number, _, _ in seen.connections:
        checker = Checker()
        rows = [row for row in seen.rows if row.connection == number]
        line = 1
        try:
            for row in rows:
                line = row.line or line
                checker.feed_all(row.events)
            if rows and rows[-1].kind is RowKind.CLOSE:
                checker.finish()
        except IllegalStream as exc:
            yield f"what it is translated to is not legal: {exc} ({where}, line {line})"


def _stale(cassette: Cassette, seen: Timeline, where: str) -> Iterator[str]:
    """What the unirt of today does otherwise."""
    if seen.warnings or not is_ours(cassette):
        return
    for row in seen.rows:
        if row.kind is RowKind.SENT and "not understood" in row.note:
            yield (
                f"the provider's own server side does not understand {row.name!r} "
                f"({where}, line {row.line}): record it again"
            )
    try:
        played = asyncio.run(perform(cassette, where))
    except UnirtError as exc:
        yield f"it cannot be played: {exc}"
        return
    for one in played:
        if one.failure is not None:
            yield f"it is stale: {one.failure}"
