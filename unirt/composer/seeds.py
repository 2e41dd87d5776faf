"""What became of items on their way into a provider: carried, changed, or lost."""

from __future__ import annotations

from typing import Any

from unirt.events import SeedNote
from unirt.items import Item, ItemKind, Role, TextContent

__all__ = ["Seeds", "as_text"]


class Seeds:
    """
    The account of one seeding, for :class:`~unirt.events.HistorySeeded`.

    Args:
        count: How many items there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._changed: dict[int, list[str]] = {}
        self._lost: dict[int, str] = {}

    def changed(self, index: int, what: str) -> None:
        """An item was carried, and not as it was."""
        told = self._changed.setdefault(index, [])
        if what not in told:
            told.append(what)

    def lost(self, index: int, why: str) -> None:
        """Nothing of an item was carried; what was told of changes to it is the reason, too."""
        whys = self._changed.pop(index, [])
        self._lost[index] = "; ".join(dict.fromkeys([*whys, why] if why else whys))

    def fields(self) -> dict[str, Any]:
        """The fields of the event."""
        changed = {index: "; ".join(told) for index, told in self._changed.items()}
        return {
            "carried": self._count - len(changed) - len(self._lost),
            "changed": _notes(changed),
            "lost": _notes(self._lost),
        }


def _notes(told: dict[int, str]) -> tuple[SeedNote, ...]:
    return tuple(SeedNote(index=index, what=what) for index, what in sorted(told.items()))


def as_text(item: Item) -> Item:
    """A tool call, or the result of one, as a message that says so."""
    name = item.name or "a tool"
    if item.kind is ItemKind.TOOL_CALL:
        text, role = f"[called {name} with {item.arguments or '{}'}]", Role.ASSISTANT
    elif item.error is not None:
        text, role = f"[{name} failed: {item.error}]", Role.USER
    else:
        text, role = f"[{name} returned {item.output or ''}]", Role.USER
    return Item(id=item.id, role=role, content=(TextContent(text=text),))
