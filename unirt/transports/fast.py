"""
Frames over a WebSocket, by the ``picows`` library: the extra ``[fast]``.

The same wire and the same meaning as :mod:`unirt.transports.websocket`, at a fraction of the
processor time. The library parses in C and calls back with each frame where it lies in its buffer;
it is copied once, into bytes, and all that one read of the socket brought goes into an
:class:`~unirt.transports.inbox.Inbox`. What the library leaves to its user is here: messages in
several frames, the closing handshake, pings, and a bound to what waits unread.

How a connection comes about is in :mod:`unirt.transports.fast_dial`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport
from websockets.exceptions import ProtocolError
from websockets.frames import Close

from unirt.secret import shown_url
from unirt.translator import Frame
from unirt.transport import TransportClosed
from unirt.transports.inbox import Inbox
from unirt.transports.keepalive import Keepalive
from unirt.transports.noting import is_noting
from unirt.transports.websocket import shortened

__all__ = ["FastTransport"]

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY


class FastTransport(WSListener):
    """
    One WebSocket connection as a transport, and the listener that the library calls.

    Args:
        url: Where it goes, for messages; the query is dropped.
        ping_interval: From one ping to the next, in seconds; ``None`` for no pings.
        ping_timeout: How long an answer to one may take, in seconds; ``None`` for any time.
        close_timeout: How long the closing handshake may take, in seconds.
        max_size: The largest message that is taken, in bytes; ``None`` for any.
        max_queue: How many messages may wait unread before the socket is not read any more;
            ``None`` for any number. Their bytes are bounded too.
    """

    def __init__(
        self,
        url: str,
        *,
        ping_interval: float | None,
        ping_timeout: float | None,
        close_timeout: float,
        max_size: int | None,
        max_queue: int | None,
    ) -> None:
        self._url = shown_url(url)
        self._ping_interval = ping_interval
        self._ping_timeout = ping_timeout
        self._close_timeout = close_timeout
        self._max_size = max_size
        self._max_queue = max_queue
        self._connection: WSTransport
        self._inbox: Inbox
        self._keepalive: Keepalive | None = None

        self.kinds: deque[bool] | None = deque() if is_noting() else None
        "Whether each message is binary, in order; somebody empties it."
        self._messages: list[bytes] = []
        "What one read of the socket brought so far."
        self._partial: bytearray | None = None
        "The message whose last frame has not come."
        self._writable = asyncio.Event()
        self._writable.set()

        self._over = False
        "Whether nothing comes any more; how it ended is in the three that follow."
        self._asked: Close | None = None
        "What this side said when it closed first."
        self._told: Close | None = None
        "What the peer said when it closed first."
        self._failure = ""
        "Why nobody wanted it closed, and it is."

    @property
    def url(self) -> str:
        return self._url

    async def send(self, frame: Frame) -> None:
        self._check_open()
        self._connection.send(_TEXT if isinstance(frame, str) else _BINARY, frame)
        if not self._writable.is_set():
            await self._writable.wait()
            self._check_open()

    def send_now(self, frame: Frame) -> bool:
        connection = self._connection
        if self._over or connection.is_close_frame_sent or not self._writable.is_set():
            return False
        connection.send(_TEXT if isinstance(frame, str) else _BINARY, frame)
        return True

    async def receive(self) -> Frame:
        try:
            return await self._inbox.receive()
        except EOFError:
            raise self._end() from None

    async def deliver(
        self, take: Callable[[Sequence[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        await self._inbox.deliver(take, room)
        raise self._end()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        connection = self._connection
        if not self._over and not connection.is_close_frame_sent:
            self._ask(Close(code, shortened(reason)))
        try:
            async with asyncio.timeout(self._close_timeout):
                await connection.wait_disconnected()
        except asyncio.CancelledError:
            connection.disconnect(graceful=False)
            raise
        except (TimeoutError, WSError):  # an error is what broke it, and receive() told that
            connection.disconnect(graceful=False)
            with contextlib.suppress(WSError):
                await connection.wait_disconnected()

    # How it ends.

    def _ask(self, close: Close) -> None:
        try:
            close.check()
        except ProtocolError:  # a code that no frame may hold
            self._connection.disconnect(graceful=False)
            return
        self._asked = close
        self._say(close)

    def _say(self, close: Close) -> None:
        # The library's type names the codes of the RFC; its method takes any number.
        self._connection.send_close(cast("WSCloseCode", close.code), close.reason)

    def _check_open(self) -> None:
        # The library drops what is sent after a close frame, its own for a broken peer included.
        if self._over or self._connection.is_close_frame_sent:
            raise self._end()

    def _end(self) -> TransportClosed:
        if self._told is not None:
            return TransportClosed(self._told.code, self._told.reason, by="remote")
        if self._asked is not None:
            return TransportClosed(self._asked.code, self._asked.reason, by="local")
        return TransportClosed(None, self._failure, by="network")

    def _finish(self) -> None:
        """Wake whoever waits: nothing comes any more."""
        self._hand_over()
        self._over = True
        self._writable.set()
        self._inbox.finish()
        self._go_on()  # a socket that is stopped would hide that the peer hangs up
        if self._keepalive is not None:
            self._keepalive.stop()

    def _fail(self, code: WSCloseCode, why: str) -> None:
        """Close for a peer that is silent or breaks the protocol."""
        if not self._over:
            self._failure = why
            self._connection.send_close(code, why)
            self._finish()
        self._connection.disconnect()

    def _broken(self) -> bool:
        """Whether the library itself has closed, for an illegal peer; its reason is kept."""
        # There is no handshake, whatever the stubs say, where no close frame was exchanged.
        sent = getattr(self._connection.close_handshake, "sent", None)
        if sent is None or self._over or self._asked is not None or self._told is not None:
            return False
        self._failure = sent.reason
        return True

    # What the library calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._connection = transport
        stop = transport.underlying_transport.pause_reading
        self._inbox = Inbox(self._max_queue, stop=stop, go_on=self._go_on)
        if self._ping_interval is not None:
            self._keepalive = Keepalive(
                transport.send_ping,
                self._unanswered,
                interval=self._ping_interval,
                timeout=self._ping_timeout,
            )

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if (
            (kind is _TEXT or kind is _BINARY)
            and frame.fin
            and self._partial is None
            and not (frame.rsv1 or frame.rsv2 or frame.rsv3)
        ):
            # Text stays bytes: the JSON parser reads UTF-8 itself, and refuses what is none.
            self._messages.append(frame.get_payload_as_bytes())
            if self.kinds is not None:
                self.kinds.append(kind is _BINARY)
        else:
            self._take(frame)
        if frame.last_in_buffer:
            self._hand_over()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._broken()
        self._finish()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What a frame brings.

    def _hand_over(self) -> None:
        messages, self._messages = self._messages, []
        if messages and not self._over:  # what comes after a close means nothing
            self._inbox.put(messages)

    def _go_on(self) -> None:
        # TLS through a proxy has nothing beneath it any more once it is gone.
        if not self._connection.is_disconnected:
            self._connection.underlying_transport.resume_reading()

    def _take(self, frame: WSFrame) -> None:
        """Take what is no message in one frame: a part of one, a control frame, an illegal one."""
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._fail(WSCloseCode.PROTOCOL_ERROR, "reserved bits must be 0")
            return
        match frame.msg_type:
            case WSMsgType.TEXT | WSMsgType.BINARY | WSMsgType.CONTINUATION:
                self._take_piece(frame)
            case WSMsgType.PING:
                self._connection.send_pong(frame.get_payload_as_bytes())
            case WSMsgType.PONG if self._keepalive is not None:
                self._keepalive.pong(frame.get_payload_as_bytes())
            case WSMsgType.CLOSE:
                self._take_close(frame.get_payload_as_bytes())

    def _take_piece(self, frame: WSFrame) -> None:
        goes_on = frame.msg_type is WSMsgType.CONTINUATION
        if goes_on is (self._partial is None):
            why = "unexpected continuation frame" if goes_on else "expected a continuation frame"
            self._fail(WSCloseCode.PROTOCOL_ERROR, why)
            return
        if self.kinds is not None and not goes_on:
            self.kinds.append(frame.msg_type is _BINARY)
        partial = self._partial if self._partial is not None else bytearray()
        partial += frame.get_payload_as_memoryview()
        if self._max_size is not None and len(partial) > self._max_size:
            self._fail(WSCloseCode.MESSAGE_TOO_BIG, f"a message exceeds {self._max_size} bytes")
            return
        self._partial = None if frame.fin else partial
        if frame.fin:
            self._messages.append(bytes(partial))

    def _take_close(self, payload: bytes) -> None:
        try:
            close = Close.parse(payload)
        except (ProtocolError, UnicodeDecodeError) as exc:
            self._fail(WSCloseCode.PROTOCOL_ERROR, str(exc))
            return
        if self._asked is None and not self._over and not self._broken():
            self._told = close
            # No frame may hold 1005, which stands for a close without a code.
            self._say(close if payload else Close(1000, ""))
        # The server is the one to close the socket (RFC 6455, 7.1.1); close() waits for that.
        self._finish()

    def _unanswered(self) -> None:
        if self._inbox.stopped and self._keepalive is not None:
            # Whoever does not read sees no answer either: it is not the peer who is silent.
            self._keepalive.restart()
            return
        self._fail(WSCloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        self._connection.disconnect(graceful=False)  # it would not read what is still to be sent
