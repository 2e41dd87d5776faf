"""
Opening a connection.

What ``OPENAI_*`` variables, the organisation, custom headers and a base URL become is what the SDK
makes of them, so that they mean here what its users expect; a test compares the two requests
(:mod:`unirt_openai.upgrade`). The SDK itself is not asked: to open one WebSocket it is imported for
0.4 s, makes an HTTP client of 0.8 MB a session, and fills the heap that every full garbage
collection walks (docs/topics/performance.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.config import SessionConfig
from unirt.errors import MissingKey
from unirt.provider import Credentials
from unirt.secret import secret_values
from unirt.transport import Transport
from unirt.transports.noting import rehearsed_at
from unirt.transports.secrecy import check_base_url
from unirt.transports.websocket import check_headers, open_websocket
from unirt_openai.facts import DEFAULT_MODEL, PROVIDER_NAME
from unirt_openai.upgrade import address, upgrade_headers

__all__ = ["DEFAULT_URL", "caller", "dial"]

DEFAULT_URL = "https://api.openai.com/v1"
"Where the SDK goes by default (openai 3.54.0, ``AsyncOpenAI``)."


async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
    """
    Open a connection for the model of `config`.

    `credentials.options` are those of ``websockets.asyncio.client.connect``, and two more:
    ``call_id`` attaches to a running WebRTC or telephone call instead of opening a session, and
    ``extra_query`` is added to the address. Over WebRTC they are those of
    :class:`~unirt.transports.webrtc.options.CallOptions`.

    Raises:
        MissingKey: There is no key.
        ConfigurationError: The address, a header or an option cannot be used.
        DialError: No connection came about.
    """
    key, base_url, headers = caller(credentials)
    options = dict(credentials.options)
    if credentials.transport == "webrtc":
        from unirt_openai.call import dial_call

        return await dial_call(
            config,
            key=key,
            base_url=base_url,
            headers=headers,
            options=options,
            plaintext=credentials.plaintext,
        )
    query = dict(options.pop("extra_query", None) or {})
    call_id = options.pop("call_id", None)
    where: dict[str, Any] = (
        {**query, "call_id": call_id}
        if call_id
        else {"model": config.model or DEFAULT_MODEL, **query}
    )
    return await open_websocket(
        PROVIDER_NAME,
        address(base_url, where),
        headers=headers,
        options=options,
        transport=credentials.transport,
        plaintext=credentials.plaintext,
    )


def caller(credentials: Credentials) -> tuple[str, str, dict[str, str]]:
    """
    The key, the base URL, and the headers of whoever asks.

    Raises:
        MissingKey: There is no key.
        ConfigurationError: The address or a header cannot be used.
    """
    environ = credentials.environ
    key = credentials.api_key or environ.get("OPENAI_API_KEY")
    if not key and rehearsed_at() is not None:
        key = "a-key-of-nobody"
    if not key:
        raise MissingKey(PROVIDER_NAME, ["OPENAI_API_KEY"])
    base_url = credentials.base_url or environ.get("OPENAI_BASE_URL") or DEFAULT_URL
    given = {name.lower() for name in credentials.headers}
    custom = _custom_headers(environ.get("OPENAI_CUSTOM_HEADERS", "")).items()
    found = {name: value for name, value in custom if name.lower() not in given}
    headers = {**found, **credentials.headers}
    _check(key, base_url, headers)
    return (
        key,
        base_url,
        upgrade_headers(
            key,
            organization=environ.get("OPENAI_ORG_ID"),
            project=environ.get("OPENAI_PROJECT_ID"),
            headers=headers,
        ),
    )


def _check(key: str, base_url: str, headers: Mapping[str, str]) -> None:
    check_headers({"OPENAI_API_KEY": key, **headers})
    check_base_url(base_url, where="base_url or OPENAI_BASE_URL", example=DEFAULT_URL)


def _custom_headers(lines: str) -> dict[str, str]:
    """``Name: value`` a line, as the SDK reads ``OPENAI_CUSTOM_HEADERS``."""
    pairs = (line.partition(":") for line in lines.splitlines())
    return secret_values({name.strip(): value.strip() for name, colon, value in pairs if colon})
