"""
Token counts: OpenAI's usage objects to :class:`~unirt.usage.Usage`, and back.

OpenAI's ``text_tokens`` of the output hold the reasoning tokens as well: 29 output tokens were seen
to be 10 of text and 19 of reasoning, billed once (github.com/BerriAI/litellm/pull/39850, 2026-11).
unirt counts thinking apart, so they are taken out when reading and put back when writing.
"""

from __future__ import annotations

from typing import Any

import attrs

from unirt.usage import Tokens, Usage
from unirt.wire import Wire

__all__ = ["read_transcription_usage", "read_usage", "write_usage"]

_NONE = Tokens()


def read_usage(wire: Wire) -> Usage:
    """
    Read the usage of a response, or the token form of a transcription's.

    Raises:
        WireError: A count is not a number.
    """
    details = wire.obj_or("input_token_details") or Wire({})
    cached = details.obj_or("cached_tokens_details") or Wire({})
    return Usage(
        input=_tokens(details, _count(wire, "input_tokens")),
        cached=_tokens(cached, _count(details, "cached_tokens")),
        **_output(wire),
    )


def read_transcription_usage(wire: Wire) -> tuple[Usage | None, float | None]:
    """
    Read the usage of an input transcription: tokens, or billed ms of audio.

    The output is not split on the wire; what a transcription writes is text.

    Raises:
        WireError: A count is not a number.
    """
    seconds = wire.number_or("seconds")
    if wire.text_or("type") == "duration" or (seconds is not None and "input_tokens" not in wire):
        return None, None if seconds is None else seconds * 1000
    usage = read_usage(wire)
    written = attrs.evolve(usage.output, text=usage.output.text + usage.output.other, other=0)
    return attrs.evolve(usage, output=written), None


def write_usage(usage: Usage) -> dict[str, Any]:
    """The usage object of a ``response.done``, with the fields that were recorded."""
    output: dict[str, Any] = {
        "text_tokens": usage.output.text + usage.thinking,
        "audio_tokens": usage.output.audio,
    }
    if usage.thinking:
        output["reasoning_tokens"] = usage.thinking
    return {
        "total_tokens": usage.total_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "input_token_details": {
            **_by_modality(usage.input),
            "cached_tokens": usage.cached.total,
            "cached_tokens_details": _by_modality(usage.cached),
        },
        "output_token_details": output,
    }


def _output(wire: Wire) -> dict[str, Any]:
    details = wire.obj_or("output_token_details") or Wire({})
    text, audio = _count(details, "text_tokens"), _count(details, "audio_tokens")
    thinking = _count(details, "reasoning_tokens")
    total = _count(wire, "output_tokens")
    beside = min(thinking, max(0, total - text - audio))
    text -= min(text, thinking - beside)
    other = max(0, total - text - audio - thinking)
    return {"output": Tokens(text=text, audio=audio, other=other), "thinking": thinking}


def _tokens(details: Wire, total: int) -> Tokens:
    text, audio = _count(details, "text_tokens"), _count(details, "audio_tokens")
    image = _count(details, "image_tokens")
    if not (text or audio or image or total):
        return _NONE
    return Tokens(text=text, audio=audio, image=image, other=max(0, total - text - audio - image))


def _by_modality(tokens: Tokens) -> dict[str, int]:
    return {
        "text_tokens": tokens.text,
        "audio_tokens": tokens.audio,
        "image_tokens": tokens.image,
    }


def _count(wire: Wire, key: str) -> int:
    value = wire.data.get(key)
    return value if type(value) is int and value >= 0 else max(0, wire.count(key))
