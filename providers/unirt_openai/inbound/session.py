"""
Server events about the session: its configuration, its limits, its errors.

``session.created`` is the first frame of a fresh connection and never comes on a sideband; the xAI
dialect sends ``conversation.created`` before it. So any of the three starts the handshake, and the
composer sees to it that the application hears of one start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from unirt import events as ev
from unirt.events import RateLimit, Severity
from unirt.wire import Wire
from unirt_openai.inbound.rows import Row
from unirt_openai.policy import POLICY
from unirt_openai.state import State

__all__ = ["ROWS"]

_FATAL = frozenset(
    {
        "session_expired",
        "invalid_api_key",
        "insufficient_quota",
        "account_deactivated",
        "authentication_error",
    }
)
"""
Codes, or types, after which the session is over, or cannot go on. Which ones change nothing is
said by the policy; any other failed one command
(codes as reported in github.com/pipecat-ai/pipecat/issues/3960, github.com/livekit/agents and
developers.openai.com/api/docs/guides/error-codes, 2026-11).
"""


def _session_created(state: State, wire: Wire) -> None:
    session = wire.obj_or("session") or Wire({}, "$.session")
    fields: dict[str, Any] = {
        "session_id": session.text_or("id"),
        "model": session.text_or("model"),
        "expires_at": session.number_or("expires_at"),
    }
    state.heed(session.data)
    config = session.data or None
    if not state.composer.session_started(config=config, **fields):
        state.composer.emit(ev.SessionUpdated, config=config)


def _session_updated(state: State, wire: Wire) -> None:
    session = wire.obj_or("session")
    if session is not None:
        state.heed(session.data)
    state.acknowledged = True
    state.composer.emit(ev.SessionUpdated, config=None if session is None else session.data)


def _conversation_created(state: State, wire: Wire) -> None:
    conversation = wire.obj_or("conversation")
    id_ = None if conversation is None else conversation.text_or("id")
    state.composer.emit(ev.ConversationCreated, conversation_id=id_)


def _rate_limits(state: State, wire: Wire) -> None:
    limits = tuple(
        RateLimit(
            name=limit.text_or("name") or "",
            limit=_whole(limit, "limit"),
            remaining=_whole(limit, "remaining"),
            reset_ms=_ms(limit.number_or("reset_seconds")),
        )
        for limit in wire.objs("rate_limits")
    )
    state.composer.emit(ev.RateLimitsUpdated, limits=limits)


def _whole(wire: Wire, key: str) -> int | None:
    value = wire.number_or(key)
    return None if value is None or not math.isfinite(value) else int(value)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _error(state: State, wire: Wire) -> None:
    # Dialects put the fields, or a bare message, where OpenAI puts an object.
    told = wire.data.get("error")
    error = Wire(told, "$.error") if isinstance(told, dict) else wire
    message = told if isinstance(told, str) else _words(error, "message") or "no message"
    type_ = error.text_or("type") if error is not wire else None
    code = _words(error, "code")
    command_id = error.text_or("event_id") if error is not wire else None
    state.requests.failed(code, command_id, state.now)
    if state.media is not None:
        state.media.refused(command_id)
    refused = [id_ for id_, (frame, _) in state.unconfirmed.items() if frame == command_id]
    for item_id in refused:
        del state.unconfirmed[item_id]
    state.composer.emit(
        ev.ProviderError,
        message=message,
        severity=_severity(code, type_, message),
        type=type_,
        code=code,
        param=_words(error, "param"),
        command_id=command_id,
    )


def _severity(code: str | None, type_: str | None, message: str) -> Severity:
    told = [word for word in (code, type_) if word is not None]
    if POLICY.ignores(told, message):
        return Severity.BENIGN
    return Severity.ERROR if _FATAL.isdisjoint(told) else Severity.FATAL


def _words(wire: Wire, key: str) -> str | None:
    """What stands at `key`, as text: dialects number their codes."""
    value: Any = wire.data.get(key)
    return value if value is None or isinstance(value, str) else str(value)


_UPDATED = Row(_session_updated, (ev.SessionUpdated,))

ROWS: Mapping[str, Row] = {
    "session.created": Row(_session_created, (ev.SessionStarted, ev.SessionUpdated)),
    "session.updated": _UPDATED,
    "transcription_session.updated": _UPDATED,
    "conversation.created": Row(_conversation_created, (ev.ConversationCreated,)),
    "rate_limits.updated": Row(_rate_limits, (ev.RateLimitsUpdated,)),
    "error": Row(_error, (ev.ProviderError,)),
}
