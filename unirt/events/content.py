"""
The content plane: what a person would call the conversation.

Every event here is one step of one :class:`~unirt.events.Stream`.
A stream opens once, grows by deltas, and closes once; nothing of it comes before or after.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from unirt.audio import PCM16_24K, AudioFormat
from unirt.events.base import ContentEvent, Unread
from unirt.value import Value

__all__ = [
    "AudioDelta",
    "CitationsDelta",
    "Ending",
    "ImageDelta",
    "ServerToolDelta",
    "ServerToolResult",
    "StreamClosed",
    "StreamOpened",
    "TextDelta",
    "ThoughtDelta",
    "ToolCall",
    "ToolCallDelta",
    "TranscriptDelta",
    "TranscriptInterim",
    "TranscriptSegment",
    "Word",
]


class Ending(StrEnum):
    """How a stream, or a response, ended."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    "The user spoke, or the application interrupted."
    CANCELLED = "cancelled"
    "The application cancelled it."
    FAILED = "failed"
    "The provider could not go on."
    INCOMPLETE = "incomplete"
    "Cut at a limit, or by a content filter."


@attrs.frozen(kw_only=True)
class Word(Value):
    """One transcribed word and when it was said."""

    text: str
    start_ms: float | None = None
    end_ms: float | None = None


@attrs.frozen(kw_only=True)
class StreamOpened(ContentEvent):
    """A stream of content begins. Its deltas follow, maybe interleaved with other streams'."""


@attrs.frozen
class AudioDelta(Unread):
    """The next piece of spoken output."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    "Samples in `format`, whole frames."
    format: AudioFormat = PCM16_24K
    "Read from the wire where the wire says it."

    @property
    def duration_ms(self) -> float:
        """How long this piece lasts, in ms."""
        return self.format.duration_ms(len(self.data))


@attrs.frozen
class TextDelta(ContentEvent):
    """The next piece of written words: the model's, or what the user typed."""

    text: str


@attrs.frozen
class TranscriptDelta(Unread):
    """
    The next piece of the transcript of something spoken; append it.

    The user's transcript comes when the provider has it: before, during or after the answer.
    ``stream.turn_id`` says where it belongs.
    """

    text: str
    words: tuple[Word, ...] = ()
    "Word times, where asked for and given."
    language: str | None = None
    "BCP-47, where given."
    speaker: str | None = None
    "A label that tells speakers apart, where given."
    start_ms: float | None = None
    "From the start of the session's input, where given."
    end_ms: float | None = None


@attrs.frozen(kw_only=True)
class TranscriptInterim(ContentEvent):
    """
    A guess at the words being spoken right now; it replaces the guess before it.

    It is never part of what the deltas add up to.
    """

    text: str
    language: str | None = None


@attrs.frozen(kw_only=True)
class TranscriptSegment(ContentEvent):
    """
    One speaker's stretch of a transcript, from a model that tells speakers apart.

    It says again, with times and speaker, words that the deltas or the final text hold too.
    """

    text: str
    segment_id: str | None = None
    speaker: str | None = None
    start_ms: float | None = None
    end_ms: float | None = None


@attrs.frozen
class ThoughtDelta(ContentEvent):
    """The next piece of a summary of the model's reasoning. It is not spoken; keep it apart."""

    text: str


@attrs.frozen(kw_only=True)
class ImageDelta(ContentEvent):
    """A picture, or another medium that is neither audio nor text, from the model."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    mime_type: str


@attrs.frozen
class ToolCallDelta(ContentEvent):
    """The next piece of a tool call's arguments, as JSON text. Do not act on it; wait."""

    text: str


@attrs.frozen(kw_only=True)
class ToolCall(ContentEvent):
    """
    The model asks the application to run a tool; the call is whole and may be acted on.

    Answer it once, with ``session.send_tool_result(event.call_id, ...)``.
    """

    name: str
    arguments: str
    "JSON text as the model wrote it; see :attr:`args` for the parsed object."
    args: Mapping[str, Any] | None = None
    "The parsed arguments; ``None`` where they are not a JSON object."

    @property
    def call_id(self) -> str:
        """What the result must name. One call has one id, on every provider."""
        return self.stream.call_id or ""


@attrs.frozen
class ServerToolDelta(ContentEvent):
    """The next piece of the arguments of a tool that the provider runs by itself."""

    text: str


@attrs.frozen(kw_only=True)
class ServerToolResult(ContentEvent):
    """What a tool that the provider ran by itself returned."""

    output: str | None = None
    "Text, or JSON text; ``None`` where it failed."
    error: str | None = None


@attrs.frozen(kw_only=True)
class CitationsDelta(ContentEvent):
    """Where the answer's facts come from: search queries, sources, the passages they support."""

    data: Mapping[str, Any]
    "The provider's own object; indices count from the start of this stream."


@attrs.frozen(kw_only=True)
class StreamClosed(ContentEvent):
    """A stream of content is over; nothing of it comes after."""

    ending: Ending = Ending.COMPLETE
    text: str | None = None
    "The whole text, for streams of text; the provider's final wording where it gives one."
    duration_ms: float | None = None
    "For audio: how much of it was delivered, in ms."
    heard_ms: float | None = None
    "For audio that was interrupted: how much of it was played, in ms, where known."
    reason: str | None = None
    "Why, where it did not end complete; see :class:`ResponseDone`."
