"""
Streaming conversion of audio: any rate, channel count and encoding into any other.

Resampling is soxr's, in its streaming form, so that chunk borders leave no trace: the output of
many chunks is, byte for byte, the output of one. The price is a filter's delay: the last 20 to
40 ms of what was fed come with the next chunk, or with :meth:`Converter.flush`.

numpy and soxr are imported when the first converter is made that has anything to convert.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from unirt.audio import AudioFormat, Encoding

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

__all__ = ["Converter"]

_QUALITY = "HQ"
"""
20 bits, the default of soxr. LQ would save 15 ms of delay and alias audibly; VHQ costs twice the
delay for what no speech model hears.
"""


class Converter:
    """
    One run of audio on its way from one format to another.

    Args:
        source: What is fed.
        target: What comes out. From several channels to another number of them, the mean of all
            goes to each.
    """

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self.source = source
        self.target = target
        self._native = source == target
        self._rest = b""
        "The start of a sample whose other bytes have not been fed yet."
        self._stream: Any = None
        self._begin()

    def feed(self, data: bytes) -> bytes:
        """Convert the next piece; what comes out may lag behind what was fed."""
        if self._native:
            return data
        data = self._rest + data
        whole = len(data) - len(data) % self.source.frame_bytes
        data, self._rest = data[:whole], data[whole:]
        return self._convert(data, last=False) if data else b""

    def flush(self) -> bytes:
        """End the run: return what lags behind, and be ready for another run."""
        if self._stream is None:
            self._rest = b""
            return b""
        tail = self._convert(b"", last=True)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget what lags behind, and be ready for another run."""
        self._rest = b""
        self._begin()

    def _begin(self) -> None:
        if self.source.rate == self.target.rate:
            return
        # Imported here: a native session needs neither soxr nor numpy. soxr ships no types.
        import soxr

        channels = self.target.channels
        self._stream = soxr.ResampleStream(
            self.source.rate, self.target.rate, channels, dtype="float32", quality=_QUALITY
        )

    def _convert(self, data: bytes, *, last: bool) -> bytes:
        samples = _mixed(_decoded(data, self.source), self.target.channels)
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last=last)
        return _encoded(samples, self.target.encoding)


def _decoded(data: bytes, format: AudioFormat) -> Samples:
    """Samples as floats in -1.0 to 1.0, one row a frame."""
    import numpy as np

    match format.encoding:
        case Encoding.FLOAT32:
            flat = np.frombuffer(data, "<f4").astype(np.float32)
        case Encoding.PCM16:
            flat = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
        case _:
            codes = np.frombuffer(data, np.uint8)
            flat = _g711_levels(format.encoding)[codes].astype(np.float32) / np.float32(32768)
    return flat.reshape(-1, format.channels)


def _mixed(samples: Samples, channels: int) -> Samples:
    import numpy as np

    if samples.shape[1] == channels:
        return np.ascontiguousarray(samples)
    mono = samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.ascontiguousarray(np.repeat(mono, channels, axis=1))


def _encoded(samples: Samples, encoding: Encoding) -> bytes:
    import numpy as np

    if encoding is Encoding.FLOAT32:
        return bytes(samples.astype("<f4"))
    levels = np.clip(np.rint(samples * np.float32(32768)), -32768, 32767).astype("<i2")
    if encoding is Encoding.PCM16:
        return bytes(levels)
    codes = _g711_codes(encoding)[levels.astype(np.int32) + 32768]
    return bytes(codes)


@cache
def _g711_levels(encoding: Encoding) -> npt.NDArray[np.int16]:
    """The 16-bit level of each of the 256 codes (ITU-T G.711, tables 1 and 2)."""
    import numpy as np

    levels: npt.NDArray[np.int64]
    codes = np.arange(256)
    if encoding is Encoding.ULAW:
        codes = ~codes & 0xFF
        size = (((codes & 0x0F) << 3) + 0x84 << ((codes & 0x70) >> 4)) - 0x84
        levels = np.where(codes & 0x80, -size, size)
    else:
        codes = codes ^ 0x55
        segment = (codes & 0x70) >> 4
        size = ((codes & 0x0F) << 4) + np.where(segment, 0x108, 8) << np.maximum(segment - 1, 0)
        levels = np.where(codes & 0x80, size, -size)
    return levels.astype(np.int16)


@cache
def _g711_codes(encoding: Encoding) -> npt.NDArray[np.uint8]:
    """The code of the level nearest to each of the 65,536 samples, from -32768 up."""
    import numpy as np

    # mu-law has two codes for zero; the reversal picks the positive one, 0xFF, as encoders do.
    levels, first = np.unique(_g711_levels(encoding)[::-1].astype(np.int32), return_index=True)
    codes: npt.NDArray[np.uint8] = (255 - first).astype(np.uint8)
    borders = (levels[1:] + levels[:-1]) / 2
    nearest = np.searchsorted(borders, np.arange(-32768, 32768))
    return codes.take(nearest)
