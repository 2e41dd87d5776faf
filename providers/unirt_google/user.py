"""
The user's side of a dialogue: turns that the protocol does not name.

Gemini tells no turns and no items of the user's. What it tells are signs: voice activity (on some
models), pieces of a transcript, which come before, during or after the answer, and never say what
they belong to. And there is what we sent ourselves. The rules:

- A turn opens with the first sign after the last turn was answered, or with our own text.
- Each stretch of speech is one item with one transcript; each text that we send is an item.
- A piece of transcript that comes while the answer runs belongs to the turn being answered, as long
  as that was spoken and its transcript is not final. Else it opens a new turn: a barge-in.
- A transcript is final when ``finished`` says so; else when the answer is complete, or interrupted,
  or when the next turn opens.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import attrs

from unirt.composer import Composer
from unirt.events import InputCommitted, SpeechStarted, SpeechStopped, StreamKind

__all__ = ["User"]


class _Transcript(Enum):
    NONE = "none"
    OPEN = "open"
    FINAL = "final"


@attrs.define(eq=False)
class _Turn:
    """One user turn, the latest; whether it is open is the composer's to know."""

    item_id: str | None = None
    "The item of the latest stretch of speech; ``None`` where nothing was spoken."
    transcript: _Transcript = _Transcript.NONE
    "Of that item."
    committed: bool = True
    "``False`` from a sign of speech on until the answer begins."


class User:
    """What is known of the user's turns."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._turn: _Turn | None = None
        self.audio_sent = False
        "Whether audio was sent since the last answer began."

    # What the server says.

    def speech_started(self, audio_ms: float | None, *, synthesised: bool = False) -> None:
        """Tell that the user began to speak."""
        turn = self._open_turn()
        self._tell(SpeechStarted, self._speech(turn), audio_ms=audio_ms, synthesised=synthesised)

    def speech_stopped(self, audio_ms: float | None, *, synthesised: bool = False) -> None:
        """Tell that the user stopped speaking."""
        turn = self._turn
        answering = self._composer.active is not None or self._composer.turn_is_open
        if turn is None or turn.item_id is None or not answering:
            turn = self._open_turn()
        item_id = turn.item_id or self._speech(turn)
        self._tell(SpeechStopped, item_id, audio_ms=audio_ms, synthesised=synthesised)

    def transcript(self, text: str, *, finished: bool, **fields: Any) -> bool:
        """Deliver a piece of transcript; ``False`` where there was nothing to deliver or close."""
        if text:
            turn = self._turn_of_transcript()
            item_id = self._speech(turn)
            turn.transcript = _Transcript.OPEN
            self._composer.user_text(StreamKind.TRANSCRIPT, item_id, 0, text, **fields)
        closed = finished and self._finish(synthesised=False)
        return closed or bool(text)

    def interim(self, text: str, language: str | None) -> None:
        """Deliver a guess at the words being spoken."""
        turn = self._turn_of_transcript()
        item_id = self._speech(turn)
        turn.transcript = _Transcript.OPEN
        self._composer.user_interim(item_id, 0, text, language)

    # What we do.

    def writes(self, text: str) -> None:
        """Tell what the application sent as the user's words."""
        self._open_turn()
        item_id = self._item()
        self._composer.user_text(StreamKind.TEXT, item_id, 0, text, synthesised=True)
        self._composer.user_finish(StreamKind.TEXT, item_id, 0, synthesised=True)

    def shows(self) -> None:
        """Open a turn for a picture that asks for an answer."""
        self._open_turn()
        self._item()

    def speaks(self) -> None:
        """Open a turn that the application marked as spoken."""
        self._speech(self._open_turn())

    # What becomes of a turn.

    def answered(self, *, assume: bool = False) -> None:
        """
        The answer begins; call it before the response starts.

        Args:
            assume: Whether an answer to nothing that we know of answers something spoken. Where no
                audio was sent, as in a recording, that is a guess, and no commit is told.
        """
        composer = self._composer
        if assume and not composer.turn_is_open:
            guessed = self._open_turn()
            self._speech(guessed)
            guessed.committed = not self.audio_sent
        self.audio_sent = False
        turn = self._turn if composer.turn_is_open else None
        if turn is None or turn.committed or turn.item_id is None:
            return
        turn.committed = True
        composer.emit(
            InputCommitted,
            synthesised=True,
            turn_id=composer.turn(turn.item_id),
            item_id=turn.item_id,
        )

    def settle(self) -> None:
        """The answer is complete or interrupted: the transcript of its turn is final."""
        if not self._composer.turn_is_open:
            self._finish(synthesised=True)

    def _open_turn(self) -> _Turn:
        """The open turn, a new one where none is."""
        if self._turn is None or not self._composer.turn_is_open:
            self._finish(synthesised=True)
            self._turn = _Turn()
            self._composer.turn()
        return self._turn

    def _turn_of_transcript(self) -> _Turn:
        turn = self._turn
        late = (
            turn is not None
            and turn.item_id is not None
            and turn.transcript is not _Transcript.FINAL
            and self._composer.active is not None
        )
        return turn if turn is not None and late else self._open_turn()

    def _speech(self, turn: _Turn) -> str:
        """The item of the turn's speech, a new one after a transcript that is final."""
        if turn.item_id is None or turn.transcript is _Transcript.FINAL:
            turn.item_id = self._item()
            turn.transcript = _Transcript.NONE
            turn.committed = False
        return turn.item_id

    def _item(self) -> str:
        item_id = self._composer.mint("item")
        self._composer.turn(item_id)
        return item_id

    def _finish(self, *, synthesised: bool) -> bool:
        turn = self._turn
        if turn is None or turn.item_id is None or turn.transcript is not _Transcript.OPEN:
            return False
        turn.transcript = _Transcript.FINAL
        return self._composer.user_finish(
            StreamKind.TRANSCRIPT, turn.item_id, 0, synthesised=synthesised
        )

    def _tell(self, kind: type[Any], item_id: str, **fields: Any) -> None:
        self._composer.emit(kind, turn_id=self._composer.turn(item_id), item_id=item_id, **fields)
