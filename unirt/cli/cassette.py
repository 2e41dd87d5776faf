"""``unirt cassette scrub`` and ``convert``: from one file to another."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from unirt.cassettes import Cassette, from_lines, write
from unirt.cassettes.scrub import Scrub, check_clean, scrubbed
from unirt.cassettes.secrets import Secrets
from unirt.cli.calls import existing, new_file, read_file
from unirt.deck.environment import configured
from unirt.errors import ConfigurationError
from unirt.registry import installed, load

__all__ = ["convert", "scrub"]


def scrub(
    source: Path,
    target: Path,
    *,
    audio: float | str = "keep",
    ids: bool = True,
    force: bool = False,
    console: Console | None = None,
) -> int:
    """
    Write a cassette without what it must not hold; returns the exit status.

    Raises:
        ConfigurationError: A file is not there, or an option cannot be.
        CassetteError: It is no cassette, or a secret is left in it.
    """
    rules = Scrub(audio=audio, ids=ids)
    cassette = read_file(source)
    new_file(target, source, force=force)
    secrets = Secrets(configured(os.environ))
    clean = scrubbed(cassette, rules, secrets)
    check_clean(clean, secrets, str(source))
    changed = sum(a != b for a, b in zip(cassette.entries, clean.entries, strict=True))
    return _written(clean, target, f"{changed} of {len(clean.entries)} lines changed", console)


def convert(
    source: Path,
    target: Path,
    *,
    provider: str | None = None,
    model: str | None = None,
    force: bool = False,
    console: Console | None = None,
) -> int:
    """
    Make a cassette of a recording in lines of ``direction`` and ``data``; returns the exit status.

    What must not be in a cassette is taken out.

    Raises:
        ConfigurationError: A file is not there, or nobody says whose frames they are.
        CassetteError: It is no such recording, or a secret is left in it.
    """
    data = existing(source).read_bytes()
    new_file(target, source, force=force)
    if provider is not None:
        load(provider)
    cassette = from_lines(data, str(source), provider=provider, model=model)
    if cassette.header.provider is None:
        raise ConfigurationError(
            "the recording does not say whose frames it holds",
            where="--provider",
            remedy=f"name one of {', '.join(installed())}",
        )
    secrets = Secrets(configured(os.environ))
    clean = scrubbed(cassette, Scrub(), secrets)
    check_clean(clean, secrets, str(source))
    return _written(clean, target, f"{len(clean.entries)} lines", console)


def _written(cassette: Cassette, target: Path, what: str, console: Console | None) -> int:
    write(target, cassette)
    console = console or Console(highlight=False, soft_wrap=True)
    console.print(f"wrote {escape(str(target))}: {what}")
    return 0
