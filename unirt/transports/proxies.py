"""
The proxy of a dial: the one that an application gives, or the one that the environment names.

Of those in the environment it is the one that the ``websockets`` library would take.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from websockets.uri import WebSocketURI

try:
    from websockets.proxy import get_proxy  # since 16
except ModuleNotFoundError:
    from websockets.uri import get_proxy

from unirt.transports.tls import default_context

__all__ = ["proxy_context", "proxy_of"]


def proxy_of(uri: WebSocketURI, given: Any) -> Any:
    """
    The proxy to go through; ``None`` for no proxy.

    Args:
        uri: Where the dial goes.
        given: An address, ``None`` for no proxy, or ``True`` for that of the environment.
    """
    return get_proxy(uri) if given is True else given


async def proxy_context(proxy: Any) -> ssl.SSLContext | None:
    """What TLS to a proxy trusts; ``None`` where the way there is plain."""
    secure = isinstance(proxy, str) and urlsplit(proxy).scheme == "https"
    return await default_context() if secure else None
