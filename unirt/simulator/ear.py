"""What a simulated server has heard of the user lately, so that it can say it again."""

from __future__ import annotations

from unirt.audio import AudioFormat
from unirt.session.resample import Converter

__all__ = ["HEARD_MS", "Ear"]

HEARD_MS = 60_000.0
"In ms: how much is remembered; of a longer turn only the end can be said again."


class Ear:
    """The latest sound of one connection."""

    def __init__(self) -> None:
        self._format: AudioFormat | None = None
        self._sound = bytearray()
        self._turn = b""

    def hear(self, data: bytes, format: AudioFormat) -> None:
        """Remember the next piece; another format begins anew."""
        if format != self._format:
            self._format = format
            self._sound.clear()
        self._sound += data
        if (excess := len(self._sound) - format.bytes_for(HEARD_MS)) > 0:
            del self._sound[:excess]

    def turn_ended(self, ms: float, ago_ms: float = 0.0) -> None:
        """A spoken turn of so many ms ended so long ago, by the time of the sound itself."""
        if self._format is None:
            return
        end = len(self._sound) - self._format.bytes_for(ago_ms)
        start = max(0, end - self._format.bytes_for(ms))
        self._turn = bytes(self._sound[start:end])

    def turn(self, format: AudioFormat) -> bytes:
        """The latest spoken turn, in another format; nothing where there was none."""
        if self._format is None or not self._turn:
            return b""
        converter = Converter(self._format, format)
        return converter.feed(self._turn) + converter.flush()
