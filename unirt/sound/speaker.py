"""
A loudspeaker.

PortAudio calls from a thread of its own for each block that is to be played, and says when that
block will be heard. So a block is told as played when it has been, and not when it was handed over.
After a flush the next block is silent; what the device has by then is heard to its end, which is
its own latency.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

from unirt.errors import DeviceLost
from unirt.events import AudioDelta
from unirt.sound.backlog import MOST_MS
from unirt.sound.devices import find, portaudio, suitable, told
from unirt.sound.playing import Playing

__all__ = ["Speaker"]


class Speaker(Playing):
    """
    A player that is heard.

    Args:
        device: Its name, a part of its name, or its index; ``None`` for the system's choice.
        rate: In Hz; where the device cannot do that, its own is taken.
        block_ms: How much is played at a time.
        most_ms: How far behind it may be; what comes beyond that is dropped, and counted.
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
        most_ms: float = MOST_MS,
        latency: float | str = "low",
    ) -> None:
        self.device = find(device, "output")
        format = suitable(self.device, "output", rate)
        super().__init__(format, block_ms=block_ms, most_ms=most_ms)
        self.underflows = 0
        "How often the device wanted more than it got in time."
        self._latency = latency
        self._lost = False

    @contextlib.asynccontextmanager
    async def open(self, played: Callable[[float], None]) -> AsyncGenerator[None]:
        """
        Begin to play, and call `played` with how much more was, in ms.

        Raises:
            ConfigurationError: The device cannot be opened.
        """
        self._check_free()
        loop = asyncio.get_running_loop()
        sounddevice = portaudio()
        closing = False
        self._lost = False

        def sound(out: Any, frames: int, time: Any, status: Any) -> None:
            self.underflows += bool(status)
            wanted = frames * self.format.frame_bytes
            begins = max(time.outputBufferDacTime, time.currentTime)
            data = self._take(wanted, begins + frames / self.format.rate)
            out[:] = data.ljust(wanted, b"\0")
            if self._pass(time.currentTime):
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(self._tell)

        def stopped() -> None:
            self._lost = not closing

        with told(sounddevice, self.device.name):
            stream = sounddevice.RawOutputStream(
                device=self.device.index,
                samplerate=self.format.rate,
                channels=self.format.channels,
                dtype="int16",
                blocksize=self._block // self.format.frame_bytes,
                latency=self._latency,
                callback=sound,
                finished_callback=stopped,
            )
            try:
                stream.start()
            except BaseException:
                stream.close()
                raise
        self._played = played
        try:
            yield
        finally:
            closing = True
            stream.close()
            self._stop()

    def play(self, audio: AudioDelta) -> None:
        """
        Play this after what was given before. Returns at once.

        Raises:
            DeviceLost: The device stopped by itself.
        """
        if self._lost:
            raise DeviceLost(self.device.name, "the device stopped by itself")
        super().play(audio)
