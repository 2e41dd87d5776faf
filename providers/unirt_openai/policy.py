"""What the end of a connection to OpenAI means, and its errors, as rows with sources."""

from __future__ import annotations

from unirt.policy import Policy, Row, Verdict

__all__ = ["POLICY"]

_SDK = "openai.resources.realtime: reconnectable close codes, 3.x, 2026-11"
_CAP = "close reasons and errors at the cap, in issue threads of users, 2026-11"
_ERRORS = "https://platform.openai.com/docs/guides/error-codes, as error bodies name it, 2026-11"

_RACES = "https://github.com/openai/openai-agents-js/issues/189, 2026-11"
_EMPTY = "https://github.com/openai/openai-agents-js/issues/748, 2026-11"
_ACTIVE = "https://github.com/openai/openai-agents-python/issues/1466, 2026-11"
_SHORTER = "https://github.com/openclaw/openclaw/pull/125502, 2026-11"
_UNCODED = "https://github.com/mapluisch/OpenAI-Realtime-API-for-Unity/issues/5, 2026-11"

POLICY = Policy(
    (
        Row(
            verdict=Verdict.IGNORE,
            errors=frozenset({"response_cancel_not_active"}),
            why="the answer had ended before it was cut off",
            source=_RACES,
        ),
        Row(
            verdict=Verdict.IGNORE,
            reason=r"no active response",
            why="the same, where no code is told",
            source=_UNCODED,
        ),
        Row(
            verdict=Verdict.IGNORE,
            errors=frozenset({"input_audio_buffer_commit_empty"}),
            why="the provider had taken in what was spoken, or nothing was",
            source=_EMPTY,
        ),
        Row(
            verdict=Verdict.IGNORE,
            errors=frozenset({"conversation_already_has_active_response"}),
            why="an answer had begun; the next is asked for again after it",
            source=_ACTIVE,
        ),
        Row(
            verdict=Verdict.IGNORE,
            reason=r"already shorter than",
            why="all of the answer was heard: there is nothing to take away",
            source=_SHORTER,
        ),
        Row(
            verdict=Verdict.FATAL,
            errors=frozenset(
                {
                    "insufficient_quota",
                    "billing_hard_limit_reached",
                    "invalid_api_key",
                    "account_deactivated",
                    "model_not_found",
                }
            ),
            why="the account, or its key, cannot have it",
            source=_ERRORS,
        ),
        Row(
            verdict=Verdict.FATAL,
            reason=r"insufficient_quota|exceeded your current quota|incorrect api key",
            why="the account, or its key, cannot have it",
            source=_ERRORS,
        ),
        Row(
            verdict=Verdict.ROTATE,
            errors=frozenset({"session_expired"}),
            why="a session lasts 60 minutes",
            source=_CAP,
        ),
        Row(
            verdict=Verdict.ROTATE,
            codes=frozenset({1001}),
            reason=r"maximum duration",
            why="a session lasts 60 minutes",
            source=_CAP,
        ),
        Row(
            verdict=Verdict.RETRY,
            codes=frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1015}),
            why="the server, or the way to it, for now",
            source=_SDK,
        ),
        Row(
            verdict=Verdict.RETRY,
            statuses=frozenset({408, 409, 429, 500, 502, 503, 504}),
            why="too many requests, or the server, for now",
            source=_ERRORS,
        ),
    )
)
