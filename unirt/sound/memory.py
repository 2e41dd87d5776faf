"""Sound in memory: for tests, for what is synthesised, and for what is only looked at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from unirt.audio import PCM16_24K, AudioFormat
from unirt.clock import Clock
from unirt.sound.paced import BLOCK_MS, PacedPlayer, paced

__all__ = ["MemorySink", "MemorySource"]


class MemorySource:
    """
    Audio that is there already.

    Args:
        data: Whole samples.
        format: What they are.
        realtime: ``False`` to send it as fast as the network takes it.
        silence_ms: How much silence follows; infinite for silence without end.
        clock: What the time is.

    Raises:
        AudioFormatError: They are no whole samples.
    """

    def __init__(
        self,
        data: bytes,
        format: AudioFormat = PCM16_24K,
        *,
        realtime: bool = True,
        silence_ms: float = 0.0,
        clock: Clock | None = None,
    ) -> None:
        format.check(data, where="MemorySource")
        self.format = format
        self._data = data
        self._options: Any = {"realtime": realtime, "silence_ms": silence_ms, "clock": clock}

    def __aiter__(self) -> AsyncIterator[bytes]:
        return paced(self._pieces(), self.format, **self._options)

    async def _pieces(self) -> AsyncGenerator[bytes]:
        size = self.format.bytes_for(BLOCK_MS)
        for start in range(0, len(self._data), size):
            yield self._data[start : start + size]


class MemorySink(PacedPlayer):
    """
    Keeps what is heard.

    Args:
        format: What is kept.
        keep_ms: How much of it; beyond that the oldest goes.
        options: Of :class:`~unirt.sound.paced.PacedPlayer`: `realtime`, `fill`, `most_ms`, `clock`.
    """

    def __init__(
        self, format: AudioFormat = PCM16_24K, *, keep_ms: float = 3_600_000.0, **options: Any
    ) -> None:
        super().__init__(format, **options)
        self.audio = bytearray()
        "What was heard."
        self.forgotten_ms = 0.0
        "How much of it is not kept any more."
        self._most = format.bytes_for(keep_ms)

    async def _write(self, block: bytes) -> None:
        self.audio += block
        if (excess := len(self.audio) - self._most) > 0:
            del self.audio[:excess]
            self.forgotten_ms += self.format.duration_ms(excess)
