"""
Conversations from JSON that anyone may have written.

A read returns a value of the type it names or raises with the path of what is wrong; so is a field
that nobody asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import pybase64

from unirt.audio import AudioFormat, Encoding
from unirt.conversation.writing import FORMAT, TYPES, VERSION
from unirt.errors import AudioFormatError, UnreadableConversation
from unirt.items import (
    AudioContent,
    Content,
    ImageContent,
    Interruption,
    Item,
    ItemKind,
    Role,
    TextContent,
)

__all__ = ["read"]

T = TypeVar("T")


def read(text: str | bytes) -> tuple[list[Item], int]:
    """
    The items of a conversation's text, and how many were forgotten.

    Raises:
        UnreadableConversation: It cannot be read; it says where.
    """
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as exc:
        raise UnreadableConversation(f"it is not JSON: {exc}", where="$") from None
    node = _Node(data, "$")
    if node.text("format") != FORMAT:
        raise node.wrong("format", f"it is no {FORMAT!r}", "give what to_json() wrote")
    version = node.count("version")
    if version < 1:
        raise node.wrong("version", "it is missing", "give what to_json() wrote")
    if version > VERSION:
        raise node.wrong(
            "version",
            f"it was written in version {version}, and this unirt reads up to {VERSION}",
            "upgrade unirt",
        )
    forgotten = node.count("forgotten")
    items = [_item(entry) for entry in node.nodes("items")]
    node.finish()
    return items, forgotten


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _item(node: _Node) -> Item:
    interruption = node.node("interruption")
    item = Item(
        kind=ItemKind(node.choice("kind", list(ItemKind)) or ItemKind.MESSAGE),
        id=node.text("id"),
        role=None if (role := node.choice("role", list(Role))) is None else Role(role),
        content=tuple(_part(part) for part in node.nodes("content")),
        status=node.text("status"),
        phase=node.text("phase"),
        call_id=node.text("call_id"),
        name=node.text("name"),
        arguments=node.text("arguments"),
        output=node.text("output"),
        error=node.text("error"),
        interruption=None if interruption is None else _interruption(interruption),
        data=node.object("data"),
    )
    node.finish()
    return item


def _interruption(node: _Node) -> Interruption:
    interruption = Interruption(
        by=node.text("by") or "speech",
        heard_ms=node.number("heard_ms"),
        exactly=node.flag("exactly"),
    )
    node.finish()
    return interruption


def _part(node: _Node) -> Content:
    kind = node.choice("type", list(TYPES))
    if kind is None:
        raise node.wrong("type", "it is missing", f"write one of {', '.join(TYPES)}")
    part = _PARTS[TYPES[kind]](node)
    node.finish()
    return part


def _text(node: _Node) -> Content:
    text = node.text("text")
    if text is None:
        raise node.wrong("text", "it is missing", "write a string")
    return TextContent(text=text)


def _audio(node: _Node) -> Content:
    format_ = node.node("format")
    return AudioContent(
        transcript=node.text("transcript"),
        whole=node.text("whole"),
        start_ms=node.number("start_ms"),
        duration_ms=node.number("duration_ms"),
        data=node.bytes("data"),
        format=None if format_ is None else _format(format_),
    )


def _format(node: _Node) -> AudioFormat:
    encoding = node.choice("encoding", list(Encoding)) or Encoding.PCM16
    try:
        format_ = AudioFormat(
            rate=node.count("rate", 24_000), channels=node.count("channels", 1), encoding=encoding
        )
    except AudioFormatError as exc:
        raise UnreadableConversation(exc.what, where=node.path, remedy=exc.remedy) from None
    node.finish()
    return format_


def _image(node: _Node) -> Content:
    return ImageContent(
        data=node.bytes("data"),
        mime_type=node.text("mime_type") or "image/jpeg",
        url=node.text("url"),
    )


_PARTS: Mapping[type[Content], Callable[[_Node], Content]] = {
    TextContent: _text,
    AudioContent: _audio,
    ImageContent: _image,
}


class _Node:
    """A JSON object, and where it is."""

    def __init__(self, data: object, path: str) -> None:
        if not isinstance(data, dict):
            raise UnreadableConversation(f"{_found(data)} where an object belongs", where=path)
        self.path = path
        self._data: dict[str, Any] = data
        self._asked: set[str] = set()

    def text(self, key: str) -> str | None:
        return self._typed(key, str, "a string")

    def number(self, key: str) -> float | None:
        value = self._take(key)
        if type(value) is float and not math.isfinite(value):
            raise self.wrong(key, "the number is too large", "write a smaller one")
        if value is None or type(value) is int or type(value) is float:
            return value
        raise self.wrong(key, f"{_found(value)} where a number belongs", "write a number")

    def count(self, key: str, default: int = 0) -> int:
        value = self._typed(key, int, "a whole number")
        if value is not None and value < 0:
            raise self.wrong(key, f"{value} is negative", "write 0 or more")
        return default if value is None else value

    def flag(self, key: str) -> bool:
        return self._typed(key, bool, "true or false") or False

    def choice(self, key: str, choices: Sequence[str]) -> str | None:
        value = self.text(key)
        if value is None or value in choices:
            return value
        named = ", ".join(str(choice) for choice in choices)
        raise self.wrong(key, f"{value!r} is not known", f"write one of {named}")

    def bytes(self, key: str) -> bytes | None:
        value = self.text(key)
        try:
            return None if value is None else pybase64.b64decode(value, validate=True)
        except ValueError:
            raise self.wrong(key, "it is not base64", "encode the bytes as base64") from None

    def object(self, key: str) -> dict[str, Any] | None:
        return self._typed(key, dict, "an object")

    def node(self, key: str) -> _Node | None:
        value = self._take(key)
        return None if value is None else _Node(value, f"{self.path}.{key}")

    def nodes(self, key: str) -> list[_Node]:
        entries = self._typed(key, list, "an array") or []
        return [_Node(entry, f"{self.path}.{key}[{i}]") for i, entry in enumerate(entries)]

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._data:
            if key not in self._asked:
                raise self.wrong(key, "there is no such field", "remove it, or upgrade unirt")

    def wrong(self, key: str, what: str, remedy: str) -> UnreadableConversation:
        return UnreadableConversation(what, where=f"{self.path}.{key}", remedy=remedy)

    def _take(self, key: str) -> Any:
        self._asked.add(key)
        return self._data.get(key)

    def _typed(self, key: str, kind: type[T], name: str) -> T | None:
        value = self._take(key)
        if value is None or type(value) is kind:
            return value
        raise self.wrong(key, f"{_found(value)} where {name} belongs", f"write {name}")


def _found(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
