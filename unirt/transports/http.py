"""
One HTTP request, for what is set up by one: a call, or a secret that lasts a minute.

Sessions have sockets of their own, so the client is made for the request, and imported with it. It
is the one that the vendors' SDKs use, and ``vcrpy`` hooks it while a cassette is in.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import attrs

from unirt.errors import ConfigurationError, DialError
from unirt.secret import masked, secrets_in, shown_url
from unirt.spelling import nearest
from unirt.transports.noting import rehearsed_at
from unirt.transports.secrecy import check_encrypted, check_tls, unseen
from unirt.transports.websocket import check_headers, retry_after
from unirt.value import Value
from unirt.wire import parse_frame

__all__ = ["Answer", "check_options", "post"]

_EXCERPT = 500
"How much of a refusal is shown, in characters."


@attrs.frozen(kw_only=True)
class Answer(Value):
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    "By lower-case name."
    text: str


def check_options(given: Iterable[str], known: Iterable[str] = ()) -> None:
    """
    Refuse options that a request does not have.

    Args:
        given: Their names.
        known: The provider's own; ``ssl`` is had by all.

    Raises:
        ConfigurationError: There is no such option.
    """
    names = {"ssl", *known}
    for name in given:
        if name not in names:
            raise ConfigurationError(
                f"a request over HTTP has no option {name!r}",
                where="connection_options",
                remedy=nearest(name, names),
            )


async def post(
    provider: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes,
    timeout: float,
    ssl: ssl_module.SSLContext | bool | None = None,
    secrets: Iterable[str] = (),
    plaintext: bool = False,
) -> Answer:
    """
    Make a request, and wait for the answer.

    Args:
        provider: Whose name errors carry.
        url: ``http`` or ``https``.
        headers: They may hold keys.
        content: The body.
        timeout: The bound on it, in seconds.
        ssl: For ``https``; the system's certificates by default, and with ``True``.
        secrets: What a server may quote back and nobody may see; what `headers` hold is known.
        plaintext: Whether ``http`` may go to another machine; see :attr:`Credentials.plaintext`.

    Raises:
        ConfigurationError: A header cannot be sent, the library is not installed, or the key would
            go unencrypted.
        DialError: No answer came, or it is a refusal.
    """
    check_headers(headers)
    if (origin := rehearsed_at()) is not None:
        parts, there = urlsplit(url), urlsplit(origin)
        url = parts._replace(scheme=there.scheme, netloc=there.netloc).geturl()
    check_encrypted(url, plaintext=plaintext)
    check_tls(shown_url(url), ssl)
    if find_spec("httpx2") is None:
        raise ConfigurationError(
            "no HTTP client is installed",
            where="transport",
            remedy="pip install 'unirt-realtime[webrtc]'",
        )
    import httpx2

    secrets = [*secrets, *secrets_in(headers)]

    def error(why: str, status: int | None = None, asked: float | None = None) -> DialError:
        why = masked(why, secrets)[:_EXCERPT]
        return DialError(provider, url=shown_url(url), why=why, status=status, retry_after=asked)

    try:
        verify: Any = True if ssl is None else ssl
        # It reads all certificates that this machine trusts, for which others would wait.
        made = await asyncio.to_thread(httpx2.AsyncClient, timeout=timeout, verify=verify)
        with unseen(url):
            async with made as client:
                response = await client.post(url, headers=dict(headers), content=content)
    except httpx2.TimeoutException:
        raise error(f"no answer within {timeout:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as exc:
        raise error(str(exc) or type(exc).__name__) from None
    if response.status_code >= 300:
        asked = retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
        raise error(_reason(response.text) or "no reason given", response.status_code, asked)
    return Answer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        text=response.text,
    )


def _reason(body: str) -> str:
    """What a refusal says: its message and its code, where it has them, else all of it."""
    try:
        error = parse_frame(body)["error"]
        told, code = error["message"], error.get("code")
    except (ValueError, LookupError, TypeError, AttributeError):
        told = code = None
    if not isinstance(told, str):
        return " ".join(body.split())
    return f"{told} ({code})" if isinstance(code, str) and code not in told else told
