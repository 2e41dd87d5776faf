"""The conversation itself: its items, in order, and how many more there were."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from unirt.conversation.reading import read
from unirt.conversation.writing import write
from unirt.items import Item

__all__ = ["Conversation"]


class Conversation(tuple[Item, ...]):
    """
    The items of a conversation, in order; equal to any tuple of the same items.

    Args:
        items: Messages, tool calls and results, and what server-side tools left.
        forgotten: How many items went before them, and are not there any more.
    """

    forgotten: int
    "How many items went before these, and were forgotten to bound the size."

    def __new__(cls, items: Iterable[Item] = (), *, forgotten: int = 0) -> Self:
        made = super().__new__(cls, items)
        made.forgotten = forgotten
        return made

    def to_json(self) -> str:
        """
        The conversation as JSON text, to be read by people and by :meth:`from_json`.

        Raises:
            UsageError: The `data` of an item holds what JSON cannot, or some text is no Unicode.
        """
        return write(self, self.forgotten)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """
        The conversation that was written.

        Raises:
            UnreadableConversation: It is none, or a newer version's; it says where.
        """
        items, forgotten = read(text)
        return cls(items, forgotten=forgotten)
