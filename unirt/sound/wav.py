"""WAV files, as sources and as sinks, and whole at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Unpack

from unirt.audio import PCM16_24K, AudioFormat
from unirt.errors import ConfigurationError
from unirt.sound.descriptor import Descriptor
from unirt.sound.paced import PacedOptions, PacedPlayer, PacedSource
from unirt.sound.pipe import pieces_of
from unirt.sound.riff import read_header, written_header

__all__ = ["WavSink", "WavSource", "read_wav", "write_wav"]


class WavSource(PacedSource):
    """
    A WAV file that is spoken, or one that comes out of a pipe. It can be spoken once.

    Args:
        file: Its path, or a descriptor: 0 for standard input. Its header is read at once.
        options: Of :class:`~unirt.sound.paced.PacedSource`: `realtime`, `silence_ms`, `clock`.
            Providers that listen for the end of speech need some silence.

    Raises:
        ConfigurationError: It cannot be read, or its samples are of a kind that is not known.
    """

    def __init__(self, file: str | os.PathLike[str] | int, **options: Unpack[PacedOptions]) -> None:
        self._descriptor = _opened(file, os.O_RDONLY)
        try:
            header = read_header(self._descriptor.read_now, self._descriptor.name)
            super().__init__(header.format, **options)
        except BaseException:
            self._descriptor.close()
            raise
        self._size = header.size

    def _pieces(self) -> AsyncIterator[bytes]:
        return pieces_of(self._descriptor, self.format, self._size)


class WavSink(PacedPlayer):
    """
    A WAV file that takes down what is heard.

    Where nothing is played nothing is written, unless it is to be filled with silence. What is cut
    short by an interruption ends there in the file, too.

    Args:
        file: Its path, or a descriptor: 1 for standard output. It is overwritten.
        format: What is written.
        options: Of :class:`~unirt.sound.paced.PacedPlayer`: `realtime`, `fill`, `most_ms`, `clock`.

    Raises:
        ConfigurationError: It cannot be written.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | int,
        format: AudioFormat = PCM16_24K,
        **options: Any,
    ) -> None:
        super().__init__(format, **options)
        if not isinstance(file, int):
            with _told(file, "written"):
                Path(file).parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = _opened(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._written = 0

    async def _begin(self) -> None:
        await self._descriptor.write(written_header(self.format, None))

    async def _write(self, block: bytes) -> None:
        await self._descriptor.write(block)
        self._written += len(block)

    async def _end(self) -> None:
        if self._descriptor.ordinary:
            await self._descriptor.write(b"\0" * (self._written % 2))
            os.lseek(self._descriptor.fd, 0, os.SEEK_SET)
            await self._descriptor.write(written_header(self.format, self._written))
        self._descriptor.close()


def read_wav(file: str | os.PathLike[str]) -> tuple[bytes, AudioFormat]:
    """
    The samples of a WAV file, and what they are.

    Raises:
        ConfigurationError: It cannot be read, or its samples are of a kind that is not known.
    """
    descriptor = _opened(file, os.O_RDONLY)
    try:
        header = read_header(descriptor.read_now, descriptor.name)
        parts = []
        while data := descriptor.read_now(1 << 20):
            parts.append(data)
    finally:
        descriptor.close()
    samples = b"".join(parts)[: header.size]
    return samples[: len(samples) - len(samples) % header.format.frame_bytes], header.format


def write_wav(file: str | os.PathLike[str], data: bytes, format: AudioFormat) -> None:
    """
    Write samples as a WAV file; its folder is made where needed.

    Raises:
        ConfigurationError: It cannot be written.
    """
    path = Path(file)
    with _told(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written_header(format, len(data)) + data + b"\0" * (len(data) % 2))


def _opened(file: str | os.PathLike[str] | int, flags: int) -> Descriptor:
    if isinstance(file, int):
        return Descriptor(file, f"descriptor {file}", owned=False)
    with _told(file, "read" if flags == os.O_RDONLY else "written"):
        fd = os.open(file, flags | getattr(os, "O_BINARY", 0), 0o666)
    return Descriptor(fd, str(file), owned=True)


@contextlib.contextmanager
def _told(file: str | os.PathLike[str], verb: str) -> Iterator[None]:
    """What the system has against a file, as ours."""
    try:
        yield
    except OSError as exc:
        raise ConfigurationError(
            f"it cannot be {verb} as a WAV file: {exc.strerror or exc}",
            where=str(file),
            remedy="name another file",
        ) from exc
