"""
Token counts on Google's wire, both ways.

The same counts go by two spellings: the Gemini API says ``responseTokenCount``, Vertex AI says
``candidatesTokenCount`` (recorded frames of both; ``google.genai._live_converters``, 3.4.0,
2026-11). Both are read; which one to write is chosen.

Two of Google's habits are undone here. A count may be larger than its own details, or come without
any: what was not split is ``Tokens.other``. And ``totalTokenCount`` sometimes leaves thinking out
(1131 + 26 = 1157 beside 24 tokens of thought, recorded from a 2.5 model), so it is not read at all.
"""

from __future__ import annotations

from typing import Any

from unirt.usage import Tokens, Usage
from unirt.wire import Wire
from unirt_google.spelling import spelled

__all__ = ["usage_from_wire", "usage_to_wire"]

_MODALITIES: dict[str, str] = {
    "TEXT": "text",
    "AUDIO": "audio",
    "IMAGE": "image",
    "VIDEO": "video",
    "DOCUMENT": "other",
    "MODALITY_UNSPECIFIED": "other",
}
"""``google.genai.types.MediaModality`` (3.4.0, 2026-11), and where a count of it goes."""

_COUNTS: dict[str, tuple[str, ...]] = {
    "prompt": ("promptTokenCount",),
    "cached": ("cachedContentTokenCount",),
    "response": ("responseTokenCount", "candidatesTokenCount"),
    "tool_use": ("toolUsePromptTokenCount",),
    "thoughts": ("thoughtsTokenCount",),
}
_DETAILS: dict[str, tuple[str, ...]] = {
    "prompt": ("promptTokensDetails",),
    "cached": ("cacheTokensDetails",),
    "response": ("responseTokensDetails", "candidatesTokensDetails"),
    "tool_use": ("toolUsePromptTokensDetails",),
}

_NONE = Tokens()


def usage_from_wire(wire: Wire) -> Usage:
    """
    Read a ``usageMetadata`` object, in either spelling.

    Raises:
        WireError: A count is not a number, or the details are not what they should be.
    """
    wire = spelled(wire)
    tool_use = _tokens(wire, "tool_use")
    return Usage(
        input=_tokens(wire, "prompt") + tool_use,
        cached=_tokens(wire, "cached"),
        output=_tokens(wire, "response"),
        thinking=_count(wire, "thoughts"),
        tool_use=tool_use.total,
    )


def usage_to_wire(usage: Usage, dialect: str = "gemini") -> dict[str, Any]:
    """
    Write a ``usageMetadata`` object.

    The modalities of tool-use prompts are a part of :attr:`Usage.input` and not known apart, so
    their number is taken from the prompt's ``other`` first, then from its text.

    Args:
        usage: The counts.
        dialect: ``gemini`` or ``vertex``: which spelling of the response's counts.
    """
    prompt = _without(usage.input, usage.tool_use)
    name = "candidates" if dialect == "vertex" else "response"
    counts = {
        "promptTokenCount": prompt.total,
        "cachedContentTokenCount": usage.cached.total,
        f"{name}TokenCount": usage.output.total,
        "toolUsePromptTokenCount": usage.tool_use,
        "thoughtsTokenCount": usage.thinking,
        "totalTokenCount": usage.total_tokens,
    }
    details = {
        "promptTokensDetails": prompt,
        "cacheTokensDetails": usage.cached,
        f"{name}TokensDetails": usage.output,
    }
    written: dict[str, Any] = {key: count for key, count in counts.items() if count}
    for key, tokens in details.items():
        if split := _split(tokens):
            written[key] = split
    return written


def _count(wire: Wire, noun: str) -> int:
    """One count, by whichever name; a negative one is no count and reads as 0."""
    for key in _COUNTS[noun]:
        if key in wire:
            return max(0, wire.count(key))
    return 0


def _tokens(wire: Wire, noun: str) -> Tokens:
    """One count with its details; what the details leave out is ``other``."""
    details = next((split for key in _DETAILS[noun] if (split := wire.objs(key))), [])
    total = _count(wire, noun)
    if not (details or total):
        return _NONE
    counts = dict.fromkeys(("text", "audio", "image", "video", "other"), 0)
    for entry in map(spelled, details):
        modality = _MODALITIES.get(entry.text_or("modality") or "", "other")
        counts[modality] += max(0, entry.count("tokenCount"))
    counts["other"] += max(0, total - sum(counts.values()))
    return Tokens(**counts)


def _split(tokens: Tokens) -> list[dict[str, Any]]:
    return [
        {"modality": modality, "tokenCount": count}
        for modality, field in _MODALITIES.items()
        if field != "other" and (count := getattr(tokens, field))
    ]


def _without(tokens: Tokens, count: int) -> Tokens:
    """The tokens less `count` of them."""
    left = {}
    for field in ("other", "text", "audio", "image", "video"):
        here = getattr(tokens, field)
        taken = min(here, count)
        left[field] = here - taken
        count -= taken
    return Tokens(**left)
