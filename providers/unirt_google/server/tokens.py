"""
Tokens, asked of the server over HTTP: ``POST /v1alpha/auth_tokens``.

A token is a key that soon expires, opens so many sessions, and may hold a setup that its user
cannot change (google-genai 3.4.0, ``auth_tokens.create``, 2026-11). By default it opens one, within
a minute, which may last half an hour; to resume a session is no use. A ``fieldMask``, which locks
only some of the setup, is not understood, and refused. How the service words that a token is too
old, or used up, is not recorded.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from unirt.passes import Pass, Passes
from unirt.translator import Reply, Request
from unirt.wire import parse_frame

__all__ = ["TOKEN", "token_for"]

TOKEN = "auth_tokens/"  # noqa: S105  (how tokens begin)

_KNOWN = {"uses", "expireTime", "newSessionExpireTime", "bidiGenerateContentSetup"}
_LONGEST_S = 20 * 60 * 60
_USUAL_END_S, _USUAL_BEGIN_S, _USUAL_USES = 30 * 60, 60, 1


def token_for(request: Request, passes: Passes, now: float) -> Reply:
    """The answer to a request for a token; `now` in Unix seconds."""
    if request.method != "POST" or not request.path.endswith("/auth_tokens"):
        return _refused(404, "NOT_FOUND", f"there is no {request.method} {request.path}")
    if not (request.headers.get("x-goog-api-key") or request.query.get("key")):
        return _refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
    try:
        asked = parse_frame(request.body or b"{}")
    except ValueError:
        asked = None
    given = _read(asked, now) if isinstance(asked, dict) and set(asked) <= _KNOWN else None
    if given is None:
        return _refused(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
    name = passes.give(TOKEN, given)
    return Reply(headers={"content-type": "application/json"}, body=json.dumps({"name": name}))


def _read(asked: dict[str, Any], now: float) -> Pass | None:
    """What is asked for; ``None`` where that cannot be had."""
    uses = asked.get("uses", _USUAL_USES)
    setup = asked.get("bidiGenerateContentSetup")
    try:
        end_by = _moment(asked.get("expireTime"), now + _USUAL_END_S)
        begin_by = _moment(asked.get("newSessionExpireTime"), now + _USUAL_BEGIN_S)
    except (TypeError, ValueError):
        return None
    if type(uses) is not int or uses < 0 or max(end_by, begin_by) > now + _LONGEST_S:
        return None
    if not isinstance(setup, dict | None):
        return None
    return Pass(opens=setup, begin_by=begin_by, end_by=end_by, uses=uses or None)


def _moment(written: Any, otherwise: float) -> float:
    return otherwise if written is None else datetime.fromisoformat(written).timestamp()


def _refused(code: int, status: str, message: str) -> Reply:
    error = {"code": code, "message": message, "status": status}
    return Reply(
        status=code,
        headers={"content-type": "application/json"},
        body=json.dumps({"error": error}),
    )
