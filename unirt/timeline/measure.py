"""
How long things took: turns and tools, read off the rows.

A response is asked for by a command, or by the end of the user's speech, whichever came last before
it started. When the user was done speaking is told by the sound itself where that was kept, for it
means the same on every provider; else by the provider, where it says so.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from unirt import commands as cmd
from unirt import events as ev
from unirt.events import StreamKind
from unirt.items import Role
from unirt.timeline.sound import voice_ms
from unirt.timeline.values import Lane, Row, ToolRun, Turn

__all__ = ["tools_in", "turns_in"]

_WORDS = (StreamKind.TEXT, StreamKind.TRANSCRIPT)


def turns_in(rows: Iterable[Row], lanes: Iterable[Lane]) -> tuple[Turn, ...]:
    """One for each response, in the order in which they started."""
    lanes = list(lanes)
    voices = {lane.connection: lane for lane in lanes if lane.role == "user"}
    books: dict[int, _Book] = {}
    for row in rows:
        book = books.get(row.connection)
        if book is None:
            book = books[row.connection] = _Book(voices.get(row.connection))
        for command in row.commands:
            book.command(command, row.at_ms)
        for event in row.events:
            book.event(event, row)
    cut = _cut(lane for lane in lanes if lane.role == "assistant")
    turns = [
        attrs.evolve(turn, heard_ms=cut.get((number, turn.response_id)))
        if turn.heard_ms is None
        else turn
        for number, book in books.items()
        for turn in book.turns(number)
    ]
    return tuple(sorted(turns, key=lambda turn: turn.started_ms))


def _cut(lanes: Iterable[Lane]) -> dict[tuple[int, str | None], float]:
    """How much was heard of each response that was not heard to its end, as it is laid out."""
    heard: dict[tuple[int, str | None], float] = {}
    whole: dict[tuple[int, str | None], float] = {}
    for lane in lanes:
        for piece in lane.pieces:
            response = lane.connection, piece.response_id
            heard[response] = heard.get(response, 0.0) + piece.heard_ms
            whole[response] = whole.get(response, 0.0) + piece.duration_ms
    return {response: ms for response, ms in heard.items() if ms < whole[response] - 0.5}


class _Book:
    """The responses of one connection."""

    def __init__(self, voice: Lane | None) -> None:
        self._voice = [] if voice is None else voice_ms(voice)
        self._asked: tuple[float, str] | None = None
        self._turns: dict[str, dict[str, Any]] = {}
        self._heard: dict[str | None, list[str]] = {}
        "What the user said, by turn."
        self._typed: list[str] = []
        "What the user wrote since the last response."

    def command(self, command: cmd.Command, at_ms: float) -> None:
        asks = (cmd.SendText, cmd.SendImage, cmd.EndTurn, cmd.SendToolResult)
        if (isinstance(command, asks) and command.respond) or isinstance(
            command, cmd.Respond | cmd.CommitInput | cmd.CreateItem
        ):
            self._asked = at_ms, "command"
        if isinstance(command, cmd.SendText):
            self._typed.append(command.text)
        elif isinstance(command, cmd.CreateItem) and command.item.role is Role.USER:
            self._typed.append(command.item.text or "")

    def event(self, event: ev.Event, row: Row) -> None:
        match event:
            case ev.SpeechStopped(synthesised=False):
                self._asked = row.at_ms, "speech_stopped"
            case ev.ResponseStarted():
                self._start(event, row.at_ms)
            case ev.StreamClosed(role="user", text=str(text)) if text and event.kind in _WORDS:
                self._heard.setdefault(event.turn_id, []).append(text)
            case _ if event.response_id in self._turns:
                self._of_response(event, row, self._turns[event.response_id])
            case _:
                pass

    def _start(self, event: ev.ResponseStarted, at_ms: float) -> None:
        asked = self._asked
        if asked is None or asked[1] == "speech_stopped":
            spoken = bisect(self._voice, at_ms)
            asked = (self._voice[spoken - 1], "voice") if spoken else asked
        typed, self._typed, self._asked = self._typed, [], None
        self._turns[event.response_id] = {
            "turn_id": event.turn_id,
            "asked_ms": None if asked is None else asked[0],
            "asked_by": "" if asked is None else asked[1],
            "started_ms": at_ms,
            "audio_ms": 0.0,
            "texts": [],
            "typed": typed,
        }

    def _of_response(self, event: ev.Event, row: Row, turn: dict[str, Any]) -> None:
        match event:
            case ev.AudioDelta():
                turn.setdefault("first_audio_ms", row.at_ms)
                turn["audio_ms"] += event.duration_ms
            case ev.TextDelta(role="assistant") | ev.TranscriptDelta(role="assistant"):
                turn.setdefault("first_text_ms", row.at_ms)
            case ev.StreamClosed(role="assistant", text=str(text)) if event.kind in _WORDS:
                turn["texts"].append(text)
            case ev.Interrupted(heard_ms=heard):
                turn["heard_ms"] = heard
            case ev.ResponseDone(ending=ending, reason=reason, usage=usage, heard_ms=heard):
                turn |= {"done_ms": row.at_ms, "ending": ending, "reason": reason, "usage": usage}
                if heard is not None:
                    turn["heard_ms"] = heard

    def turns(self, number: int) -> Iterator[Turn]:
        for id_, fields in self._turns.items():
            text = " ".join(fields.pop("texts"))
            typed = fields.pop("typed")
            said = " ".join(self._heard.pop(fields["turn_id"], []) or typed)
            yield Turn(connection=number, response_id=id_, text=text, user_text=said, **fields)


def tools_in(rows: Iterable[Row]) -> tuple[ToolRun, ...]:
    """One for each call of a tool of the application's, in order."""
    runs: dict[tuple[int, str], ToolRun] = {}
    for row in rows:
        for event in row.events:
            if isinstance(event, ev.ToolCall):
                runs[row.connection, event.call_id] = ToolRun(
                    connection=row.connection,
                    call_id=event.call_id,
                    name=event.name,
                    arguments=event.arguments,
                    called_ms=row.at_ms,
                )
            elif isinstance(event, ev.ToolCallCancelled):
                for id_ in event.call_ids:
                    _change(runs, (row.connection, id_), {"cancelled": True})
        for command in row.commands:
            if isinstance(command, cmd.SendToolResult):
                _change(runs, (row.connection, command.call_id), {"answered_ms": row.at_ms})
    return tuple(runs.values())


def _change(
    runs: dict[tuple[int, str], ToolRun], key: tuple[int, str], changes: Mapping[str, Any]
) -> None:
    run = runs.get(key)
    if run is not None and run.answered_ms is None:
        runs[key] = attrs.evolve(run, **changes)
