"""A call as a transport: frames go over its data channel, audio beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from unirt.audio import AudioFormat
from unirt.condition import Condition
from unirt.errors import UsageError
from unirt.log import logger
from unirt.translator import Frame
from unirt.transport import TransportClosed
from unirt.transports.inbox import Inbox
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.outgoing import Waiting
from unirt.transports.webrtc.peer import Peer
from unirt.transports.webrtc.sound import FORMAT

__all__ = ["CallMedia", "WebRTCTransport"]

_LOG = logger(__name__)

_MOST_UNREAD = 16 << 20
"Bytes of frames that nobody read; a data channel cannot be told to wait, so then the call ends."


class CallMedia:
    """The audio of a call; see :class:`unirt.transport.Media`."""

    def __init__(self) -> None:
        self.call_id: str | None = None
        self.waiting = Waiting()
        self.peer: Peer | None = None
        self._hear: Callable[[bytes], None] | None = None
        self._told: Callable[[Condition], None] | None = None

    @property
    def format(self) -> AudioFormat:
        return FORMAT

    @property
    def largest(self) -> int | None:
        return None if self.peer is None else self.peer.largest

    @property
    def condition(self) -> Condition:
        return Condition(state="connecting") if self.peer is None else self.peer.condition

    def attend(self, hear: Callable[[bytes], None], told: Callable[[Condition], None]) -> None:
        self._hear, self._told = hear, told

    def send(self, data: bytes) -> None:
        self.waiting.put(data)

    def hold(self, held: bool) -> None:
        self.waiting.held = held

    def drop(self) -> None:
        self.waiting.drop()

    async def room(self) -> None:
        await self.waiting.room()

    async def drained(self) -> None:
        await self.waiting.drained()

    def hear(self, data: bytes) -> None:
        """Audio came."""
        if self._hear is not None:
            self._hear(data)

    def told(self, condition: Condition) -> None:
        """The connection was measured, or its state changed."""
        if self._told is not None:
            self._told(condition)

    def finish(self) -> None:
        """The call is over."""
        self.waiting.finish()
        self._hear = None


class WebRTCTransport:
    """
    The session's end of a call.

    Args:
        options: How the call is made.
        url: Where it was set up, for messages.
    """

    def __init__(self, options: CallOptions, url: str) -> None:
        self.media = CallMedia()
        self.hang_up: Callable[[], Awaitable[None]] | None = None
        "Tells the provider that the call is over; ``None`` where that needs no telling."
        self._url = url
        self._gone: TransportClosed | None = None
        self._inbox = Inbox(None, stop=self._unread_now, go_on=self._read_again)
        self._unread: int | None = None
        "Bytes that came since reading stopped; ``None`` where it has not."
        self.peer = self.media.peer = Peer(
            options,
            take=self.media.waiting.take,
            heard=self._heard,
            hear=self.media.hear,
            told=self.media.told,
            over=self._over,
        )

    @property
    def url(self) -> str:
        return self._url

    # Sending.

    async def send(self, frame: Frame) -> None:
        while not self.send_now(frame):
            if self._gone is not None:
                self._raise_gone()
            await self.peer.less_waits()

    def send_now(self, frame: Frame) -> bool:
        """
        See :class:`unirt.transport.Prompt`.

        Raises:
            UsageError: The frame is larger than the peer takes.
        """
        if self._gone is not None:
            return False
        size = len(frame.encode()) if isinstance(frame, str) else len(frame)
        most = self.peer.largest
        if most is not None and size > most:
            raise UsageError(
                f"a frame of {size} bytes is larger than the peer takes in one message ({most})",
                where="transport",
                remedy="send less at once, or use transport='websocket'",
            )
        return self.peer.send_now(frame)

    # Receiving.

    async def receive(self) -> Frame:
        try:
            return await self._inbox.receive()
        except EOFError:
            self._raise_gone()

    async def deliver(
        self, take: Callable[[Sequence[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        await self._inbox.deliver(take, room)
        self._raise_gone()

    def _heard(self, frame: bytes, _binary: bool) -> None:
        if self._unread is not None:
            self._unread += len(frame)
            if self._unread > _MOST_UNREAD:
                self._over(TransportClosed(None, "nobody reads what comes", by="network"))
                return
        self._inbox.put([frame])

    def _unread_now(self) -> None:
        self._unread = 0

    def _read_again(self) -> None:
        self._unread = None

    # The end.

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._over(TransportClosed(code, reason, by="local"))
        hang_up, self.hang_up = self.hang_up, None
        try:
            if hang_up is not None:
                await hang_up()
        except Exception as exc:
            _LOG.debug("the provider was not told that the call is over: %r", exc)
        finally:
            await self.peer.close()

    def _over(self, gone: TransportClosed) -> None:
        if self._gone is None:
            self._gone = gone
            self.media.finish()
            self._inbox.finish()
            if gone.by == "remote":
                self.hang_up = None
            self.peer.wake()

    def _raise_gone(self) -> NoReturn:
        gone = self._gone or TransportClosed(None, by="network")
        raise TransportClosed(gone.code, gone.reason, by=gone.by)
