"""
New names for ids: by noun and order of appearance, so that recordings of one thing look alike.

The same id gets the same name wherever it stands: under its key, alone in any other place, or
mentioned in a text.

Over HTTP an application may speak to anybody, of anything, and what it says is compared as it is.
So what it says there first keeps its name, and of what it is told there, only that is renamed which
looks as if it was drawn by chance, or which is in frames too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs

from unirt.cassettes.entries import Cassette, Closed, Entry, Exchanged, Framed, Opened
from unirt.cassettes.ids import ids_in, renamed
from unirt.cassettes.meaning import free_form_of
from unirt.wire import parse_frame

__all__ = ["new_names", "on_body", "with_names"]

_NOUN: Final = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*(?=[_-])")
_PART: Final = re.compile(r"[^/?&=#]+")
"Of an address."
_MENTIONED: Final = 8
"Characters of an id that is found in the middle of a text too."


def new_names(cassette: Cassette) -> dict[str, str]:
    """A name for each id that looks made up, like ``item_1``; words, like ``root``, stay."""
    return dict(_named(cassette))


def on_body(body: Any, change: Callable[[Any], Any]) -> Any:
    """A body with something done to the JSON in it, or to its text."""
    if isinstance(body, dict):
        return {key: on_body(value, change) for key, value in body.items()}
    if not isinstance(body, str):
        return body
    try:
        value = parse_frame(body)
    except ValueError:
        return change(body)
    new = change(value)
    return body if new is value or new == value else json.dumps(new, ensure_ascii=False)


def _named(cassette: Cassette) -> Iterator[tuple[str, str]]:
    """A name for each id, counted by its noun: ``item_1``."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    own: dict[str, bool] = {}
    asked: list[str] = []
    for entry, ids in _told(cassette):
        if isinstance(entry, Exchanged):
            asked.append(json.dumps(dict(entry.request), ensure_ascii=False))
        for id_ in ids:
            if not any(char.isdigit() for char in id_):
                continue  # a word, like 'root'
            if id_ not in own:
                own[id_] = any(id_ in request for request in asked)
            if own[id_] or id_ in names or (isinstance(entry, Exchanged) and not _drawn(id_)):
                continue
            found = _NOUN.match(id_)
            noun = found.group() if found else "id"
            counts[noun] = counts.get(noun, 0) + 1
            names[id_] = f"{noun}_{counts[noun]}"
            yield id_, names[id_]


def _drawn(id_: str) -> bool:
    """Whether an id looks as if it was drawn by chance, and not given by somebody."""
    noun, _, tail = id_.rpartition("_")
    letters = sum(char.isalpha() for char in tail)
    return bool(noun) and len(tail) >= _MENTIONED and 0 < letters < len(tail) and tail.isalnum()


def _told(cassette: Cassette) -> Iterator[tuple[Entry, list[str]]]:
    """The entries, each with the ids that it tells."""
    free_form = {one.number: free_form_of(one.provider) for one in cassette.segments}
    for entry in cassette.entries:
        if isinstance(entry, Framed):
            yield entry, list(ids_in(entry.data, free_form.get(entry.connection, ())))
        elif isinstance(entry, Exchanged):
            yield entry, _ids_of_body(entry.response.get("body"))


def _ids_of_body(body: Any) -> list[str]:
    found: list[str] = []

    def note(part: Any) -> Any:
        found.extend(ids_in(part))
        return part

    on_body(body, note)
    return found


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
        return {key: part_with_names(key, part) for key, part in parts.items()}

    def part_with_names(key: str, part: Any) -> Any:
        if key == "body":
            return on_body(part, rename)
        if key == "uri":
            part = _PART.sub(lambda found: changed.get(found.group(), found.group()), str(part))
        return rename(part)

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
