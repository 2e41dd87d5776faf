"""
A microphone.

PortAudio calls from a thread of its own with each block that was heard. What nobody has read yet
is held, up to a bound; beyond it the oldest goes, for what was said just now matters more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from unirt.audio import AudioFormat
from unirt.errors import DeviceLost
from unirt.sound.devices import find, portaudio, suitable, told
from unirt.sound.level import QUIET, Level, level
from unirt.sound.unread import MOST_UNREAD_MS, Unread

__all__ = ["Microphone"]


class Microphone:
    """
    A source that hears.

    It is open while it is iterated; the one stream of it that is open at a time.

    Args:
        device: Its name, a part of its name, or its index; ``None`` for the system's choice.
        rate: In Hz; where the device cannot do that, its own is taken.
        block_ms: How much is heard at a time.
        most_ms: How much is held that nobody has read; beyond it the oldest is dropped, and
            counted.
        latency: In seconds, or ``"low"`` or ``"high"`` for what the device says of itself.

    Raises:
        ConfigurationError: The extra or PortAudio is missing, or there is no such device.
    """

    def __init__(
        self,
        device: str | int | None = None,
        *,
        rate: int | None = 24_000,
        block_ms: float = 20.0,
        most_ms: float = MOST_UNREAD_MS,
        latency: float | str = "low",
    ) -> None:
        self.device = find(device, "input")
        self.format: AudioFormat = suitable(self.device, "input", rate)
        self.overflows = 0
        "How often the device heard more than could be taken from it."
        self._block_ms = block_ms
        self._latency = latency
        self._unread = Unread(self.format, most_ms, self.device.name)
        self._last = b""

    @property
    def dropped_ms(self) -> float:
        """What was heard and not read in time."""
        return self._unread.dropped_ms

    @property
    def level(self) -> Level:
        """How loud it was a moment ago; worked out when somebody asks."""
        return level(self._last, self.format) if self._last else QUIET

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        with self._open():
            async with contextlib.aclosing(self._unread.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
            raise DeviceLost(self.device.name, "the device stopped by itself")

    @contextlib.contextmanager
    def _open(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        sounddevice = portaudio()
        closing = False
        self._unread.begin()

        def hear(data: Any, _frames: int, _time: Any, status: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._keep, bytes(data), bool(status))

        def stopped() -> None:
            if not closing:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._unread.end)

        with told(sounddevice, self.device.name):
            stream = sounddevice.RawInputStream(
                device=self.device.index,
                samplerate=self.format.rate,
                channels=self.format.channels,
                dtype="int16",
                blocksize=self.format.bytes_for(self._block_ms) // self.format.frame_bytes,
                latency=self._latency,
                callback=hear,
                finished_callback=stopped,
            )
            try:
                stream.start()
            except BaseException:
                stream.close()
                raise
        try:
            yield
        finally:
            closing = True
            stream.close()
            self._last = b""

    def _keep(self, data: bytes, overflow: bool) -> None:
        self.overflows += overflow
        self._last = data
        self._unread.put(data)
