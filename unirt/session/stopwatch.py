"""
The stopwatch: when things happened in each turn, read off the events and the verbs.

Most events of a session are pieces of audio, and only the first of a turn matters here. So the
stopwatch listens for pieces of audio and text only from the moment when a stream of them opens to
the first piece, and costs nothing for all that follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from unirt.commands import Command, EndTurn, Respond, SendImage, SendText, SendToolResult
from unirt.events import (
    AudioDelta,
    ContentEvent,
    Event,
    Interrupted,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    StreamKind,
    StreamOpened,
    TextDelta,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
)
from unirt.timings import Timings, TurnTimings

__all__ = ["Stopwatch"]

KEPT = 100
"How many turns are kept."

# Named once: to look a member up in its enumeration takes Python 3.11 some 80 ns.
_AUDIO, _WORDS = StreamKind.AUDIO, (StreamKind.TEXT, StreamKind.TRANSCRIPT)

Handlers = dict[type[Event], Callable[[Any], None]]
Listen = Callable[[Handlers], None]


@attrs.define(eq=False)
class _Turn:
    """One turn while it is answered."""

    turn_id: str
    ended_at: float | None
    ended_by: str | None
    response_at: float
    text_at: float | None = None
    audio_at: float | None = None
    done_at: float | None = None
    running: set[str] = attrs.field(factory=set)
    calls: int = 0
    pending: set[str] = attrs.field(factory=set)
    "The calls that have no result."
    called_at: float = 0.0
    "Since when there are such."
    tool_ms: float = 0.0
    interrupted: bool = False

    def called(self, call_id: str, now: float) -> None:
        self.calls += 1
        if not self.pending:
            self.called_at = now
        self.pending.add(call_id)

    def answered(self, call_id: str, now: float) -> None:
        if call_id in self.pending:
            self.pending.discard(call_id)
            if not self.pending:
                self.tool_ms += (now - self.called_at) * 1000

    def timings(self) -> TurnTimings:
        return TurnTimings(
            turn_id=self.turn_id,
            ended_at=self.ended_at,
            ended_by=self.ended_by,
            response_at=self.response_at,
            text_at=self.text_at,
            audio_at=self.audio_at,
            done_at=None if self.running else self.done_at,
            calls=self.calls,
            tool_ms=self.tool_ms,
            interrupted=self.interrupted,
        )


class Stopwatch:
    """
    Args:
        listen: Has handlers called with the events of their type, from now on.
        ignore: Has them called no more.
    """

    __slots__ = (
        "_calls",
        "_end",
        "_first_audio",
        "_first_text",
        "_ignore",
        "_listen",
        "_turns",
        "handlers",
    )

    def __init__(self, *, listen: Listen, ignore: Listen) -> None:
        self._listen = listen
        self._ignore = ignore
        self._turns: dict[str, _Turn] = {}
        self._calls: dict[str, _Turn] = {}
        "By call, the turn of each that has no result."
        self._end: tuple[float, str] | None = None
        "When and how the user ended the turn that has no answer yet."
        self.handlers: Handlers = {
            SpeechStarted: self._speech_started,
            SpeechStopped: self._speech_stopped,
            ResponseStarted: self._response_started,
            StreamOpened: self._stream_opened,
            ToolCall: self._tool_called,
            ToolCallCancelled: self._calls_cancelled,
            Interrupted: self._interrupted,
            ResponseDone: self._response_done,
        }
        self._first_audio: Handlers = {AudioDelta: self._audio}
        self._first_text: Handlers = {TextDelta: self._text, TranscriptDelta: self._text}

    @property
    def timings(self) -> Timings:
        """The latest turns."""
        return Timings(tuple(turn.timings() for turn in self._turns.values()))

    def said(self, command: Command, now: float) -> None:
        """Take what the application said, once it was accepted."""
        match command:
            case SendToolResult(more_follows=False) if command.call_id in self._calls:
                self._calls.pop(command.call_id).answered(command.call_id, now)
            case EndTurn(respond=True) | SendText(respond=True) | SendImage(respond=True):
                self._end = now, "command"
            case Respond() if self._end is None:
                self._end = now, "command"
            case _:
                pass

    def _speech_started(self, event: SpeechStarted) -> None:
        if event.turn_id not in self._turns:
            self._end = None

    def _speech_stopped(self, event: SpeechStopped) -> None:
        if event.turn_id not in self._turns:
            self._end = event.received_at, "speech"

    def _response_started(self, event: ResponseStarted) -> None:
        if not event.in_conversation or event.turn_id is None:
            return
        turn = self._turns.get(event.turn_id)
        if turn is None:
            at, by = self._end or (None, None)
            turn = _Turn(event.turn_id, at, by, event.received_at)
            self._turns[event.turn_id] = turn
            self._end = None
            if len(self._turns) > KEPT:
                self._forget(self._turns.pop(next(iter(self._turns))))
        turn.running.add(event.response_id)

    def _stream_opened(self, event: StreamOpened) -> None:
        turn = self._turn(event)
        if turn is None:
            return
        if event.kind is _AUDIO and turn.audio_at is None:
            self._listen(self._first_audio)
        elif event.kind in _WORDS and turn.text_at is None:
            self._listen(self._first_text)

    def _audio(self, event: AudioDelta) -> None:
        self._ignore(self._first_audio)
        turn = self._turn(event)
        if turn is not None and turn.audio_at is None:
            turn.audio_at = event.received_at

    def _text(self, event: TextDelta | TranscriptDelta) -> None:
        turn = self._turn(event)
        if turn is not None:  # else it is the user's own
            self._ignore(self._first_text)
            if turn.text_at is None:
                turn.text_at = event.received_at

    def _turn(self, event: ContentEvent) -> _Turn | None:
        """The turn that a piece of a response answers; ``None`` where that is not timed."""
        stream = event.stream
        turn = None if stream.turn_id is None else self._turns.get(stream.turn_id)
        return turn if turn is not None and stream.response_id in turn.running else None

    def _tool_called(self, event: ToolCall) -> None:
        turn, call_id = self._turn(event), event.call_id
        if turn is not None and call_id is not None:
            turn.called(call_id, event.received_at)
            self._calls[call_id] = turn

    def _calls_cancelled(self, event: ToolCallCancelled) -> None:
        for call_id in event.call_ids:
            if call_id in self._calls:
                self._calls.pop(call_id).answered(call_id, event.received_at)

    def _interrupted(self, event: Interrupted) -> None:
        turn = None if event.turn_id is None else self._turns.get(event.turn_id)
        if turn is not None:
            turn.interrupted = True

    def _response_done(self, event: ResponseDone) -> None:
        turn = None if event.turn_id is None else self._turns.get(event.turn_id)
        if turn is not None and event.response_id in turn.running:
            turn.running.discard(event.response_id)
            turn.done_at = event.received_at

    def _forget(self, turn: _Turn) -> None:
        for call_id in turn.pending:
            self._calls.pop(call_id, None)
