"""
What is asked of the server over HTTP: calls, their ends, and client secrets.

``POST /v1/realtime/calls`` brings an SDP offer, alone with a client secret or beside a session
object with a key, and is answered with 201, the SDP answer, and the call's name in ``Location``
(recorded, 2026-11). ``POST …/calls/{id}/hangup`` ends one. ``POST /v1/realtime/client_secrets``
gives a secret for a configuration (openai 3.54.0, ``client_secrets.create``, 2026-11).

A secret is a name for a configuration, which opens as many sessions as its time allows. One that is
too old, or was never given out, is refused with 401 as no key is; how the service words that is not
recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from unirt.passes import Pass, Passes
from unirt.translator import HangUp, Offer, Reply, Request
from unirt.value import Value
from unirt.wire import parse_frame
from unirt_openai.facts import EPHEMERAL
from unirt_openai.server.checks import Refused
from unirt_openai.server.session import new_session, updated_session

__all__ = ["Called", "answer_to", "configured_by", "refusal"]

_SHORTEST_S, _LONGEST_S, _USUAL_S = 10, 7200, 600
"How long a secret may last (openai 3.54.0, ``client_secret_create_params``)."
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(r'name="([^"]*)"')


@attrs.frozen(kw_only=True)
class Called(Value):
    """An offer, and the configuration that came with it."""

    offer: Offer
    session: dict[str, Any]


def answer_to(
    request: Request, mint: Callable[[str], str], model: str, now: float, passes: Passes | None
) -> Reply | Called | HangUp:
    """What a request is, or the answer to it where that is all; `now` in Unix seconds."""
    parts = request.path.strip("/").split("/")
    try:
        match parts, request.method:
            case [*_, "realtime", "calls"], "POST":
                return _call(request, mint, model, now, passes)
            case [*_, "realtime", "calls", call_id, "hangup"], "POST":
                _key(request)
                return HangUp(call_id=call_id, reply=Reply())
            case [*_, "realtime", "client_secrets"], "POST":
                return _secret(request, mint, model, now, passes)
    except Refused as refused:
        status = 401 if refused.code == "no_key" else 400
        return Reply(status=status, headers=_JSON, body=refusal(refused.message))
    message = f"Invalid URL ({request.method} {request.path})"
    return Reply(status=404, headers=_JSON, body=refusal(message))


def refusal(message: str) -> str:
    """The body of a refusal."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return json.dumps({"error": error}, indent=2)


def configured_by(key: str, passes: Passes | None, now: float) -> dict[str, Any]:
    """
    The configuration that a secret stands for; empty for a plain key, and where nobody remembers.

    Raises:
        Refused: It is too old, or none that was given out.
    """
    if passes is None or not key.startswith(EPHEMERAL):
        return {}
    given = passes.find(key)
    if given is None or not given.begin(now):
        raise Refused("no_key", "The client secret is invalid or has expired.")
    return dict(given.opens)


_JSON: Mapping[str, str] = {"content-type": "application/json"}


def _key(request: Request) -> str:
    key = request.headers.get("authorization", "").removeprefix("Bearer").strip()
    if not key:
        raise Refused("no_key", "You didn't provide an API key.")
    return key


def _call(
    request: Request, mint: Callable[[str], str], model: str, now: float, passes: Passes | None
) -> Called:
    configured = configured_by(_key(request), passes, now)
    type_ = request.headers.get("content-type", "")
    if type_.startswith("multipart/form-data"):
        parts = _form(request.body, type_)
        sdp, session = parts.get("sdp", ""), _object(parts.get("session", "{}"), "session")
    else:
        sdp = request.body.decode("utf-8", "replace")
        session = configured
    if not sdp.startswith("v=0"):
        raise Refused("invalid_offer", "The offer is not valid SDP.", "sdp")
    _checked(session, model)
    call_id = mint("rtc")
    headers = {"content-type": "text/plain", "location": f"{request.path}/{call_id}"}
    reply = Reply(status=201, headers=headers)
    return Called(offer=Offer(sdp=sdp, call_id=call_id, reply=reply), session=session)


def _secret(
    request: Request, mint: Callable[[str], str], model: str, now: float, passes: Passes | None
) -> Reply:
    _key(request)
    asked = _object(request.body.decode("utf-8", "replace") or "{}", "body")
    session = asked.get("session") or {"type": "realtime"}
    whole = _checked(session, model)
    lasts = (asked.get("expires_after") or {}).get("seconds", _USUAL_S)
    if not isinstance(lasts, int) or not _SHORTEST_S <= lasts <= _LONGEST_S:
        message = f"Expected a value between {_SHORTEST_S} and {_LONGEST_S}."
        raise Refused("invalid_value", message, "expires_after.seconds")
    expires_at = int(now) + lasts
    book = Passes() if passes is None else passes
    body = {
        "value": book.give(EPHEMERAL, Pass(opens=session, begin_by=expires_at)),
        "expires_at": expires_at,
        "session": {**whole, "id": mint("sess")},
    }
    return Reply(headers=_JSON, body=json.dumps(body))


def _checked(session: dict[str, Any], model: str) -> dict[str, Any]:
    """
    The whole session that a client asks for.

    Raises:
        Refused: It cannot be had.
    """
    served = session.get("model") or model
    new = new_session("", served, 0, transcription=session.get("type") == "transcription")
    if not session:
        return new
    return updated_session(new, {"type": "realtime", **session}, has_spoken=False)


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = parse_frame(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refused("invalid_type", f"'{where}' is not a JSON object.", where)
    return value


def _form(body: bytes, type_: str) -> dict[str, str]:
    """The fields of a form, by name (RFC 7578)."""
    boundary = _BOUNDARY.search(type_)
    if boundary is None:
        raise Refused("invalid_form", "The form has no boundary.")
    fields = {}
    for part in body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, text = part.partition(b"\r\n\r\n")
        name = _NAME.search(head.decode("utf-8", "replace"))
        if name is not None:
            fields[name[1]] = text.removesuffix(b"\r\n").decode("utf-8", "replace")
    return fields
