"""
Raw audio through descriptors: standard input and output, pipes, sockets, serial lines.

There is no header, so both ends have to know the format. Nothing is dropped on the way in: what is
not read yet waits in the pipe, and whoever writes into it waits then. On the way out audio is
handed on as it is heard, so a flush finds no more than a block in the pipe.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Unpack

from unirt.audio import PCM16_24K, AudioFormat
from unirt.sound.descriptor import Descriptor
from unirt.sound.paced import BLOCK_MS, PacedPlayer, PacedSource, SourceOptions

__all__ = ["PipeSink", "PipeSource", "pieces_of"]


class PipeSource(PacedSource):
    """
    What comes out of a pipe.

    Args:
        fd: The descriptor: 0 for standard input. It stays open.
        format: What comes.
        realtime: Whether to hold back what comes faster than it can be spoken.
        options: Of :class:`~unirt.sound.paced.PacedSource`: `silence_ms`, `clock`.
    """

    def __init__(
        self,
        fd: int = 0,
        format: AudioFormat = PCM16_24K,
        *,
        realtime: bool = False,
        **options: Unpack[SourceOptions],
    ) -> None:
        super().__init__(format, realtime=realtime, **options)
        self._descriptor = Descriptor(fd, _name(fd), owned=False)

    def _pieces(self) -> AsyncIterator[bytes]:
        return pieces_of(self._descriptor, self.format, None)


class PipeSink(PacedPlayer):
    """
    What goes into a pipe, as it is heard.

    Args:
        fd: The descriptor: 1 for standard output. It stays open.
        format: What is written.
        options: Of :class:`~unirt.sound.paced.PacedPlayer`: `realtime`, `fill`, `most_ms`, `clock`.
    """

    def __init__(self, fd: int = 1, format: AudioFormat = PCM16_24K, **options: Any) -> None:
        super().__init__(format, **options)
        self._descriptor = Descriptor(fd, _name(fd), owned=False)

    async def _write(self, block: bytes) -> None:
        await self._descriptor.write(block)


async def pieces_of(
    descriptor: Descriptor, format: AudioFormat, size: int | None
) -> AsyncGenerator[bytes]:
    """
    What can be read of a descriptor, in pieces of whole samples.

    Args:
        descriptor: Closed afterwards, where it is owned.
        format: What comes.
        size: How many bytes there are; ``None`` for as many as come.
    """
    block = format.bytes_for(BLOCK_MS)
    rest = b""
    with contextlib.closing(descriptor):
        while size is None or size > 0:
            wanted = block - len(rest)
            data = await descriptor.read(wanted if size is None else min(wanted, size))
            if not data:
                return  # part of a sample is no sound
            size = None if size is None else size - len(data)
            data = rest + data
            whole = len(data) - len(data) % format.frame_bytes
            rest = data[whole:]
            if whole:
                yield data[:whole]


def _name(fd: int) -> str:
    return {0: "standard input", 1: "standard output"}.get(fd, f"descriptor {fd}")
