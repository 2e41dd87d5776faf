"""
Listening: a session that takes the user's audio from a source by itself.

A *source* is anything that can be iterated for pieces of audio and says what they are: a
microphone, a file, a pipe, a track of a call. Those that come with unirt are in :mod:`unirt.sound`;
a sink is the same for the other direction, see :mod:`unirt.session.playback`.

A source is read only as fast as the session takes its audio. What it does with the time between is
its own affair: a file waits, a microphone holds a bounded part of what it hears.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from unirt.audio import AudioFormat
from unirt.clock import Clock, KeepsTime
from unirt.errors import SessionClosedError
from unirt.session.audio_in import AudioIn
from unirt.session.moves import Moves
from unirt.session.views import Hub

if TYPE_CHECKING:
    from unirt.session.audio_in import AudioData

__all__ = ["Listening", "Source"]


@runtime_checkable
class Source(Protocol):
    """Somewhere audio comes from."""

    @property
    def format(self) -> AudioFormat:
        """What its pieces are."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """
        Its pieces, each of whole samples, as they come.

        It is opened when the first is asked for. An iterator that has an ``aclose()`` is closed
        with it when no more is wanted.
        """
        ...


class Listening:
    """The part of a session that listens to sources."""

    _clock: Clock
    _hub: Hub
    _audio_in: AudioIn
    _moves: Moves

    if TYPE_CHECKING:

        @property
        def closed(self) -> bool: ...
        def _check_open(self, verb: str) -> None: ...
        def _append(self, data: bytes) -> None: ...
        @abstractmethod
        async def send_audio(self, data: AudioData, format: AudioFormat | None = None) -> None: ...

    async def listen(self, source: Source) -> None:
        """
        Send all that a source hears, until it ends or the session is over. Run it as a task.

        Why a session is over is told by whoever reads it, not here. What goes wrong with the source
        is raised here, and the session goes on.

        Args:
            source: A microphone, a file, a pipe: see :mod:`unirt.sound`.

        Raises:
            AudioFormatError: The source gave what is not in its format.
            SessionClosedError: The session was over before.
        """
        self._check_open("listen")
        if isinstance(source, KeepsTime):
            source.keep_time(self._clock)
        hearing = asyncio.create_task(self._hear(source), name="unirt-listen")
        over = asyncio.create_task(self._hub.ended.wait(), name="unirt-listen-end")
        tasks = {hearing, over}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if hearing.cancelled() or not (hearing.done() or self._hub.ended.is_set()):
                raise RuntimeError("listening was cancelled, and not by the session")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if not hearing.cancelled():
            hearing.result()

    async def _hear(self, source: Source) -> None:
        pieces = aiter(source)
        try:
            async for piece in pieces:
                await self.send_audio(piece, source.format)
            if not (self.closed or self._moves.moving):
                self._append(self._audio_in.flush())
        except SessionClosedError:
            pass
        finally:
            if (close := getattr(pieces, "aclose", None)) is not None:
                await close()
