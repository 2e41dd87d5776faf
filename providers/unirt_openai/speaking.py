"""
The frames that a session is made of: one more piece of audio, or of its words.

Nearly all frames go on with what the frames before them said. Where such a piece belongs was found
out with the first one, so the others take the short way here. Whatever is not exactly that goes the
way of :mod:`~unirt_openai.inbound`, which understands these frames too: the short way may be left
out, and nothing but the time it takes would change.
"""

from __future__ import annotations

from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.composer import Composer, OpenStream, Response
from unirt.wire import WireError, decode_audio

__all__ = ["Speaking", "goes_on"]

_AUDIO = frozenset({"response.output_audio.delta", "response.audio.delta"})
_WORDS = frozenset({"response.output_audio_transcript.delta", "response.audio_transcript.delta"})


@attrs.define(eq=False)
class Speaking:
    """Where the latest audio went; what may change where the next one goes ends it."""

    item_id: str
    index: int
    response: Response
    entry: OpenStream
    format: AudioFormat
    words: OpenStream | None = None
    "Its transcript, once some of it came."


def goes_on(composer: Composer, speaking: Speaking, data: Any) -> bool:
    """Deliver a frame that is one more piece of the same; ``False`` for every other frame."""
    try:
        if (
            data["item_id"] != speaking.item_id
            or data["response_id"] != speaking.response.id
            or data["content_index"] is not speaking.index
        ):
            return False
        type_, delta = data["type"], data["delta"]
        if type_ in _AUDIO:
            audio = None if speaking.entry.closed else decode_audio(delta, "")
            if audio:
                composer.more_audio(speaking.response, speaking.entry, audio, speaking.format)
            return bool(audio)
    except (LookupError, TypeError, ValueError, WireError):
        return False
    words = speaking.words
    if type_ not in _WORDS or words is None or words.closed or type(delta) is not str or not delta:
        return False
    composer.more_text(words, delta)
    return True
