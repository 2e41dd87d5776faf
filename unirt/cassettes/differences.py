"""How two decoded messages differ, field by field, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["differences"]

_SHOWN = 80
"Characters of a value."
_LISTED = 20
"Differences; of more, the rest is counted."
_ABSENT = object()


def differences(recorded: Any, sent: Any) -> list[str]:
    """One line for each field that is not equal."""
    found = list(_fields(recorded, sent, ""))
    if len(found) > _LISTED:
        found[_LISTED:] = [f"... and {len(found) - _LISTED} more"]
    return found


def _fields(recorded: Any, sent: Any, path: str) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(sent, dict):
        for key in dict.fromkeys((*recorded, *sent)):
            inner = f"{path}.{key}" if path else key
            yield from _fields(recorded.get(key, _ABSENT), sent.get(key, _ABSENT), inner)
    elif isinstance(recorded, list) and isinstance(sent, list):
        for index in range(max(len(recorded), len(sent))):
            one, other = (
                entries[index] if index < len(entries) else _ABSENT for entries in (recorded, sent)
            )
            yield from _fields(one, other, f"{path}[{index}]")
    elif not _equal(recorded, sent):
        yield f"{path or 'the frame'}: {_shown(recorded)} was recorded, {_shown(sent)} was sent"


def _equal(one: Any, other: Any) -> bool:
    """As JSON has it: a boolean is no number."""
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
