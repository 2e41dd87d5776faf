"""A simulated loudspeaker: it plays what it is given in real time, on a clock that it is told."""

from __future__ import annotations

import attrs

from unirt.events import AudioDelta, Event, Interrupted

__all__ = ["Player"]


@attrs.define
class _Piece:
    response_id: str
    received_us: int = 0
    played_us: int = 0


class Player:
    """Plays responses one after the other. Times are whole microseconds, so they add up exactly."""

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._now_us = 0

    @property
    def playing(self) -> bool:
        """Whether something is left to play."""
        return any(piece.played_us < piece.received_us for piece in self._pieces)

    @property
    def position(self) -> tuple[str, float] | None:
        """The newest response that was begun, and how much of it was played, in ms."""
        for piece in reversed(self._pieces):
            if piece.played_us:
                return piece.response_id, piece.played_us / 1000
        return None

    @property
    def newest_ms(self) -> float:
        """How much of the newest response was played."""
        return self._pieces[-1].played_us / 1000 if self._pieces else 0.0

    def advance(self, now_us: int) -> None:
        """Play on until `now_us`."""
        left = now_us - self._now_us
        self._now_us = now_us
        for piece in self._pieces:
            played = min(left, piece.received_us - piece.played_us)
            piece.played_us += played
            left -= played

    def take(self, event: Event) -> None:
        """Queue the sound in an event; fall silent where it says so."""
        match event:
            case AudioDelta(response_id=str(response_id)):
                if not self._pieces or self._pieces[-1].response_id != response_id:
                    self._pieces.append(_Piece(response_id))
                self._pieces[-1].received_us += round(event.duration_ms * 1000)
            case Interrupted():
                for piece in self._pieces:
                    if piece.response_id == event.response_id:
                        piece.received_us = piece.played_us
            case _:
                pass
