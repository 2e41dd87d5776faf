"""
The user's audio that no answer has come to, held in case the session moves to another connection.

A provider that goes takes with it what it has heard of a turn that it has not answered; and while a
session moves, nobody listens. Both are held here, as the application sent it, and sent again over
the next connection.

The bounds: of a turn in which the user is known to speak :data:`TURN_MS` are held, of silence, and
where nobody tells, :data:`BEFORE_MS`. While the session moves everything is, up to the former.
Beyond a bound the oldest goes; what goes while the session moves, or out of a turn that begun, is
counted, for nobody will answer it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from unirt.audio import AudioFormat
from unirt.commands import ClearInput, Command, CommitInput, EndTurn, StartTurn
from unirt.events import (
    Event,
    InputCommitted,
    ResponseStarted,
    SpeechStarted,
    StreamKind,
    StreamOpened,
)

__all__ = ["BEFORE_MS", "TURN_MS", "Held", "Unanswered"]

TURN_MS = 30_000.0
"In ms: the most that is held of what the user says."
BEFORE_MS = 1_000.0
"In ms: what is held while the user says nothing, so that the beginning of a word is not lost."


class Held(NamedTuple):
    """A piece of audio; a tuple, for fifty of them are made a second."""

    data: bytes
    format: AudioFormat
    ms: float


class Unanswered:
    """The audio of one session that was not answered yet."""

    __slots__ = (
        "_answered_turn",
        "_held",
        "_pieces",
        "_speaking",
        "begun",
        "handlers",
        "lost_ms",
        "moving",
    )

    def __init__(self) -> None:
        self._pieces: deque[Held] = deque()
        self._held = 0.0
        self._answered_turn: str | None = None
        "What is told of it now comes late."
        self._speaking = False
        "The user is known to say something that was not answered."
        self.begun: StartTurn | None = None
        "How a turn was begun that has not ended."
        self.moving = False
        "Nobody listens."
        self.lost_ms = 0.0
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            SpeechStarted: self._began,
            StreamOpened: self._opened,
            InputCommitted: self._answered,
            ResponseStarted: self._answered,
        }

    @property
    def speaking(self) -> bool:
        """Whether what is held is known to be something that the user says."""
        return self._speaking or self.begun is not None

    def heard(self, data: bytes, format: AudioFormat) -> None:
        """The application sent a piece."""
        ms = len(data) * 1000 / format.byte_rate
        self._pieces.append(Held(data, format, ms))
        self._held += ms
        speaking = self.speaking or self.moving
        bound = TURN_MS if speaking else BEFORE_MS
        while self._held > bound and len(self._pieces) > 1:
            _, _, gone = self._pieces.popleft()
            self._held -= gone
            if speaking:
                self.lost_ms += gone

    def said(self, command: Command) -> None:
        """The application said something."""
        match command:
            case StartTurn():
                self._clear()
                self.begun = command
            case EndTurn() | CommitInput() | ClearInput():
                self._clear()
            case _:
                pass

    def take(self) -> list[Held]:
        """All that is held; it stays held, for nobody has answered it yet."""
        return list(self._pieces)

    def _clear(self) -> None:
        self._pieces.clear()
        self._held = self.lost_ms = 0.0
        self._speaking, self.begun = False, None

    def _began(self, event: SpeechStarted) -> None:
        self._speaking = True

    def _opened(self, event: StreamOpened) -> None:
        late = event.turn_id == self._answered_turn
        if event.role == "user" and event.kind is StreamKind.TRANSCRIPT and not late:
            self._speaking = True

    def _answered(self, event: Event) -> None:
        self._answered_turn = event.turn_id
        if self.begun is None:
            self._clear()
