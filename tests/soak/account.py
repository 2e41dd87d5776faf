"""
What was said and what was heard, compared in full.

Each question has a number of its own in its words, and the answer says it again; the user's voice
is made of numbers that count on from piece to piece. So whatever is lost, doubled or out of order
is seen, in either direction.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

import attrs
import numpy as np

import unirt
from unirt.audio import PCM16_24K, AudioFormat
from unirt.commands import AppendAudio
from unirt.grammar import Checker
from unirt.session import View
from unirt.simulator.line import Line
from unirt.simulator.scenario import Say
from unirt.simulator.utterance import uttered

__all__ = ["Ledger", "Listener", "Voice"]


class Voice:
    """A user whose voice counts: the n-th sample of all that he says is n, modulo 2**15."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._next = 0

    def say(self, ms: float) -> bytes:
        """The next so many ms."""
        count = self.format.bytes_for(ms) // 2
        numbers = np.arange(self._next, self._next + count) % 2**15
        self._next += count
        return numbers.astype("<i2").tobytes()

    def check(self, said: bytes, lines: Iterable[Line]) -> int:
        """
        Whether what was said is what was heard since the last look, each piece once.

        Returns how many bytes it is.
        """
        heard = bytearray()
        for line in lines:
            while line.heard:
                command = line.heard.popleft().command
                if isinstance(command, AppendAudio):
                    heard += command.data
        assert heard == said
        return len(said)


@attrs.define
class Ledger:
    """What was counted, and compared."""

    turns: int = 0
    events: int = 0
    frames: int = 0
    audio_in_mb: float = 0.0
    audio_out_mb: float = 0.0
    reconnects: int = 0
    interrupted: int = 0
    silenced_ms: float = 0.0

    def __iadd__(self, other: Ledger) -> Ledger:
        for field in attrs.fields(Ledger):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self


class Listener:
    """
    Reads a session to its end, checks the order of its events, and compares each answer.

    Args:
        session: It is read by its usual view.
    """

    def __init__(self, session: unirt.Session) -> None:
        self.ledger = Ledger()
        self.kinds: Counter[str] = Counter()
        self._answers: asyncio.Queue[unirt.ResponseDone] = asyncio.Queue()
        self._words: dict[str, list[str]] = {}
        self._sound: dict[str, bytearray] = {}
        self._checker = Checker()
        self._session = session
        self._task = asyncio.create_task(self._read(aiter(session)))

    async def _read(self, view: View) -> None:
        async for event in view:
            self._checker.feed(event)
            self.ledger.events += 1
            self.kinds[type(event).__name__] += 1
            match event:
                case unirt.TranscriptDelta(response_id=str(response_id)):
                    self._words.setdefault(response_id, []).append(event.text)
                case unirt.AudioDelta(response_id=str(response_id)):
                    self._sound.setdefault(response_id, bytearray()).extend(event.data)
                case unirt.Reconnected():
                    self.ledger.reconnects += 1
                case unirt.ResponseDone():
                    self._answers.put_nowait(event)
                case _:
                    pass

    async def answer(self, text: str) -> None:
        """
        Wait for the next answer that is complete: it is the whole of `text`, and of its sound.

        Those that were cut off before it are the beginning of it.
        """
        sound = uttered(Say(text=text), PCM16_24K, b"")
        while True:
            done = await self._next()
            words = "".join(self._words.pop(done.response_id, ()))
            heard = bytes(self._sound.pop(done.response_id, b""))
            self.ledger.audio_in_mb += len(heard) / 1e6
            if done.ending is unirt.Ending.COMPLETE:
                assert words == text, (words, text)
                assert heard == sound
                self.ledger.turns += 1
                return
            assert done.ending is unirt.Ending.INTERRUPTED, done
            assert text.startswith(words.rstrip()), (words, text)
            assert sound.startswith(heard)
            self.ledger.interrupted += 1

    async def _next(self) -> unirt.ResponseDone:
        waiting = asyncio.create_task(self._answers.get())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        await self._task
        raise AssertionError("the session ended before the answer came")

    async def done(self) -> Ledger:
        """Wait until the session has ended, in order, with nothing left over."""
        await self._task
        self._checker.finish()
        assert self._answers.empty()
        assert not self._words
        assert not self._sound
        stats = self._session.stats
        # What is unread of an answer that is interrupted is for nobody's ears.
        assert stats.events == self.ledger.events or stats.silenced_audio_ms
        assert not stats.dropped_audio_ms
        assert not stats.input_dropped_ms
        self.ledger.frames = stats.frames_in
        self.ledger.silenced_ms = stats.silenced_audio_ms
        return self.ledger
