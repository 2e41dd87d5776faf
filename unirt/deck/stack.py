"""Which cassette is in. The innermost counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unirt.deck.deck import Deck

__all__ = ["current", "pop", "push"]

_DECKS: list[Deck] = []


def current() -> Deck | None:
    """The deck in use, in whatever thread; ``None`` outside any cassette."""
    return _DECKS[-1] if _DECKS else None


def push(deck: Deck) -> None:
    """Use a deck."""
    _DECKS.append(deck)


def pop(deck: Deck) -> None:
    """Use it no more."""
    _DECKS.remove(deck)
