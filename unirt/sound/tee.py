"""Two players at once: one is heard, and the other takes down what is."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable

from unirt.audio import AudioFormat
from unirt.clock import Clock, KeepsTime
from unirt.errors import ConfigurationError
from unirt.events import AudioDelta
from unirt.session.playback import Player

__all__ = ["Tee"]


class Tee:
    """
    A player that plays with two.

    Args:
        heard: The one whose word is taken for what was played.
        other: Given the same.

    Raises:
        ConfigurationError: They do not play the same format.
    """

    def __init__(self, heard: Player, other: Player) -> None:
        if heard.format != other.format:
            raise ConfigurationError(
                f"one plays {heard.format}, the other {other.format}",
                where="Tee",
                remedy="give both the same format",
            )
        self._heard = heard
        self._other = other

    @property
    def format(self) -> AudioFormat:
        """What both play."""
        return self._heard.format

    def keep_time(self, clock: Clock) -> None:
        """See :class:`unirt.clock.KeepsTime`."""
        for player in (self._heard, self._other):
            if isinstance(player, KeepsTime):
                player.keep_time(clock)

    @contextlib.asynccontextmanager
    async def open(self, played: Callable[[float], None]) -> AsyncGenerator[None]:
        """Begin to play, and call `played` with how much more was, in ms."""
        async with self._other.open(_nobody), self._heard.open(played):
            yield

    def play(self, audio: AudioDelta) -> None:
        """Play this after what was given before. Returns at once."""
        self._heard.play(audio)
        self._other.play(audio)

    def flush(self) -> None:
        """Fall silent now, and forget what was given and not played."""
        self._heard.flush()
        self._other.flush()


def _nobody(ms: float) -> None:
    """Nobody wants to know."""
