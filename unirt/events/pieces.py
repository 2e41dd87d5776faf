"""
The pieces that a session is made of, audio and transcript, made in a third of the time.

Nine of ten events are one of these two. A frozen attrs class fills each field of a new instance
past its own ``__setattr__``, with a call a field, and so takes longer to make an event than to read
its frame. What is made here is filled as any object is, while it is a *draft*: an instance of a
class of the same slots that is not frozen. It becomes the event, frozen as every other, when it is
whole, and nobody sees it before.
"""

from __future__ import annotations

from typing import Any

from unirt.audio import AudioFormat
from unirt.events.base import Source, Stream
from unirt.events.content import AudioDelta, TranscriptDelta

__all__ = ["unread_audio_delta", "unread_transcript_delta"]


def _draft(kind: type[Any]) -> type[Any]:
    """A class whose instances may be filled, and then become instances of `kind`."""
    filled = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(f"Draft{kind.__name__}", (kind,), {"__slots__": (), **filled})


_new = object.__new__
_DraftAudioDelta = _draft(AudioDelta)
_DraftTranscriptDelta = _draft(TranscriptDelta)


def unread_audio_delta(  # noqa: PLR0917  (names take longer, and it is called for each piece)
    source: Source,
    received_at: float,
    frame: bytes,
    stream: Stream,
    data: bytes,
    format: AudioFormat,
) -> AudioDelta:
    """What ``AudioDelta(source.origin(received_at, frame), stream, data, format)`` is."""
    event = _new(_DraftAudioDelta)
    event._source = source
    event._frame_at = received_at
    event._frame = frame
    event.synthesised = False
    event.stream = stream
    event.data = data
    event.format = format
    event.__class__ = AudioDelta
    return event  # type: ignore[no-any-return]  # it is one now


def unread_transcript_delta(
    source: Source, received_at: float, frame: bytes, stream: Stream, text: str
) -> TranscriptDelta:
    """What ``TranscriptDelta(source.origin(received_at, frame), stream, text)`` is."""
    event = _new(_DraftTranscriptDelta)
    event._source = source
    event._frame_at = received_at
    event._frame = frame
    event.synthesised = False
    event.stream = stream
    event.text = text
    event.words = ()
    event.language = event.speaker = event.start_ms = event.end_ms = None
    event.__class__ = TranscriptDelta
    return event  # type: ignore[no-any-return]  # it is one now
