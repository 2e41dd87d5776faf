"""The user's turns, and what the user says in them."""

from __future__ import annotations

from typing import Any

from unirt.composer.records import OpenStream, forget
from unirt.composer.scribe import Scribe
from unirt.events import (
    Ending,
    Stream,
    StreamKind,
    StreamOpened,
    TranscriptInterim,
    TranscriptSegment,
)

__all__ = ["Turns"]


class Turns(Scribe):
    """A turn opens with the first sign of input and closes when a response answers it."""

    _turn: str | None = None
    _last_turn: str | None = None

    def _prepare(self) -> None:
        super()._prepare()
        self._turn_items: dict[str, str] = {}
        self._user: dict[tuple[str, int, StreamKind], OpenStream] = {}

    @property
    def turn_is_open(self) -> bool:
        """Whether the user has begun a turn that no response has answered yet."""
        return self._turn is not None

    def turn(self, item_id: str | None = None) -> str:
        """The open user turn, opened where none is; `item_id` becomes a part of it."""
        if item_id is not None and (known := self._turn_items.get(item_id)) is not None:
            return known
        if self._turn is None:
            self._turn = self._last_turn = self.mint("turn")
        if item_id is not None:
            self._turn_items[item_id] = self._turn
            forget(self._turn_items)
        return self._turn

    def knows_item(self, item_id: str) -> bool:
        """Whether the item is part of a user turn that was told of."""
        return item_id in self._turn_items

    def user_text(
        self,
        kind: StreamKind,
        item_id: str,
        index: int,
        text: str,
        *,
        synthesised: bool = False,
        **fields: Any,
    ) -> None:
        """Deliver the next piece of what the user wrote, or of their speech's transcript."""
        entry = self._user_stream(kind, item_id, index)
        if entry is None:
            self._discard(None, item_id, kind, len(text))
            return
        self._text(entry, text, synthesised=synthesised, **fields)

    def user_interim(
        self, item_id: str, index: int, text: str, language: str | None = None
    ) -> None:
        """Deliver a guess at the words being spoken."""
        entry = self._user_stream(StreamKind.TRANSCRIPT, item_id, index)
        if entry is None:
            self._discard(None, item_id, StreamKind.TRANSCRIPT, len(text))
            return
        self._add(
            TranscriptInterim(
                origin=self._origin, stream=entry.stream, text=text, language=language
            )
        )

    def user_segment(self, item_id: str, index: int, text: str, **fields: Any) -> None:
        """Deliver one speaker's stretch of a transcript."""
        entry = self._user_stream(StreamKind.TRANSCRIPT, item_id, index)
        if entry is None:
            self._discard(None, item_id, StreamKind.TRANSCRIPT, len(text))
            return
        self._add(TranscriptSegment(origin=self._origin, stream=entry.stream, text=text, **fields))

    def user_finish(
        self,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        text: str | None = None,
        ending: Ending = Ending.COMPLETE,
        reason: str | None = None,
        synthesised: bool = False,
    ) -> bool:
        """Close a stream of the user's; ``False`` where it was closed, or never opened."""
        entry = self._user.get((item_id, index, kind))
        if entry is None and text:
            entry = self._user_stream(kind, item_id, index)
        if entry is None or entry.closed:
            return False
        self._close(entry, ending, text=text, synthesised=synthesised, reason=reason)
        return True

    def _user_stream(self, kind: StreamKind, item_id: str, index: int) -> OpenStream | None:
        key = (item_id, index, kind)
        entry = self._user.get(key)
        if entry is not None:
            return None if entry.closed else entry
        stream = Stream(
            id=self.named(f"{item_id}.{index}.{kind}"),
            kind=kind,
            role="user",
            turn_id=self.turn(item_id),
            item_id=item_id,
            index=index,
        )
        entry = self._user[key] = OpenStream(stream)
        forget(self._user, keep=lambda known: not known.closed)
        self._add(StreamOpened(origin=self._origin, synthesised=True, stream=stream))
        return entry
