"""
Tokens, asked of the server over HTTP: ``POST /v1alpha/auth_tokens``.

A token is a key that soon expires, and may hold a setup that its user cannot change (google-genai
3.4.0, ``auth_tokens.create``, 2026-11). A real one is a name for what the service keeps. This one
holds the setup itself, so that a server need not remember what another of its connections was
asked. A ``fieldMask``, which locks only some of the setup, is not understood, and refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pybase64

from unirt.translator import Reply, Request
from unirt.wire import parse_frame

__all__ = ["TOKEN", "setup_of", "token_for"]

TOKEN = "auth_tokens/"  # noqa: S105  (how tokens begin)

_KNOWN = {"uses", "expireTime", "newSessionExpireTime", "bidiGenerateContentSetup"}


def token_for(request: Request, mint: Callable[[str], str]) -> Reply:
    """The answer to a request for a token."""
    if request.method != "POST" or not request.path.endswith("/auth_tokens"):
        return _refused(404, "NOT_FOUND", f"there is no {request.method} {request.path}")
    if not (request.headers.get("x-goog-api-key") or request.query.get("key")):
        return _refused(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
    try:
        asked = parse_frame(request.body or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not set(asked) <= _KNOWN:
        return _refused(400, "INVALID_ARGUMENT", "Invalid JSON payload received.")
    setup = asked.get("bidiGenerateContentSetup")
    name = f"{TOKEN}{mint('token')}"
    if setup:
        name += "." + pybase64.urlsafe_b64encode(json.dumps(setup).encode()).decode()
    return Reply(headers={"content-type": "application/json"}, body=json.dumps({"name": name}))


def setup_of(token: str) -> dict[str, Any] | None:
    """The setup that a token of :func:`token_for` holds, if any."""
    try:
        setup = parse_frame(pybase64.urlsafe_b64decode(token.partition(".")[2]))
    except ValueError:
        return None
    return setup if isinstance(setup, dict) else None


def _refused(code: int, status: str, message: str) -> Reply:
    error = {"code": code, "message": message, "status": status}
    return Reply(
        status=code,
        headers={"content-type": "application/json"},
        body=json.dumps({"error": error}),
    )
