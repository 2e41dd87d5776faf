"""What a composer remembers: streams, responses and calls."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from unirt.audio import AudioFormat
from unirt.envelope import Envelope
from unirt.events import Stream, StreamKind

__all__ = ["Call", "OpenStream", "Response", "Speech", "forget"]

REMEMBERED = 256
"How many finished responses, turns and calls are remembered, to recognise late words about them."

_STUDIES = 8
"How often the frames of one stream may change their looks before they are simply read."

_SWEEP = 64
"How many more may gather before the oldest are forgotten, all at once."

V = TypeVar("V")


@attrs.define(eq=False)
class OpenStream:
    stream: Stream
    parts: list[str] = attrs.field(factory=list)
    final: str | None = None
    "The provider's final wording, where it gave one before the stream closed."
    closed: bool = False
    audio_ms: float = 0.0
    "How much audio was delivered of it."


@attrs.define(eq=False)
class Response:
    """What is known of one response."""

    id: str
    turn_id: str
    in_conversation: bool = True
    streams: dict[tuple[str, int, StreamKind], OpenStream] = attrs.field(factory=dict)
    generated: bool = False
    "All content was sent."
    done: bool = False
    cut: bool = False
    "Interrupted while content was still to come."
    interrupted: bool = False
    "An interruption was told, be it of the playback only. No content is delivered any more."
    interrupted_by: str = "speech"
    audio_ms: float = 0.0
    "How much audio was delivered."
    spoken: list[OpenStream] = attrs.field(factory=list)
    "The streams of audio, in order."
    plays_until: float = 0.0
    "When a player that began at once would be through, in seconds of the caller's clock."
    played_ms: float | None = None
    "What a player reported."
    call_ids: list[str] = attrs.field(factory=list)

    def audio_items(self) -> dict[str, float]:
        """How much audio was delivered of each item, in order."""
        lengths: dict[str, float] = {}
        for entry in self.spoken:
            item_id = entry.stream.item_id or ""
            lengths[item_id] = lengths.get(item_id, 0.0) + entry.audio_ms
        return lengths

    def heard_ms(self, now: float | None) -> float | None:
        """How much was heard: as reported, else estimated from the clock, else unknown."""
        if self.played_ms is not None:
            return min(self.played_ms, self.audio_ms)
        if now is None:
            return None
        return max(0.0, self.audio_ms - max(0.0, self.plays_until - now) * 1000)

    def playing(self, now: float | None) -> bool:
        """Whether audio that was delivered has not been heard yet, as far as can be known."""
        if self.audio_ms <= 0:
            return False
        heard = self.heard_ms(now)
        return heard is not None and heard < self.audio_ms


@attrs.define(eq=False)
class Speech:
    """
    Where the latest audio went, for the frames that go on there.

    Kept by a translator as long as nothing happens that may change where the next audio goes.
    """

    response: Response
    entry: OpenStream
    format: AudioFormat
    words: OpenStream | None = None
    "Its transcript, once some of it came."
    envelope: Envelope | None = None
    _studies: int = 0

    def study(self, frame: object, audio: str, changing: str | None = None) -> None:
        """Learn, from a frame and the base64 that was read from it, how the next ones will look."""
        if self._studies == _STUDIES:
            return
        self._studies += 1
        if isinstance(frame, bytes):
            self.envelope = Envelope.around(frame, audio, changing)


@attrs.define(eq=False)
class Call:
    """What is known of one tool call."""

    id: str
    name: str
    response_id: str
    wire_id: str | None
    "The provider's id; ``None`` where it gave none and `id` is ours."
    blocking: bool = True
    answered: bool = False
    cancelled: bool = False

    @property
    def pending(self) -> bool:
        return not (self.answered or self.cancelled)


def forget(memory: dict[Any, V], keep: Callable[[V], bool] | None = None) -> None:
    """Drop the oldest entries beyond the bound, except those to keep."""
    excess = len(memory) - REMEMBERED
    if excess < _SWEEP:
        return
    old = (key for key, value in memory.items() if keep is None or not keep(value))
    for key in list(itertools.islice(old, excess)):
        del memory[key]
