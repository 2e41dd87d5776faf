"""
Somebody who calls this program by WebRTC, a browser as a rule.

::

    async with Caller() as caller:
        ...  # bring await caller.answer(offer) back to the page
        await caller.arrived()
        async with unirt.connect() as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(session.listen(caller))
            tasks.create_task(session.playback.play(caller.player))
            async for event in session:
                ...

So a browser talks to any provider, whatever that speaks itself: what stands between is a session.
The call is made of the same parts as one to a provider: the same codec, the same buffer against
packets that are late, the same options. It ends as a source ends, when the other side hangs up or
its network is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from unirt.audio import PCM16_24K, AudioFormat
from unirt.condition import Condition
from unirt.errors import ConfigurationError, UsageError
from unirt.sound.backlog import MOST_MS
from unirt.sound.pulled import PulledPlayer
from unirt.sound.unread import MOST_UNREAD_MS, Unread
from unirt.transport import TransportClosed
from unirt.transports.webrtc.extra import need_aiortc

if TYPE_CHECKING:
    from unirt.transports.webrtc.peer import Peer

__all__ = ["Caller"]


class Caller:
    """
    A source, and with :attr:`player` a player. Made and used in one event loop.

    Args:
        heard: Called with each message of the page's data channel, where it opens one.
        most_ms: How much of what was said is held that nobody has read; beyond it the oldest is
            dropped, and counted.
        backlog_ms: How far behind its player may be.
        options: How the call is made: those of ``connection_options`` of ``transport="webrtc"``
            that are about peers, ``ice_servers``, ``interfaces``, ``ports``, ``dead_after`` and
            ``measure_every``.

    Raises:
        ConfigurationError: The extra is not installed, or there is no such option.
    """

    def __init__(
        self,
        *,
        heard: Callable[[str | bytes], None] | None = None,
        most_ms: float = MOST_UNREAD_MS,
        backlog_ms: float = MOST_MS,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        need_aiortc("Caller")
        from unirt.transports.webrtc.options import call_options

        self.format: AudioFormat = PCM16_24K
        self.player = PulledPlayer(most_ms=backlog_ms)
        "What the caller hears: ``session.playback.play(caller.player)``."
        self.ended: str | None = None
        "Why the call is over; ``None`` while it is not."
        self._options = call_options(options or {})
        self._heard = heard
        self._unread = Unread(self.format, most_ms, "a caller")
        self._peer: Peer | None = None

    @property
    def dropped_ms(self) -> float:
        """What was said and not read in time."""
        return self._unread.dropped_ms

    @property
    def condition(self) -> Condition:
        """How the connection is doing; see :class:`~unirt.condition.Condition`."""
        return Condition(state="connecting") if self._peer is None else self._peer.condition

    async def __aenter__(self) -> Self:
        from unirt.transports.webrtc.peer import Peer

        self._peer = Peer(
            self._options,
            take=self.player.take,
            heard=self._message,
            hear=self._unread.put,
            told=lambda condition: None,
            over=self._over,
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._peer is not None:
            await self._peer.close()

    async def answer(self, offer: str) -> str:
        """
        Answer a call.

        Args:
            offer: The SDP that the page made.

        Returns:
            The SDP that the page is to get.

        Raises:
            ValueError: It is no offer that can be answered.
            ConfigurationError: Nothing that the options name can be had on this machine.
            UsageError: It is not entered.
        """
        peer = self._entered("answer")
        from unirt.transports.webrtc.candidates import NoAddress

        try:
            return await peer.answer(offer)
        except NoAddress as exc:
            raise ConfigurationError(
                str(exc),
                where="options",
                remedy="name others in interfaces and ports, or leave them out",
            ) from None

    async def arrived(self, patience: float = 15.0) -> bool:
        """
        Wait until the caller is there.

        A session that begins only then is none that somebody pays for whom nobody has called.

        Args:
            patience: How long the caller may take, in seconds.

        Returns:
            ``False`` where nobody came in that time, or the call is over.

        Raises:
            UsageError: It is not entered.
        """
        try:
            async with asyncio.timeout(patience):
                return await self._entered("arrived").arrived()
        except TimeoutError:
            return False

    def say(self, text: str) -> bool:
        """
        Send a message over the page's data channel.

        Returns:
            Whether it was sent: ``False`` where there is no channel, too much waits, or the call
            is over.

        Raises:
            UsageError: It is larger than the page takes, or the call is not entered.
        """
        peer = self._entered("say")
        size = len(text.encode())
        if peer.largest is not None and size > peer.largest:
            raise UsageError(
                f"a message of {size} bytes is larger than the caller takes ({peer.largest})",
                where="say",
                remedy="send it in parts",
            )
        return peer.send_now(text)

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async with contextlib.aclosing(self._unread.pieces()) as pieces:
            async for piece in pieces:
                yield piece

    def _entered(self, where: str) -> Peer:
        if self._peer is None:
            raise UsageError(
                "nobody has called yet", where=where, remedy="enter it with 'async with'"
            )
        return self._peer

    def _message(self, frame: bytes, binary: bool) -> None:
        if self._heard is not None:
            self._heard(frame if binary else frame.decode())

    def _over(self, gone: TransportClosed) -> None:
        self.ended = gone.reason or "hung up here"
        self._unread.end()
