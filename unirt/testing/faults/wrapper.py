"""
Faults under the one seam: a transport around a transport.

It does all that can go wrong between a session and any transport, without a socket, by any clock.
What takes a socket is the proxy's (:mod:`unirt.testing.faults.proxy`).

One task reads the transport within, for a fault may come while nobody reads; it ends with the
connection, and :meth:`FaultyTransport.close` joins it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from unirt.clock import Clock
from unirt.testing.faults.agenda import Agenda
from unirt.testing.faults.fault import Fault
from unirt.testing.faults.frames import brought, capped, changed
from unirt.testing.faults.passage import Passage
from unirt.testing.faults.phases import Course
from unirt.translator import Frame
from unirt.transport import Media, Transport, TransportClosed

__all__ = ["FaultyTransport"]

_WAITING: Final = 64
"How many frames may wait to be received."
_CLOSE_S: Final = 5.0
"How long the far end is waited for when the connection is closed, as real transports do."


class FaultyTransport:
    """
    Args:
        inner: Open; owned from here on.
        agenda: What is to go wrong.
        course: Tells the connection's phases.
        number: Which of the dials it is, counted from 1.
        clock: Its time.
    """

    def __init__(
        self, inner: Transport, agenda: Agenda, course: Course, number: int, clock: Clock
    ) -> None:
        self.media: Media | None = getattr(inner, "media", None)
        "What carries audio beside the frames; nothing goes wrong with that here."
        self._inner = inner
        self._agenda = agenda
        self._course = course
        self._number = number
        self._clock = clock
        self._waiting: deque[Frame] = deque()
        "What came, and was not received yet."
        self._gone: TransportClosed | None = None
        self._moved = asyncio.Event()
        self._stalled = False
        "Nothing more comes."
        self._stuck = False
        "Nothing more leaves."
        self._rate: int | None = None
        "Bytes a second."
        self._passages = {sent: Passage[Frame](clock) for sent in (False, True)}
        "By whether frames are sent on it."
        self._closing = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._moment()
        self._reader = asyncio.create_task(self._read())

    @property
    def url(self) -> str:
        return self._inner.url

    # What the session does.

    async def send(self, frame: Frame) -> None:
        self._check()
        before, fault = self._at_frame(frame, sent=True)
        for each in before:
            self._do(each)
        self._check()
        while self._stuck:
            await self._moves()
            self._check()
        news = self._course.sent(frame)
        for piece in await self._through(frame, fault, sent=True):
            await self._inner.send(piece)
        if news:
            self._moment()

    async def receive(self) -> Frame:
        while not self._waiting:
            self._check()
            await self._moves()
        frame = self._waiting.popleft()
        self._moved.set()
        return frame

    async def close(self, code: int = 1000, reason: str = "") -> None:
        async with self._closing:
            if self._course.closes() and self._gone is None:
                self._moment()
            try:
                if self._silent and self._gone is None:
                    await self._clock.sleep_until(self._clock.now() + _CLOSE_S)
                    self._end(TransportClosed(None, "", by="network"))
            finally:
                await self._inner.close(code, reason)
                self._end(TransportClosed(code, reason, by="local"))
                self._stop_reading()
                if self._reader is not None:
                    await asyncio.wait({self._reader})

    @property
    def _silent(self) -> bool:
        """Whether the far end will not answer a close."""
        return self._stalled or self._stuck

    def _check(self) -> None:
        if (gone := self._gone) is not None:
            raise TransportClosed(gone.code, gone.reason, by=gone.by)

    async def _moves(self) -> None:
        self._moved.clear()
        await self._moved.wait()

    # What comes.

    async def _read(self) -> None:
        try:
            while self._gone is None:
                while len(self._waiting) >= _WAITING:
                    await self._moves()
                await self._take(await self._inner.receive())
        except TransportClosed as gone:
            if not self._stalled:
                self._end(gone)
        finally:
            await self._inner.close()

    def _mute(self) -> bool:
        """Whether nothing more comes."""
        return self._stalled or self._gone is not None

    async def _take(self, frame: Frame) -> None:
        if self._mute():
            return
        before, fault = self._at_frame(frame, sent=False)
        for each in before:
            self._do(each)
        for piece in await self._through(frame, fault, sent=False):
            if self._rate is not None:
                await self._clock.sleep_until(self._clock.now() + len(piece) / self._rate)
            if self._mute():
                return
            self._put(piece)

    def _put(self, frame: Frame) -> None:
        self._waiting.append(frame)
        self._moved.set()
        if self._course.received(frame):
            self._moment()

    async def _through(self, frame: Frame, fault: Fault | None, *, sent: bool) -> list[Frame]:
        """What becomes of a frame."""
        damaged = frame if fault is None else changed(fault, frame)
        return await self._passages[sent].through(frame, fault, damaged)

    # What goes wrong.

    def _at_frame(self, frame: Frame, *, sent: bool) -> tuple[list[Fault], Fault | None]:
        phase = self._course.phase
        return self._agenda.at_frame(frame, phase, self._number, self._clock.now(), sent=sent)

    def _moment(self) -> None:
        """Another phase begins: do what is to go wrong then."""
        if self._gone is None:
            phase, now = self._course.phase, self._clock.now()
            for fault in self._agenda.at_moment(phase, self._number, now):
                self._do(fault)

    def _do(self, fault: Fault) -> None:
        match fault.kind:
            case "stall" if fault.sent:
                self._stuck = True
            case "stall":
                self._stalled = True
            case "throttle":
                self._rate = fault.number
            case "cut":
                self._end(TransportClosed(None, "", by="network"))
            case "close":
                self._end(TransportClosed(fault.number, fault.reason, by="remote"))
            case _:
                for frame in brought(fault, self._course.ear):
                    self._put(frame)
                if fault.kind == "cap":
                    self._end(TransportClosed(*capped(self._course.ear), by="remote"))

    def _end(self, gone: TransportClosed) -> None:
        if self._gone is None:
            self._gone = gone
            self._stop_reading()
        self._moved.set()

    def _stop_reading(self) -> None:
        reader = self._reader
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
