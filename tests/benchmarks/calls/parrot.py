"""
A server of calls that says back at once what it hears: ``python -m tests.benchmarks.calls.parrot``.

It is the simulator with another mind. Once it was asked for an answer it speaks for as long as the
connection lasts: all that it is told, as it comes, and a word of transcript now and then. So a mark
in what is said comes back as a mark in what is heard, over a socket and in a call alike, and what
lies between them is the way there and back.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.events import Stream, StreamKind
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.line import Line
from unirt.simulator.recital import ORIGIN

__all__ = ["Parrots"]

_PIECES_A_WORD = 15
"A word each 300 ms."
_MOST_BEHIND = 4
"""
Pieces. After a moment in which the machine stood still many come at once, and it would be that much
behind for ever; it leaves some out.
"""


class _Parrot(Line):
    """One line to it."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._talking = False
        self._pieces = 0
        self._behind = 0
        "Pieces of a call that were heard and not played."

    def play(self, size: int, now: float) -> bytes:
        self._behind = max(0, self._behind - 1)
        return super().play(size, now)

    def _heed(self, now: float) -> None:
        for heard in self.server.heard():
            self._count(heard)
            match heard.command:
                case cmd.Respond():
                    self._begin(now)
                case cmd.AppendAudio(data=data) if self._talking and self._behind < _MOST_BEHIND:
                    self._repeat(data, now)
                case _:
                    pass

    def _begin(self, now: float) -> None:
        self._talking = True
        self._say(ev.ResponseStarted(origin=ORIGIN, response_id="resp_1", turn_id="turn_1"), now)
        for kind in (StreamKind.AUDIO, StreamKind.TRANSCRIPT):
            self._say(ev.StreamOpened(origin=ORIGIN, stream=_stream(kind)), now)

    def _repeat(self, data: bytes, now: float) -> None:
        self._behind += self.loudspeaker is not None
        audio = _stream(StreamKind.AUDIO)
        self._say(ev.AudioDelta(origin=ORIGIN, stream=audio, data=data, format=PCM16_24K), now)
        if self._pieces % _PIECES_A_WORD == 0:
            words = _stream(StreamKind.TRANSCRIPT)
            self._say(ev.TranscriptDelta(origin=ORIGIN, stream=words, text=" word"), now)
        self._pieces += 1

    def _say(self, event: ev.Event, now: float) -> None:
        self.server.send(event, now)
        if self.loudspeaker is not None:
            self.loudspeaker.take(event, now)


def _stream(kind: StreamKind) -> Stream:
    return Stream(
        id=f"item_1.0.{kind}",
        kind=kind,
        item_id="item_1",
        index=0,
        response_id="resp_1",
        turn_id="turn_1",
    )


class Parrots(Simulator):
    """A simulator on whose lines there is a parrot."""

    def _line(self) -> Line:
        return _Parrot(self.provider)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    async with Parrots(load("openai")) as server:
        print(json.dumps({"url": server.url}), flush=True)
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
