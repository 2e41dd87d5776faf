"""What a timeline holds. Times are in ms since the cassette began."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.cassettes import Header
from unirt.commands import Command
from unirt.events import Ending, Event
from unirt.usage import Usage
from unirt.value import Value

__all__ = ["Lane", "Piece", "Row", "RowKind", "Timeline", "ToolRun", "Turn"]


class RowKind(StrEnum):
    """What a row is about."""

    OPEN = "open"
    SENT = "sent"
    RECEIVED = "received"
    CLOSE = "close"
    STALL = "stall"
    HTTP = "http"
    TIMER = "timer"
    "No line: time passed, and the translator said something by itself."


@attrs.frozen(kw_only=True)
class Row(Value):
    """One line of the cassette, and what it caused."""

    line: int | None
    "In the file; ``None`` for a timer."
    at_ms: float
    connection: int
    kind: RowKind
    name: str
    "The wire's name of a frame, or what else happened in a word or two."
    size: int = 0
    "Of the message in bytes, with all its audio and no white space."
    data: Any = None
    "What the line holds."
    events: tuple[Event, ...] = ()
    "What a client is told by it."
    commands: tuple[Command, ...] = ()
    "What a server hears in it."
    audio_ms: float = 0.0
    "How much audio it carries."
    note: str = ""
    "What else is to be known of it: what was taken out, why nothing is translated."


@attrs.frozen(kw_only=True)
class Piece(Value):
    """A piece of audio, in one frame."""

    line: int
    at_ms: float
    "When its frame came."
    start_ms: float
    "When it can be heard: after what came before it."
    end_ms: float
    data: bytes = attrs.field(repr=False)
    "Whole: what was cut from it is silence."
    kept_bytes: int
    "How much of `data` is what was said; the rest was cut or silenced."
    format: AudioFormat
    response_id: str | None = None
    item_id: str | None = None
    heard_ms: float
    "How much of it was heard before somebody spoke; its whole length, mostly."

    @property
    def duration_ms(self) -> float:
        return self.end_ms - self.start_ms


@attrs.frozen(kw_only=True)
class Lane(Value):
    """One side's audio in one connection, as a listener beside it would hear it."""

    connection: int
    role: str
    "``user`` or ``assistant``."
    pieces: tuple[Piece, ...]

    @property
    def audible(self) -> bool:
        """Whether any of what was said is left."""
        return any(piece.kept_bytes for piece in self.pieces)


@attrs.frozen(kw_only=True)
class Turn(Value):
    """One response, and what it answers."""

    connection: int
    response_id: str
    turn_id: str | None = None
    asked_ms: float | None = None
    "When the user was done; ``None`` where nothing tells."
    asked_by: str = ""
    "What tells it: ``command``, ``speech_stopped``, or ``voice`` for the end of the sound."
    started_ms: float
    first_audio_ms: float | None = None
    first_text_ms: float | None = None
    "Of words that are written or transcribed, whichever came first."
    done_ms: float | None = None
    ending: Ending | None = None
    reason: str | None = None
    heard_ms: float | None = None
    "How much was heard, where it was interrupted."
    audio_ms: float = 0.0
    user_text: str = ""
    text: str = ""
    usage: Usage | None = None

    @property
    def latency_ms(self) -> float | None:
        """From the end of what the user said to the first audio; ``None`` where one is unknown."""
        if self.asked_ms is None or self.first_audio_ms is None:
            return None
        return self.first_audio_ms - self.asked_ms


@attrs.frozen(kw_only=True)
class ToolRun(Value):
    """One call of a tool of the application's."""

    connection: int
    call_id: str
    name: str
    arguments: str
    called_ms: float
    answered_ms: float | None = None
    cancelled: bool = False

    @property
    def took_ms(self) -> float | None:
        """From the call to its result; ``None`` where none was sent."""
        return None if self.answered_ms is None else self.answered_ms - self.called_ms


@attrs.frozen(kw_only=True)
class Timeline(Value):
    """Everything that can be shown of a cassette."""

    header: Header
    connections: tuple[tuple[int, str | None, str | None], ...]
    "Number, provider and model of each."
    rows: tuple[Row, ...]
    lanes: tuple[Lane, ...]
    turns: tuple[Turn, ...]
    tools: tuple[ToolRun, ...]
    usage: Usage | None
    "Of all responses; ``None`` where none was told."
    warnings: tuple[str, ...] = ()

    @property
    def end_ms(self) -> float:
        """When the last thing happened, or was heard."""
        pieces = (piece for lane in self.lanes for piece in lane.pieces)
        heard = [piece.start_ms + piece.heard_ms for piece in pieces if piece.heard_ms]
        return max([self.rows[-1].at_ms if self.rows else 0.0, *heard])
