"""What a composer remembers: streams, responses and calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from unirt.audio import AudioFormat
from unirt.bounded import forget_oldest
from unirt.envelope import Envelope
from unirt.events import Stream, StreamKind

__all__ = ["NEARLY_MS", "Call", "OpenStream", "Response", "Speech", "forget"]

REMEMBERED = 256
"How many finished responses, turns and calls are remembered, to recognise late words about them."

NEARLY_MS = 1.0
"What is left of audio when it counts as heard: players count samples, and round."

_STUDIES = 8
"How often the frames of one stream may change their looks before they are simply read."

_NO_MORE: Any = ()
"The pieces of a stream that is over; whoever adds to them fails."

_NO_STREAMS: Any = MappingProxyType({})
"The streams of a response that is done, of which no more are opened."

V = TypeVar("V")


@attrs.define(eq=False)
class OpenStream:
    """
    What is known of one stream, open or closed.

    Many are kept for a while, and while the garbage collector looks at them all sessions of a
    program wait: what most of them do not need is not there.
    """

    stream: Stream
    parts: list[str] = attrs.field(factory=list)
    final: str | None = None
    "The provider's final wording, where it gave one before the stream closed."
    closed: bool = False
    audio_ms: float = 0.0
    "How much audio was delivered of it."
    cues: list[float] = attrs.field(factory=list)
    "Of a transcript: for each of `parts`, how much of its item's audio had come before it."
    timed: list[tuple[float, int]] | None = None
    "Of a transcript with word times: when words end, in ms, and where in the text."
    timed_from: float | None = None
    "What those times count from."
    _said: str | None = None
    "The text, once the stream is closed."
    _lengths: Sequence[int] = ()
    "Of `parts`, then."

    def end(self, said: str | None) -> None:
        """
        The stream is over, and all that is kept of it is needed still.

        That is what was `said`, where it may yet be cut when it is only being played any more.
        """
        self.closed = True
        if said is None:
            self.cues = _NO_MORE
        else:
            self._said = said
            self._lengths = tuple(map(len, self.parts))
        self.parts = _NO_MORE

    def whole(self) -> tuple[str, Sequence[int]]:
        """The text so far, and the lengths of the pieces in which it came."""
        if self._said is not None:
            return self._said, self._lengths
        return "".join(self.parts), [len(part) for part in self.parts]


@attrs.define(eq=False)
class Response:
    """What is known of one response."""

    id: str
    "The session's name of it."
    wire_id: str
    "The provider's; ours where it gave none."
    turn_id: str
    in_conversation: bool = True
    streams: dict[tuple[str, int, StreamKind], OpenStream] = attrs.field(factory=dict)
    generated: bool = False
    "All content was sent."
    done: bool = False
    ended: bool = False
    "The provider is through with it, whether or not that was told."
    cut: bool = False
    "Interrupted while content was still to come."
    interrupted: bool = False
    "An interruption was told, be it of the playback only. No content is delivered any more."
    interrupted_by: str = "speech"
    spoken: list[OpenStream] = attrs.field(factory=list)
    "The streams of audio, in order."
    worded: list[OpenStream] = attrs.field(factory=list)
    "The transcripts of it, in order."
    plays_until: float = 0.0
    """
    When a player would be through that plays one response after the other without a pause, in
    seconds of the caller's clock.
    """
    reported_ms: float | None = None
    "What a player reported, at most what had been delivered by then."
    settled_ms: float | None = None
    "How much was heard, by estimate, when it became clear that it will not be more."
    sounding: bool | None = None
    "Whether the provider plays it now; ``None`` where it does not say, or has not begun."
    over: bool = False
    "A player is through with it: it began a later one, or threw the rest away."
    flushed: bool = False
    "A player threw the rest away."
    growing: frozenset[str] = frozenset()
    "Of an interrupted response: the items of whose audio more was to come."
    call_ids: tuple[str, ...] = ()

    def end(self) -> None:
        """It is done; what is kept of it is needed still, to tell what was heard."""
        self.done = self.ended = self.generated = True
        self.streams = _NO_STREAMS
        if not self.spoken:
            self.worded.clear()

    @property
    def audio_ms(self) -> float:
        """How much audio was delivered."""
        spoken = self.spoken
        return spoken[0].audio_ms if len(spoken) == 1 else sum([e.audio_ms for e in spoken], 0.0)

    def audio_items(self) -> dict[str, float]:
        """How much audio was delivered of each item, in order."""
        lengths: dict[str, float] = {}
        for entry in self.spoken:
            item_id = entry.stream.item_id or ""
            lengths[item_id] = lengths.get(item_id, 0.0) + entry.audio_ms
        return lengths

    def audio_of(self, item_id: str) -> float:
        """How much audio was delivered of an item."""
        return sum(e.audio_ms for e in self.spoken if e.stream.item_id == item_id)

    def heard_ms(self, now: float | None) -> float | None:
        """How much was heard: as reported, else estimated from the clock, else unknown."""
        if self.reported_ms is not None:
            return self.reported_ms
        if self.settled_ms is not None:
            return self.settled_ms
        if now is None:
            return None
        return max(0.0, self.audio_ms - max(0.0, self.plays_until - now) * 1000)

    def playing(self, now: float | None) -> bool:
        """Whether audio that was delivered is still to be heard, as far as can be known."""
        if self.sounding is not None:
            return self.sounding and not self.interrupted
        if self.audio_ms <= 0 or self.interrupted or self.over:
            return False
        heard = self.heard_ms(now)
        return heard is not None and heard <= self.audio_ms - NEARLY_MS


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
    "The session's name of it."
    name: str
    response_id: str
    wire_id: str | None
    "The provider's; ``None`` where it gave none."
    blocking: bool = True
    answered: bool = False
    cancelled: bool = False

    @property
    def pending(self) -> bool:
        return not (self.answered or self.cancelled)


def forget(memory: dict[Any, V], keep: Callable[[V], bool] | None = None) -> None:
    """Drop the oldest entries beyond the bound, except those to keep."""
    forget_oldest(memory, REMEMBERED, keep=keep)
