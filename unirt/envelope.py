"""
Frames that differ from the last one in nothing but their audio.

A spoken answer comes in hundreds of frames that say the same thing about another piece of audio:
byte for byte the same JSON around the base64, but for one id perhaps. Reading such a frame as JSON
finds out again what is known, and copies the base64 while it does so, which takes longer than
decoding it. An :class:`Envelope` knows such frames by their bytes instead, and hands out the audio.

It is exact: whatever it opens would have been read as the same JSON, with this audio and another
id. It never guesses: whatever is not byte for byte in the envelope is left to be read.
"""

from __future__ import annotations

import re
from functools import cache

from pybase64 import b64decode

__all__ = ["Envelope"]

_LONG = 64
"Characters of base64 that stand in no other place of a frame by chance."


@cache
def _searched(name: str) -> tuple[bytes, re.Pattern[bytes]]:
    """A name as JSON has it, and what finds the end of an id that follows it."""
    quoted = b'"%s"' % name.encode()
    return quoted, re.compile(re.escape(quoted) + rb'\s*:\s*"(?:[^"\\]*_)?([^"\\_]*)"')


class Envelope:
    """
    What stands around the audio, and around the id before it where there is one.

    Args:
        head: Up to the id, or to the audio where there is no id.
        tail: From the end of the audio; at least the end of its string.
        middle: From the end of the id to the audio; empty where there is no id.
        id_size: Of what changes of the id: what follows its last underscore.
    """

    __slots__ = (
        "_audio",
        "_head",
        "_heads",
        "_ids",
        "_middle",
        "_middles",
        "_tail",
        "_tails",
    )

    def __init__(self, head: bytes, tail: bytes, *, middle: bytes = b"", id_size: int = 0) -> None:
        self._head = head
        self._tail = tail
        self._middle = middle
        id_start = len(head)
        id_end = id_start + id_size
        audio_start = id_end + len(middle)
        self._heads = slice(id_start)
        "Where in a frame its head is, and so on."
        self._ids = slice(id_start, id_end)
        self._middles = slice(id_end, audio_start)
        self._audio = slice(audio_start, -len(tail))
        self._tails = slice(-len(tail), None)

    @classmethod
    def around(cls, frame: bytes, audio: str, changing: str | None = None) -> Envelope | None:
        """
        The envelope of a frame that was read; ``None`` where it shows no clear one.

        Args:
            frame: As received; a JSON object.
            audio: The base64 that was read from it.
            changing: The name of what else differs from frame to frame: an id of the object.
        """
        payload = audio.encode()
        begins = payload[:_LONG]  # to search for all of it would take longer than reading the JSON
        start = frame.find(begins)
        end = start + len(payload)
        if len(payload) < _LONG or frame[start:end] != payload or begins in frame[end:]:
            return None
        head, tail = frame[:start], frame[end:]
        if changing is None:
            return cls(head, tail)
        name, value = _searched(changing)
        found = value.search(head)
        if found is None or head.count(name) + tail.count(name) != 1:  # base64 holds no quote
            return None
        id_start, id_end = found.span(1)
        return cls(head[:id_start], tail, middle=head[id_end:], id_size=id_end - id_start)

    def open(self, frame: bytes) -> bytes | None:
        """The decoded audio of a frame in this envelope; ``None`` for any other frame."""
        # A slice that is compared takes half of what startswith() does.
        if frame[self._heads] != self._head or frame[self._tails] != self._tail:
            return None
        # Letters and digits mean nothing but themselves in JSON.
        if self._middle and not (
            frame[self._middles] == self._middle and frame[self._ids].isalnum()
        ):
            return None
        try:
            # Strict, so what it takes holds no quote and no escape: it is one JSON string.
            return b64decode(memoryview(frame)[self._audio], None, True) or None
        except ValueError:
            return None
