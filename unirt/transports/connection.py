"""
A connection of the ``websockets`` library that hands its messages on the moment they are parsed,
and writes one without waiting where nothing is in its way.

By itself the library puts every frame into a queue, wakes a task, and leads the message up to it
through four coroutines; that is a third of what receiving costs, and one turn of the event loop.
Here a message goes into an :class:`~unirt.transports.inbox.Inbox` at once. To send, it opens a
context that knows every way in which a connection can end, and waits for the socket to drain; that
is half of what sending costs, and there is nothing to wait for where nothing is buffered. All else
is the library's: the handshakes, the parser, pings and pongs, the closing.

The place to step in is ``process_event``, which the library's own client and server override too;
and ``connect()`` takes the class of its connections as ``create_connection`` (websockets 15.0.1,
2026-11).
"""

from __future__ import annotations

import asyncio
from collections import deque

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, OP_BINARY, OP_CONT, Frame
from websockets.protocol import OPEN, Event

from unirt.transports.inbox import Inbox
from unirt.transports.noting import is_noting

__all__ = ["PromptConnection"]


class PromptConnection(ClientConnection):
    """A client's connection; its messages are in :attr:`inbox`, and not to be had by ``recv()``."""

    inbox: Inbox
    kinds: deque[bool] | None = None
    "Whether each message is binary, in order; somebody empties it. See `noting`."
    _parts: bytearray | None = None
    "The message whose last frame has not come."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        frames, _ = self.max_queue
        self.inbox = Inbox(
            frames, stop=self.transport.pause_reading, go_on=self.transport.resume_reading
        )
        if is_noting():
            self.kinds = deque()
        self._messages: list[bytes] = []
        "What one read of the socket brought."

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        messages = self._messages
        if messages:
            self._messages = []
            self.inbox.put(messages)

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        if self.kinds is not None and event.opcode is not OP_CONT:
            self.kinds.append(event.opcode is OP_BINARY)
        if event.fin and self._parts is None:
            self._messages.append(bytes(event.data))
        else:
            self._parts = (self._parts or bytearray()) + event.data
            if event.fin:
                self._messages.append(bytes(self._parts))
                self._parts = None

    def send_now(self, message: str | bytes) -> bool:
        """Send a message; ``False``, and nothing is sent, where ``send()`` would have to wait."""
        wire = self.transport
        if self.protocol.state is not OPEN or wire.is_closing() or wire.get_write_buffer_size():
            return False
        if isinstance(message, str):
            self.protocol.send_text(message.encode())
        else:
            self.protocol.send_binary(message)
        self.send_data()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.inbox.finish()
