"""
New names for ids: by noun and order of appearance, so that recordings of one thing look alike.

The same id gets the same name wherever it stands: under its key, alone in any other place, or
mentioned in a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from unirt.cassettes.entries import Closed, Entry, Exchanged, Framed, Opened
from unirt.cassettes.ids import ids_in, renamed

__all__ = ["new_names", "on_body", "with_names"]

_NOUN: Final = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*(?=[_-])")
_MENTIONED: Final = 8
"Characters of an id that is found in the middle of a text too."


def new_names(entries: list[Entry]) -> dict[str, str]:
    """A name for each id that looks made up, like ``item_1``; words, like ``root``, stay."""
    return dict(_named(entries))


def on_body(body: Any, change: Callable[[Any], Any]) -> Any:
    """A body with something done to the JSON in it, or to its text."""
    if isinstance(body, dict):
        return {key: on_body(value, change) for key, value in body.items()}
    if not isinstance(body, str):
        return body
    try:
        value = json.loads(body)
    except ValueError:
        return change(body)
    new = change(value)
    return body if new is value or new == value else json.dumps(new, ensure_ascii=False)


def _named(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    """A name for each id, counted by its noun: ``item_1``."""
    counts: dict[str, int] = {}
    seen: set[str] = set()
    for entry in entries:
        for id_ in _ids(entry):
            if id_ in seen or not any(char.isdigit() for char in id_):
                continue  # a word, like 'root'
            seen.add(id_)
            found = _NOUN.match(id_)
            noun = found.group() if found else "id"
            counts[noun] = counts.get(noun, 0) + 1
            yield id_, f"{noun}_{counts[noun]}"


def _ids(entry: Entry) -> Iterator[str]:
    if isinstance(entry, Framed):
        yield from ids_in(entry.data)
    elif isinstance(entry, Exchanged):
        for message in (entry.request, entry.response):
            found: list[str] = []

            def note(body: Any, found: list[str] = found) -> Any:
                found += ids_in(body)
                return body

            on_body(message.get("body"), note)
            yield from found


def with_names(entries: list[Entry], names: Mapping[str, str]) -> list[Entry]:
    """The entries with every id under its new name, in the middle of longer texts too."""
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return entries
    long = sorted((old for old in changed if len(old) >= _MENTIONED), key=len, reverse=True)
    mention = re.compile("|".join(map(re.escape, long))) if long else None

    def rename(value: Any) -> Any:
        return _mentions(renamed(value, changed), changed, mention)

    def entry_with_names(entry: Entry) -> Entry:
        match entry:
            case Framed(data=dict() | list() as data):
                new = rename(data)
                return entry if new == data else attrs.evolve(entry, data=new)
            case Exchanged():
                return attrs.evolve(
                    entry, request=message(entry.request), response=message(entry.response)
                )
            case Opened():
                return attrs.evolve(entry, url=_mentions(entry.url, changed, mention))
            case Closed():
                return attrs.evolve(entry, reason=_mentions(entry.reason, changed, mention))
            case _:
                return entry

    def message(parts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: on_body(part, rename) if key == "body" else rename(part)
            for key, part in parts.items()
        }

    return list(map(entry_with_names, entries))


def _mentions(value: Any, names: Mapping[str, str], mention: re.Pattern[str] | None) -> Any:
    """The value with ids renamed in the middle of its texts."""
    if mention is None:
        return value
    if isinstance(value, str):
        if value in names.values() or not mention.search(value):
            return value
        return mention.sub(lambda found: names[found.group()], value)
    if isinstance(value, dict):
        return {key: _mentions(inner, names, mention) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mentions(inner, names, mention) for inner in value]
    return value
