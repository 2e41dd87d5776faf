"""
The frames that a session is made of: one more piece of audio, or of its words.

Nearly all frames go on with what the frames before them said. Where such a piece belongs was found
out with the first one, so the others take a short way: audio in a known envelope is not even read
as JSON (:meth:`~unirt.composer.Composer.same_again`), and what else goes on is recognised here.
Whatever is not exactly that goes the way of :mod:`~unirt_openai.inbound`, which understands these
frames too: the short ways may be left out, and nothing but the time it takes would change.
"""

from __future__ import annotations

from typing import Any

import attrs

from unirt.composer import Composer, Speech
from unirt.wire import WireError, decode_audio

__all__ = ["Speaking", "goes_on"]

_AUDIO = frozenset({"response.output_audio.delta", "response.audio.delta"})
_WORDS = frozenset({"response.output_audio_transcript.delta", "response.audio_transcript.delta"})
_GOING_ON = _AUDIO | _WORDS


@attrs.define(eq=False, kw_only=True)
class Speaking(Speech):
    """Where the latest audio went, and what a frame must name to go on there."""

    item_id: str
    "The provider's."
    index: int


def goes_on(composer: Composer, speaking: Speaking, data: Any, frame: object) -> bool:
    """Deliver a frame that is one more piece of the same; ``False`` for every other frame."""
    try:
        type_ = data["type"]
        if type_ not in _GOING_ON or not _same_part(speaking, data):
            return False
        delta = data["delta"]
        if type_ in _AUDIO:
            audio = None if speaking.entry.closed else decode_audio(delta, "")
            if not audio:
                return False
            speaking.study(frame, delta, "event_id" if "event_id" in data else None)
            composer.more_audio(speaking.response, speaking.entry, audio, speaking.format)
            return True
    except (LookupError, TypeError, ValueError, WireError):
        return False
    words = speaking.words
    if words is None or words.closed or type(delta) is not str or not delta:
        return False
    composer.more_words(speaking, words, delta, frame)
    return True


def _same_part(speaking: Speaking, data: dict[str, Any]) -> bool:
    return (
        data["item_id"] == speaking.item_id
        and data["response_id"] == speaking.response.wire_id
        and data["content_index"] is speaking.index
    )
