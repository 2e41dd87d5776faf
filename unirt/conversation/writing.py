"""Conversations to JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pybase64

from unirt.audio import AudioFormat
from unirt.errors import UsageError
from unirt.items import AudioContent, Content, ImageContent, Item, TextContent
from unirt.text import check_text

__all__ = ["FORMAT", "TYPES", "VERSION", "write"]

FORMAT = "unirt.conversation"
VERSION = 1

TYPES: Mapping[str, type[Content]] = {
    "text": TextContent,
    "audio": AudioContent,
    "image": ImageContent,
}
"The kinds of content, by what they are called."

_NAMES = {kind: name for name, kind in TYPES.items()}


def write(items: Iterable[Item], forgotten: int) -> str:
    """
    The text of a conversation.

    Raises:
        UsageError: Something of it cannot be written.
    """
    head = {"format": FORMAT, "version": VERSION}
    if forgotten:
        head["forgotten"] = forgotten
    written = []
    for index, item in enumerate(items):
        where = f"items[{index}]"
        check_text(item, where)
        written.append(_item(item, where))
    return json.dumps({**head, "items": written}, ensure_ascii=False, indent=2)


def _item(item: Item, where: str) -> dict[str, Any]:
    fields = _set(item, kind=item.kind.value)
    if item.role is not None:
        fields["role"] = item.role.value
    if item.content:
        fields["content"] = [_part(part) for part in item.content]
    if item.interruption is not None:
        fields["interruption"] = _set(item.interruption, by=item.interruption.by)
    if item.data is not None:
        fields["data"] = _plain(item.data, f"{where}.data")
    return fields


def _part(part: Content) -> dict[str, Any]:
    fields = _set(part, type=_NAMES[type(part)])
    if isinstance(part, TextContent):
        fields["text"] = part.text
    elif part.data is not None:
        fields["data"] = pybase64.b64encode(part.data).decode("ascii")
    if isinstance(part, AudioContent) and part.format is not None:
        fields["format"] = _format(part.format)
    return fields


def _format(format: AudioFormat) -> dict[str, Any]:
    return {
        "rate": format.rate,
        "channels": format.channels,
        "encoding": format.encoding.value,
    }


def _set(value: Any, **first: Any) -> dict[str, Any]:
    """The fields of a value that are not what they are by default."""
    given = ((field.name, getattr(value, field.name), field) for field in attrs.fields(type(value)))
    return first | {
        name: inner for name, inner, field in given if inner != field.default and name not in first
    }


def _plain(data: Mapping[str, Any], where: str) -> Any:
    """Foreign data, if JSON gives it back as it is."""
    try:
        again = json.loads(json.dumps(dict(data), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as exc:
        raise _unwritable(str(exc), where) from None
    if again != data:
        raise _unwritable("JSON does not give it back as it is", where)
    return again


def _unwritable(why: str, where: str) -> UsageError:
    return UsageError(
        f"it cannot be written as JSON: {why}",
        where=where,
        remedy="use strings, numbers, booleans, lists and mappings with string keys only",
    )
