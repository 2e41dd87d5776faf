"""Sound in memory: for tests, for what is synthesised, and for what is only looked at."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Unpack

from unirt.audio import PCM16_24K, AudioFormat
from unirt.sound.paced import BLOCK_MS, PacedOptions, PacedPlayer, PacedSource

__all__ = ["MemorySink", "MemorySource"]


class MemorySource(PacedSource):
    """
    Audio that is there already.

    Args:
        data: Whole samples.
        format: What they are.
        options: Of :class:`~unirt.sound.paced.PacedSource`: `realtime`, `silence_ms`, `clock`.

    Raises:
        AudioFormatError: They are no whole samples.
    """

    def __init__(
        self, data: bytes, format: AudioFormat = PCM16_24K, **options: Unpack[PacedOptions]
    ) -> None:
        format.check(data, where="MemorySource")
        super().__init__(format, **options)
        self._data = data

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
