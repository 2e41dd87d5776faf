"""
Cassettes on disk. The only module here that touches one.

A file is written beside its place and then moved there, so that nobody ever finds half of it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from unirt.cassettes.entries import Cassette
from unirt.cassettes.reading import loads
from unirt.cassettes.writing import dumps
from unirt.errors import CassetteError

__all__ = ["read", "write"]


def read(path: str | os.PathLike[str]) -> Cassette:
    """
    Read a cassette; ``.jsonl`` or ``.jsonl.gz``.

    Raises:
        CassetteError: There is none, or what is there is none, or not all of one.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as exc:
        raise _cannot("read", path, exc) from None
    return loads(data, os.fspath(path))


def write(path: str | os.PathLike[str], cassette: Cassette) -> None:
    """
    Write a cassette, compressed where the name ends in ``.gz``; the folder is made where needed.

    Raises:
        CassetteError: The disk refuses, or no reader would take it.
    """
    target = Path(path)
    data = dumps(cassette, os.fspath(path), compressed=target.suffix == ".gz")
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            temporary = file.name
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except OSError as exc:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise _cannot("written", path, exc) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot(verb: str, path: str | os.PathLike[str], exc: OSError) -> CassetteError:
    return CassetteError(
        f"it cannot be {verb}: {exc.strerror or exc}",
        where=os.fspath(path),
        remedy="check the path and its permissions",
    )
