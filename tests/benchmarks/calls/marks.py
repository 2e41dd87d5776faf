"""
A voice with marks in it, at the pace of speech, and an ear that knows them again.

A mark is 20 ms of a loud tone in a low voice. How long it was under way is the time between handing
it to the library and being handed the first piece in which it is heard. Half a second lies between
two marks, so what is heard is the mark that was said last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import numpy as np

from unirt.audio import PCM16_24K
from unirt.simulator.voice import speech

__all__ = ["BLOCK_MS", "Marks", "speak"]

BLOCK_MS = 20
_SAMPLES = PCM16_24K.rate * BLOCK_MS // 1000
_EVERY = 25
"A mark each half second."
_LOW = 0.08
"How low the voice is."
_TONE_HZ = 1_000
_LOUD = 5_000
"What is louder than this is a mark; the voice is not."


class Marks:
    """What was said, and what was heard of it."""

    def __init__(self) -> None:
        self.delays_ms: list[float] = []
        "How long each mark was under way."
        self.heard_bytes = 0
        self._said_at: float | None = None
        "When the last mark was said; ``None`` once it was heard."
        voice = np.frombuffer(speech(1_000, PCM16_24K), "<i2") * _LOW
        self._voice = [piece.astype("<i2").tobytes() for piece in voice.reshape(-1, _SAMPLES)]
        t = np.arange(_SAMPLES) / PCM16_24K.rate
        self._mark = (20_000 * np.sin(2 * np.pi * _TONE_HZ * t)).astype("<i2").tobytes()

    def say(self, number: int) -> bytes:
        """The piece of that number, which is handed over now."""
        if number % _EVERY:
            return self._voice[number % len(self._voice)]
        self._said_at = time.perf_counter()
        return self._mark

    def hear(self, pcm: bytes) -> None:
        """This was heard."""
        self.heard_bytes += len(pcm)
        if self._said_at is not None and np.abs(np.frombuffer(pcm, "<i2")).max(initial=0) > _LOUD:
            self.delays_ms.append((time.perf_counter() - self._said_at) * 1e3)
            self._said_at = None


async def speak(marks: Marks, seconds: float, give: Callable[[bytes], Awaitable[None]]) -> None:
    """Say so much, 20 ms every 20 ms."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for number in range(round(seconds * 1000 / BLOCK_MS)):
        await asyncio.sleep(max(0.0, due - loop.time()))
        due += BLOCK_MS / 1000
        await give(marks.say(number))
