"""
What a connection plays: turns of pre-encoded WebSocket frames.

A turn is encoded once, as one block of bytes that goes to the socket as it is. What differs from
turn to turn is its number, which stands in every identifier, always eight digits wide; it is
written over the last one in place. So a session of ten thousand turns costs the server no more
memory, and hardly more time, than a session of one.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "NUMBER",
    "PREVIOUS",
    "Block",
    "Load",
    "Step",
    "frame",
    "interleaved",
    "numbered",
    "sounds",
    "words",
]

NUMBER = "########"
"Stands for the number of the turn in what is encoded; no base64 can hold it."
PREVIOUS = "~~~~~~~~"
"Stands for the number of the turn before; the string that it is in is ``null`` in the first turn."

_NUMBER = NUMBER.encode()
_PREVIOUS = PREVIOUS.encode()
_REFERENCE = re.compile(rb'"[^"]*%s"' % _PREVIOUS)
"A JSON string that names something of the turn before."

STAMP_BYTES = 9
"The PCM that a time stamp takes: 8 bytes, and one more for whole groups of base64."

_RATE = 24_000
_SEED = 2026
_BINARY, _TEXT = 0x2, 0x1
_WORDS = (
    "The",
    "train",
    "that",
    "you",
    "ask",
    "for",
    "leaves",
    "at",
    "a",
    "quarter",
    "past",
    "nine",
)


@dataclass(frozen=True)
class Load:
    """What the connections opened from now on play."""

    kind: str = "drain"
    "``drain``, ``paced``, ``idle`` or ``sink``."
    chunk_ms: float = 200
    "The audio of one event, in ms of PCM16 at 24 kHz."
    turns: int = 40
    audio_per_turn: int = 70
    transcripts_per_turn: int = 20
    interval_ms: float = 2.0
    "The time between two events of a paced connection, in ms."

    @classmethod
    def of(cls, command: dict[str, Any]) -> Load:
        """Read a command; what is no field of a load is ignored."""
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in command.items() if name in known})

    @property
    def chunk_bytes(self) -> int:
        """The PCM of one audio event."""
        return int(self.chunk_ms * _RATE / 1000) * 2


@dataclass(frozen=True)
class Step:
    """One event of a turn, before it is a frame."""

    payload: bytes
    audio: str | None = None
    "The base64 in it, where it is audio."


@dataclass(frozen=True)
class _Span:
    """Where one frame of a block is, and what changes in it."""

    start: int
    end: int
    stamp: int | None
    "Where the base64 of its audio begins."
    numbers: tuple[int, ...]
    references: tuple[tuple[int, bytes], ...]
    "Where something of the turn before is named, and how."


class Block:
    """
    One turn as WebSocket frames.

    Args:
        steps: Its events.
        binary: Whether they go as binary frames.
    """

    def __init__(self, steps: list[Step], *, binary: bool) -> None:
        self.data = bytearray()
        self.spans: list[_Span] = []
        for step in steps:
            start = len(self.data)
            self.data += frame(step.payload, binary=binary)
            self.spans.append(self._span(start, step))
        self._numbers = [offset for span in self.spans for offset in span.numbers]
        self._references = [there for span in self.spans for there in span.references]

    def _span(self, start: int, step: Step) -> _Span:
        stamp = None
        if step.audio is not None and len(step.audio) >= STAMP_BYTES // 3 * 4:
            stamp = self.data.index(step.audio.encode(), start)

        data = bytes(self.data[start:])
        numbers = tuple(start + found.start() for found in re.finditer(_NUMBER, data))
        references = tuple((start + found.start(), found[0]) for found in _REFERENCE.finditer(data))
        return _Span(start, len(self.data), stamp, numbers, references)

    def turn(self, number: int) -> bytes:
        """All frames of one turn."""
        self._write(number, self._numbers, self._references)
        return bytes(self.data)

    def pieces(self, limit: int) -> list[tuple[int, int]]:
        """
        Where to cut a turn so that each piece is whole frames: only between frames may others go.

        Args:
            limit: How many bytes a piece has at most; one frame may exceed it.
        """
        cuts: list[tuple[int, int]] = []
        for span in self.spans:
            if cuts and span.end - cuts[-1][0] <= limit:
                cuts[-1] = (cuts[-1][0], span.end)
            else:
                cuts.append((span.start, span.end))
        return cuts

    def event(self, index: int, number: int, now_ns: int) -> bytes:
        """One frame of a turn, its audio stamped with the time."""
        span = self.spans[index]
        self._write(number, span.numbers, span.references)
        if span.stamp is not None:
            stamp = now_ns.to_bytes(8, "little") + b"\0"
            self.data[span.stamp : span.stamp + 12] = base64.b64encode(stamp)
        return bytes(memoryview(self.data)[span.start : span.end])

    def _write(
        self, number: int, numbers: Sequence[int], references: Sequence[tuple[int, bytes]]
    ) -> None:
        digits = _digits(number)
        for offset in numbers:
            self.data[offset : offset + 8] = digits
        for offset, text in references:
            self.data[offset : offset + len(text)] = _named(text, number)


def numbered(payload: bytes, number: int) -> bytes:
    """One event as it is in the turn of that number."""
    payload = _REFERENCE.sub(lambda found: _named(found[0], number), payload)
    return payload.replace(_NUMBER, _digits(number))


def _digits(number: int) -> bytes:
    return b"%08d" % (number % 10**8)


def _named(text: bytes, number: int) -> bytes:
    """A name of the turn before, as wide as it always is: JSON takes the spaces."""
    if number == 0:
        return b"null".ljust(len(text))
    return text.replace(_PREVIOUS, _digits(number - 1))


def frame(payload: bytes, *, binary: bool) -> bytes:
    """One unmasked, unfragmented WebSocket frame (RFC 6455, 5.2)."""
    first = 0x80 | (_BINARY if binary else _TEXT)
    size = len(payload)
    if size < 126:
        header = bytes((first, size))
    elif size < 2**16:
        header = bytes((first, 126)) + size.to_bytes(2, "big")
    else:
        header = bytes((first, 127)) + size.to_bytes(8, "big")
    return header + payload


def sounds(load: Load) -> list[str]:
    """The base64 of the audio of one turn: noise, which shrinks as little as a voice does."""
    noise = random.Random(_SEED)
    return [
        base64.b64encode(noise.randbytes(load.chunk_bytes)).decode()
        for _ in range(load.audio_per_turn)
    ]


def words(load: Load) -> list[str]:
    """The pieces of transcript of one turn."""
    count = load.transcripts_per_turn
    return [(" " if i else "") + _WORDS[i % len(_WORDS)] for i in range(count)]


def interleaved(audio: list[Step], transcript: list[Step]) -> list[Step]:
    """The pieces of transcript spread evenly over the audio, ahead of it."""
    if not audio:
        return transcript
    merged: list[Step] = []
    told = 0
    for i, step in enumerate(audio):
        due = -(-len(transcript) * (i + 1) // len(audio))
        merged += transcript[told:due]
        told = due
        merged.append(step)
    return merged
