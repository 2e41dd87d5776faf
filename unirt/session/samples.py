"""
Samples: the bytes of any encoding as floats, and back.

numpy is imported here and nowhere above, so whoever has nothing to convert never loads it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from unirt.audio import AudioFormat, Encoding

__all__ = ["Samples", "decoder", "encoder", "mixed"]

Samples = npt.NDArray[np.float32]
"Floats in -1.0 to 1.0, one row a frame."

_FLOAT32 = np.dtype("<f4")
_PCM16 = np.dtype("<i2")
# Arrays of one number: numpy takes them as they are, and prepares a scalar anew at every call.
_FULL_SCALE = np.array(32_768, np.float32)
_LOWEST = np.array(-32_768, np.float32)
_HIGHEST = np.array(32_767, np.float32)


def decoder(format: AudioFormat) -> Callable[[bytes], Samples]:
    """What makes samples of the bytes of that format."""
    channels = format.channels
    if format.encoding is Encoding.FLOAT32:

        def decode(data: bytes) -> Samples:
            flat = np.frombuffer(data, _FLOAT32).astype(np.float32, copy=False)
            return flat.reshape(-1, channels)

    elif format.encoding is Encoding.PCM16:

        def decode(data: bytes) -> Samples:
            flat = np.frombuffer(data, _PCM16).astype(np.float32)
            flat /= _FULL_SCALE
            return flat.reshape(-1, channels)

    else:
        levels = _g711_levels(format.encoding).astype(np.float32) / _FULL_SCALE

        def decode(data: bytes) -> Samples:
            return levels[np.frombuffer(data, np.uint8)].reshape(-1, channels)

    return decode


def mixed(samples: Samples, channels: int) -> Samples:
    """The mean of all channels, on each of so many."""
    mono = samples.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.ascontiguousarray(np.repeat(mono, channels, axis=1))


def encoder(encoding: Encoding) -> Callable[[Samples], bytes]:
    """What makes bytes of that encoding of samples; what is too loud is clipped."""
    if encoding is Encoding.FLOAT32:
        return lambda samples: samples.astype(_FLOAT32, copy=False).tobytes()
    if encoding is Encoding.PCM16:
        return lambda samples: _levels(samples).astype(_PCM16).tobytes()
    codes = _g711_codes(encoding)
    return lambda samples: codes[_levels(samples).astype(np.int32) + 32768].tobytes()


def _levels(samples: Samples) -> Samples:
    """The nearest of the 65,536 levels that 16 bits can tell apart."""
    levels: Samples = samples * _FULL_SCALE
    np.rint(levels, levels)
    levels.clip(_LOWEST, _HIGHEST, levels)  # np.clip() would cost as much as all the rest
    return levels


@cache
def _g711_levels(encoding: Encoding) -> npt.NDArray[np.int16]:
    """The 16-bit level of each of the 256 codes (ITU-T G.711, tables 1 and 2)."""
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
    # mu-law has two codes for zero; the reversal picks the positive one, 0xFF, as encoders do.
    levels, first = np.unique(_g711_levels(encoding)[::-1].astype(np.int32), return_index=True)
    codes: npt.NDArray[np.uint8] = (255 - first).astype(np.uint8)
    borders = (levels[1:] + levels[:-1]) / 2
    nearest = np.searchsorted(borders, np.arange(-32768, 32768))
    return codes.take(nearest)
