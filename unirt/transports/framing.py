"""
WebSocket frames that hold a whole message, read and written without ado.

Of the frames of a conversation nearly all are alike: one frame, one message, nothing reserved, and
no mask from the server's side. For such a frame the ``websockets`` library runs three generators,
copies the message four times and makes an object with eight attributes; here it is two comparisons
and a slice. Every other frame is left to the library, which knows all the rules.

No I/O. The layout of a frame is RFC 6455, section 5.2.
"""

from __future__ import annotations

import os
import struct
from typing import Final

from websockets.frames import Opcode

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the library was installed without a compiler
    from websockets.utils import apply_mask

__all__ = ["client_frame", "frame_end", "take_messages"]

_TEXT: Final = 0x81
"The first byte of the final frame of a text, which is its only frame."
_BINARY: Final = 0x82
_MASKED: Final = 0x80
_SHORT, _LONG = 126, 127
"Lengths that say that two, or eight, bytes of length follow."

_OPCODES: Final = frozenset(Opcode)

_two = struct.Struct("!H").unpack_from
_eight = struct.Struct("!Q").unpack_from


def take_messages(
    data: bytes | memoryview, start: int, messages: list[bytes], most: int | None
) -> int:
    """
    Take whole messages off the data of a server, from `start` on, as long as there are such.

    Args:
        data: What was read, from the beginning of a frame on.
        start: Where in it.
        messages: Is added to.
        most: The longest message that may be taken, in bytes; ``None`` for any.

    Returns:
        Where it stopped: at the end of the data, or at a frame that is not whole or not plain.
    """
    end = len(data)
    while end - start >= 2:
        first, length = data[start], data[start + 1]
        if first not in (_TEXT, _BINARY):
            break
        body = start + 2
        if length >= _SHORT:
            if length == _SHORT and end - body >= 2:
                (length,) = _two(data, body)
                body += 2
            elif length == _LONG and end - body >= 8:
                (length,) = _eight(data, body)
                body += 8
            else:
                break
        after = body + length
        if after > end or (most is not None and length > most):
            break
        messages.append(bytes(data[body:after]))
        start = after
    return start


def frame_end(data: bytes | memoryview, start: int, most: int | None) -> int | None:
    """
    Where the frame of a server that begins at `start` ends.

    One that is refused for what its head says, whatever its body may be, ends with that head.

    Returns:
        It may lie beyond the data; ``None`` where so little is there that it cannot be known.
    """
    there = len(data) - start
    if there < 2:
        return None
    length, body = data[start + 1], start + 2
    if length & _MASKED or data[start] & 0x0F not in _OPCODES:
        return body
    if length == _SHORT:
        if there < 4:
            return None
        (length,) = _two(data, body)
        body += 2
    elif length == _LONG:
        if there < 10:
            return None
        (length,) = _eight(data, body)
        body += 8
    return body if most is not None and length > most else body + length


def client_frame(message: str | bytes) -> bytes:
    """A message as the one frame that a client sends."""
    if isinstance(message, str):
        first, data = _TEXT, message.encode()
    else:
        first, data = _BINARY, message
    length, mask = len(data), os.urandom(4)
    if length < _SHORT:
        head = bytes((first, _MASKED | length))
    elif length < 1 << 16:
        head = struct.pack("!BBH", first, _MASKED | _SHORT, length)
    else:
        head = struct.pack("!BBQ", first, _MASKED | _LONG, length)
    return b"".join((head, mask, apply_mask(data, mask)))
