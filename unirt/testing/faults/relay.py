"""One connection through the proxy: what comes from either end, and what goes wrong on its way."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Final

from unirt.clock import Clock
from unirt.testing.faults.agenda import Agenda
from unirt.testing.faults.fault import Fault
from unirt.testing.faults.frames import brought, capped, changed
from unirt.testing.faults.passage import Passage
from unirt.testing.faults.phases import Course
from unirt.testing.faults.wire import CLOSE, NONSENSE, Piece, Reader, close_frame, written
from unirt.translator import Frame

__all__ = ["Ends", "Relay", "reset"]

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_READ: Final = 1 << 16
_SLOWLY: Final = 512
"Bytes that go at once where bytes are counted."


class Relay:
    """
    Args:
        client: The client's socket.
        server: The server's.
        agenda: What is to go wrong.
        course: Tells the connection's phases.
        number: Which of the dials it is, counted from 1.
        clock: Its time.
    """

    def __init__(
        self,
        client: Ends,
        server: Ends,
        *,
        agenda: Agenda,
        course: Course,
        number: int,
        clock: Clock,
    ) -> None:
        self._client = client
        self._server = server
        self._agenda = agenda
        self._course = course
        self._number = number
        self._clock = clock
        self._over = asyncio.Event()
        "The connection has ended, by a fault or by either end."
        self._mute = False
        "Nothing more goes to the client."
        self._deaf = False
        "Nothing more is read of the client."
        self._closed = False
        "The client was told that the server closes, and answers that."
        self._rate: int | None = None

    async def run(self) -> None:
        """Carry frames to and fro until the connection is over."""
        self._moment()
        ways = [
            asyncio.create_task(self._carry(self._server, self._client, sent=False)),
            asyncio.create_task(self._carry(self._client, self._server, sent=True)),
        ]
        try:
            await self._over.wait()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _carry(self, source: Ends, target: Ends, *, sent: bool) -> None:
        passage = Passage[bytes](self._clock)
        frames = Reader()
        try:
            while data := await source[0].read(_READ):
                for piece in frames.feed(data):
                    if sent and self._deaf:
                        await self._over.wait()
                    await self._pass(piece, target[1], passage, sent=sent)
                    if self._over.is_set():
                        return
        finally:
            if sent or not self._mute:
                self._over.set()

    async def _pass(
        self, piece: Piece, target: asyncio.StreamWriter, passage: Passage[bytes], *, sent: bool
    ) -> None:
        if not piece.whole:
            if piece.opcode == CLOSE and sent and self._course.closes():
                self._moment()
            await self._write(target, piece.raw, sent=sent)
            if piece.opcode == CLOSE and self._closed:
                self._over.set()
            return
        frame = piece.payload
        before, fault = self._agenda.at_frame(
            frame, self._course.phase, self._number, self._clock.now(), sent=sent
        )
        for each in before:
            self._do(each)
        damaged = piece.raw
        if fault is not None and fault.kind == "break":
            await self._write(target, piece.raw[: len(piece.raw) // 2], sent=sent)
            self._over.set()
            return
        if fault is not None:
            damaged = written(_bytes(changed(fault, frame)), piece.opcode, masked=sent)
        for raw in await passage.through(piece.raw, fault, damaged):
            await self._write(target, raw, sent=sent)
        news = self._course.sent(frame) if sent else self._course.received(frame)
        if news:
            self._moment()

    async def _write(self, target: asyncio.StreamWriter, data: bytes, *, sent: bool) -> None:
        if not sent and (self._mute or self._over.is_set()):
            return
        if sent or self._rate is None:
            target.write(data)
        else:
            for start in range(0, len(data), _SLOWLY):
                part = data[start : start + _SLOWLY]
                target.write(part)
                await self._clock.sleep_until(self._clock.now() + len(part) / self._rate)
        await target.drain()

    def _moment(self) -> None:
        """Another phase begins: do what is to go wrong then."""
        phase, now = self._course.phase, self._clock.now()
        for fault in self._agenda.at_moment(phase, self._number, now):
            self._do(fault)

    def _do(self, fault: Fault) -> None:
        writer = self._client[1]
        match fault.kind:
            case "stall" if fault.sent:
                self._deaf = True
            case "stall":
                self._mute = True
            case "throttle":
                self._rate = fault.number
            case "cut":
                self._over.set()
            case "reset":
                reset(writer)
                self._over.set()
            case "half_close":
                writer.write_eof()
                self._mute = True
            case "nonsense":
                writer.write(NONSENSE)
                self._mute = True
            case "close":
                self._close(fault.number, fault.reason)
            case "linger":
                writer.write(close_frame(fault.number, fault.reason))
                self._mute = True
            case _:
                for frame in brought(fault, self._course.ear):
                    writer.write(written(_bytes(frame)))
                if fault.kind == "cap":
                    self._close(*capped(self._course.ear))

    def _close(self, code: int, reason: str) -> None:
        self._client[1].write(close_frame(code, reason))
        self._mute = self._closed = True


def reset(writer: asyncio.StreamWriter) -> None:
    """End a socket as a crashed peer does: whoever reads of it is told that it was reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _bytes(frame: Frame) -> bytes:
    return frame if isinstance(frame, bytes) else frame.encode()
