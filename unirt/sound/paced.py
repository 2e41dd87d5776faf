"""
Pace: audio that moves as fast as it can be heard, without a device to set the pace.

A file and a pipe take all they are given, and give all they have, at once. Whoever listens does
not: a model that hears a minute within a second loses its sense of time, and what was written to a
pipe cannot be called back when the user interrupts. So both are moved block by block, on a clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from unirt.audio import AudioFormat
from unirt.clock import Clock, SystemClock
from unirt.events import AudioDelta
from unirt.sound.backlog import MOST_MS
from unirt.sound.playing import Playing

__all__ = ["BLOCK_MS", "PacedPlayer", "paced"]

BLOCK_MS = 20.0
"How much moves at a time, in ms."
_CATCH_UP_S = 0.2
"How much of a delay is made up for, by moving faster."


async def paced(
    pieces: AsyncIterator[bytes],
    format: AudioFormat,
    *,
    realtime: bool = True,
    silence_ms: float = 0.0,
    clock: Clock | None = None,
) -> AsyncGenerator[bytes]:
    """
    Pieces, each no sooner than the ones before it are over.

    Args:
        pieces: What to give out.
        format: What they are.
        realtime: ``False`` to give them out as they are wanted.
        silence_ms: How much silence follows; infinite for silence without end.
        clock: What the time is.
    """
    clock = clock or SystemClock()
    due = clock.now()

    async def wait(size: int) -> None:
        nonlocal due
        if realtime:
            due = max(due, clock.now() - _CATCH_UP_S) + format.duration_ms(size) / 1000
            await clock.sleep_until(due)

    async for piece in pieces:
        yield piece
        await wait(len(piece))
    while silence_ms > 0:
        silence = format.silence(min(silence_ms, BLOCK_MS))
        silence_ms -= BLOCK_MS
        yield silence
        await wait(len(silence))


class PacedPlayer(Playing, ABC):
    """
    A player that hands each block on when its time has come.

    Args:
        format: What it plays.
        realtime: ``False`` to hand on at once what it is given, which then is played.
        fill: Whether it hands on silence while there is nothing to play.
        most_ms: How far behind it may be; what comes beyond that is dropped, and counted.
        clock: What the time is.
    """

    def __init__(
        self,
        format: AudioFormat,
        *,
        realtime: bool = True,
        fill: bool = False,
        most_ms: float = MOST_MS,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(format, block_ms=BLOCK_MS, most_ms=most_ms)
        self._realtime = realtime
        self._fill = fill and realtime
        self._clock = clock or SystemClock()
        self._given = asyncio.Event()
        self._ending = False
        "No more is given."
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def open(self, played: Callable[[float], None]) -> AsyncGenerator[None]:
        """Begin to play, and call `played` with how much more was, in ms."""
        self._check_free()
        await self._begin()
        self._played = played
        self._ending = False
        run = self._run() if self._realtime else self._run_at_once()
        self._task = asyncio.create_task(run, name="unirt-player")
        try:
            yield
            if not self._realtime:
                self._ending = True
                self._given.set()
                await asyncio.wait({self._task})
        finally:
            ours = self._task.cancel()
            await asyncio.wait({self._task})
            self._stop()
            await self._end()
        if not ours:
            self._settle()

    def play(self, audio: AudioDelta) -> None:
        """
        Play this after what was given before. Returns at once.

        Raises:
            DeviceLost: What it hands its blocks on to takes no more.
        """
        if self._played is not None:
            self._settle()
        super().play(audio)
        self._given.set()

    def _settle(self) -> None:
        """Raise what ended the task that plays, where it ended and was not asked to."""
        task = self._task
        if task is not None and task.done():
            if task.cancelled():
                raise RuntimeError("the task of a player was cancelled, and not by the player")
            task.result()

    async def _run(self) -> None:
        now = self._clock.now
        due = now()
        while True:
            if not (self._fill or self.waiting_ms):
                self._given.clear()
                await self._given.wait()
                due = max(due, now())
            over = due + self.block_ms / 1000
            block = self._take(self._block, over)
            if self._fill:
                await self._write(block + self.format.silence(self.block_ms)[len(block) :])
            elif block:
                await self._write(block)
                over = due + self.format.duration_ms(len(block)) / 1000
            due = over
            await self._clock.sleep_until(due)
            if self._pass(math.inf):
                self._tell()

    async def _run_at_once(self) -> None:
        while True:
            self._given.clear()
            while (block := self._take(self._block, 0.0)) or self.sounding:
                if block:
                    await self._write(block)
                self._pass(math.inf)
                self._tell()
            if self._ending:
                return
            await self._given.wait()

    # What a player of a kind brings.

    async def _begin(self) -> None:
        """Be ready for blocks."""

    @abstractmethod
    async def _write(self, block: bytes) -> None:
        """Hand on a block."""

    async def _end(self) -> None:
        """There are no more."""
