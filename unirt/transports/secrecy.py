"""
What keeps keys, and what is said, from being read and changed on their way.

That is TLS with a certificate that is checked, or a way that never leaves this machine. Neither is
given up by accident: plain addresses of other machines are refused unless somebody said that they
may be used, and a certificate goes unchecked only with a context made for that, of which the log
tells.
"""

from __future__ import annotations

import contextlib
import logging
import ssl as ssl_module
from collections.abc import Iterator
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from unirt.errors import ConfigurationError
from unirt.log import logger
from unirt.secret import shown_url

__all__ = ["check_base_url", "check_encrypted", "check_tls", "discreet", "is_loopback", "unseen"]

_LOG = logger(__name__)

_REQUESTS: Final = ("httpx2", "vcr.request", "vcr.stubs.httpx_stubs")
"Who logs the address of a request, at its level ``info`` or below."
_QUERY: Final = ContextVar("_QUERY", default="")
"That of the request that is made."
_PLAIN: Final = frozenset({"ws", "http"})


def check_encrypted(url: str, *, plaintext: bool) -> None:
    """
    Refuse a plain address of another machine.

    Args:
        url: Where something is to be sent.
        plaintext: Whether the application said that it may go unencrypted.

    Raises:
        ConfigurationError: It would.
    """
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname
    except ValueError:
        return  # it is no address, which the dial will tell
    if host and scheme in _PLAIN and not plaintext and not is_loopback(host):
        raise ConfigurationError(
            f"the key, and all that is said, would go to {host} unencrypted",
            where="base_url",
            remedy="use https:// or wss://; where the network up to there is yours, allow it with "
            "connection_options={'plaintext': True} or UNIRT_PLAINTEXT=on",
        )


def check_tls(host: str, ssl: Any) -> None:
    """
    Refuse what would switch TLS off, and tell of what checks no certificate.

    Args:
        host: Who is called, for the log.
        ssl: What an application gave: a context, ``True``, or ``None`` for nothing.

    Raises:
        ConfigurationError: It is something else.
    """
    if ssl is None or ssl is True:
        return
    if not isinstance(ssl, ssl_module.SSLContext):
        raise ConfigurationError(
            f"ssl is {ssl!r}, which would be no TLS at all, or nothing",
            where="connection_options",
            remedy="leave it out to have certificates checked, or give an ssl.SSLContext",
        )
    if ssl.verify_mode is ssl_module.CERT_NONE or not ssl.check_hostname:
        _LOG.warning("the certificate of %s is not checked: anybody may be it", host)


def discreet(name: str) -> logging.Logger:
    """
    A logger for the ``websockets`` library, below one of its own, that tells no secret.

    At its lowest level the library writes out the whole upgrade request, and of each frame the
    beginning and the end. Here headers are told by name, and frames by kind and size.
    """
    found = logging.getLogger(f"{name}.unirt")
    found.addFilter(_without_secrets)
    return found


def _without_secrets(record: logging.LogRecord) -> bool:
    said: Any = record.args
    match record.msg, said:
        case "> %s: %s" | "< %s: %s", (header, _):
            record.args = (header, "***")
        case "> GET %s HTTP/1.1", (path,):
            record.args = (shown_url(str(path)),)
        case "> %s" | "< %s", (frame,) if hasattr(frame, "opcode"):
            record.args = (f"{frame.opcode.name} [{len(frame.data)} bytes]",)
    return True


def check_base_url(url: str, *, where: str, example: str) -> None:
    """
    Refuse a base URL that no connection can be opened with.

    Args:
        url: What was given.
        where: What gave it, for the message.
        example: One as it should be.

    Raises:
        ConfigurationError: It has another scheme, no host, or no port that is one.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "the base URL is no http, https, ws or wss address",
            where=where,
            remedy=f"give one like {example}",
        )


@contextlib.contextmanager
def unseen(url: str) -> Iterator[None]:
    """
    While a request goes there, no library that has to do with it logs what its query holds.

    Those have one logger for the whole program, so nothing else that they log is touched.
    """
    for name in _REQUESTS:
        logging.getLogger(name).addFilter(_without_query)  # once, however often it is added
    token = _QUERY.set(urlsplit(url).query)
    try:
        yield
    finally:
        _QUERY.reset(token)


def _without_query(record: logging.LogRecord) -> bool:
    query = _QUERY.get()
    if query and query in (said := record.getMessage()):
        record.msg, record.args = said.replace(f"?{query}", "").replace(query, "***"), ()
    return True


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by an address or a name that can be nothing else."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
