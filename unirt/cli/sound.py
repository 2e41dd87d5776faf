"""WAV files, and the sound device where there is one, for the terminal conversation."""

from __future__ import annotations

import asyncio
import collections
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from unirt.audio import PCM16_24K, AudioFormat
from unirt.cli.calls import writing
from unirt.errors import ConfigurationError

__all__ = ["BLOCK_MS", "Devices", "chunks", "read_wav", "write_wav"]

BLOCK_MS = 20
"How much sound goes in one piece, in ms."


def read_wav(path: Path) -> tuple[bytes, AudioFormat]:
    """
    The samples of a WAV file of 16-bit integers, and their format.

    Raises:
        ConfigurationError: It is not such a file.
    """
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ConfigurationError(
                    f"its samples have {8 * file.getsampwidth()} bits",
                    where=str(path),
                    remedy="convert it to 16-bit PCM",
                )
            format = AudioFormat(rate=file.getframerate(), channels=file.getnchannels())
            return file.readframes(file.getnframes()), format
    except (OSError, EOFError, wave.Error) as exc:
        raise ConfigurationError(
            f"it cannot be read as a WAV file: {exc}", where=str(path), remedy="name another file"
        ) from exc


def write_wav(path: Path, data: bytes, format: AudioFormat) -> None:
    """
    Write PCM16 samples as a WAV file.

    Raises:
        ConfigurationError: It cannot be written.
    """
    with writing(path), path.open("wb") as opened, wave.open(opened, "wb") as file:
        file.setnchannels(format.channels)
        file.setsampwidth(2)
        file.setframerate(format.rate)
        file.writeframes(data)


def chunks(data: bytes, format: AudioFormat, ms: float = BLOCK_MS) -> Iterator[bytes]:
    """The samples in pieces of `ms`; the last is filled up with silence."""
    size = format.bytes_for(ms)
    for start in range(0, len(data), size):
        yield data[start : start + size].ljust(size, b"\0")


class Devices:
    """
    Microphone and speaker through PortAudio, 24 kHz mono PCM16 both ways.

    What the microphone hears while nobody reads it is dropped, oldest first, beyond one second.

    Raises:
        ConfigurationError: The ``[devices]`` extra, PortAudio, or a sound device is missing.
    """

    format = PCM16_24K

    def __init__(self) -> None:
        try:
            import sounddevice  # an extra, and it needs a system library
        except (ImportError, OSError) as exc:
            raise ConfigurationError(
                f"sound devices cannot be used: {exc}",
                where="the [devices] extra",
                remedy='install "unirt-realtime[devices]" and PortAudio, or pass --text or --wav',
            ) from exc
        self._loop = asyncio.get_running_loop()
        self._heard: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1000 // BLOCK_MS)
        self._to_play: collections.deque[bytes] = collections.deque()
        self._left = b""
        self.on_played: Callable[[int], None] = _unheard
        "Called with how many bytes were just played, from a thread of PortAudio's."
        options: dict[str, Any] = {
            "samplerate": self.format.rate,
            "channels": 1,
            "dtype": "int16",
            "blocksize": self.format.rate * BLOCK_MS // 1000,
        }
        try:
            self._microphone = sounddevice.RawInputStream(callback=self._hear, **options)
            self._speaker = sounddevice.RawOutputStream(callback=self._play, **options)
        except sounddevice.PortAudioError as exc:
            raise ConfigurationError(
                f"no sound device: {exc}", where="PortAudio", remedy="pass --text or --wav"
            ) from exc

    def __enter__(self) -> Self:
        self._speaker.start()
        self._microphone.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._microphone.close()
        self._speaker.close()

    async def read(self) -> bytes:
        """Wait for the next block from the microphone."""
        return await self._heard.get()

    def write(self, data: bytes) -> None:
        """Queue samples to be played."""
        self._to_play.append(data)

    def flush(self) -> None:
        """Stop playing what is queued."""
        self._to_play.clear()
        self._left = b""

    def _hear(self, data: Any, frames: int, time: Any, status: Any) -> None:
        self._loop.call_soon_threadsafe(self._keep, bytes(data))

    def _keep(self, data: bytes) -> None:
        if self._heard.full():
            self._heard.get_nowait()
        self._heard.put_nowait(data)

    def _play(self, out: Any, frames: int, time: Any, status: Any) -> None:
        wanted = frames * self.format.frame_bytes
        block = self._left
        while len(block) < wanted and self._to_play:
            block += self._to_play.popleft()
        self._left = block[wanted:]
        block = block[:wanted]
        out[:] = block.ljust(wanted, b"\0")
        if block:
            self.on_played(len(block))


def _unheard(size: int) -> None:
    """Nobody wants to know."""
