"""What the end of a connection to Gemini Live means, as rows with sources."""

from __future__ import annotations

from unirt.policy import Policy, Row, Verdict

__all__ = ["POLICY"]

_QUOTA = "https://github.com/sohzm/cheating-daddy/pull/455 (a 1011 that says 429), 2026-11"
_RANDOM = (
    "https://github.com/google-gemini/deprecated-generative-ai-js/issues/487, "
    "https://github.com/google/adk-python/issues/3918, 2026-11"
)
_ABORTED = "https://github.com/autonomous-ai/autonomous-os/issues/238, 2026-11"
_SESSIONS = "https://ai.google.dev/gemini-api/docs/live-api/session-management, 2026-11"
_SEEN = "close frames in issue threads of googleapis/python-genai and livekit/agents, 2026-11"
_HTTP = "RFC 9110, 15.5 and 15.6; RFC 6585, 4"

POLICY = Policy(
    (
        Row(
            verdict=Verdict.FATAL,
            reason=r"RESOURCE_EXHAUSTED|exceeded your current quota|API key not valid|"
            r"API key expired|permission denied",
            why="the account, or its key, cannot have it",
            source=_QUOTA,
        ),
        Row(
            verdict=Verdict.FATAL,
            codes=frozenset({1008}),
            reason=r"model .*(not found|not supported)|publisher model",
            why="there is no such model for this key, backend or region",
            source=_SEEN,
        ),
        Row(
            verdict=Verdict.RETRY,
            codes=frozenset({1008}),
            reason=r"requested entity was not found|operation is not implemented",
            why="seen at random in running sessions, mostly around tool calls",
            source=_RANDOM,
        ),
        Row(
            verdict=Verdict.ROTATE,
            codes=frozenset({1008}),
            reason=r"operation was aborted",
            why="seen where a proxy ends connections at a fixed age",
            source=_ABORTED,
        ),
        Row(
            verdict=Verdict.FATAL,
            codes=frozenset({1007}),
            why="the configuration, or a frame, is not what the model takes",
            source=_SEEN,
        ),
        Row(
            verdict=Verdict.ROTATE,
            codes=frozenset({1001}),
            why="a connection lasts about ten minutes",
            source=_SESSIONS,
        ),
        Row(
            verdict=Verdict.RETRY,
            codes=frozenset({1005, 1006, 1011, 1012, 1013, 1015}),
            why="the server, or the way to it, for now",
            source=_SEEN,
        ),
        Row(
            verdict=Verdict.RETRY,
            statuses=frozenset({408, 429, 500, 502, 503, 504}),
            why="too many requests, or the server, for now",
            source=_HTTP,
        ),
    )
)
