"""
Whose item an id of the provider's is, and what the session calls it.

The session's name is the provider's, unless that was used for something else before: by a response
for an item of another one, or over a connection that the session has left. No two items of a
session share a name. What the application put into the conversation, a history most of all, keeps
the name that it had, also where the provider was given another one.

Everything is bounded; what is forgotten is so old that nobody speaks of it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from unirt.bounded import forget_oldest
from unirt.errors import UsageError
from unirt.items import Item, ItemKind

__all__ = ["REMEMBERED", "Names", "remember"]

REMEMBERED = 512
"How many items, and how many frames sent, are remembered."

SEEDED = 8_192
"How many items of ours are remembered, so that they are not taken for the user's."

K = TypeVar("K")
V = TypeVar("V")


class Names:
    """
    The names of the items and calls of one connection.

    Args:
        named: The session's name of what the provider calls so.
    """

    def __init__(self, named: Callable[[str], str]) -> None:
        self._named = named
        self._names: dict[tuple[str, str | None], str] = {}
        "By the provider's, and the response; ``None`` for the user's."
        self._first: dict[str, str] = {}
        "By the provider's alone: of the first that was called so."
        self._wire_ids: dict[str, str] = {}
        "The other way round, where the two are not the same."
        self.seeded: dict[str, str] = {}
        "Of items that the application put into the conversation: they are nobody's turn."
        self.calls: dict[str, str] = {}
        "What the provider calls the calls among them: their results may follow."

    def put(self, item: Item, sent: Item) -> None:
        """The application put an item into the conversation, which has it as it was sent."""
        if sent.id:
            name = item.id or sent.id
            taken = name in self._wire_ids or name in self.seeded
            name = sent.id if taken else name
            remember(self.seeded, sent.id, name, bound=SEEDED)
            self._note(name, sent.id, bound=SEEDED)
        if sent.kind is ItemKind.TOOL_CALL and sent.call_id:
            remember(self.calls, item.call_id or sent.call_id, sent.call_id)

    def claim(self, item_id: str, owner: str | None, *, new: bool = False) -> str:
        """
        The name of an item of a response or (``None``) the user.

        With `new` it is none of those that the application put into the conversation.
        """
        name = self._names.get((item_id, owner))
        if name is None:
            name = self._new_name(item_id, owner, new)
            remember(self._names, (item_id, owner), name)
            self._note(name, item_id)
        return name

    def _new_name(self, item_id: str, owner: str | None, new: bool) -> str:
        seeded = self.seeded.get(item_id)
        if item_id in self._first:
            return self._other(item_id, owner)
        if seeded is None or not (new or owner is not None):
            name = seeded or self._named(item_id)
            remember(self._first, item_id, name)
            return name
        name = self._named(item_id)
        return name if name != seeded else self._other(item_id, owner)

    def _other(self, item_id: str, owner: str | None) -> str:
        """A name for what is called as something else is; a provider may call anything so, too."""
        mark = f"@{owner or 'user'}"
        name = f"{item_id}{mark}"
        while name in self._first:
            name += mark
        named = self._named(name)
        remember(self._first, name, named)
        return named

    def of(self, item_id: str, owner: str | None = None) -> str:
        """The name of an item that a frame names, whether or not it was told of."""
        name = self._names.get((item_id, owner)) or self._first.get(item_id)
        if name is None:
            name = self.seeded.get(item_id) or self._named(item_id)
            self._note(name, item_id)
        return name

    def item(self, item: Item, name: str | None) -> Item:
        """An item as events tell it, under its name."""
        call_id = item.call_id
        if call_id is not None:
            put = (mine for mine, theirs in self.calls.items() if theirs == call_id)
            call_id = next(put, None) or self._named(call_id)
        if (name, call_id) == (item.id, item.call_id):
            return item
        return attrs.evolve(item, id=name, call_id=call_id)

    def wire_id(self, name: str, *, where: str) -> str:
        """
        The provider's name of an item.

        Raises:
            UsageError: It is an item of a connection that was left, and another one is called so
                here.
        """
        item_id = self._wire_ids.get(name)
        known = item_id or name in (self._first.get(name), self.seeded.get(name))
        if not known and name in self._wire_ids.values():
            raise UsageError(
                f"the item {name!r} is not in the conversation of this connection",
                where=where,
                remedy="give an item_id that was told since the session was reconnected",
            )
        return item_id or name

    def _note(self, name: str, item_id: str, *, bound: int = REMEMBERED) -> None:
        if name != item_id and name not in self._wire_ids:
            remember(self._wire_ids, name, item_id, bound=bound)


def remember(memory: dict[K, V], key: K, value: V, *, bound: int = REMEMBERED) -> None:
    """Keep `value`, and forget the oldest where there are too many."""
    memory[key] = value
    if len(memory) > bound:
        forget_oldest(memory, bound)
