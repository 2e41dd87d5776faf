"""
As much of a WebSocket server as a benchmark needs, and no more.

The handshake is the ``websockets`` library's. After it, what the client sends is taken apart here,
because the library's own reading would cost the server more than sending costs the client; what the
server sends is written to the transport as it is, already framed.
"""

from __future__ import annotations

import asyncio

from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.benchmarks.load import frame

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

__all__ = ["Connection"]

_TEXT, _BINARY, _CLOSE, _PING = 0x1, 0x2, 0x8, 0x9
_WRITE_LIMIT = 4 * 2**20
"Bytes that may wait in the process before the player does, so that the socket is never empty."


class Connection(asyncio.Protocol):
    """One client; a subclass says what happens."""

    def __init__(self) -> None:
        self.bytes_out = 0
        self._handshake: ServerProtocol | None = ServerProtocol()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._fragments = b""
        self._flowing = asyncio.Event()
        self._flowing.set()

    def opened(self) -> None:
        """The handshake is done."""

    def heard(self, payload: bytes) -> None:
        """The client sent a message."""

    def closed(self) -> None:
        """The client is gone."""

    @property
    def open(self) -> bool:
        """Whether there is somebody to write to."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, frames: bytes) -> None:
        """Send what is framed already."""
        if self._transport is not None:
            self._transport.write(frames)
            self.bytes_out += len(frames)

    async def drained(self) -> None:
        """Wait while the client is slow."""
        await self._flowing.wait()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(_WRITE_LIMIT)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._flowing.set()
        self.closed()

    def pause_writing(self) -> None:
        self._flowing.clear()

    def resume_writing(self) -> None:
        self._flowing.set()

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None:
            self._shake_hands(self._handshake, data)
            return
        self._received += data
        self._read_frames()

    def _shake_hands(self, handshake: ServerProtocol, data: bytes) -> None:
        handshake.receive_data(data)
        requests = [event for event in handshake.events_received() if isinstance(event, Request)]
        if requests:
            handshake.send_response(handshake.accept(requests[0]))
            self._handshake = None
        for piece in handshake.data_to_send():
            self.write(piece)
        if self._handshake is None:
            self.opened()

    def _read_frames(self) -> None:
        received, at, size = self._received, 0, len(self._received)
        while size - at >= 6:  # the shortest masked frame
            length, head = received[at + 1] & 0x7F, at + 2
            if length == 126:
                length, head = int.from_bytes(received[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, head = int.from_bytes(received[at + 2 : at + 10], "big"), at + 10
            end = head + 4 + length
            if end > size:
                break
            payload = apply_mask(bytes(received[head + 4 : end]), bytes(received[head : head + 4]))
            self._read_frame(received[at], payload)
            at = end
        del received[:at]

    def _read_frame(self, first: int, payload: bytes) -> None:
        final, opcode = first & 0x80, first & 0x0F
        if opcode == _PING:
            self.write(bytes((0x8A, len(payload))) + payload)
        elif opcode == _CLOSE:
            self.write(bytes((0x88, len(payload))) + payload)
            if self._transport is not None:
                self._transport.close()
        elif opcode in (0, _TEXT, _BINARY):
            self._fragments += payload
            if final:
                payload, self._fragments = self._fragments, b""
                self.heard(payload)

    def say(self, payload: bytes, *, binary: bool) -> None:
        """Send one message."""
        self.write(frame(payload, binary=binary))
