"""
Playback: how much of what the model said was played, as values.

Providers send speech faster than it can be heard, so what was received says nothing about what was
heard. The composer counts what was received, players report what they played, and where nobody
reports it is estimated; see "Heard" in the docs on audio and time.
"""

from __future__ import annotations

import attrs

from unirt.value import Value

__all__ = ["ItemPlayback", "ResponsePlayback"]


@attrs.frozen(kw_only=True)
class ItemPlayback(Value):
    """How far one spoken item was played."""

    item_id: str
    received_ms: float
    "How much of its audio was received, in ms."
    played_ms: float | None = None
    "How much of that was played, in ms, never more than was received; ``None`` where not known."
    text: str | None = None
    """
    Of an item that was cut short: the words of its transcript that were heard, by estimate.

    ``None`` where it was not cut, or where it is not known how much was heard, or what was said.
    """


@attrs.frozen(kw_only=True)
class ResponsePlayback(Value):
    """How far one response was played."""

    response_id: str
    items: tuple[ItemPlayback, ...] = ()
    "Its spoken items, in order."
    received_ms: float = 0.0
    "How much of its audio was received, in ms."
    played_ms: float | None = None
    "How much of that was played, in ms, never more than was received; ``None`` where not known."
    exactly: bool = False
    "``True`` where a player reported `played_ms`; else it is an estimate from the clock."
    playing: bool = False
    "Whether some of what was received is left to be played, as far as is known."
    finished: bool = False
    "Everything was received, and all of it was played."
    flushed: bool = False
    "It was interrupted, or its player threw the rest away: what was not played will not be."
