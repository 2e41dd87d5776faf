"""A player that is asked: who carries its sound takes 20 ms every 20 ms, and so sets the pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from unirt.audio import PCM16_24K
from unirt.sound.backlog import MOST_MS
from unirt.sound.playing import Playing

__all__ = ["PulledPlayer"]


class PulledPlayer(Playing):
    """
    What nobody takes was not heard.

    Args:
        most_ms: How far behind it may be; what comes beyond that is dropped, and counted.
    """

    def __init__(self, *, most_ms: float = MOST_MS) -> None:
        super().__init__(PCM16_24K, most_ms=most_ms)

    @contextlib.asynccontextmanager
    async def open(self, played: Callable[[float], None]) -> AsyncGenerator[None]:
        """Begin to play, and call `played` with how much more was, in ms."""
        self._check_free()
        self._played = played
        try:
            yield
        finally:
            self._stop()

    def take(self) -> bytes:
        """The next 20 ms, silence where there is nothing to play."""
        now = asyncio.get_running_loop().time()
        if self._pass(now):
            self._tell()
        data = self._take(self._block, now + self.block_ms / 1000)
        return data.ljust(self._block, b"\0")
