"""
One call to a simulated server: a real peer, and whoever controls the call beside it.

Frames, audio and the line's timer all come in callbacks of one event loop, and each sends at once
what it brought. What the line says goes over the data channel, and to every connection that joined
the call.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from unirt.clock import Clock
from unirt.log import logger
from unirt.simulator.line import Line
from unirt.translator import Frame
from unirt.transport import TransportClosed
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.peer import Peer
from unirt.transports.webrtc.sound import FRAME_BYTES

__all__ = ["Call"]

_LOG = logger(__name__)

_PATIENCE_S = 15.0
"How long a client may take to come."
_MOST_WAITING = 4096
"How many frames may wait for one that joined; who does not read them is dropped."


class Call:
    """
    Args:
        line: The server's end; not started.
        clock: What times the answers.
        options: How the peer is reached.
        moved: Called whenever something happened.
    """

    def __init__(
        self, line: Line, clock: Clock, options: CallOptions, moved: Callable[[Call], None]
    ) -> None:
        self.line = line
        self.over = asyncio.Event()
        "Set when nothing of the call is left."
        self._clock = clock
        self._moved = moved
        self._joined: dict[ServerConnection, _Joined] = {}
        self._changed = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._started = asyncio.Event()
        "The client has come, or never will."
        self._closing = False
        self._peer = Peer(
            options,
            take=self._take,
            heard=self._heard,
            hear=self._hear,
            told=lambda condition: None,
            over=self._gone,
        )

    async def answer(self, offer: str) -> str:
        """
        The SDP of the answer.

        Raises:
            ValueError: It is no offer.
        """
        return await self._peer.answer(offer)

    async def run(self) -> None:
        """Serve the call until it is over."""
        try:
            if not await self._opened():
                return
            self.line.start(self._clock.now())
            self._started.set()
            while self._flush():
                await self._next()
        except TransportClosed:
            pass
        finally:
            await self._end()

    async def _opened(self) -> bool:
        """Wait for the client; returns whether it came in time, and nobody hung up."""
        waiting = {
            asyncio.ensure_future(self._peer.opened()),
            asyncio.ensure_future(self._hung_up.wait()),
        }
        try:
            done, _ = await asyncio.wait(
                waiting, timeout=_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
            )
            return bool(done) and not self._closing
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def join(self, connection: ServerConnection) -> None:
        """Serve a connection that controls the call, until either is over."""
        joined = self._joined[connection] = _Joined(connection)
        sending = asyncio.create_task(joined.run())
        try:
            await self._started.wait()
            while not self._closing:
                frame = await connection.recv()
                self.line.receive(frame, self._clock.now())
                self._wake()
        except ConnectionClosed:
            pass
        finally:
            self._joined.pop(connection, None)
            sending.cancel()
            await asyncio.wait({sending})

    def hang_up(self) -> None:
        """End the call."""
        self._closing = True
        self._hung_up.set()
        self._wake()

    # What happens.

    def _heard(self, frame: bytes, binary: bool) -> None:
        self.line.receive(frame if binary else frame.decode(), self._clock.now())
        self._wake()

    def _hear(self, data: bytes) -> None:
        if self._started.is_set() and not self._closing:
            self.line.receive_audio(data, self._clock.now())
            self._wake()

    def _take(self) -> bytes:
        playing = self.line.play(FRAME_BYTES, self._clock.now())
        self._wake()
        return playing

    def _gone(self, gone: TransportClosed) -> None:
        self.line.closed = gone.code, gone.reason
        self.hang_up()

    def _wake(self) -> None:
        self._changed.set()

    async def _next(self) -> None:
        """Wait until something happened, or the line has something to say."""
        self._changed.clear()
        when = self.line.get_timer()
        waiting: set[asyncio.Future[Any]] = {asyncio.ensure_future(self._changed.wait())}
        if when is not None:
            waiting.add(asyncio.ensure_future(self._clock.sleep_until(when)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _flush(self) -> bool:
        """Say what there is to say; returns whether the call goes on."""
        now = self._clock.now()
        self.line.handle_timer(now)
        for frame in self.line.frames_to_send(now):
            self._send(frame)
            for joined in self._joined.values():
                joined.put(frame)
        self._moved(self)
        return not self._closing and self.line.close_wanted() is None

    def _send(self, frame: Frame) -> None:
        """Over the data channel; a client that cannot have a frame is hung up on, and told of."""
        most = self._peer.largest
        size = len(frame.encode()) if isinstance(frame, str) else len(frame)
        if most is not None and size > most:
            why = f"a frame of {size} bytes is larger than the client takes ({most})"
        elif not self._peer.send_now(frame) and not self._closing:
            why = "the client does not read what is sent"
        else:
            return
        _LOG.warning("the call is hung up: %s", why)
        self._closing = True

    async def _end(self) -> None:
        self._closing = True
        self._started.set()
        await self._peer.close()
        for connection in list(self._joined):
            await connection.close()
        if self.line.closed is None:
            self.line.closed = self.line.close_wanted() or (1000, "")
        self.over.set()
        self._moved(self)


class _Joined:
    """What waits for one connection that controls a call."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._frames: deque[Frame] = deque()
        self._more = asyncio.Event()

    def put(self, frame: Frame) -> None:
        self._frames.append(frame)
        if len(self._frames) > _MOST_WAITING:
            self._connection.transport.abort()
            self._frames.clear()
        self._more.set()

    async def run(self) -> None:
        try:
            while True:
                while self._frames:
                    await self._connection.send(self._frames.popleft())
                self._more.clear()
                await self._more.wait()
        except ConnectionClosed:
            pass
