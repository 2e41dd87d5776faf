"""
A call without a far end: its frames are played, and nothing is heard.

Audio beside the frames is not in a cassette: it is 50 packets a second, each way, of what a codec
makes of it. So a call that is played tells what was said, and when it was heard, and is silent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unirt.audio import PCM16_24K, AudioFormat
from unirt.condition import Condition
from unirt.transport import Transport
from unirt.transports.playing import PlayingTransport

__all__ = ["CALL", "PlayedCall"]

CALL: Final = "webrtc"
"What a connection of that kind is called in a cassette."


class PlayedMedia:
    """See :class:`unirt.transport.Media`. Whatever is sent is heard by nobody, at once."""

    format: AudioFormat = PCM16_24K
    largest: int | None = None

    def __init__(self, call_id: str | None) -> None:
        self.call_id = call_id
        self.condition = Condition()

    def attend(self, hear: Callable[[bytes], None], told: Callable[[Condition], None]) -> None:
        """Nothing will be told."""

    def send(self, data: bytes) -> None:
        """Nobody hears it."""

    def hold(self, held: bool) -> None:
        """Nothing leaves."""

    def drop(self) -> None:
        """Nothing waits."""

    async def room(self) -> None:
        """There is."""

    async def drained(self) -> None:
        """It is."""


class PlayedCall:
    """
    Args:
        frames: What the data channel carried.
        call: What was set up, and is hung up in the end; ``None`` where nothing was.
    """

    def __init__(self, frames: PlayingTransport, call: Transport | None) -> None:
        self.media = PlayedMedia(getattr(call, "call_id", None))
        self._frames = frames
        self._call = call
        self.url = frames.url
        self.send = frames.send
        self.send_now = frames.send_now
        self.receive = frames.receive
        self.deliver = frames.deliver

    async def close(self, code: int = 1000, reason: str = "") -> None:
        hung_up, call = self._frames.hung_up, self._call
        await self._frames.close(code, reason)
        if call is not None and not hung_up:
            self._call = None
            await call.close(code, reason)
