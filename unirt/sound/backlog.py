"""
A backlog: what a player was given and has not played.

Speech comes faster than it can be heard, so there is always one. It is bounded, by time: beyond the
bound what comes is dropped, and the place where it would have been counts as played when the
playback gets there, so that positions stay true. A device's own thread may take from it.
"""

from __future__ import annotations

import threading
from collections import deque

from unirt.audio import AudioFormat
from unirt.errors import AudioFormatError
from unirt.events import AudioDelta
from unirt.log import logger

__all__ = ["MOST_MS", "Backlog"]

_LOG = logger(__name__)

MOST_MS = 600_000.0
"In ms: more than any model says in one go."


class Backlog:
    """
    The backlog of one player.

    Args:
        format: What it plays.
        most_ms: The bound, in ms.
    """

    def __init__(self, format: AudioFormat, most_ms: float = MOST_MS) -> None:
        self.format = format
        self.most_ms = most_ms
        self.dropped_ms = 0.0
        "What was dropped beyond the bound."
        self._pieces: deque[bytes | float] = deque()
        "Audio; a number is so many ms that were dropped in its place."
        self._size = 0
        self._offset = 0
        "How much of the first piece was taken."
        self._lock = threading.Lock()

    @property
    def waiting_ms(self) -> float:
        """How much is left to be played, in ms."""
        return self.format.duration_ms(self._size)

    def put(self, audio: AudioDelta) -> None:
        """
        Add a piece to the end.

        Raises:
            AudioFormatError: It is in another format.
        """
        if audio.format != self.format:
            raise AudioFormatError(
                f"the player plays {self.format} and was given {audio.format}",
                where="play",
                remedy="give it to session.playback.play(), which converts",
            )
        with self._lock:
            if self.waiting_ms + audio.duration_ms <= self.most_ms:
                self._pieces.append(audio.data)
                self._size += len(audio.data)
                return
            if not self.dropped_ms:
                _LOG.warning("a player is %.0f s behind: what comes is dropped", self.most_ms / 1e3)
            self.dropped_ms += audio.duration_ms
            self._pieces.append(audio.duration_ms)

    def take(self, size: int) -> tuple[bytes, float]:
        """The next bytes, at most so many, and how far they bring the playback, in ms."""
        parts: list[bytes] = []
        skipped, got = 0.0, 0
        with self._lock:
            while self._pieces:
                first = self._pieces[0]
                if isinstance(first, float):
                    skipped += first
                    self._pieces.popleft()
                    continue
                if got == size:
                    break
                part = first[self._offset : self._offset + size - got]
                parts.append(part)
                got += len(part)
                self._offset += len(part)
                if self._offset == len(first):
                    self._pieces.popleft()
                    self._offset = 0
            self._size -= got
        return b"".join(parts), self.format.duration_ms(got) + skipped

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._pieces.clear()
            self._size = self._offset = 0
