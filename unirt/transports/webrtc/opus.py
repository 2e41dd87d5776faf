"""
The codec of calls: 20 ms of sound as one packet of Opus, and back.

``aiortc`` would do it in threads, in stereo and at 48 kHz, with a level counted sample by sample in
Python: a third of what a call costs (aiortc 1.16, measured). A voice of one channel needs none
of that, and to code 20 ms of it takes a tenth of a millisecond, which is less than a thread's turn.
So tracks carry packets here, and sound is coded where it leaves and decoded where it comes.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final, Literal, cast

from av import AudioCodecContext, CodecContext, FFmpegError, Packet

from unirt.transports.webrtc.sound import FORMAT, FRAME_SAMPLES, Resampler, framed

__all__ = ["MIME_TYPE", "TICKS_A_MS", "Decoder", "Encoder"]

MIME_TYPE: Final = "audio/opus"
TICKS_A_MS: Final = 48
"The clock of its timestamps is 48 kHz, whatever the rate of the sound (RFC 7587, 4.1)."
_RATE = 48_000
"What its decoder gives."
_TICK = Fraction(1, _RATE)
_BITS_A_SECOND = 64_000
"More than a voice of this bandwidth is told from the original by."


class Encoder:
    """Sound that leaves."""

    def __init__(self) -> None:
        self._codec = _codec("w", FORMAT.rate)
        self._codec.bit_rate = _BITS_A_SECOND
        self._codec.options = {"application": "voip"}
        self._codec.time_base = Fraction(1, FORMAT.rate)
        self._samples = 0

    def encode(self, data: bytes) -> Packet[Any]:
        """The next 20 ms, with the time that they have in their track."""
        (packet,) = self._codec.encode(framed(data, self._samples))
        packet.pts, packet.time_base = self._samples * _RATE // FORMAT.rate, _TICK
        self._samples += FRAME_SAMPLES
        return packet


class Decoder:
    """Sound that comes."""

    def __init__(self) -> None:
        self._codec = _codec("r", _RATE)
        self._resampler = Resampler()

    def decode(self, data: bytes) -> bytes:
        """What is in a packet; nothing where that is no sound."""
        if not data:
            return b""  # it keeps a way through a router open, and would end the stream here
        try:
            frames = self._codec.decode(Packet(data))
        except FFmpegError:
            return b""
        return b"".join(map(self._resampler.samples, frames))


def _codec(mode: Literal["r", "w"], rate: int) -> AudioCodecContext:
    codec: Any = CodecContext.create("libopus", mode)
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", rate
    return cast("AudioCodecContext", codec)
