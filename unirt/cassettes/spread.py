"""
Secrets that are spread over frames.

A model says a text piece by piece, so a key that it repeats is whole in no frame. The pieces that
stand in one place of frames of one name are read as one text, and what is a secret in that is taken
out of each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from unirt.cassettes.entries import Entry, Framed, Path
from unirt.cassettes.secrets import PLACEHOLDER, Secrets
from unirt.cassettes.values import replaced

__all__ = ["spread_over", "without_spread"]

_LONGEST = 1_000
"Characters of a piece; what is longer is sound, or a whole text."


@attrs.frozen
class _Piece:
    index: int
    "Of the entry."
    at: Path
    text: str


def without_spread(entries: list[Entry], secrets: Secrets) -> list[Entry]:
    """The entries, received frames without secrets that are spread over them."""
    changed = list(entries)
    for pieces in _places(entries, "received"):
        for piece, text in _cleaned(pieces, secrets):
            entry = changed[piece.index]
            if isinstance(entry, Framed):
                data = replaced(entry.data, piece.at, text)
                changed[piece.index] = attrs.evolve(entry, data=data)
    return changed


def spread_over(entries: list[Entry], secrets: Secrets) -> tuple[int, str] | None:
    """In which entry a secret begins that is spread, and which rule finds it; ``None`` for none."""
    for direction in ("sent", "received"):
        for pieces in _places(entries, direction):
            for piece, _ in _cleaned(pieces, secrets):
                rule = secrets.found("".join(one.text for one in pieces))
                return piece.index, rule or "a secret"
    return None


def _places(entries: Iterable[Entry], direction: str) -> Iterator[list[_Piece]]:
    """The texts that may go together, in order."""
    places: dict[tuple[Any, ...], list[_Piece]] = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, Framed) and entry.direction == direction:
            name = entry.data.get("type") if isinstance(entry.data, Mapping) else None
            for at, text in _texts(entry.data, ()):
                if len(text) <= _LONGEST:
                    place = (entry.connection, str(name), at)
                    places.setdefault(place, []).append(_Piece(index, at, text))
    return (pieces for pieces in places.values() if len(pieces) > 1)


def _cleaned(pieces: list[_Piece], secrets: Secrets) -> Iterator[tuple[_Piece, str]]:
    """The pieces that hold a part of something secret, each with what is left of it."""
    spans = secrets.spans("".join(piece.text for piece in pieces))
    if not spans:
        return
    begin = 0
    for piece in pieces:
        end = begin + len(piece.text)
        text = ""
        at = begin
        for start, stop in spans:
            if stop <= begin or start >= end:
                continue
            text += piece.text[at - begin : max(start, begin) - begin]
            text += PLACEHOLDER if start >= begin else ""
            at = min(stop, end)
        text += piece.text[at - begin :]
        if text != piece.text:
            yield piece, text
        begin = end


def _texts(value: Any, at: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*at, index))
