"""The session: it starts, changes, and has limits and errors."""

from __future__ import annotations

from tests.providers.openai_rows.row import Row
from tests.providers.openai_told import STARTED
from unirt import events as ev
from unirt.events import Severity

__all__ = ["ROWS"]

ROWS: list[Row] = [
    (
        [],
        {
            "type": "session.created",
            "session": {"id": "s1", "model": "m", "expires_at": 9, "tools": []},
        },
        [
            (
                ev.SessionStarted,
                {
                    "session_id": "s1",
                    "model": "m",
                    "expires_at": 9,
                    "config": {"id": "s1", "model": "m", "expires_at": 9, "tools": []},
                },
            )
        ],
    ),
    ([], {"type": "session.created"}, [(ev.SessionStarted, {"session_id": None, "config": None})]),
    (
        [{"type": "session.created"}],
        {"type": "session.created", "session": {"id": "s2"}},
        [(ev.SessionUpdated, {"config": {"id": "s2"}})],
    ),
    (
        [{"type": "session.created"}],
        {"type": "session.updated", "session": {"instructions": "x"}},
        [(ev.SessionUpdated, {"config": {"instructions": "x"}})],
    ),
    (
        [],
        {"type": "session.updated", "session": {}},
        [(ev.SessionStarted, {}), (ev.SessionUpdated, {"config": {}})],
    ),
    (
        [{"type": "session.created"}],
        {"type": "transcription_session.updated", "session": {}},
        [(ev.SessionUpdated, {})],
    ),
    (
        [],
        {"type": "conversation.created", "conversation": {"id": "c1"}},
        [(ev.SessionStarted, {}), (ev.ConversationCreated, {"conversation_id": "c1"})],
    ),
    (
        [STARTED],
        {
            "type": "rate_limits.updated",
            "rate_limits": [
                {"name": "tokens", "limit": 10, "remaining": 4, "reset_seconds": 1.5},
                {"name": "requests"},
            ],
        },
        [
            (
                ev.RateLimitsUpdated,
                {
                    "limits": (
                        ev.RateLimit(name="tokens", limit=10, remaining=4, reset_ms=1500),
                        ev.RateLimit(name="requests"),
                    )
                },
            )
        ],
    ),
    (
        [STARTED],
        {
            "type": "error",
            "event_id": "e1",
            "error": {
                "type": "invalid_request_error",
                "code": "invalid_value",
                "message": "bad",
                "param": "item.content[0].type",
                "event_id": "c7",
            },
        },
        [
            (
                ev.ProviderError,
                {
                    "message": "bad",
                    "severity": Severity.ERROR,
                    "type": "invalid_request_error",
                    "code": "invalid_value",
                    "param": "item.content[0].type",
                    "command_id": "c7",
                },
            )
        ],
    ),
]
