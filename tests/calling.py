"""What tests of calls need: a session that calls a simulator over loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import unirt
from tests.talking import Reader
from unirt.clock import ManualClock
from unirt.registry import load
from unirt.simulator import Scenario, Simulator
from unirt.transports.webrtc.measure import packets_in
from unirt.transports.webrtc.options import CallOptions
from unirt.transports.webrtc.peer import Peer
from unirt.transports.webrtc.sound import FRAME_BYTES
from unirt.transports.webrtc.transport import WebRTCTransport

__all__ = [
    "HERE",
    "calling",
    "cut_off",
    "idle",
    "loudest_hz",
    "peer_of",
    "quiet_peer",
    "samples",
    "silenced",
    "simulated",
    "time_passes",
]

HERE = {"interfaces": ["127.0.0.1"]}
"The connection options that keep a call on this machine."


def simulated(scenario: Scenario | None = None, **more: Any) -> Simulator:
    """A server of the one provider that has calls."""
    return Simulator(load("openai"), scenario, **more)


@contextlib.asynccontextmanager
async def calling(
    simulator: Simulator, *, options: dict[str, Any] | None = None, **more: Any
) -> AsyncIterator[Reader]:
    """A session that called it, with somebody who reads; afterwards nothing of it is left."""
    connecting = unirt.connect(
        "openai",
        transport="webrtc",
        environ=simulator.env,
        env_file=None,
        connection_options={**HERE, **(options or {})},
        **{"reconnect": False, **more},
    )
    async with connecting as session:
        yield Reader(session)


async def idle() -> set[str]:
    """The names of the tasks that are left beside the one that asks."""
    await asyncio.sleep(0)
    here = asyncio.current_task()
    return {repr(task.get_coro()) for task in asyncio.all_tasks() if task is not here}


def samples(events: list[unirt.Event]) -> npt.NDArray[np.int16]:
    """All that was heard."""
    data = b"".join(e.data for e in events if isinstance(e, unirt.AudioDelta))
    return np.frombuffer(data, "<i2")


def loudest_hz(sound: npt.NDArray[Any], rate: int = 24_000) -> float:
    """The loudest frequency in a piece of sound."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(spectrum.argmax() * rate / len(sound))


def peer_of(session: unirt.Session) -> Peer:
    """The session's end of its call."""
    transport = session._link._transport
    assert isinstance(transport, WebRTCTransport)
    return transport.peer


def silenced(peer: Peer) -> None:
    """Let nothing leave a peer any more, as a cable that is pulled does."""
    for transceiver in peer._connection.getTransceivers():
        dtls = transceiver.receiver.transport

        async def lost(data: bytes) -> None:
            return None

        dtls.transport._send = lost
        dtls.transport._connection.send = lost  # type: ignore[method-assign]  # as a cable would


async def cut_off(peer: Peer, other: Peer) -> None:
    """Let nothing leave a peer any more; what left it before is read by the other, to the last."""
    silenced(peer)
    came, looks = -1, 0
    while looks < 100:  # a packet is read at each turn of the loop
        count = packets_in(await other._connection.getStats())
        came, looks = count, looks + 1 if count == came else 0
        await asyncio.sleep(0)


async def time_passes(clock: ManualClock, seconds: float, told: Callable[[], object]) -> None:
    """Let so much time pass at most, and each peer look whenever it wants to."""
    until = clock.now() + seconds
    while not told():
        while len(clock._sleepers) < 2 and not told():
            await asyncio.sleep(0)
        when = clock.next_wake()
        if when is not None and not told():
            assert when <= until, "it is not taken for dead"
            clock.advance_to(when)


def quiet_peer(options: CallOptions) -> Peer:
    """One that says nothing, and does not listen."""
    return Peer(
        options,
        take=lambda: bytes(FRAME_BYTES),
        heard=lambda frame, binary: None,
        hear=lambda data: None,
        told=lambda condition: None,
        over=lambda gone: None,
    )
