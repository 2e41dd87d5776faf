"""
The header of a WAV file: what the samples after it are.

Known are samples of 16-bit integers, of 32-bit floats, and of G.711, in the plain form and in the
extensible one. A stream that nobody could seek in does not know its own length; by custom it then
says 0, or the greatest number.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import attrs

from unirt.audio import AudioFormat, Encoding
from unirt.errors import AudioFormatError, ConfigurationError

__all__ = ["Header", "read_header", "written_header"]

_CODES = {
    (1, 16): Encoding.PCM16,
    (3, 32): Encoding.FLOAT32,
    (6, 8): Encoding.ALAW,
    (7, 8): Encoding.ULAW,
}
"The format code and the bits of a sample (RFC 2361)."
_EXTENSIBLE = 0xFFFE
"The true code is the start of a GUID further on."
_UNKNOWN = 0xFFFF_FFFF
_FMT = struct.Struct("<HHIIHH")
_FMT_MOST = 4096
"In bytes: no description of a format is longer."


@attrs.frozen
class Header:
    """What a header says."""

    format: AudioFormat
    size: int | None
    "How many bytes of samples follow; ``None`` for all there are."


def read_header(read: Callable[[int], bytes], where: str) -> Header:
    """
    Read up to the first sample.

    Args:
        read: Gives at most so many bytes, and none at the end.
        where: What to call the file in messages.

    Raises:
        ConfigurationError: It is no WAV file, or its samples are of a kind that is not known.
    """

    def wrong(why: str, remedy: str = "name another file") -> ConfigurationError:
        return ConfigurationError(
            f"it cannot be read as a WAV file: {why}", where=where, remedy=remedy
        )

    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = read(size - len(data))
            if not more:
                raise wrong("it ends within its header")
            data += more
        return data

    if (riff := exactly(12))[:4] != b"RIFF" or riff[8:] != b"WAVE":
        raise wrong("it does not begin as one")
    format: AudioFormat | None = None
    while True:
        name, size = struct.unpack("<4sI", exactly(8))
        if name == b"data":
            if format is None:
                raise wrong("it does not say what its samples are")
            return Header(format, None if size in (0, _UNKNOWN) else size)
        padded = size + size % 2
        if name == b"fmt ":
            if not _FMT.size <= size <= _FMT_MOST:
                raise wrong("what it says of its samples is broken")
            try:
                format = _format(exactly(padded))
            except AudioFormatError as exc:
                raise wrong(exc.what) from None
            except ValueError as exc:
                raise wrong(str(exc), "convert it to 16-bit PCM") from None
        else:
            while padded:
                padded -= len(exactly(min(padded, _FMT_MOST)))


def _format(said: bytes) -> AudioFormat:
    code, channels, rate, _, _, bits = _FMT.unpack_from(said)
    if code == _EXTENSIBLE and len(said) >= 26:
        (code,) = struct.unpack_from("<H", said, 24)
    encoding = _CODES.get((code, bits))
    if encoding is None:
        raise ValueError(f"its samples are of kind {code} with {bits} bits")
    return AudioFormat(rate=rate, channels=channels, encoding=encoding)


def written_header(format: AudioFormat, size: int | None) -> bytes:
    """
    The header before so many bytes of samples.

    Args:
        format: What they are.
        size: ``None`` where that is not known.
    """
    (code, bits), encoding = next(
        (each, kind) for each, kind in _CODES.items() if kind is format.encoding
    )
    plain = encoding is Encoding.PCM16
    said = _FMT.pack(
        code, format.channels, format.rate, format.byte_rate, format.frame_bytes, bits
    ) + (b"" if plain else b"\0\0")
    frames = 0 if size is None else size // format.frame_bytes
    fact = b"" if plain else struct.pack("<4sII", b"fact", 4, frames)
    rest = b"WAVE" + struct.pack("<4sI", b"fmt ", len(said)) + said + fact
    data = struct.pack("<4sI", b"data", _length(size, 0))
    padding = 0 if size is None else size % 2
    return struct.pack("<4sI", b"RIFF", _length(size, len(rest) + 8 + padding)) + rest + data


def _length(size: int | None, more: int) -> int:
    return _UNKNOWN if size is None else min(size + more, _UNKNOWN)
