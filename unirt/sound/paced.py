"""
Pace: audio that moves as fast as it can be heard, without a device to set the pace.

A file and a pipe take all they are given, and give all they have, at once. Whoever listens does
not: a model that hears a minute within a second loses its sense of time, and what was written to a
pipe cannot be called back when the user interrupts. So both are moved block by block, on a clock:
the session's, unless they are given another. A session that is played from a cassette has the
tape's, so what is said into it and what is heard of it keeps step with what was recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypedDict

from unirt.audio import AudioFormat
from unirt.clock import Clock, Standing, SystemClock, follow_of, pause_of
from unirt.events import AudioDelta
from unirt.sound.backlog import MOST_MS
from unirt.sound.playing import Playing

__all__ = ["BLOCK_MS", "PacedOptions", "PacedPlayer", "PacedSource", "SourceOptions"]

BLOCK_MS = 20.0
"How much moves at a time, in ms."
_CATCH_UP_S = 0.2
"How much of a delay is made up for, by moving faster."


class SourceOptions(TypedDict, total=False):
    """Options of a source."""

    silence_ms: float
    clock: Clock | None


class PacedOptions(SourceOptions, total=False):
    """Options of a source that has it all already."""

    realtime: bool


class PacedSource(ABC):
    """
    A source that gives out each piece no sooner than the ones before it are over.

    Args:
        format: What it gives out.
        realtime: ``False`` to give it out as it is wanted.
        silence_ms: How much silence follows; infinite for silence without end.
        clock: What the time is; by default the time of the session that listens.
    """

    def __init__(
        self,
        format: AudioFormat,
        *,
        realtime: bool = True,
        silence_ms: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        self.format = format
        self._realtime = realtime
        self._silence_ms = silence_ms
        self._given_clock = clock
        self._clock = clock or SystemClock()

    def keep_time(self, clock: Clock) -> None:
        """See :class:`unirt.clock.KeepsTime`."""
        self._clock = self._given_clock or clock

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        pace = _Pace(self._clock, self.format) if self._realtime else None
        async for piece in self._pieces():
            yield piece
            if pace is not None:
                await pace.wait(len(piece))
        left_ms = self._silence_ms
        while left_ms > 0:
            silence = self.format.silence(min(left_ms, BLOCK_MS))
            left_ms -= BLOCK_MS
            yield silence
            if pace is not None:
                await pace.wait(len(silence))

    @abstractmethod
    def _pieces(self) -> AsyncIterator[bytes]:
        """What to give out, in whole samples."""


class _Pace:
    """When the next piece is due."""

    def __init__(self, clock: Clock, format: AudioFormat) -> None:
        self._now = clock.now
        self._pause_until = pause_of(clock)
        self._format = format
        self._due = clock.now()

    async def wait(self, size: int) -> None:
        """Until a piece is over."""
        earliest = max(self._due, self._now() - _CATCH_UP_S)
        due = earliest + self._format.duration_ms(size) / 1000
        await self._pause_until(due)
        self._due = min(due, self._now())  # where time stands still for it, it goes on early


class PacedPlayer(Playing, ABC):
    """
    A player that hands each block on when its time has come.

    Args:
        format: What it plays.
        realtime: ``False`` to hand on at once what it is given, which then is played.
        fill: Whether it hands on silence while there is nothing to play.
        most_ms: How far behind it may be; what comes beyond that is dropped, and counted.
        clock: What the time is; by default the time of the session whose audio it plays.
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
        self._given_clock = clock
        self._clock = clock or SystemClock()
        self._stands = False
        "Whether its clock may stand still, and go on before anybody had a turn."
        self._came: float | None = None
        """
        When the first piece was received after it had played all, where that is when it begins: on
        such a clock.
        """
        self._given = asyncio.Event()
        self._ending = False
        "No more is given."
        self._task: asyncio.Task[None] | None = None

    def keep_time(self, clock: Clock) -> None:
        """See :class:`unirt.clock.KeepsTime`."""
        self._clock = self._given_clock or clock

    @contextlib.asynccontextmanager
    async def open(self, played: Callable[[float], None]) -> AsyncGenerator[None]:
        """Begin to play, and call `played` with how much more was, in ms."""
        self._check_free()
        await self._begin()
        self._stands = isinstance(self._clock, Standing)
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
        if self._stands and not self._given.is_set():
            self._came = audio.origin.received_at
        self._given.set()

    def _settle(self) -> None:
        """Raise what ended the task that plays, where it ended and was not asked to."""
        task = self._task
        if task is not None and task.done():
            if task.cancelled():
                raise RuntimeError("the task of a player was cancelled, and not by the player")
            task.result()

    async def _run(self) -> None:
        now, follow_until = self._clock.now, follow_of(self._clock)
        due = now() if self._fill else await self._comes()
        while True:
            if not (self._fill or self.waiting_ms):
                self._given.clear()
                due = max(due, await self._comes())
            over = due + self.block_ms / 1000
            block = self._take(self._block, over)
            if self._fill:
                await self._write(block + self.format.silence(self.block_ms)[len(block) :])
            elif block:
                await self._write(block)
                over = due + self.format.duration_ms(len(block)) / 1000
            due = over
            await follow_until(due)
            if self._pass(math.inf):
                self._tell()

    async def _comes(self) -> float:
        """Wait for something to play; when it came."""
        await self._given.wait()
        return self._clock.now() if self._came is None else self._came

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
