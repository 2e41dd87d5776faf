"""
A connection of the ``websockets`` library that hands its messages on the moment they are parsed,
and writes one without waiting where nothing is in its way.

By itself the library puts every frame into a queue, wakes a task, and leads the message up to it
through four coroutines; that is a third of what receiving costs, and one turn of the event loop.
Here a message goes into an :class:`~unirt.transports.inbox.Inbox` at once. To send, it opens a
context that knows every way in which a connection can end, and waits for the socket to drain; that
is half of what sending costs, and there is nothing to wait for where nothing is buffered. And the
frames that hold one whole message, nearly all there are, are read and written by
:mod:`unirt.transports.framing`. All else is the library's: the handshakes, messages in several
frames, pings and pongs, whatever is illegal, the closing. It is given whole frames only, so
that its parser always stands between two of them.

What a socket brings is read into memory that all connections of a thread share, 2 MiB at once where
there is so much, and messages are copied out of it. Otherwise asyncio makes a new object of at most
256 KiB for each read; and each read costs some 60 us of its own, for then all that is above it has
its turn. So where frames come faster than they are spoken, they cost a quarter less. Where they are
small, fewer bytes are read at once: what is made of thousands is in no cache when it is looked at.

The places to step in are ``data_received`` and ``process_event``, which the library's own client
and server override too; an event loop asks a ``BufferedProtocol`` for the memory to read into; and
``connect()`` takes the class of its connections as ``create_connection`` (websockets 15.0.1, 16.1.1
and 17.4, 2026-11).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import CONNECTING, OPEN, Event

from unirt.transports.framing import client_frame, frame_end, take_messages
from unirt.transports.inbox import Inbox
from unirt.transports.noting import is_noting

__all__ = ["READ_BYTES", "PromptConnection"]

READ_BYTES: Final = 1 << 21
"How much one read of a socket may bring: some 20 s of audio. With more it is in no cache."

_LEAST_BYTES: Final = 1 << 16
"How much it may bring at least, however small the frames are."

_MESSAGES: Final = 224
"How many messages one read is to bring, where they are small."

_HEAD_BYTES: Final = 14
"The longest head that a frame may have (RFC 6455, 5.2)."


class _Memory(threading.local):
    """
    What the sockets of one thread are read into.

    An event loop fills it and hands over what it brought in one step, and nothing of it is kept, so
    one is enough. A process that is forked has one of its own.
    """

    def __init__(self) -> None:
        self.view = memoryview(bytearray(READ_BYTES))


_MEMORY = _Memory()


class PromptConnection(ClientConnection, asyncio.BufferedProtocol):
    """
    A client's connection; its messages are in :attr:`inbox`, and not to be had by ``recv()``.

    Args:
        protocol: The library's state of the connection.
        max_queue: How many messages may wait, as for the library's own; the first of two counts.
        more: For the library.
    """

    inbox: Inbox

    def __init__(
        self,
        protocol: ClientProtocol,
        *,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        **more: Any,
    ) -> None:
        super().__init__(protocol, max_queue=max_queue, **more)
        self._waiting = max_queue[0] if isinstance(max_queue, tuple) else max_queue
        self._longest = _longest(protocol)
        self.kinds: deque[bool] | None = deque() if is_noting() else None
        "Whether each message is binary, in order; somebody empties it. See `noting`."
        # The library's log, the kinds, and a protocol of somebody else's have to see every frame.
        unseen = type(protocol) is ClientProtocol and self.kinds is None
        self._plain = unseen and not self.debug
        self._ends: asyncio.TimerHandle | None = None
        "Ends a socket that the server does not end."
        self._messages: list[bytes] = []
        "What one read of the socket brought."
        self._parts: bytearray | None = None
        "The message whose last frame has not come."
        self._begun = bytearray()
        "A frame of which not all has come."
        self._needed = 0
        "How long it is, where that is known."
        self._may_read = READ_BYTES
        "How many bytes the next read may bring, where there is room for as many."

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.inbox = Inbox(
            self._waiting, stop=self.transport.pause_reading, go_on=self.transport.resume_reading
        )

    def get_buffer(self, sizehint: int) -> memoryview:
        return _MEMORY.view[: self._may_read]

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(_MEMORY.view[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        if self._plain and self.protocol.state is OPEN:  # a property: it is asked once a read
            self._take(data)
        else:
            self._give(data)
        messages = self._messages
        if messages:
            self._messages = []
            if len(data) >= _LEAST_BYTES:
                wanted = len(data) // len(messages) * _MESSAGES
                self._may_read = max(wanted, _LEAST_BYTES)
            self.inbox.put(messages)

    def _give(self, data: bytes | memoryview) -> None:
        """Give the library what was read: the handshake, or all, where it is to see every frame."""
        while self.protocol.state is CONNECTING and data:
            # A line at a time: the first byte after the handshake begins a frame.
            line, data = _first_line(bytes(data))
            self._feed(line)
        if self._plain and self.protocol.state is OPEN:
            self._take(data)
        elif data:
            begun, self._begun = bytes(self._begun), bytearray()
            self._feed(begun + bytes(data))  # a close of ours may come amid a frame

    def _feed(self, data: bytes) -> None:
        """
        Have the library read, and see to it that the socket is ended.

        A server that has said close, or was told so, ends it. The library waits for that only where
        somebody sends or closes; whoever reads would wait without end.
        """
        super().data_received(data)
        timeout = self.close_timeout
        if timeout is not None and self._ends is None and self.protocol.close_expected():
            self._ends = self.loop.call_later(timeout, self.transport.abort)

    def _take(self, data: bytes | memoryview) -> None:
        """Take the messages of what was read, and give the library every frame that is none."""
        begun = self._begun
        if begun:
            # No more than what it lacks: all else stays where it is. Of a head of which not all
            # has come it is not known; no head has more than 14 bytes.
            lacks = (self._needed or _HEAD_BYTES) - len(begun)
            begun += data[:lacks]
            if len(begun) < self._needed:
                return
            data, first = data[lacks:], bytes(begun)
            begun.clear()
            if not self._take_frames(first):
                return
            if begun:
                if data:
                    self._take(data)
                return
        self._take_frames(data)

    def _take_frames(self, data: bytes | memoryview) -> bool:
        """
        The same for data that begins with a frame; one that is cut by its end has begun.

        Returns:
            Whether more may come: what comes after a close means nothing.
        """
        most, at = self._longest, 0
        while True:
            if self._parts is None:
                at = take_messages(data, at, self._messages, most)
            if at == len(data):
                return True
            end = frame_end(data, at, most)
            if end is None or end > len(data):
                self._begun += data[at:]
                self._needed = 0 if end is None else end - at
                return True
            self._feed(bytes(data[at:end]))
            at = end
            if self.protocol.state is not OPEN:
                return False

    def process_event(self, event: Event) -> None:
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        if self.kinds is not None and event.opcode is not Opcode.CONT:
            self.kinds.append(event.opcode is Opcode.BINARY)
        if event.fin and self._parts is None:
            self._messages.append(bytes(event.data))
        else:
            self._parts = (self._parts or bytearray()) + event.data
            if event.fin:
                self._messages.append(bytes(self._parts))
                self._parts = None

    def send_now(self, message: str | bytes) -> bool:
        """Send a message; ``False``, and nothing is sent, where ``send()`` would have to wait."""
        wire, protocol = self.transport, self.protocol
        if protocol.state is not OPEN or wire.is_closing() or wire.get_write_buffer_size():
            return False
        if self._plain and not protocol.extensions:
            wire.write(client_frame(message))
        else:
            self._send_by_library(message)
        return True

    def _send_by_library(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.protocol.send_text(message.encode())
        else:
            self.protocol.send_binary(message)
        self.send_data()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ends is not None:
            self._ends.cancel()
        super().connection_lost(exc)
        self.inbox.finish()


def _longest(protocol: ClientProtocol) -> int | None:
    """The longest message that may come; websockets 16 has a bound for each fragment too."""
    names = ("max_size", "max_message_size", "max_fragment_size")
    bounds = [getattr(protocol, name, None) for name in names]
    return min((bound for bound in bounds if bound is not None), default=None)


def _first_line(data: bytes) -> tuple[bytes, bytes]:
    end = data.find(b"\n") + 1 or len(data)
    return data[:end], data[end:]
