"""
What the commands about cassettes have in common: their exit status, and how they take a file.

0 is fine, 1 is that something was found, 2 is a call that cannot work. What is wrong is told in one
line.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from unirt.errors import ConfigurationError

if TYPE_CHECKING:
    from unirt.cassettes import Cassette

__all__ = ["calling", "existing", "new_file", "number_or_name", "read_file", "writing"]

WRONG_CALL = 2


@contextlib.contextmanager
def calling() -> Iterator[None]:
    """What cannot work as it was called ends the program with status 2."""
    try:
        yield
    except ConfigurationError as exc:
        print(f"unirt: {exc}", file=sys.stderr)
        sys.exit(WRONG_CALL)


def existing(path: Path) -> Path:
    """
    The path of a file that is there.

    Raises:
        ConfigurationError: There is none.
    """
    if not path.is_file():
        raise ConfigurationError(
            "there is no such file", where=str(path), remedy="name a cassette, .jsonl or .jsonl.gz"
        )
    return path


def read_file(path: Path) -> Cassette:
    """
    The cassette in a file that somebody named.

    Raises:
        ConfigurationError: There is no such file.
        CassetteError: It holds no cassette, or not a whole one.
    """
    from unirt.cassettes import read  # not before a command needs it

    return read(existing(path))


def new_file(target: Path, *sources: Path, force: bool) -> None:
    """
    Check that a file may be written.

    Raises:
        ConfigurationError: It is there already, or it is one of what is read.
    """
    if any(target.resolve() == source.resolve() for source in sources):
        raise ConfigurationError(
            "a cassette is not changed where it is", where=str(target), remedy="name another file"
        )
    if target.exists() and not force:
        raise ConfigurationError(
            "there is such a file already",
            where=str(target),
            remedy="name another one, or add --force",
        )


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """
    A file that is no cassette is written in here; its folder is made where needed.

    Raises:
        ConfigurationError: It cannot be.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as exc:
        raise ConfigurationError(
            f"it cannot be written: {exc.strerror or exc}",
            where=str(target),
            remedy="name another file, or check its permissions",
        ) from None


def number_or_name(text: str) -> float | str:
    """What an option holds that takes both."""
    try:
        return float(text)
    except ValueError:
        return text
