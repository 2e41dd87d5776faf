"""
Dialling for :mod:`unirt.transports.fast`: the options, the proxy, redirects, and what is refused.

The options are those of the default transport, by the same names and with the same meaning; one
that this transport does not know is refused. What fails is raised as the exceptions of the
``websockets`` library, so that :func:`unirt.transports.websocket.dial_error` tells it in the same
words for both.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import platform
import re
import socket
import ssl
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import picows
from picows.version import __version__ as picows_version
from python_socks import ProxyError as SocksError
from websockets.datastructures import Headers
from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    SecurityError,
    WebSocketException,
)
from websockets.http11 import Response
from websockets.uri import WebSocketURI, parse_uri

from unirt.errors import ConfigurationError
from unirt.secret import shown_url
from unirt.transports.fast import FastTransport
from unirt.transports.proxies import proxy_context, proxy_of
from unirt.transports.tls import default_context

__all__ = ["OPTIONS", "open_fast"]

OPTIONS: Final[Mapping[str, str]] = {
    "open_timeout": "seconds until the connection is open; None for any time",
    "close_timeout": "seconds that the closing handshake may take",
    "ping_interval": "seconds from one ping to the next; None for no pings",
    "ping_timeout": "seconds until an answer to a ping; None for any time",
    "max_size": "of a message, in bytes; None for any",
    "max_queue": "messages that may wait unread; None for any number",
    "compression": "None: there is none",
    "ssl": "an ssl.SSLContext, or True for the default",
    "server_hostname": "whose certificate is expected, where it is not the host's",
    "proxy": "an address, True for that of the environment, None for no proxy",
    "user_agent_header": "None for no such header",
}
"The options, of those of ``websockets.asyncio.client.connect``, that this transport has."

_USER_AGENT: Final = f"Python/{platform.python_version()} picows/{picows_version}"
_CLOSE_SECONDS: Final = 5.0
"How long a close may take where the options set no limit."
_UNREAD_BYTES: Final = 1 << 20
"""
How much may wait in the kernel, which Linux doubles: some 20 s of audio. Of 16 kB to 4 MB it is
what makes a drained frame cheapest: with less, turns of the event loop are what costs, with more,
memory that is in no cache.
"""
_REDIRECTS: Final = 10
_REDIRECTED: Final = (301, 302, 303, 307, 308)
_PROXIES: Final = ("http", "https", "socks5", "socks5h", "socks4")

_SILENT: Final = logging.Logger("picows", logging.CRITICAL)
"""
What the library would log. All of it reaches the application as exceptions and events, and at its
lowest level it writes out the upgrade request, which holds keys.
"""


async def open_fast(
    url: str, *, headers: Mapping[str, str], options: Mapping[str, Any]
) -> FastTransport:
    """
    Dial a WebSocket.

    Args:
        url: ``ws`` or ``wss``.
        headers: Added to the upgrade request; they may hold keys.
        options: All of those that a connection has by default, some of them changed.

    Raises:
        ConfigurationError: An option cannot be used.
        OSError: The network said no.
        WebSocketException: The server did, or a proxy, or the address is none.
    """
    _check(options)
    async with asyncio.timeout(options["open_timeout"]):
        for _ in range(_REDIRECTS):
            try:
                return await _upgraded(url, headers, options)
            except InvalidStatus as exc:
                url = _redirected(url, exc)
    raise SecurityError(f"more than {_REDIRECTS} redirects")


async def _upgraded(
    url: str, headers: Mapping[str, str], options: Mapping[str, Any]
) -> FastTransport:
    uri = parse_uri(url)
    proxy = _proxy(uri, options["proxy"])
    sockets: list[socket.socket] = []

    async def reach(endpoint: Any) -> socket.socket:
        sockets.append(await _tcp(endpoint.host, endpoint.port))
        return sockets[-1]

    def listen(_request: picows.WSUpgradeRequest, _response: picows.WSUpgradeResponse) -> Any:
        return FastTransport(
            url,
            ping_interval=options["ping_interval"],
            ping_timeout=options["ping_timeout"],
            close_timeout=options["close_timeout"] or _CLOSE_SECONDS,
            max_size=options["max_size"],
            max_queue=options["max_queue"],
        )

    try:
        _, transport = await picows.ws_connect(
            listen,
            f"{'wss' if uri.secure else 'ws'}://{_authority(uri)}{uri.resource_name}",
            websocket_handshake_timeout=None,  # the whole dial is bounded
            enable_auto_pong=False,  # it would answer an illegal ping
            max_frame_size=options["max_size"] or sys.maxsize,
            extra_headers=_headers(uri, headers, options),
            max_redirects=0,  # it would carry the key to another server
            proxy=proxy,
            proxy_ssl_context=await proxy_context(proxy),
            socket_factory=reach,
            logger_name=_SILENT,
            **await _tls(uri, options),
        )
    except (picows.WSError, SocksError) as exc:
        raise _told(exc) from None
    except BaseException:
        for sock in sockets:
            _hang_up(sock)
        raise
    if not isinstance(transport, FastTransport):
        raise InvalidMessage("the server hung up before it answered")
    return transport


async def _tcp(host: str, port: int) -> socket.socket:
    """
    A connection to the first address that answers.

    The library could do this itself; but a dial that is cancelled leaves its connection open, so
    the socket must be ours, to be shut down.
    """
    loop = asyncio.get_running_loop()
    refused = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        # The library reads whatever is there at once, and Linux lets 32 MB be there: minutes of
        # audio, before the application has a turn, and more than any cache of the processor holds.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNREAD_BYTES)
        try:
            await loop.sock_connect(sock, address)
        except OSError as exc:
            sock.close()
            refused = exc
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise refused


def _hang_up(sock: socket.socket) -> None:
    """End a connection: whatever of the library still holds the socket reads its end, and goes."""
    with contextlib.suppress(OSError):  # it has ended before
        sock.shutdown(socket.SHUT_RDWR)


# What is sent.


def _headers(
    uri: WebSocketURI, headers: Mapping[str, str], options: Mapping[str, Any]
) -> list[tuple[str, str]]:
    given = {name.lower() for name in headers}
    found = list(headers.items())
    agent = options.get("user_agent_header", _USER_AGENT)
    if agent is not None and "user-agent" not in given:
        found.append(("User-Agent", agent))
    if uri.username is not None and "authorization" not in given:
        pair = f"{uri.username}:{uri.password or ''}"
        found.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    return found


def _authority(uri: WebSocketURI) -> str:
    """The address as the ``Host`` header has it: without credentials, and without a usual port."""
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    return host if uri.port == (443 if uri.secure else 80) else f"{host}:{uri.port}"


async def _tls(uri: WebSocketURI, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: options[name] for name in ("ssl", "server_hostname") if name in options}
    if not uri.secure:
        if given:
            raise _refused(f"{' and '.join(given)} cannot be used with a ws:// address")
        return {}
    context = given.pop("ssl", True)
    if context is True:
        context = await default_context()
    if not isinstance(context, ssl.SSLContext):
        raise _refused("ssl must be an ssl.SSLContext or True")
    return {"ssl_context": context, **given}


def _proxy(uri: WebSocketURI, given: Any) -> str | None:
    """The proxy to go through, as the library calls it."""
    proxy = proxy_of(uri, given)
    if proxy is None:
        return None
    if urlsplit(proxy).scheme not in _PROXIES:
        raise InvalidProxy(proxy, f"it must be one of {', '.join(_PROXIES)}")
    # The library's "socks5" has the proxy resolve names, which is what the h asks for.
    return str(proxy).replace("socks5h://", "socks5://", 1)


def _check(options: Mapping[str, Any]) -> None:
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise _refused(f"it has no {' and no '.join(unknown)}")
    if not isinstance(options["max_queue"], int | None):
        raise _refused("max_queue must be one number or None")
    if options["compression"] is not None:
        raise _refused("it has no compression")


def _refused(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"the connection cannot be opened with these options: {what}",
        where="connection_options",
        remedy=f"the transport 'fast' takes {', '.join(OPTIONS)}; "
        "the transport 'websocket' takes more",
    )


# What comes back.


def _redirected(url: str, exc: InvalidStatus) -> str:
    """Where a refusal sends the client to, if that is the same server."""
    location = exc.response.headers.get("Location")
    if exc.response.status_code not in _REDIRECTED or location is None:
        raise exc
    target = urljoin(url, location)
    origin, goal = urlsplit(url), urlsplit(target)
    if (goal.scheme, goal.netloc) != (origin.scheme, origin.netloc):
        raise SecurityError(f"it redirects to another server: {shown_url(target)}")
    return target


def _told(exc: picows.WSError | SocksError) -> WebSocketException:
    """What the libraries raised, as ``websockets`` would have told it."""
    match exc:
        case picows.WSHandshakeError(raw_header=bytes() as head) if status := _status(head):
            return InvalidStatus(_response(exc, *status))
        case picows.WSHandshakeError():
            return InvalidMessage(str(exc))
        case SocksError():
            return ProxyError(str(exc))
        case _:
            return InvalidHandshake(str(exc))


def _status(head: bytes) -> tuple[int, str] | None:
    """The code and the words of a response that is no upgrade, known to this Python or not."""
    line = re.match(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?", head)
    if line is None or line[1] == b"101":
        return None
    return int(line[1]), (line[2] or b"").decode("latin-1")


def _response(exc: picows.WSHandshakeError, status: int, phrase: str) -> Response:
    headers = Headers() if exc.response is None else Headers(exc.response.headers)
    # The library hands over as much of the body as came together with the headers.
    return Response(status, phrase or _phrase(status), headers, exc.raw_body or b"")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
