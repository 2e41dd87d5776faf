"""What the conventions call things, and in which numbers they want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.events import Ending, ResponseDone
from unirt.usage import Tokens, Usage

__all__ = ["SECONDS", "counts", "finish_reason", "known"]

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"The bounds of buckets that the conventions ask for."

_FINISH = {
    Ending.COMPLETE: "stop",
    Ending.INTERRUPTED: "interrupted",
    Ending.CANCELLED: "cancelled",
    Ending.FAILED: "error",
}
_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def finish_reason(done: ResponseDone, *, called: bool) -> str:
    """Why the model stopped."""
    reason = _REASONS.get(done.reason or "") or _FINISH.get(done.ending, "stop")
    return "tool_call" if called and reason == "stop" else reason


def known(told: Mapping[str, Any]) -> dict[str, Any]:
    """What there is something to tell of."""
    return {name: value for name, value in told.items() if value is not None}


def counts(usage: Usage) -> dict[str, int]:
    """Totals, and the kinds that there are."""
    prefix = "gen_ai.usage"
    totals = {
        f"{prefix}.input_tokens": usage.input_tokens,
        f"{prefix}.output_tokens": usage.output_tokens,
    }
    details = {
        f"{prefix}.cache_read.input_tokens": usage.cached.total,
        f"{prefix}.reasoning.output_tokens": usage.thinking,
        **_by_kind(usage.input, prefix + ".{}.input_tokens"),
        **_by_kind(usage.cached, prefix + ".{}.cache_read.input_tokens"),
        **_by_kind(usage.output, prefix + ".{}.output_tokens"),
    }
    return totals | {name: count for name, count in details.items() if count}


def _by_kind(tokens: Tokens, name: str) -> dict[str, int]:
    return {name.format(kind): getattr(tokens, kind) for kind in ("text", "audio", "image")}
