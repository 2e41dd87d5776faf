"""
Token counts on Google's wire, both ways.

The same counts go by two spellings: the Gemini API says ``responseTokenCount``, Vertex AI says
``candidatesTokenCount`` (recorded frames of both; ``google.genai._live_converters``, 3.4.0,
2026-11). Both are read; the dialect to write is chosen.

Two of Google's habits are undone here. A count may be larger than its own details, or come without
any: what was not split is ``Tokens.other``. And ``totalTokenCount`` sometimes leaves thinking out
(1131 + 26 = 1157 beside 24 tokens of thought, recorded from a 2.5 model), so it is not read at all.
"""

from __future__ import annotations

from typing import Any

from unirt.usage import Tokens, Usage
from unirt.wire import Wire

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

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "prompt": ("promptTokenCount", "prompt_token_count"),
    "cached": ("cachedContentTokenCount", "cached_content_token_count"),
    "response": (
        "responseTokenCount",
        "response_token_count",
        "candidatesTokenCount",
        "candidates_token_count",
    ),
    "tool_use": ("toolUsePromptTokenCount", "tool_use_prompt_token_count"),
    "thoughts": ("thoughtsTokenCount", "thoughts_token_count"),
}
_DETAILS: dict[str, tuple[str, ...]] = {
    "prompt": ("promptTokensDetails", "prompt_tokens_details"),
    "cached": ("cacheTokensDetails", "cache_tokens_details"),
    "response": (
        "responseTokensDetails",
        "response_tokens_details",
        "candidatesTokensDetails",
        "candidates_tokens_details",
    ),
    "tool_use": ("toolUsePromptTokensDetails", "tool_use_prompt_tokens_details"),
}


def usage_from_wire(wire: Wire) -> Usage:
    """
    Read a ``usageMetadata`` object, in either spelling.

    Raises:
        WireError: A count is not a number, or the details are not what they should be.
    """
    return Usage(
        input=_tokens(wire, "prompt") + _tokens(wire, "tool_use"),
        cached=_tokens(wire, "cached"),
        output=_tokens(wire, "response"),
        thinking=_count(wire, "thoughts"),
        tool_use=_tokens(wire, "tool_use").total,
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
    """One count, whatever its spelling; a negative one is no count and reads as 0."""
    for key in _SPELLINGS[noun]:
        if key in wire:
            return max(0, wire.count(key))
    return 0


def _tokens(wire: Wire, noun: str) -> Tokens:
    """One count with its details; what the details leave out is ``other``."""
    counts = dict.fromkeys(("text", "audio", "image", "video", "other"), 0)
    for key in _DETAILS[noun]:
        for entry in wire.objs(key):
            modality = _MODALITIES.get(entry.text_or("modality") or "", "other")
            spelling = "tokenCount" if "tokenCount" in entry else "token_count"
            counts[modality] += max(0, entry.count(spelling))
    counts["other"] += max(0, _count(wire, noun) - sum(counts.values()))
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
