"""
What could be heard, and when.

Audio comes in bursts, faster than anybody can hear it, or a little late. A lane lays it out as a
loudspeaker plays it: each piece when it came, or when the one before it is over. An interruption
ends what is playing.
"""

from __future__ import annotations

import attrs

from unirt.audio import AudioFormat
from unirt.timeline.values import Lane, Piece

__all__ = ["LaneBuilder"]

_JITTER_MS = 60.0
"A piece that is no later than this follows the one before it without a gap."


class LaneBuilder:
    """
    One side of one connection.

    Args:
        connection: Which.
        role: ``user`` or ``assistant``.
    """

    def __init__(self, connection: int, role: str) -> None:
        self._connection = connection
        self._role = role
        self._pieces: list[Piece] = []
        self._end_ms = 0.0
        self._owner: str | None = None

    def add(
        self,
        line: int,
        at_ms: float,
        data: bytes,
        format: AudioFormat,
        *,
        kept_bytes: int,
        response_id: str | None = None,
        item_id: str | None = None,
    ) -> None:
        """A piece came."""
        late = at_ms - self._end_ms
        fresh = response_id != self._owner or not self._pieces
        start = at_ms if late > (0.0 if fresh else _JITTER_MS) else self._end_ms
        length = format.duration_ms(len(data))
        self._owner = response_id
        self._end_ms = start + length
        self._pieces.append(
            Piece(
                line=line,
                at_ms=at_ms,
                start_ms=start,
                end_ms=self._end_ms,
                data=data,
                kept_bytes=min(kept_bytes, len(data)),
                format=format,
                response_id=response_id,
                item_id=item_id,
                heard_ms=length,
            )
        )

    def cut(self, at_ms: float, response_id: str | None) -> None:
        """What is left of a response is not played."""
        for index, piece in enumerate(self._pieces):
            if piece.response_id == response_id and piece.start_ms + piece.heard_ms > at_ms:
                heard = max(0.0, at_ms - piece.start_ms)
                self._pieces[index] = attrs.evolve(piece, heard_ms=heard)
        self._fall_back()

    def truncate(self, item_id: str | None, end_ms: float) -> None:
        """Of an item, no more than that was heard."""
        for index, piece in enumerate(self._pieces):
            if item_id is not None and piece.item_id == item_id:
                heard = min(piece.heard_ms, max(0.0, end_ms))
                self._pieces[index] = attrs.evolve(piece, heard_ms=heard)
                end_ms -= piece.duration_ms
        self._fall_back()

    def _fall_back(self) -> None:
        """What follows may be heard when the last thing that is heard is over."""
        self._end_ms = max(
            (piece.start_ms + piece.heard_ms for piece in self._pieces if piece.heard_ms),
            default=0.0,
        )

    def lane(self) -> Lane | None:
        """The lane; ``None`` where nothing was said."""
        if not self._pieces:
            return None
        return Lane(connection=self._connection, role=self._role, pieces=tuple(self._pieces))
