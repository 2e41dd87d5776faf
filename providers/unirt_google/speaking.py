"""
The frames that a session is made of: one more piece of audio, or of its words, and nothing else.

Nearly all frames go on with what the frames before them said. Where such a piece belongs was found
out with the first one, so the others take a short way: audio in a known envelope is not even read
as JSON (:meth:`~unirt.composer.Composer.same_again`), and what else goes on is recognised here.
Whatever is not exactly that goes the way of :mod:`~unirt_google.inbound`, which understands these
frames too: the short ways may be left out, and nothing but the time it takes would change.
"""

from __future__ import annotations

from typing import Any

import attrs

from unirt.composer import Composer, Speech
from unirt.wire import WireError, decode_audio

__all__ = ["Speaking", "goes_on"]


@attrs.define(eq=False, kw_only=True)
class Speaking(Speech):
    """Where the latest audio went, and what a frame must say to go on there."""

    mime_type: str


def goes_on(composer: Composer, speaking: Speaking, data: Any, frame: object) -> bool:
    """Deliver a frame that is one more piece of the same; ``False`` for every other frame."""
    try:
        content = data["serverContent"]
        if len(data) != 1 or len(content) != 1:
            return False
        turn = content.get("modelTurn")
        if turn is None:
            return _words(composer, speaking, content["outputTranscription"], frame)
        (part,) = turn["parts"]
        blob = part["inlineData"]
        if blob["mimeType"] != speaking.mime_type or speaking.entry.closed:
            return False
        if len(turn) != 1 or len(part) != 1 or len(blob) != 2:
            return False
        audio = decode_audio(blob["data"], "")
    except (LookupError, TypeError, ValueError, AttributeError, WireError):
        return False
    if not audio:
        return False
    speaking.study(frame, blob["data"])
    composer.more_audio(speaking.response, speaking.entry, audio, speaking.format)
    return True


def _words(composer: Composer, speaking: Speaking, told: Any, frame: object) -> bool:
    words, text = speaking.words, told["text"]
    if words is None or words.closed or len(told) != 1 or type(text) is not str or not text:
        return False
    composer.more_words(speaking, words, text, frame)
    return True
