"""
Setting a call up: an SDP offer goes to ``/realtime/calls``, and its answer comes back.

There are two ways to ask (developers.openai.com/api/docs/guides/realtime-webrtc, 2026-11). With a
key the offer goes with the whole configuration, as two parts of one body. With an ephemeral secret
(``ek_``) it goes alone, for the configuration came with the secret. The answer's ``Location`` names
the call; with that name others join it, and it is hung up.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from unirt.config import SessionConfig
from unirt.transport import Transport
from unirt.transports.http import post
from unirt.transports.webrtc.dial import Answered, open_call
from unirt.transports.webrtc.options import CallOptions, call_options, reaching
from unirt_openai.configure import session_object, with_defaults
from unirt_openai.facts import DEFAULT_MODEL, EPHEMERAL, PROVIDER_NAME, capabilities
from unirt_openai.upgrade import address

__all__ = ["CHANNEL", "dial_call", "http_address", "whole_session"]

CHANNEL = "oai-events"
"What the data channel is called (same guide)."

_SCHEMES = {"ws": "http", "wss": "https"}


def http_address(base_url: str, path: str, query: Mapping[str, Any] | None = None) -> str:
    """
    Where something is asked for over HTTP: `path` below ``/realtime``.

    Raises:
        ConfigurationError: A value of the query is no value.
    """
    parts = urlsplit(address(base_url, query or {}))
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    return urlunsplit(parts._replace(scheme=scheme, path=f"{parts.path}/{path}"))


async def dial_call(
    config: SessionConfig,
    *,
    key: str,
    base_url: str,
    headers: Mapping[str, str],
    options: Mapping[str, Any],
    plaintext: bool = False,
) -> Transport:
    """
    Call the model of `config`.

    Args:
        config: What is asked for.
        key: The key, or an ephemeral secret.
        base_url: Where.
        headers: Of the request, the key's own included.
        options: Those of :class:`~unirt.transports.webrtc.options.CallOptions`.
        plaintext: Whether the request may go to another machine unencrypted.

    Raises:
        ConfigurationError: An option cannot be used, or the extra is not installed.
        DialError: No call came about.
    """
    chosen = reaching(call_options(options), base_url)
    url = http_address(base_url, "calls", chosen.extra_query)

    async def ask(where: str, type_: str, content: bytes) -> tuple[str, Mapping[str, str]]:
        answer = await post(
            PROVIDER_NAME,
            where,
            headers={**headers, "Content-Type": type_},
            content=content,
            timeout=chosen.open_timeout,
            ssl=chosen.ssl,
            secrets=[key],
            plaintext=plaintext,
        )
        return answer.text, answer.headers

    async def signal(offer: str) -> Answered:
        type_, content = "application/sdp", offer.encode()
        if not key.startswith(EPHEMERAL):
            type_, content = _two_parts(offer, whole_session(config))
        sdp, told = await ask(url, type_, content)
        call_id = told.get("location", "").rstrip("/").rpartition("/")[2] or None
        return Answered(sdp=sdp, call_id=call_id, hang_up=_hang_up(ask, base_url, call_id, chosen))

    return await open_call(PROVIDER_NAME, url, label=CHANNEL, options=chosen, signal=signal)


def _hang_up(
    ask: Callable[[str, str, bytes], Awaitable[Any]],
    base_url: str,
    call_id: str | None,
    options: CallOptions,
) -> Callable[[], Awaitable[None]] | None:
    if call_id is None:
        return None
    url = http_address(base_url, f"calls/{call_id}/hangup", options.extra_query)

    async def hang_up() -> None:
        await ask(url, "application/json", b"")

    return hang_up


def whole_session(config: SessionConfig) -> dict[str, Any]:
    """The whole configuration, the model included, which no later update can set."""
    model = config.model or DEFAULT_MODEL
    session = session_object(with_defaults(config), capabilities(model, in_a_call=True))
    return {**session, "model": model}


def _two_parts(offer: str, session: Mapping[str, Any]) -> tuple[str, bytes]:
    """A form of the two, and its type."""
    whole = json.dumps(session, ensure_ascii=False)
    boundary = "unirt-part"
    while boundary in offer or boundary in whole:
        boundary += "-"
    parts = {
        "sdp": ("application/sdp", offer),
        "session": ("application/json", whole),
    }
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        f"Content-Type: {type_}\r\n\r\n{text}\r\n"
        for name, (type_, text) in parts.items()
    )
    return f"multipart/form-data; boundary={boundary}", f"{body}--{boundary}--\r\n".encode()
