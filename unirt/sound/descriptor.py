"""
A file descriptor that bytes are read from or written to, without holding up the event loop.

Ordinary files never block, so they are read and written at once. For all else the event loop tells
when it is ready, and then so much is moved as cannot block, so nothing about the descriptor is
changed: it may be shared with other programs, as standard input and output are.
"""

from __future__ import annotations

import asyncio
import os
import select
import stat
from collections.abc import Callable

from unirt.errors import ConfigurationError, DeviceLost

__all__ = ["Descriptor"]

_AT_ONCE = getattr(select, "PIPE_BUF", 512)
"In bytes: what a pipe that is ready takes without blocking."


class Descriptor:
    """
    An open descriptor.

    Args:
        fd: Its number.
        name: What to call it in messages.
        owned: Whether it is closed by :meth:`close`.
    """

    def __init__(self, fd: int, name: str, *, owned: bool) -> None:
        self.fd = fd
        self.name = name
        self._owned = owned
        self.ordinary = stat.S_ISREG(os.fstat(fd).st_mode)
        "It is a file, so it can be measured, and begun anew."

    async def read(self, size: int) -> bytes:
        """
        The next bytes, at most so many; none at the end.

        Raises:
            DeviceLost: It cannot be read.
        """
        loop = asyncio.get_running_loop()
        if not self.ordinary:
            await self._ready(loop.add_reader, loop.remove_reader)
        return self.read_now(size)

    def read_now(self, size: int) -> bytes:
        """The same, waiting for them with all else."""
        try:
            return os.read(self.fd, size)
        except OSError as exc:
            raise DeviceLost(self.name, exc.strerror or str(exc)) from exc

    async def write(self, data: bytes) -> None:
        """
        Write all of that.

        Raises:
            DeviceLost: It takes no more.
        """
        loop = asyncio.get_running_loop()
        left = memoryview(data)
        while left:
            if not self.ordinary:
                await self._ready(loop.add_writer, loop.remove_writer)
            try:
                left = left[os.write(self.fd, left[: len(left) if self.ordinary else _AT_ONCE]) :]
            except OSError as exc:
                raise DeviceLost(self.name, exc.strerror or str(exc)) from exc

    def close(self) -> None:
        """Close it, where it is ours."""
        if self._owned:
            self._owned = False
            os.close(self.fd)

    async def _ready(
        self, add: Callable[[int, Callable[[], None]], None], remove: Callable[[int], object]
    ) -> None:
        ready = asyncio.Event()
        try:
            add(self.fd, ready.set)
        except NotImplementedError:
            raise ConfigurationError(
                "this event loop cannot wait for pipes",
                where=self.name,
                remedy="name a file, or use a loop with add_reader()",
            ) from None
        try:
            await ready.wait()
        finally:
            remove(self.fd)
