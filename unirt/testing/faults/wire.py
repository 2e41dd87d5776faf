"""
WebSocket frames as bytes, as far as a proxy has to know them (RFC 6455, section 5.2).

Unlike :mod:`unirt.transports.framing` it reads both directions, and writes what no library would:
it keeps every frame's own bytes, so that what no fault is done to goes on as it came.
"""

from __future__ import annotations

import struct
from typing import Final

import attrs

from unirt.value import Value

__all__ = ["CLOSE", "DATA", "NONSENSE", "TEXT", "Piece", "Reader", "close_frame", "written"]

TEXT: Final = 0x1
DATA: Final = frozenset({TEXT, 0x2})
CLOSE: Final = 0x8
NONSENSE: Final = b"\xff\x7f" + bytes(8)
"A head with all reserved bits, and an opcode that nobody has."
_FIN, _MASKED = 0x80, 0x80
_SHORT, _LONG = 126, 127


@attrs.frozen
class Piece(Value):
    """One frame."""

    opcode: int
    whole: bool
    "Whether it is all of its message."
    payload: bytes = attrs.field(repr=False)
    "Without its mask."
    raw: bytes = attrs.field(repr=False)
    "As it came."


class Reader:
    """Cuts one direction of a connection into frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Piece]:
        """Take what was read; returns the frames that are whole."""
        self._data += data
        pieces = []
        while (piece := self._next()) is not None:
            pieces.append(piece)
            del self._data[: len(piece.raw)]
        return pieces

    def _next(self) -> Piece | None:
        data = self._data
        if len(data) < 2:
            return None
        first, length, at = data[0], data[1] & ~_MASKED, 2
        if length in (_SHORT, _LONG):
            size, code = (2, "!H") if length == _SHORT else (8, "!Q")
            if len(data) < at + size:
                return None
            (length,) = struct.unpack_from(code, data, at)
            at += size
        mask = bytes(data[at : at + 4]) if data[1] & _MASKED else b""
        at += len(mask) or (4 if data[1] & _MASKED else 0)
        if len(data) < at + length:
            return None
        payload = bytes(data[at : at + length])
        opcode = first & 0x0F
        whole = bool(first & _FIN) and opcode in DATA
        return Piece(opcode, whole, _unmasked(payload, mask), bytes(data[: at + length]))


def written(payload: bytes, opcode: int = TEXT, *, masked: bool = False) -> bytes:
    """One frame; the mask of a client's is all zeros, so that a test sees what it sends."""
    length, flag = len(payload), _MASKED if masked else 0
    head = bytes((_FIN | opcode,))
    if length < _SHORT:
        head += bytes((flag | length,))
    elif length < 1 << 16:
        head += struct.pack("!BH", flag | _SHORT, length)
    else:
        head += struct.pack("!BQ", flag | _LONG, length)
    return head + bytes(4 if masked else 0) + payload


def close_frame(code: int, reason: str) -> bytes:
    """What a server says when it closes."""
    return written(struct.pack("!H", code) + reason.encode(), CLOSE)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    if not any(mask):
        return payload
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)
