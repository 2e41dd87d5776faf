"""
Ids, told by the names of their keys: what differs from run to run and means nothing by itself.

A key that ends in ``id`` or ``ids`` holds some, in either spelling (``item_id``, ``itemId``), and
so does one that ends in ``handle``. What a client chooses by name, a voice or a model, is no such
id though its key may say so. Nor is anything in the data of an application, the arguments of a call
and its result: an order's number is what it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["IdMap", "ids_in", "is_id_key", "renamed"]

_ENDINGS = ("_id", "_ids", "Id", "Ids", "handle", "Handle")
_CHOSEN = ("voice", "model")


def is_id_key(key: str, parent: str = "") -> bool:
    """Whether what stands at a key is an id, or a list of ids."""
    if not (key in ("id", "ids") or key.endswith(_ENDINGS)):
        return False
    return not (key.startswith(_CHOSEN) or (key == "id" and parent in _CHOSEN))


def ids_in(
    value: Any, free_form: Collection[str] = (), key: str = "", parent: str = ""
) -> Iterator[str]:
    """The ids in a decoded message, in order; nothing beneath a free-form key is any."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in free_form:
                yield from ids_in(inner, free_form, name, key)
    elif isinstance(value, list):
        for inner in value:
            yield from ids_in(inner, free_form, key, parent)
    elif isinstance(value, str) and value and is_id_key(key, parent):
        yield value


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with every string that is a known name replaced."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, names) for inner in value]
    return value


class IdMap:
    """
    Which id of a live client stands for which in the recording.

    Only ids that the client makes up may differ. What the far end named in the recording it names
    likewise when it is played, so :attr:`settled` ids must come back as they are.

    Args:
        free_form: The keys beneath which there are none.
    """

    def __init__(self, free_form: Collection[str] = ()) -> None:
        self.to_live: dict[str, str] = {}
        "By recorded id, those that differ."
        self.settled: set[str] = set()
        "Ids that the far end said before the client did."
        self._to_recorded: dict[str, str] = {}
        self._bound: set[str] = set()
        "The recorded ids in it."
        self._free_form = free_form

    def align(self, recorded: Any, live: Any) -> Any:
        """A live message with recorded ids in the place of its own, as far as they go together."""
        self._pair(recorded, live, "", "")
        strays = {
            id_: f"{id_} (another one)"
            for id_ in ids_in(live, self._free_form)
            if id_ in self._bound and id_ not in self._to_recorded
        }
        return renamed(live, {**self._to_recorded, **strays})

    def _pair(self, recorded: Any, live: Any, key: str, parent: str) -> None:
        if isinstance(recorded, dict) and isinstance(live, dict):
            for name, inner in live.items():
                if name in recorded and name not in self._free_form:
                    self._pair(recorded[name], inner, name, key)
        elif isinstance(recorded, list) and isinstance(live, list):
            for one, other in zip(recorded, live, strict=False):
                self._pair(one, other, key, parent)
        elif isinstance(recorded, str) and isinstance(live, str) and is_id_key(key, parent):
            self._bind(recorded, live)

    def _bind(self, recorded: str, live: str) -> None:
        if recorded in self._bound or live in self._to_recorded:
            return
        if self.settled & {recorded, live}:
            return
        self._bound.add(recorded)
        self._to_recorded[live] = recorded
        if recorded != live:
            self.to_live[recorded] = live
