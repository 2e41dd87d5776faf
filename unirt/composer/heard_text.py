"""
Which words of a reply were heard: an estimate, from how its transcript came beside its audio.

No provider says it, and one that is told how much was heard forgets the transcript altogether. What
there is to go by: where in the audio each piece of the transcript came. A piece is taken to be
spoken between the audio that came before it and the audio before the next piece; the last one is
spoken until the audio ends. So pieces that lead their sound, follow it, or come all at once are
spread over the sound that there is. Nobody speaks faster than :data:`FASTEST`, which bounds the
error where a transcript runs far ahead of audio that is still to come. Where the provider gives the
times of words, those count instead.

Words are whole: one that was not heard to its end was not heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from unirt.composer.records import NEARLY_MS, OpenStream
from unirt.events import Word

__all__ = ["FASTEST", "heard_text", "time_words"]

FASTEST = 0.025
"Characters a ms: a quarter more than a fast speaker of English."

_LONGEST_WORD = 30
"Characters; what is longer is a text without spaces, and is cut anywhere."
_UNSPACED = 0x2E80
"From here on are the scripts that write no spaces between words."


def heard_text(
    words: OpenStream, played_ms: float, received_ms: float, *, complete: bool
) -> str | None:
    """
    The words of a transcript that were heard; ``None`` where there is no transcript.

    Args:
        words: The stream of the transcript.
        played_ms: How much of the audio beside it was played.
        received_ms: How much of that audio there is.
        complete: Whether no more of the audio was to come.
    """
    text, lengths = words.whole()
    if not text:
        return None
    if complete and played_ms > received_ms - NEARLY_MS:
        return text.strip()
    if words.timed:
        ended = [chars for end_ms, chars in words.timed if end_ms <= played_ms + NEARLY_MS]
        return text[: max(ended, default=0)].strip()
    delivered = sum(lengths)
    late = [received_ms] * (len(lengths) - len(words.cues))
    knots = list(_knots([*words.cues, *late], lengths, received_ms))
    chars = _chars_by(played_ms, knots)
    chars = min(chars * len(text) / delivered if delivered else 0, played_ms * FASTEST)
    return text[: _word_end(text, int(chars))].strip()


def time_words(stream: OpenStream, text: str, words: Sequence[Word]) -> None:
    """Note the times of the words in the next piece of a transcript, before it is added."""
    before, at = sum(map(len, stream.parts)), 0
    for word in words:
        found = text.find(word.text, at) if word.text else -1
        if found < 0 or word.end_ms is None:
            continue
        at = found + len(word.text)
        if stream.timed_from is None:
            # Whatever the provider counts from, its first word begins with the sound.
            stream.timed_from = word.start_ms or 0.0
        stream.timed = stream.timed or []
        stream.timed.append((word.end_ms - stream.timed_from, before + at))


def _knots(
    cues: Sequence[float], lengths: Sequence[int], received_ms: float
) -> Iterator[tuple[float, int]]:
    """Points of audio in ms, each with the characters spoken until there; both only grow."""
    yield 0.0, 0
    chars = 0
    for until, length in zip([*cues[1:], received_ms], lengths, strict=True):
        chars += length
        yield min(until, received_ms), chars


def _chars_by(played_ms: float, knots: Sequence[tuple[float, int]]) -> float:
    """The characters spoken by a position; pieces at one point share the way to it."""
    last: dict[float, int] = {}
    for ms, chars in knots:
        last[ms] = chars if ms else 0
    merged = sorted(last.items())
    for (from_ms, from_chars), (to_ms, to_chars) in pairwise(merged):
        if played_ms < to_ms:
            share = (played_ms - from_ms) / (to_ms - from_ms)
            return from_chars + share * (to_chars - from_chars)
    return merged[-1][1]


def _word_end(text: str, at: int) -> int:
    """The end of the last whole word in the first `at` characters."""
    if at >= len(text):
        return len(text)
    for end in range(at, max(at - _LONGEST_WORD, -1), -1):
        if end == 0 or text[end].isspace() or ord(text[end - 1]) >= _UNSPACED:
            return end
    return at
