"""
The far end of a connection that is played to somebody else's client.

It speaks the real protocol, with the ``websockets`` library's own server side, over a pair of
sockets inside the process. So a client has its real connection: its own class, frames and closing
handshake. What the peer says comes from a recorded connection, and what it hears is matched with
it. Where that does not match, the connection is cut, and the cassette says why in the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import socket

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from unirt.cassettes.entries import Segment
from unirt.deck.deck import Deck
from unirt.errors import CassetteMismatch
from unirt.transport import TransportClosed
from unirt.transports.playing import PlayingTransport

__all__ = ["Peer"]

_CHUNK = 1 << 16


class Peer:
    """
    Args:
        deck: What plays the connection.
        segment: The connection; taken from the deck.
        sock: This end of the pair; owned from here on.
    """

    def __init__(self, deck: Deck, segment: Segment, sock: socket.socket) -> None:
        self._deck = deck
        self._opened = segment.opened
        self._segment = segment
        self._sock = sock
        chosen = segment.opened.subprotocol
        self._protocol = ServerProtocol(
            subprotocols=None if chosen is None else [Subprotocol(chosen)], max_size=None
        )
        self.over = False
        "Whether either side has closed the connection."
        self._message: tuple[bytearray, bool] | None = None
        "The message whose last frame has not come."

    async def serve(self) -> None:
        """Until either side closes the connection."""
        reader, self._writer = await asyncio.open_connection(sock=self._sock)
        speaking: asyncio.Task[None] | None = None
        transport: PlayingTransport | None = None
        try:
            while data := await reader.read(_CHUNK):
                self._protocol.receive_data(data)
                for event in self._protocol.events_received():
                    if isinstance(event, Request):
                        transport = self._answer(event)
                        if transport is not None:
                            speaking = asyncio.create_task(self._speak(transport))
                    elif isinstance(event, Frame) and transport is not None:
                        await self._hear(event, transport)
                self._flush()
        except (CassetteMismatch, ConnectionError):
            self._writer.transport.abort()
        finally:
            self.over = True
            self._writer.close()
            if transport is not None:
                await transport.close(1006)
            if speaking is not None:
                speaking.cancel()
                await asyncio.wait({speaking})
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def _answer(self, request: Request) -> PlayingTransport | None:
        opened = self._opened
        if opened.failed:
            status = http.HTTPStatus(opened.status or 500)
            self._protocol.send_response(self._protocol.reject(status, opened.error))
            return None
        self._protocol.send_response(self._protocol.accept(request))
        return self._deck.play(self._segment)

    async def _hear(self, frame: Frame, transport: PlayingTransport) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.over = True
            code = self._protocol.close_rcvd
            await transport.close(1005 if code is None else code.code)
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        parts, binary = self._message or (bytearray(), frame.opcode is Opcode.BINARY)
        parts += frame.data
        self._message = None if frame.fin else (parts, binary)
        if frame.fin:
            transport.send_now(bytes(parts) if binary else parts.decode())

    async def _speak(self, transport: PlayingTransport) -> None:
        try:
            while self._protocol.state is OPEN:
                entry = await transport.next()
                if entry.binary or isinstance(entry.data, bytes):
                    self._protocol.send_binary(entry.payload)
                else:
                    self._protocol.send_text(entry.payload)
                self._flush()
                await self._writer.drain()
        except TransportClosed as gone:
            self.over = True
            if gone.by == "remote" and gone.code is not None and self._protocol.state is OPEN:
                self._close(gone.code, gone.reason)
            elif gone.by != "local":
                self._writer.transport.abort()
        except (CassetteMismatch, ConnectionError):
            self._writer.transport.abort()

    def _close(self, code: int, reason: str) -> None:
        # No frame may hold 1005, which stands for a close without a code.
        self._protocol.send_close(None if code == 1005 else code, reason)
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
