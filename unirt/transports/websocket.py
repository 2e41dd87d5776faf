"""
Frames over a WebSocket, by the ``websockets`` library.

The only place that knows its exceptions: a closed connection leaves as
:class:`~unirt.transport.TransportClosed`, a failed dial as :class:`~unirt.errors.DialError`.
Neither ever holds a header's value or an address's query, because that is where keys are.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    SecurityError,
    WebSocketException,
)
from websockets.protocol import State
from websockets.uri import parse_uri

from unirt.errors import ConfigurationError, DialError
from unirt.secret import masked, secrets_in, shown_url
from unirt.translator import Frame
from unirt.transport import Transport, TransportClosed
from unirt.transports.connection import PromptConnection
from unirt.transports.noting import is_hooked
from unirt.transports.proxies import proxy_context, proxy_of
from unirt.transports.secrecy import check_encrypted, check_tls, discreet
from unirt.transports.tls import default_context

__all__ = [
    "DEFAULTS",
    "WebSocketTransport",
    "check_headers",
    "closed",
    "dial_error",
    "open_websocket",
    "shortened",
]

DEFAULTS: Final[Mapping[str, Any]] = {
    "max_size": 1 << 27,  # 128 MiB: an item that is read back may hold half an hour of audio
    "max_queue": 256,  # frames; the usual 16 stop and start the socket in every burst of audio
    "compression": None,  # base64 audio does not shrink enough to pay for a deflate a frame
    "open_timeout": None,  # whoever dials bounds the whole of it, by a clock of its own
    "ping_interval": 20,
    "ping_timeout": 40,  # busy servers were seen to answer after 8 to 30 s; the usual 20 cuts them
    "close_timeout": 5,
    "proxy": True,  # HTTPS_PROXY and the like
}
"The options of :func:`open_websocket` that differ from, or pin, those of ``websockets``."

_LOGGER = discreet("websockets.client")
_REASON_BYTES = 123
"A control frame holds 125 bytes, two of them the code (RFC 6455, 5.5)."
_EXCERPT = 500
"How much of a refused upgrade's body is shown, in characters."
_CLOSE_SECONDS = 5.0
"How long a close may take where the connection itself sets no limit."


class WebSocketTransport:
    """
    One WebSocket connection as a transport; `connection` may be a client's or a server's.

    Args:
        connection: It is owned from here on.
        url: Where it goes, for messages; the query is dropped.
    """

    def __init__(self, connection: Connection, url: str = "") -> None:
        self.hooked = False
        "Whether a cassette has to do with it already; see :mod:`unirt.transports.noting`."
        self._connection = connection
        self._url = shown_url(url)
        self._asked_to_close = False

    @property
    def url(self) -> str:
        return self._url

    async def send(self, frame: Frame) -> None:
        try:
            await self._connection.send(frame)
        except ConnectionClosed as exc:
            raise closed(exc, asked=self._asked_to_close) from None

    async def receive(self) -> Frame:
        # Text stays bytes: the JSON parser reads UTF-8 itself, and refuses what is none.
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as exc:
            raise closed(exc, asked=self._asked_to_close) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        connection = self._connection
        if connection.state is State.OPEN:
            self._asked_to_close = True
        try:
            # The library bounds its wait for the peer's answer, and not its own last write.
            async with asyncio.timeout(connection.close_timeout or _CLOSE_SECONDS):
                await connection.close(code, shortened(reason))
        except asyncio.CancelledError:
            connection.transport.abort()
            raise
        except (TimeoutError, OSError, WebSocketException):
            connection.transport.abort()
            await connection.wait_closed()


class PromptWebSocketTransport(WebSocketTransport):
    """The same, over a connection that hands its messages on the moment they come."""

    def __init__(self, connection: PromptConnection, url: str = "") -> None:
        super().__init__(connection, url)
        self._prompt = connection
        self._inbox = connection.inbox
        self.send_now = connection.send_now
        "See :class:`unirt.transport.Prompt`."

    @property
    def kinds(self) -> deque[bool] | None:
        """Whether each message is binary; see :mod:`unirt.transports.noting`."""
        return self._prompt.kinds

    async def receive(self) -> Frame:
        try:
            return await self._inbox.receive()
        except EOFError:
            raise self._gone() from None

    async def deliver(
        self, take: Callable[[Sequence[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        await self._inbox.deliver(take, room)
        raise self._gone()

    def _gone(self) -> TransportClosed:
        return closed(self._connection.protocol.close_exc, asked=self._asked_to_close)


def closed(exc: ConnectionClosed, *, asked: bool) -> TransportClosed:
    """
    How a connection of the ``websockets`` library ended.

    Args:
        exc: What the library raised.
        asked: Whether this side asked for the close.
    """
    received, sent = exc.rcvd, exc.sent
    if received is not None and (sent is None or exc.rcvd_then_sent):
        return TransportClosed(received.code, received.reason, by="remote")
    if asked and sent is not None:
        return TransportClosed(sent.code, sent.reason, by="local")
    # What the library closes by itself, for a silent or an illegal peer, nobody wanted closed.
    code = None if received is None else received.code
    return TransportClosed(code, "" if sent is None else sent.reason, by="network")


def dial_error(
    provider: str,
    url: str,
    exc: Exception,
    *,
    secrets: Iterable[str] = (),
    waited: float | None = None,
) -> DialError | ConfigurationError | None:
    """
    What the application is told of a dial that failed; ``None`` for an exception that is a bug.

    Args:
        provider: Whose name the error carries.
        url: Where the dial went; the query is dropped.
        exc: What the ``websockets`` library, or the network below it, raised.
        secrets: What a server may quote back and nobody may see.
        waited: How long it may have taken, in seconds.
    """

    def error(why: str, status: int | None = None, retry_after: float | None = None) -> DialError:
        return DialError(
            provider,
            url=shown_url(url),
            why=masked(why, secrets)[:_EXCERPT],
            status=status,
            retry_after=retry_after,
        )

    match exc:
        case InvalidStatus(response=response):
            body = " ".join(bytes(response.body or b"").decode("utf-8", "replace").split())
            why = body or response.reason_phrase or "no reason given"
            asked = response.headers.get("Retry-After")
            told = response.headers.get("Date")
            return error(why, response.status_code, retry_after(asked, told))
        case InvalidURI():
            return error(f"not a WebSocket address: {exc.msg}")
        case InvalidProxy():
            return error(f"not the address of a proxy: {exc.msg}")
        case TimeoutError():
            return error(f"no answer within {waited:g} s" if waited else "no answer in time")
        case ssl.SSLError():
            return error(f"TLS failed: {exc}")
        case OSError() | ImportError() | WebSocketException():
            cause = str(exc.__cause__ or "")
            return error(": ".join(filter(None, (str(exc), cause))) or type(exc).__name__)
        case TypeError() | ValueError():
            return ConfigurationError(
                f"the connection cannot be opened with these options: {exc}",
                where="connection_options",
                remedy="use the options of websockets.asyncio.client.connect",
            )
    return None


async def open_websocket(
    provider: str,
    url: str,
    *,
    headers: Mapping[str, str],
    options: Mapping[str, Any],
    transport: str = "websocket",
    plaintext: bool = False,
) -> Transport:
    """
    Dial a WebSocket.

    Args:
        provider: Whose name errors carry.
        url: ``ws`` or ``wss``.
        headers: Added to the upgrade request; they may hold keys.
        options: Keyword arguments of ``websockets.asyncio.client.connect``, over :data:`DEFAULTS`.
        transport: ``websocket``, or ``fast`` for the library of the extra ``[fast]``, which knows
            the options of :data:`unirt.transports.fast_dial.OPTIONS`.
        plaintext: Whether ``ws`` may go to another machine; see :attr:`Credentials.plaintext`.

    Raises:
        ConfigurationError: A header or an option cannot be used, the extra is not installed, or
            the key would go unencrypted.
        DialError: No connection came about; its `status` is that of a refused upgrade.
    """
    check_headers(headers)
    check_encrypted(url, plaintext=plaintext)
    options = {**DEFAULTS, **options}
    check_tls(shown_url(url), options.get("ssl"))
    try:
        match transport:
            case "websocket":
                return await _open_default(url, headers, options)
            case "fast" if is_hooked():
                return await _open_default(url, headers, options)
            case "fast":
                return await _open_fast(url, headers, options)
    except Exception as exc:
        secrets, waited = secrets_in(headers), options["open_timeout"]
        raise dial_error(provider, url, exc, secrets=secrets, waited=waited) or exc from None
    raise ConfigurationError(
        f"there is no WebSocket transport {transport!r}",
        where="transport",
        remedy="use 'websocket' or 'fast'",
    )


def retry_after(asked: str | None, told: str | None = None) -> float | None:
    """
    The seconds that a ``Retry-After`` asks for (RFC 9110, 10.2.3); ``None`` where it asks for none.

    Args:
        asked: Its value: seconds, or a date.
        told: The ``Date`` of the same answer. A date is of the server's clock, and this machine's
            may be another, so without it one asks for nothing.
    """
    if asked is not None and asked.strip().isdecimal():
        return float(asked)
    try:
        until, since = parsedate_to_datetime(asked or ""), parsedate_to_datetime(told or "")
        return max((until - since).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


async def _open_default(
    url: str, headers: Mapping[str, str], options: Mapping[str, Any]
) -> WebSocketTransport:
    options = {"create_connection": PromptConnection, "logger": _LOGGER, **options}
    if not is_hooked():
        options |= await _contexts(url, options)
    connection = await _Connect(url, additional_headers=dict(headers), **options)
    if isinstance(connection, PromptConnection):
        transport: WebSocketTransport = PromptWebSocketTransport(connection, url)
    else:  # the application's own `create_connection`
        transport = WebSocketTransport(connection, url)
    transport.hooked = is_hooked()
    return transport


async def _contexts(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the library would trust by itself, for which it would hold up the event loop."""
    found: dict[str, Any] = {}
    if urlsplit(url).scheme == "wss" and options.get("ssl", True) is True:
        found["ssl"] = await default_context()
    direct = bool(options.get("sock") or options.get("unix"))
    if not direct and options.get("proxy_ssl", True) is True:
        context = await proxy_context(proxy_of(parse_uri(url), options["proxy"]))
        found |= {} if context is None else {"proxy_ssl": context}
    return found


async def _open_fast(url: str, headers: Mapping[str, str], options: Mapping[str, Any]) -> Transport:
    if find_spec("picows") is None:
        raise ConfigurationError(
            "the transport 'fast' is not installed",
            where="transport",
            remedy="pip install 'unirt-realtime[fast]'",
        )
    from unirt.transports.fast_dial import open_fast

    return await open_fast(url, headers=headers, options=options)


class _Connect(connect):
    """A dial that follows no redirect to another host: it would carry the key there."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        origin = urlsplit(self.uri)
        target = super().process_redirect(exc)
        if not isinstance(target, str):
            return target
        goal = urlsplit(target)
        if (goal.scheme, goal.netloc) == (origin.scheme, origin.netloc):
            return target
        return SecurityError(f"it redirects to another server: {shown_url(target)}")


def check_headers(headers: Mapping[str, str]) -> None:
    """
    Refuse what no header can hold, without showing it.

    Raises:
        ConfigurationError: A value has line breaks or characters that are not ASCII.
    """
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ConfigurationError(
                f"the value of {name!r} holds characters that no header can hold",
                where=name,
                remedy="check it for line breaks and typographic quotes",
            )


def shortened(reason: str) -> str:
    """The reason of a close, as much of it as a close frame holds."""
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")
