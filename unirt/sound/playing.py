"""
What all players have in common: a backlog, an account of what was played, and a level.

The account is exact. A block is told as played once its time is over, and no block twice. What the
device has in hand when it is flushed cannot be called back, so it is told then, before anything
that comes after; see :class:`unirt.session.playback.Player`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from unirt.audio import AudioFormat
from unirt.errors import UsageError
from unirt.events import AudioDelta
from unirt.sound.backlog import MOST_MS, Backlog
from unirt.sound.level import QUIET, Level, level

__all__ = ["Playing"]


class Playing:
    """
    The common part of a player.

    Args:
        format: What it plays.
        block_ms: How much it plays at a time.
        most_ms: How far behind it may be; what comes beyond that is dropped, and counted.
    """

    def __init__(
        self, format: AudioFormat, *, block_ms: float = 20.0, most_ms: float = MOST_MS
    ) -> None:
        self.block_ms = block_ms
        self._backlog = Backlog(format, most_ms)
        self._block = format.bytes_for(block_ms)
        self._played: Callable[[float], None] | None = None
        self._in_hand: deque[tuple[float, float]] = deque()
        "Blocks that the device has: when each is over, and how far it brings the playback, in ms."
        self._over_ms = 0.0
        "What is over and was not told."
        self._account = threading.Lock()
        self._last = b""

    @property
    def format(self) -> AudioFormat:
        """What it plays."""
        return self._backlog.format

    @property
    def waiting_ms(self) -> float:
        """What it was given and has not begun to play, in ms."""
        return self._backlog.waiting_ms

    @property
    def dropped_ms(self) -> float:
        """What it was given beyond its bound, in ms."""
        return self._backlog.dropped_ms

    @property
    def sounding(self) -> bool:
        """Whether it plays something at this moment."""
        return bool(self._in_hand)

    @property
    def level(self) -> Level:
        """How loud that is; worked out when somebody asks."""
        return level(self._last, self.format) if self.sounding else QUIET

    def play(self, audio: AudioDelta) -> None:
        """Play this after what was given before. Returns at once."""
        self._backlog.put(audio)

    def flush(self) -> None:
        """Fall silent with the next block, and forget what was given and not played."""
        with self._account:
            self._backlog.clear()
            self._over_ms += sum(ms for _, ms in self._in_hand)
            self._in_hand.clear()
        self._tell()

    def _check_free(self) -> None:
        if self._played is not None:
            raise UsageError(
                "it plays already", where="open", remedy="give each session a player of its own"
            )

    def _stop(self) -> None:
        """It is closed: what is not over by now was not played."""
        with self._account:
            self._backlog.clear()
            self._in_hand.clear()
        self._tell()
        self._played = None

    # For the device, from whatever thread it has.

    def _take(self, size: int, over: float) -> bytes:
        """The next bytes to be played, which are over at that time."""
        with self._account:
            data, ms = self._backlog.take(size)
            if ms:
                self._in_hand.append((over, ms))
                self._last = data
        return data

    def _pass(self, now: float) -> bool:
        """It is that time; returns whether there is something to tell."""
        with self._account:
            while self._in_hand and self._in_hand[0][0] <= now:
                self._over_ms += self._in_hand.popleft()[1]
            return self._over_ms > 0

    def _tell(self) -> None:
        """Tell what is over. In the event loop."""
        with self._account:
            ms, self._over_ms = self._over_ms, 0.0
        if ms and self._played is not None:
            self._played(ms)
