"""
Opening a connection, through the SDK's own client where that can.

The SDK is what decides how ``OPENAI_*`` variables, the organisation, custom headers and a base URL
become an upgrade request, so that they mean here what its users expect. It reads the process's
environment where it is given nothing; so everything is given, and what is absent is taken out, for
an explicit choice must win. After the dial the connection of the ``websockets`` library is used as
it is: the SDK's own send, made to outlive reconnections, costs as much as all that unirt does to
send. A transport that the SDK does not have is dialled without it, by a request that says the same:
:mod:`unirt_openai.upgrade`.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError, DialError, MissingKey, UnirtError
from unirt.provider import Credentials
from unirt.transport import Transport
from unirt.transports.connection import PromptConnection
from unirt.transports.websocket import (
    DEFAULTS,
    check_headers,
    dial_error,
    open_websocket,
    shown_url,
    transport_over,
)
from unirt_openai.facts import DEFAULT_MODEL, PROVIDER_NAME
from unirt_openai.upgrade import address, upgrade_headers

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

__all__ = ["DEFAULT_URL", "dial"]

DEFAULT_URL = "https://api.openai.com/v1"
"Where the SDK goes by default (openai 3.54.0, ``AsyncOpenAI``)."


async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
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
    organization, project = environ.get("OPENAI_ORG_ID"), environ.get("OPENAI_PROJECT_ID")
    if credentials.transport != "websocket":
        return await open_websocket(
            PROVIDER_NAME,
            address(base_url, {**query, **where} if call_id else {**where, **query}),
            headers=upgrade_headers(
                key, organization=organization, project=project, headers=headers
            ),
            options=options,
            transport=credentials.transport,
        )
    url = _shown(base_url)
    options["create_connection"] = dialled = _Dialled(options.get("create_connection"))
    try:
        realtime = await _enter(
            key,
            base_url,
            organization=organization,
            project=project,
            headers=headers,
            connect={**where, "extra_query": query, "websocket_connection_options": options},
        )
    except UnirtError:
        raise
    except Exception as exc:
        waited = options["open_timeout"]
        error = dial_error(PROVIDER_NAME, url, exc, secrets=[key], waited=waited)
        raise error or _refused(exc, url) or exc from None
    if dialled.connection is None:
        await realtime.close()
        raise ConfigurationError(
            "the installed OpenAI SDK opens connections in a way that unirt does not know",
            where="provider",
            remedy="install unirt-realtime[openai]",
        )
    return transport_over(dialled.connection, url)


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


class _Dialled:
    """
    Makes the connection for the SDK, and keeps hold of it.

    ``websockets.asyncio.client.connect`` takes such a factory as its ``create_connection``, and the
    SDK (openai 3.54.0) hands it the options it is given.
    """

    def __init__(self, make: Callable[..., ClientConnection] | None) -> None:
        self.connection: ClientConnection | None = None
        self._make = make or PromptConnection

    def __call__(self, *args: Any, **kwargs: Any) -> ClientConnection:
        self.connection = self._make(*args, **kwargs)
        return self.connection
