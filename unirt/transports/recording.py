"""
A transport that tells what goes over another one.

It stands between a session and any transport, and changes neither order nor timing: it has the
ways to send and to receive without a task (:class:`unirt.transport.Prompt`) where the other has
them, and no others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed

__all__ = ["RecordingTransport", "Track"]


class Track(Protocol):
    """Who is told what goes over one connection."""

    def sent(self, frame: Frame) -> Callable[[], None]:
        """A frame leaves; what it returns takes that back, for a frame that did not."""
        ...

    def received(self, frames: Sequence[tuple[Frame, bool]]) -> None:
        """Frames came, all at once; each with whether it was binary."""
        ...

    def closed(self, code: int | None, reason: str, by: str) -> None:
        """The connection is gone. Once."""
        ...


class RecordingTransport:
    """
    Args:
        inner: Open; owned from here on.
        track: Is told.
    """

    def __init__(self, inner: Transport, track: Track) -> None:
        self._inner = inner
        self._track = track
        self._reading = False
        self._ended = False
        self._kinds: deque[bool] | None = getattr(inner, "kinds", None)
        "Whether each message that came is binary, where the other transport notes that."
        if hasattr(inner, "media"):
            self.media = inner.media
            "See :class:`unirt.transport.Media`: audio beside the frames is not recorded."
        if hasattr(inner, "send_now"):
            self._send_now: Callable[[Frame], bool] = inner.send_now
            self.send_now = self._note_and_send
            "See :class:`unirt.transport.Prompt`."
        if hasattr(inner, "deliver"):
            self._deliver = inner.deliver
            self.deliver = self._note_and_deliver
            "See :class:`unirt.transport.Prompt`."

    @property
    def url(self) -> str:
        return self._inner.url

    async def send(self, frame: Frame) -> None:
        # Noted before, for an answer may come before this goes on.
        take_back = self._track.sent(frame)
        try:
            await self._inner.send(frame)
        except TransportClosed as gone:
            take_back()
            self._note_end(gone)
            raise

    def _note_and_send(self, frame: Frame) -> bool:
        left = self._send_now(frame)
        if left:
            self._track.sent(frame)
        return left

    async def receive(self) -> Frame:
        with self._read():
            frame = await self._inner.receive()
        self._note((frame,))
        return frame

    async def _note_and_deliver(
        self, take: Callable[[Iterable[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        def note_and_take(frames: Iterable[Frame]) -> bool:
            if not isinstance(frames, list | tuple):
                return take(self._noted(frames))
            self._note(frames)
            return take(frames)

        with self._read():
            await self._deliver(note_and_take, room)

    @contextmanager
    def _read(self) -> Iterator[None]:
        self._reading = True
        try:
            yield
        except TransportClosed as gone:
            self._note_end(gone)
            raise
        finally:
            self._reading = False

    def _noted(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Frames of which each has its time when it is asked for."""
        for frame in frames:
            self._note((frame,))
            yield frame

    def _note(self, frames: Sequence[Frame]) -> None:
        kinds = self._kinds
        self._track.received(
            [
                (frame, isinstance(frame, bytes) if kinds is None else kinds.popleft())
                for frame in frames
            ]
        )

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._inner.close(code, reason)
        if not self._reading:  # whoever reads hears how it really ended
            self._note_end(TransportClosed(code, reason, by="local"))

    def _note_end(self, gone: TransportClosed) -> None:
        if not self._ended:
            self._ended = True
            self._track.closed(gone.code, gone.reason, gone.by)
