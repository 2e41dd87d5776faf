"""
What a server plays that owns the playback: the answers of a call, one after the other.

Answers are generated faster than they are heard, so they wait here. Whoever carries the audio takes
it 20 ms at a time, and the protocol is told when an answer begins to play, when it was played, and
when the rest of it was thrown away. The user's speech throws it away; to stop the generation alone,
as a client may, lets be heard what was generated.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import attrs

from unirt import events as ev
from unirt.events import Event
from unirt.simulator.recital import ORIGIN
from unirt.translator import ServerTranslator

__all__ = ["Loudspeaker"]


@attrs.define(eq=False)
class _Answer:
    response_id: str
    turn_id: str | None
    data: bytearray = attrs.field(factory=bytearray)
    started: bool = False
    whole: bool = False
    "Nothing is added to it any more."


class Loudspeaker:
    """
    Args:
        server: Tells the client what is played.
    """

    def __init__(self, server: ServerTranslator) -> None:
        self._server = server
        self._answers: deque[_Answer] = deque()

    @property
    def playing(self) -> bool:
        """Whether anything is left to be played."""
        return bool(self._answers)

    def take(self, event: Event, now: float) -> None:
        """Follow what the model says."""
        match event:
            case ev.AudioDelta(response_id=str() as response_id):
                self._answer(response_id, event.turn_id).data += event.data
            case ev.ResponseDone(response_id=response_id):
                for answer in self._answers:
                    answer.whole = answer.whole or answer.response_id == response_id
            case ev.Interrupted(by="speech"):
                self.clear(now)
            case _:
                pass

    def play(self, size: int, now: float) -> bytes:
        """The next so many bytes, silence where there is nothing."""
        played = b""
        while self._answers and len(played) < size:
            answer = self._answers[0]
            if answer.data:
                self._start(answer, now)
                more = bytes(answer.data[: size - len(played)])
                del answer.data[: len(more)]
                played += more
            if answer.data or not answer.whole:
                break
            self._answers.popleft()
            if answer.started:
                self._say(ev.PlaybackStopped, answer, now)
        return played + bytes(size - len(played))

    def clear(self, now: float) -> None:
        """Fall silent, and forget what was not played."""
        for answer in self._answers:
            if answer.started:
                self._say(ev.PlaybackCleared, answer, now)
        self._answers.clear()

    def _answer(self, response_id: str, turn_id: str | None) -> _Answer:
        for answer in self._answers:
            if answer.response_id == response_id:
                return answer
        answer = _Answer(response_id, turn_id)
        self._answers.append(answer)
        return answer

    def _start(self, answer: _Answer, now: float) -> None:
        if not answer.started:
            answer.started = True
            self._say(ev.PlaybackStarted, answer, now)

    def _say(self, event: type[Any], answer: _Answer, now: float) -> None:
        ids = {"response_id": answer.response_id, "turn_id": answer.turn_id}
        self._server.send(event(origin=ORIGIN, **ids), now)
