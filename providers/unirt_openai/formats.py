"""
Audio formats: OpenAI's wire objects to :class:`~unirt.audio.AudioFormat`, and back.

Three formats are documented (openai 3.54.0, ``RealtimeAudioFormats``, 2026-11): 24 kHz PCM and the
two of G.711. Dialects name other rates for PCM in the same object; the beta protocol names a format
by a bare word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.audio import G711_ALAW, G711_ULAW, PCM16_24K, AudioFormat, Encoding

__all__ = ["FORMATS", "read_format", "write_format"]

FORMATS: Mapping[str, AudioFormat] = {
    "audio/pcm": PCM16_24K,
    "audio/pcmu": G711_ULAW,
    "audio/pcma": G711_ALAW,
    # The beta's words.
    "pcm16": PCM16_24K,
    "g711_ulaw": G711_ULAW,
    "g711_alaw": G711_ALAW,
}
"By the name on the wire; the canonical names come first."

_RATES = range(8_000, 96_001)


def read_format(value: Any) -> AudioFormat | None:
    """What a format object, or the beta's word, stands for; ``None`` where it is not known."""
    if isinstance(value, str):
        return FORMATS.get(value)
    if not isinstance(value, dict) or not isinstance(name := value.get("type"), str):
        return None
    format_ = FORMATS.get(name)
    rate = value.get("rate")
    if format_ is None or format_.encoding is not Encoding.PCM16 or type(rate) is not int:
        return format_
    return AudioFormat(rate=rate) if rate != format_.rate and rate in _RATES else format_


def write_format(format_: AudioFormat) -> dict[str, Any]:
    """The wire object of a format that :func:`read_format` knows."""
    name = next(name for name, known in FORMATS.items() if known.encoding is format_.encoding)
    return {"type": name, **({"rate": format_.rate} if name == "audio/pcm" else {})}
