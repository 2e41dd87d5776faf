"""Blocks of sound, for the conversations of the command line that keep their own time."""

from __future__ import annotations

from collections.abc import Iterator

from unirt.audio import AudioFormat

__all__ = ["BLOCK_MS", "chunks"]

BLOCK_MS = 20
"How much sound goes in one piece, in ms."


def chunks(data: bytes, format: AudioFormat, ms: float = BLOCK_MS) -> Iterator[bytes]:
    """The samples in pieces of `ms`; the last is filled up with silence."""
    size = format.bytes_for(ms)
    for start in range(0, len(data), size):
        yield data[start : start + size].ljust(size, b"\0")
