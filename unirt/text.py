"""Text that can be sent: whole Unicode, and no halves of surrogate pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from unirt.errors import UsageError

__all__ = ["check_text"]


def check_text(value: Any, where: str) -> None:
    """
    Refuse text that UTF-8 cannot hold, wherever in a command or a configuration it is.

    Python strings may hold half a surrogate pair, from a broken file name or a cut JSON escape.

    Raises:
        UsageError: Some text of `value` is such; it says which.
    """
    if isinstance(value, str):
        if not value.isascii():
            _check(value, where)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            check_text(key, where)
            check_text(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            check_text(inner, f"{where}[{index}]")
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            check_text(getattr(value, field.name), f"{where}.{field.name}")


def _check(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise UsageError(
            f"the text holds half a surrogate pair at character {exc.start}",
            where=where,
            remedy="repair it, as with text.encode(errors='replace').decode()",
        ) from None
