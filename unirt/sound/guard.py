"""
Guards: what keeps a loudspeaker from talking to its own microphone.

Without headphones a microphone hears what the loudspeaker plays, and the model is interrupted by
itself. Neither guard is an echo canceller; they look at how loud things are, and no more.

- :class:`HalfDuplex` hears nothing while something is played. Nobody can interrupt by voice then.
- :class:`EchoGuard` hears what is louder than the echo can be. Who speaks up can interrupt.

What a guard holds back is replaced by silence and not left out: time goes on for the listener.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator
from typing import Protocol

from unirt.audio import AudioFormat
from unirt.clock import Clock, KeepsTime
from unirt.session.listening import Source
from unirt.sound.level import Level, level

__all__ = ["Audible", "EchoGuard", "HalfDuplex"]

_TAIL_MS = 200.0
"How long a room sounds, and a device lags."
_HOLD_MS = 300.0
"How long it stays open for a voice that was let through: words have soft places."


class Audible(Protocol):
    """A player that tells what it plays at this moment; those of this room do."""

    @property
    def sounding(self) -> bool:
        """Whether it plays something."""
        ...

    @property
    def level(self) -> Level:
        """How loud that is."""
        ...


class _Guard(ABC):
    """A source that holds back some of another."""

    def __init__(self, source: Source, player: Audible, *, tail_ms: float) -> None:
        self.held_back_ms = 0.0
        "What was replaced by silence so far."
        self._source = source
        self._player = player
        self._tail_ms = tail_ms

    @property
    def format(self) -> AudioFormat:
        """What its pieces are."""
        return self._source.format

    def keep_time(self, clock: Clock) -> None:
        """See :class:`unirt.clock.KeepsTime`."""
        if isinstance(self._source, KeepsTime):
            self._source.keep_time(clock)

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        format = self.format
        pieces = aiter(self._source)
        try:
            async for piece in pieces:
                ms = format.duration_ms(len(piece))
                if self._passes(piece, ms):
                    yield piece
                else:
                    self.held_back_ms += ms
                    yield format.silence(ms)
        finally:
            if (close := getattr(pieces, "aclose", None)) is not None:
                await close()

    @abstractmethod
    def _passes(self, piece: bytes, ms: float) -> bool:
        """Whether a piece is let through."""


class HalfDuplex(_Guard):
    """
    Hears nothing while something is played, and a little after.

    Args:
        source: The microphone.
        player: What is played.
        tail_ms: How long after.
    """

    def __init__(self, source: Source, player: Audible, *, tail_ms: float = _TAIL_MS) -> None:
        super().__init__(source, player, tail_ms=tail_ms)
        self._left_ms = 0.0

    def _passes(self, piece: bytes, ms: float) -> bool:
        if self._player.sounding:
            self._left_ms = self._tail_ms
            return False
        self._left_ms -= ms
        return self._left_ms < 0


class EchoGuard(_Guard):
    """
    Hears what is louder than what is played can be where it comes back.

    Args:
        source: The microphone.
        player: What is played.
        loss_db: How much quieter than it is played the microphone hears it, at least. Too small,
            and soft voices do not get through; too large, and the echo does.
        tail_ms: For how long what was played may still be heard.
        hold_ms: How long it stays open for a voice that was let through.
    """

    def __init__(
        self,
        source: Source,
        player: Audible,
        *,
        loss_db: float = 6.0,
        tail_ms: float = _TAIL_MS,
        hold_ms: float = _HOLD_MS,
    ) -> None:
        super().__init__(source, player, tail_ms=tail_ms)
        self._loss_db = loss_db
        self._hold_ms = hold_ms
        self._open_ms = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        "What was played lately: until when of the microphone's time it counts, and how loud."
        self._now_ms = 0.0

    def _passes(self, piece: bytes, ms: float) -> bool:
        self._now_ms += ms
        self._open_ms -= ms
        recent = self._recent
        if self._player.sounding:
            recent.append((self._now_ms + self._tail_ms, self._player.level.rms_db))
        while recent and recent[0][0] <= self._now_ms:
            recent.popleft()
        if not recent:
            return True
        echo_db = max(db for _, db in recent) - self._loss_db
        if level(piece, self.format).rms_db > echo_db:
            self._open_ms = self._hold_ms
        return self._open_ms > 0
