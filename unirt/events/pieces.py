"""
The pieces that a session is made of, audio and transcript, made in a third of the time.

Nine of ten events are one of these two. They are made as all values are, see :mod:`unirt.value`,
but as drafts from the beginning, and without the origin that nobody asks them for.
"""

from __future__ import annotations

from unirt.audio import AudioFormat
from unirt.events.base import Source, Stream
from unirt.events.content import AudioDelta, TranscriptDelta
from unirt.value import draft_of

__all__ = ["unread_audio_delta", "unread_transcript_delta"]

_new = object.__new__
_DraftAudioDelta = draft_of(AudioDelta)
_DraftTranscriptDelta = draft_of(TranscriptDelta)


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
