"""
What audio is: its format, and the arithmetic between bytes and milliseconds.

Pure values, no I/O and no signal processing; resampling lives in :mod:`unirt.session.resample`.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from unirt.errors import AudioFormatError

__all__ = ["G711_ALAW", "G711_ULAW", "PCM16_16K", "PCM16_24K", "AudioFormat", "Encoding"]


class Encoding(StrEnum):
    """How one sample is written."""

    PCM16 = "pcm16"
    "Signed 16-bit little-endian integers, 2 bytes a sample."
    FLOAT32 = "float32"
    "IEEE 754 floats in -1.0 to 1.0, little-endian, 4 bytes a sample."
    ULAW = "ulaw"
    "G.711 mu-law, 1 byte a sample."
    ALAW = "alaw"
    "G.711 A-law, 1 byte a sample."


_SAMPLE_BYTES = {Encoding.PCM16: 2, Encoding.FLOAT32: 4, Encoding.ULAW: 1, Encoding.ALAW: 1}
_NOTHING = {Encoding.PCM16: 0, Encoding.FLOAT32: 0, Encoding.ULAW: 0xFF, Encoding.ALAW: 0xD5}
"Each byte of a silent sample. A-law has no zero: this is the smallest step above it."


@attrs.frozen(kw_only=True)
class AudioFormat:
    """The format of a run of audio bytes, interleaved where there is more than one channel."""

    rate: int = attrs.field(default=24_000)
    "Samples a second and channel, in Hz."
    channels: int = attrs.field(default=1)
    encoding: Encoding = attrs.field(default=Encoding.PCM16, converter=Encoding)
    frame_bytes: int = attrs.field(init=False, repr=False, eq=False)
    "Bytes of one sample of every channel."
    byte_rate: int = attrs.field(init=False, repr=False, eq=False)
    "Bytes a second."

    @frame_bytes.default
    def _frame_bytes(self) -> int:
        return _SAMPLE_BYTES[self.encoding] * self.channels

    @byte_rate.default
    def _byte_rate(self) -> int:
        return self.rate * self.frame_bytes

    @rate.validator
    def _check_rate(self, _attribute: object, value: int) -> None:
        if not 1_000 <= value <= 384_000:
            raise AudioFormatError(
                f"a sample rate of {value!r} Hz is out of range",
                where="AudioFormat.rate",
                remedy="give the rate in Hz, from 1000 to 384000",
            )

    @channels.validator
    def _check_channels(self, _attribute: object, value: int) -> None:
        if not 1 <= value <= 32:
            raise AudioFormatError(
                f"{value!r} channels are out of range",
                where="AudioFormat.channels",
                remedy="give 1 for mono, 2 for stereo, at most 32",
            )

    def duration_ms(self, size: int) -> float:
        """How many milliseconds `size` bytes last."""
        return size * 1000 / self.byte_rate

    def bytes_for(self, ms: float) -> int:
        """How many whole-frame bytes last `ms` milliseconds, rounded down."""
        return int(ms * self.rate / 1000) * self.frame_bytes

    def silence(self, ms: float) -> bytes:
        """So many milliseconds in which nothing is heard, rounded down to whole frames."""
        return bytes((_NOTHING[self.encoding],)) * self.bytes_for(ms)

    def check(self, data: bytes | bytearray | memoryview, *, where: str) -> None:
        """
        Refuse bytes that do not hold whole samples.

        Raises:
            AudioFormatError: The length is not a multiple of :attr:`frame_bytes`.
        """
        size = data.nbytes if isinstance(data, memoryview) else len(data)
        if size % self.frame_bytes:
            raise AudioFormatError(
                f"{size} bytes are not a whole number of {self.frame_bytes}-byte "
                f"{self.encoding} frames of {self.channels} channel(s)",
                where=where,
                remedy="send whole samples, and name the true format with format=",
            )

    def __str__(self) -> str:
        channels = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        return f"{self.encoding} {self.rate} Hz {channels}"


PCM16_24K = AudioFormat(rate=24_000)
"What most models speak, and some listen to."
PCM16_16K = AudioFormat(rate=16_000)
"What other models listen to."
G711_ULAW = AudioFormat(rate=8_000, encoding=Encoding.ULAW)
G711_ALAW = AudioFormat(rate=8_000, encoding=Encoding.ALAW)
