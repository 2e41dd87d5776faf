"""
Changes that leave JSON whole.

The engine's own changes are of bytes: nearly all of them break the JSON, and what is behind the
parser sees little of them. These are of lines, and of values in the JSON of a line.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from typing import Any, Final

__all__ = ["Mutator"]

_SCALARS: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 0.5, 1e300, 2**63, 10**400, "", "a", "0", "1.5s", "\x00",
    "AAAA", "UklGRg==", "{}", "[", "\u20ac" * 20, "x" * 300, [], {}, [[]], [None], {"a": {}},
)  # fmt: skip
_LINES: Final = (b"@20", b"@1100", b"@30000", b"null", b"[]", b"{}", b"", b"\xff", b"#3")
_KEPT_OF_EACH: Final = 24
"Values that are remembered under one key."


class Mutator:
    """
    Args:
        known: Inputs, for lines and values to be taken from.
        change_bytes: The engine's own way to change an input.
    """

    def __init__(self, known: Iterable[bytes], change_bytes: Callable[[bytes, int], bytes]) -> None:
        self._change_bytes = change_bytes
        self._lines = list(_LINES)
        self._values: dict[str, list[Any]] = {}
        for data in known:
            for line in data.split(b"\n"):
                self._lines.append(line)
                self._learn(_decoded(line))
        self._keys = sorted(self._values) or ["a"]

    def _learn(self, value: Any, key: str = "") -> None:
        found = self._values.setdefault(key, [])
        if len(found) < _KEPT_OF_EACH and value not in found:
            found.append(value)
        if isinstance(value, dict):
            for name, inner in value.items():
                self._learn(inner, name)
        elif isinstance(value, list):
            for inner in value:
                self._learn(inner, key)

    def change(self, data: bytes, most: int, seed: int) -> bytes:
        """Another input that is much the same, of at most so many bytes."""
        draw = random.Random(seed)
        if draw.random() < 0.15:
            return self._change_bytes(data, most)
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            lines = data.split(b"\n")
            self._change_lines(lines, draw)
            changed = b"\n".join(lines)
            data = changed if len(changed) <= most else data
        return data

    def _change_lines(self, lines: list[bytes], draw: random.Random) -> None:
        at = draw.randrange(len(lines))
        match draw.randrange(10):
            case 0:
                del lines[at : at + draw.choice((1, 1, 2, 8))]
            case 1:
                lines.insert(at, lines[draw.randrange(len(lines))])
            case 2:
                other = draw.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3 | 4:
                lines.insert(at, draw.choice(self._lines))
            case 5:
                lines.insert(at, b"!%d" % draw.randrange(32))
            case _:
                lines[at] = self._change_line(lines[at], draw)

    def _change_line(self, line: bytes, draw: random.Random) -> bytes:
        mark = line[:1] if line[:1] == b">" else b""
        value = _decoded(line[len(mark) :])
        if value is None:
            return self._change_bytes(line, len(line) + 16)
        holder = {"": value}
        self._change_value(holder, draw)
        return mark + _encoded(holder.get("", value))

    def _change_value(self, holder: dict[str, Any], draw: random.Random) -> None:
        places: list[tuple[Any, Any]] = []
        _walk(holder, places)
        place, key = draw.choice(places)
        name = key if isinstance(key, str) else ""
        match draw.randrange(8):
            case 0:
                del place[key]
            case 1:
                place[key] = draw.choice(_SCALARS)
            case 2 | 3:
                place[key] = draw.choice(self._values.get(name) or list(_SCALARS))
            case 4:
                place[key] = draw.choice(self._values[draw.choice(self._keys)])
            case 5 if isinstance(place, dict):
                other = draw.choice(self._keys)
                place[other] = draw.choice(self._values[other])
            case 6 if isinstance(place, dict):
                place[draw.choice(self._keys)] = place.pop(key)
            case 7:
                place[key] = draw.choice(([place[key]], {name: place[key]}, [place[key]] * 2))


def _walk(value: Any, places: list[tuple[Any, Any]]) -> None:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        places.append((value, key))
        if isinstance(inner, dict | list):
            _walk(inner, places)


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
