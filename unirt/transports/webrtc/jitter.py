"""
Packets of audio into their order: a few are held, and the oldest of them is handed on.

``aiortc`` has a buffer of its own, made for pictures as well. It waits for a packet that is lost
until 16 others came, and then drops the sound around it: of a network that loses every tenth
packet, half of the sound is left (aiortc 1.16, measured). Here a packet that is lost costs 20 ms of
sound, and one that comes up to :data:`DEPTH` packets late costs nothing.

Packets are handed on when others come. Of a sender that falls silent without packets of silence,
the last few would be heard when it speaks again; they are dropped then. That it was silent is read
from its own time. When packets came says nothing of it: who is busy elsewhere for a second finds
all of them at once, and may lose none.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final

from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from unirt.transports.webrtc.opus import TICKS_A_MS

__all__ = ["DEPTH", "Jitter", "use_jitter"]

DEPTH: Final = 4
"How many packets are held: 80 ms."
_WRAP = 1 << 16
_WRAP_TIME = 1 << 32
_PACKET = 20 * TICKS_A_MS
"How long a packet is, in the sender's time."
_STALE = 500 * TICKS_A_MS
"After a pause of this length, in the sender's time, what was held is not worth hearing."
_JUMP = 500
"Packets; a sender that is further away than this has begun anew."


class Jitter:
    """
    The packets of one sender, each of them 20 ms of sound.

    Args:
        depth: How many packets are held.
    """

    def __init__(self, depth: int = DEPTH) -> None:
        self._depth = depth
        self._held: list[tuple[int, int, bytes]] = []
        "A heap: the number, the timestamp, what is in it."
        self._newest: int | None = None
        "The highest number, counted on where 16 bits begin anew."
        self._newest_time = 0
        "The timestamp of that packet."
        self._given: int | None = None
        "The number of the packet that was handed on last."

    def add(self, packet: RtpPacket) -> tuple[int, bytes] | None:
        """A packet came. Returns which is next now, if any: its timestamp, and what is in it."""
        number = self._number(packet.sequence_number, packet.timestamp)
        late = self._given is not None and number <= self._given
        if late or any(number == held for held, _, _ in self._held):
            return None
        heapq.heappush(self._held, (number, packet.timestamp, packet._data))  # type: ignore[attr-defined]  # it is set where it is parsed
        if len(self._held) < self._depth:
            return None
        self._given, timestamp, data = heapq.heappop(self._held)
        return timestamp, data

    def _number(self, short: int, timestamp: int) -> int:
        newest = self._newest
        if newest is None:
            self._newest, self._newest_time = short, timestamp
            return short
        ahead = (short - newest) % _WRAP
        ahead = ahead if ahead < _WRAP // 2 else ahead - _WRAP
        if abs(ahead) > _JUMP:
            self._held.clear()
            self._given = None
            self._newest, self._newest_time = short, timestamp
            return short
        if ahead > 0:
            pause = (timestamp - self._newest_time) % _WRAP_TIME - ahead * _PACKET
            if _STALE < pause < _WRAP_TIME // 2:
                self._held.clear()
            self._newest, self._newest_time = newest + ahead, timestamp
        return newest + ahead


class _Tap:
    """In place of ``aiortc.jitterbuffer.JitterBuffer``: takes what is in order out of there."""

    def __init__(self, take: Callable[[int, bytes], None]) -> None:
        self._jitter = Jitter()
        self._take = take

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """A packet came. No picture is asked for again, and there is nothing to decode."""
        if (following := self._jitter.add(packet)) is not None:
            self._take(*following)
        return False, None


def use_jitter(receiver: RTCRtpReceiver, take: Callable[[int, bytes], None]) -> None:
    """
    Hand on what a receiver gets, in order: the timestamp, and what is in the packet.

    Its decoder is then a thread with nothing to do, and is sent home as it begins: as it is none
    that dies with the program, a loop that ended without closing its calls would be waited for at
    the exit.
    """
    name, decoding = "_RTCRtpReceiver__jitter_buffer", "_RTCRtpReceiver__decoder_queue"
    if not (hasattr(receiver, name) and hasattr(receiver, decoding)):
        raise RuntimeError("this version of aiortc keeps its buffer elsewhere")
    setattr(receiver, name, _Tap(take))
    getattr(receiver, decoding).put(None)
