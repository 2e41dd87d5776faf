"""
Opening a connection, through the SDK's own client.

The SDK is what decides how ``OPENAI_*`` variables, the organisation, custom headers and a base URL
become an upgrade request, so that they mean here what its users expect. It reads the process's
environment where it is given nothing; so everything is given, and what is absent is taken out, for
an explicit choice must win. After the dial only its public raw receive and send are used: no frame
is parsed by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, WebSocketException

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, DialError, MissingKey, UnirtError
from unirt.provider import Credentials
from unirt.translator import Frame
from unirt.transports.websocket import (
    DEFAULTS,
    check_headers,
    closed,
    dial_error,
    shown_url,
)
from unirt_openai.facts import DEFAULT_MODEL, PROVIDER_NAME

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

__all__ = ["DEFAULT_URL", "dial"]

DEFAULT_URL = "https://api.openai.com/v1"
"Where the SDK goes by default (openai 3.54.0, ``AsyncOpenAI``)."

_CLOSE_GRACE_S = 1.0
"What a close may take beyond its own timeout, in seconds."


async def dial(config: SessionConfig, credentials: Credentials) -> SDKTransport:
    """
    Open a connection for the model of `config`.

    `credentials.options` are those of ``websockets.asyncio.client.connect``, and two more:
    ``call_id`` attaches to a running WebRTC or telephone call instead of opening a session, and
    ``extra_query`` is added to the address.

    Raises:
        MissingKey: There is no key.
        ConfigurationError: The address, a header or an option cannot be used.
        DialError: No connection came about.
    """
    environ = credentials.environ
    key = credentials.api_key or environ.get("OPENAI_API_KEY")
    if not key:
        raise MissingKey(PROVIDER_NAME, ["OPENAI_API_KEY"])
    base_url = credentials.base_url or environ.get("OPENAI_BASE_URL") or DEFAULT_URL
    headers = {**_custom_headers(environ.get("OPENAI_CUSTOM_HEADERS", "")), **credentials.headers}
    _check(key, base_url, headers)
    options = {**DEFAULTS, **credentials.options}
    query = dict(options.pop("extra_query", None) or {})
    call_id = options.pop("call_id", None)
    where: dict[str, Any] = (
        {"call_id": call_id} if call_id else {"model": config.model or DEFAULT_MODEL}
    )
    url = _shown(base_url)
    try:
        connection = await _enter(
            key,
            base_url,
            organization=environ.get("OPENAI_ORG_ID"),
            project=environ.get("OPENAI_PROJECT_ID"),
            headers=headers,
            connect={**where, "extra_query": query, "websocket_connection_options": options},
        )
    except UnirtError:
        raise
    except Exception as exc:
        waited = options["open_timeout"]
        error = dial_error(PROVIDER_NAME, url, exc, secrets=[key], waited=waited)
        raise error or _refused(exc, url) or exc from None
    return SDKTransport(connection, url, close_timeout=options["close_timeout"])


async def _enter(
    key: str,
    base_url: str,
    *,
    organization: str | None,
    project: str | None,
    headers: Mapping[str, str],
    connect: Mapping[str, Any],
) -> AsyncRealtimeConnection:
    try:
        # Half a second the first time: in a thread, for other sessions of this loop to go on.
        await asyncio.to_thread(importlib.import_module, "openai.resources.realtime")
        from openai import AsyncOpenAI, Omit
    except ImportError:
        raise ConfigurationError(
            "the OpenAI SDK is not installed",
            where="provider",
            remedy="install unirt-realtime[openai]",
        ) from None
    client = AsyncOpenAI(
        api_key=key,
        organization=organization,
        project=project,
        base_url=DEFAULT_URL,
        websocket_base_url=base_url,
    )
    absent = {
        name: Omit()
        for name, value in (
            ("OpenAI-Organization", organization),
            ("OpenAI-Project", project),
        )
        if value is None
    }
    try:
        manager = client.realtime.connect(extra_headers={**absent, **headers}, **connect)
        return await manager.enter()
    finally:
        await client.close()


def _check(key: str, base_url: str, headers: Mapping[str, str]) -> None:
    check_headers({"OPENAI_API_KEY": key, **headers})
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "the base URL is no http, https, ws or wss address",
            where="base_url or OPENAI_BASE_URL",
            remedy=f"give one like {DEFAULT_URL}",
        )


def _custom_headers(lines: str) -> dict[str, str]:
    """``Name: value`` a line, as the SDK reads ``OPENAI_CUSTOM_HEADERS``."""
    pairs = (line.partition(":") for line in lines.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def _shown(base_url: str) -> str:
    """The address that is dialled, for messages."""
    scheme, _, rest = shown_url(base_url).partition("://")
    return f"{_SCHEMES.get(scheme, scheme)}://{rest.rstrip('/')}/realtime"


_SCHEMES = {"http": "ws", "https": "wss"}


def _refused(exc: Exception, url: str) -> DialError | None:
    """The SDK's own refusal to dial; ``None`` for an exception that is a bug."""
    from openai import OpenAIError

    return DialError(PROVIDER_NAME, url=url, why=str(exc)) if isinstance(exc, OpenAIError) else None


class SDKTransport:
    """
    The SDK's connection as a transport.

    Args:
        connection: It is owned from here on.
        url: Where it goes, for messages.
        close_timeout: How long the closing handshake may take, in seconds.
    """

    def __init__(
        self, connection: AsyncRealtimeConnection, url: str, *, close_timeout: float | None
    ) -> None:
        self._connection = connection
        self._url = url
        self._close_within = (close_timeout or DEFAULTS["close_timeout"]) + _CLOSE_GRACE_S
        self._asked_to_close = False

    @property
    def url(self) -> str:
        return self._url

    async def send(self, frame: Frame) -> None:
        try:
            await self._connection.send_raw(frame)
        except ConnectionClosed as exc:
            raise closed(exc, asked=self._asked_to_close) from None

    async def receive(self) -> Frame:
        try:
            return await self._connection.recv_bytes()
        except ConnectionClosed as exc:
            raise closed(exc, asked=self._asked_to_close) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._asked_to_close = True
        with contextlib.suppress(TimeoutError, OSError, WebSocketException):
            async with asyncio.timeout(self._close_within):
                await self._connection.close(code=code, reason=reason)
