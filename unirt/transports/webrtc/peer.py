"""
One end of a call: a connection of ``aiortc`` with a data channel and a track each way.

All that ``aiortc`` calls back is turned into three words here: a frame came, audio came, the
call is over. An end without a word, by a network that is dead, is told by silence: packets come all
the time in a call, for both ends report on what they hear.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCSessionDescription,
)

from unirt.clock import SystemClock
from unirt.condition import Condition
from unirt.errand import Errand
from unirt.transport import TransportClosed
from unirt.transports.webrtc.candidates import NoAddress, restrict
from unirt.transports.webrtc.incoming import Incoming
from unirt.transports.webrtc.jitter import use_jitter
from unirt.transports.webrtc.measure import condition, packets_in
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.opus import MIME_TYPE
from unirt.transports.webrtc.outgoing import OutgoingTrack

__all__ = ["HUNG_UP", "Peer"]

HUNG_UP = "the peer hung up"
"How an end is told that the other side wanted; calls have no close codes, so it is a plain 1000."
_DEFAULT_LARGEST = 65_536
"Bytes of a message where the peer does not say (RFC 8841, 6.1)."
_LARGEST = re.compile(r"^a=max-message-size:(\d+)\s*$", re.MULTILINE)
_LEAVING_S = 1.0
"How long the search for a peer may take to notice that it is over."
_LOOKS = 4
"How often the network is looked at in the time in which it is taken for dead."


class Peer:
    """
    Made and used in one event loop.

    Args:
        options: How the call is made.
        take: Gives the next 20 ms to send.
        heard: Called with each frame, text as its bytes.
        hear: Called with each piece of audio.
        told: Called with each measurement, and whenever the state changed.
        over: Called once, when the call is.
    """

    def __init__(
        self,
        options: CallOptions,
        *,
        take: Callable[[], bytes],
        heard: Callable[[bytes, bool], None],
        hear: Callable[[bytes], None],
        told: Callable[[Condition], None],
        over: Callable[[TransportClosed], None],
    ) -> None:
        self.largest: int | None = _DEFAULT_LARGEST
        "How many bytes a message to the peer may have; ``None`` for any number."
        self.condition = Condition(state="connecting")
        self._options = options
        self._heard = heard
        self._hear = hear
        self._told = told
        self._over = over
        self._clock = SystemClock()
        self._alive = True
        self._channel: RTCDataChannel | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrived = asyncio.Event()
        "The other side is there, or the call is over."
        self._low = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: Errand | None = None
        servers = [
            RTCIceServer(urls=list(one.urls), username=one.username, credential=one.credential)
            for one in options.ice_servers
        ]
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._connection.addTrack(OutgoingTrack(take))
        for transceiver in self._connection.getTransceivers():
            restrict(transceiver.receiver.transport.transport.iceGatherer, options)
            transceiver.setCodecPreferences(_codecs())
            use_jitter(transceiver.receiver, Incoming(self._sound_came).take)
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._channel_came)

    # The set-up.

    async def offer(self, label: str) -> str:
        """
        The SDP of an offer, with a data channel of that name.

        Raises:
            NoAddress: Nothing that the options name can be had on this machine.
        """
        self._channel_came(self._connection.createDataChannel(label))
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """
        Take the SDP of the answer.

        Raises:
            ValueError: It is none that fits the offer.
        """
        await self._describe(answer, "answer")

    async def answer(self, offer: str) -> str:
        """
        The SDP of the answer to an offer.

        Raises:
            ValueError: It is no offer that can be answered.
            NoAddress: Nothing that the options name can be had on this machine.
        """
        await self._describe(offer, "offer")
        with _usable():
            await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    async def _describe(self, sdp: str, type_: str) -> None:
        with _usable():
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type=type_))
        said = _LARGEST.search(sdp)
        size = _DEFAULT_LARGEST if said is None else int(said[1])
        self.largest = size or None

    async def opened(self) -> None:
        """
        Wait until frames can be sent.

        Raises:
            TransportClosed: The call is over before it began.
        """
        await asyncio.shield(self._opened)

    async def arrived(self) -> bool:
        """Wait until the other side is there; ``False`` where the call is over before that."""
        await self._arrived.wait()
        return self._alive

    # What it is made of, as it comes.

    def _channel_came(self, channel: RTCDataChannel) -> None:
        if self._channel is not None:
            return
        self._channel = channel
        channel.bufferedAmountLowThreshold = _LOW_WATER
        channel.on("message", self._message_came)
        channel.on("bufferedamountlow", self._low.set)
        channel.on("close", lambda: self._end(TransportClosed(1000, HUNG_UP, by="remote")))
        channel.on("open", self._begin)
        if channel.readyState == "open":
            self._begin()

    def _begin(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)
            self._tell("connected")

    def _sound_came(self, data: bytes) -> None:
        if self._alive:
            try:
                self._hear(data)
            except Exception as exc:  # aiortc would only log it, and go on without sound
                self._broke(exc)

    def _message_came(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._heard(message.encode(), False)
        else:
            self._heard(message, True)

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "failed":
            self._end(TransportClosed(None, "no way to the peer works", by="network"))
        elif state == "closed":
            self._end(TransportClosed(1000, HUNG_UP, by="remote"))
        elif state == "connected" and not self._arrived.is_set():
            self._arrived.set()
            self._spawn(self._watch())

    # Sending.

    def send_now(self, frame: str | bytes) -> bool:
        """Send a frame, if not too much waits already; ``False`` where it does, or it is over."""
        channel = self._channel
        if channel is None or channel.readyState != "open" or not self._alive:
            return False
        if channel.bufferedAmount > _HIGH_WATER:
            return False
        channel.send(frame)
        return True

    async def less_waits(self) -> None:
        """Wait until less waits to be sent, or the call is over."""
        self._low.clear()
        await self._low.wait()

    def wake(self) -> None:
        """Let whoever waits to send look again."""
        self._low.set()

    # How it is doing.

    async def _watch(self) -> None:
        """Measure, and take a network for dead from which nothing comes."""
        options, now = self._options, self._clock.now
        step = options.dead_after / _LOOKS
        came, came_at = -1, now()
        look_at, measure_at = came_at + step, came_at + options.measure_every
        while True:
            await self._clock.sleep_until(min(look_at, measure_at))
            report = await self._connection.getStats()
            if (count := packets_in(report)) != came:
                came, came_at = count, now()
            elif now() - came_at >= options.dead_after:
                self.condition = condition(report, "connected")
                why = f"nothing came for {options.dead_after:g} s"
                self._end(TransportClosed(None, why, by="network"))
                return
            if now() >= measure_at:
                measure_at = now() + options.measure_every
                self.condition = condition(report, "connected")
                self._told(self.condition)
            look_at = now() + step

    def _tell(self, state: str) -> None:
        if state != self.condition.state:
            self.condition = attrs.evolve(self.condition, state=state)
            self._told(self.condition)

    # The end.

    def _end(self, gone: TransportClosed) -> None:
        if not self._alive:
            return
        self._alive = False
        if not self._opened.done():
            self._opened.set_exception(gone)
            self._opened.exception()  # whoever waits gets it; nobody need
        self._arrived.set()
        self._low.set()
        self._tell("failed" if gone.by == "network" else "closed")
        self._over(gone)

    async def close(self, gone: TransportClosed | None = None) -> None:
        """Leave the call, and wait until nothing of it is left. Idempotent; never raises."""
        self._end(gone or TransportClosed(1000, "", by="local"))
        if self._closing is None:
            self._closing = Errand(self._shut)
        await self._closing.done()

    async def _shut(self) -> None:
        connecting = _connecting(self._connection)
        with contextlib.suppress(Exception):  # what was counted is not worth a call that stays
            report = await self._connection.getStats()
            self.condition = condition(report, self.condition.state)
        await self._connection.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if connecting:
            await asyncio.wait(connecting, timeout=_LEAVING_S)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._broke(RuntimeError("a task was cancelled, and not by the session"))
        elif (exc := task.exception()) is not None:
            self._broke(exc)

    def _broke(self, exc: BaseException) -> None:
        self._end(TransportClosed(None, f"the call broke: {exc!r}", by="network"))


def _connecting(connection: RTCPeerConnection) -> set[asyncio.Task[Any]]:
    """The task of ``aiortc`` that looks for the peer, and does not end with its connection."""
    frames = {task: getattr(task.get_coro(), "cr_frame", None) for task in asyncio.all_tasks()}
    return {
        task
        for task, frame in frames.items()
        if frame is not None
        and frame.f_code.co_name == "__connect"
        and frame.f_locals.get("self") is connection
    }


@contextlib.contextmanager
def _usable() -> Iterator[None]:
    """What is wrong with an SDP, as one error: a line of nonsense leads to any."""
    try:
        yield
    except NoAddress:
        raise
    except Exception as exc:
        raise ValueError(f"it cannot be used: {exc!r}") from None


def _codecs() -> list[RTCRtpCodecCapability]:
    """The one that tracks are coded in."""
    return [
        codec
        for codec in RTCRtpSender.getCapabilities("audio").codecs
        if codec.mimeType.lower() == MIME_TYPE
    ]


_HIGH_WATER = 1 << 20
"How many bytes may wait in the channel before who sends has to."
_LOW_WATER = 1 << 18
"When they may go on."
