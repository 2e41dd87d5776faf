"""
The sound that comes: decoded as its packets come into their order, and handed on at once.

A packet that was lost leaves a hole in the sender's own time. It is filled with silence, so that
what is heard lasts as long as what was said.
"""

from __future__ import annotations

from collections.abc import Callable

from unirt.transports.webrtc.opus import TICKS_A_MS, Decoder
from unirt.transports.webrtc.sound import FORMAT

__all__ = ["Incoming"]

_LONGEST_HOLE_MS = 1_000.0
"A longer one is a new beginning, and not filled."
_WRAP = 1 << 32


class Incoming:
    """
    Args:
        hear: Called with each piece, in :data:`~unirt.transports.webrtc.sound.FORMAT`.
    """

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self._hear = hear
        self._decoder = Decoder()
        self._expected: int | None = None
        "The timestamp of what follows; ``None`` before anything came."

    def take(self, timestamp: int, data: bytes) -> None:
        """The next packet that is there, and when it was sent in the sender's time."""
        sound = self._decoder.decode(data)
        if not sound:
            return
        if self._expected is not None:
            hole_ms = (timestamp - self._expected) % _WRAP / TICKS_A_MS
            if 0 < hole_ms <= _LONGEST_HOLE_MS:
                self._hear(bytes(FORMAT.bytes_for(hole_ms)))
        length = round(FORMAT.duration_ms(len(sound)) * TICKS_A_MS)
        self._expected = (timestamp + length) % _WRAP
        self._hear(sound)
