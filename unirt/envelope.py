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

from pybase64 import b64decode

__all__ = ["Envelope"]

_LONG = 64
"Characters of base64 that stand in no other place of a frame by chance."


class Envelope:
    """What stands around the audio, and around the id before it where there is one."""

    __slots__ = ("_end", "_head", "_id_size", "_middle", "_start", "_tail")

    def __init__(self, head: bytes, tail: bytes, *, middle: bytes = b"", id_size: int = 0) -> None:
        self._head = head
        self._tail = tail
        self._middle = middle
        "From the end of the id to the audio; empty where there is no id."
        self._id_size = id_size
        "Of what changes of the id: what follows its last underscore."
        self._start = len(head) + id_size + len(middle)
        "Where the audio starts in a frame."
        self._end = -len(tail)
        "And where it ends, from the end of the frame."

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
        name = b'"%s"' % changing.encode()
        found = re.search(re.escape(name) + rb'\s*:\s*"(?:[^"\\]*_)?([^"\\_]*)"', head)
        if found is None or frame.count(name) != 1:
            return None
        id_start, id_end = found.span(1)
        return cls(head[:id_start], tail, middle=head[id_end:], id_size=id_end - id_start)

    def open(self, frame: bytes) -> bytes | None:
        """The decoded audio of a frame in this envelope; ``None`` for any other frame."""
        if not (frame.startswith(self._head) and frame.endswith(self._tail)):
            return None
        if self._middle:
            id_start = len(self._head)
            id_end = id_start + self._id_size
            # Letters and digits mean nothing but themselves in JSON.
            if not (frame.startswith(self._middle, id_end) and frame[id_start:id_end].isalnum()):
                return None
        try:
            # Strict, so what it takes holds no quote and no escape: it is one JSON string.
            return b64decode(memoryview(frame)[self._start : self._end], None, True) or None
        except ValueError:
            return None
