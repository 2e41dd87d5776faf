"""
Pre-roll: audio from before a manual turn, kept for it.

People begin to speak before their finger is down. Where the application marks the turns, what it
sends between them is nobody's turn, and a provider would throw it away or, worse, take all of it
for the beginning of the next one. So the last :data:`PREROLL_MS` of it are kept here, and become
the beginning of the turn that follows.
"""

from __future__ import annotations

from collections import deque

from unirt.audio import AudioFormat

__all__ = ["PREROLL_MS", "Preroll"]

PREROLL_MS = 2_000
"How much audio is kept: a breath, and a late finger."


class Preroll:
    """The audio before the next turn of one session."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def keep(self, data: bytes, format: AudioFormat) -> None:
        """Keep the next piece, and no more of what went before than the bound allows."""
        self._pieces.append(data)
        self._size += len(data)
        bound = format.bytes_for(PREROLL_MS)
        while self._size > bound:
            excess = self._size - bound
            first = self._pieces.popleft()
            self._size -= len(first)
            if len(first) > excess:
                self._pieces.appendleft(first[excess:])
                self._size += len(first) - excess

    def take(self) -> list[bytes]:
        """The audio that was kept; it is the turn's now."""
        kept = list(self._pieces)
        self.clear()
        return kept

    def clear(self) -> None:
        """Keep nothing."""
        self._pieces.clear()
        self._size = 0
