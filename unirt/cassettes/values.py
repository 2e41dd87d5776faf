"""Messages as a cassette keeps them: decoded where that loses nothing, for a diff to read well."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from unirt.cassettes.entries import Altered, Path, silence_of
from unirt.translator import Frame

__all__ = ["kept", "look_up", "replaced", "with_silence", "without_silence"]


def kept(frame: Frame) -> Any:
    """
    What :attr:`Framed.data` is for a message.

    A JSON object or array is decoded, if writing it anew gives a message that means the same to
    every reader: keys that come twice, numbers that no JSON holds and lone surrogates do not
    survive that. Anything else stays as it is; bytes that are UTF-8 become text.
    """
    if isinstance(frame, str):
        text = frame
    else:
        try:
            text = bytes(frame).decode()
        except UnicodeDecodeError:
            return bytes(frame)
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return text
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(name)


def look_up(value: Any, at: Path) -> Any:
    """
    What stands at a path.

    Raises:
        LookupError: Nothing does.
    """
    step: Any
    for step in at:
        if not isinstance(value, list if isinstance(step, int) else dict):
            raise LookupError(step)
        value = value[step]
    return value


def replaced(value: Any, at: Path, new: Any) -> Any:
    """The value with something else at a path; what is not on the way is shared."""
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = replaced(value[at[0]], at[1:], new)
    return copy


def without_silence(value: Any, altered: Iterable[Altered]) -> Any:
    """The value as a line holds it: silence is said by its length, not written out."""
    for change in altered:
        if change.silence is not None:
            value = replaced(value, change.at, "")
    return value


def with_silence(value: Any, altered: Iterable[Altered]) -> Any:
    """The inverse of :func:`without_silence`."""
    for change in altered:
        if change.silence is not None:
            value = replaced(value, change.at, silence_of(change.size, change.silence))
    return value
