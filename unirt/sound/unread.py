"""
What was heard and is not read yet: bounded, and the oldest goes.

It is the part that sources have in common which cannot wait, as a microphone and a call cannot.
What a player was given is the other way round (:mod:`~unirt.sound.backlog`): there the newest goes,
for what was said first is heard first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from unirt.audio import AudioFormat
from unirt.log import logger

__all__ = ["MOST_UNREAD_MS", "Unread"]

_LOG = logger(__name__)

MOST_UNREAD_MS = 500.0
"What was said longer ago than this is not worth hearing."


class Unread:
    """
    Args:
        format: What it is.
        most_ms: How much is held; beyond it the oldest is dropped, and counted.
        who: Who is heard, for the log.
    """

    def __init__(self, format: AudioFormat, most_ms: float, who: str) -> None:
        self.dropped_ms = 0.0
        "What was heard and not read in time."
        self._format = format
        self._most_ms = most_ms
        self._who = who
        self._pieces: deque[bytes] = deque()
        self._held_ms = 0.0
        self._more = asyncio.Event()
        self._over = False

    def begin(self) -> None:
        """Begin anew: what is held is forgotten."""
        self._pieces.clear()
        self._held_ms = 0.0
        self._over = False

    def put(self, piece: bytes) -> None:
        """This was heard."""
        self._pieces.append(piece)
        self._held_ms += self._format.duration_ms(len(piece))
        while self._held_ms > self._most_ms and len(self._pieces) > 1:
            gone = self._format.duration_ms(len(self._pieces.popleft()))
            if not self.dropped_ms:
                _LOG.warning("%s is not read in time: the oldest goes", self._who)
            self._held_ms -= gone
            self.dropped_ms += gone
        self._more.set()

    def end(self) -> None:
        """Nothing more is heard."""
        self._over = True
        self._more.set()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """What is held, as it comes, until the end."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._held_ms -= self._format.duration_ms(len(piece))
                yield piece
            if self._over:
                return
            self._more.clear()
            await self._more.wait()
