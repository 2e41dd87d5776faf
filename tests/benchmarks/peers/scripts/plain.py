"""
google-genai on a plain socket.

Its public settings take a base URL, and turn whatever scheme it has into ``wss``
(``BaseApiClient._websocket_base_url``). All contenders carry the same load, and none of the others
has TLS in it, so the one function that google-genai dials with is told to leave it out. Nothing
else of it is touched.
"""

from __future__ import annotations

from typing import Any

from google.genai import live

__all__ = ["KEY", "base_url", "without_tls"]

KEY = "a-key-that-opens-nothing"


def base_url(url: str) -> str:
    """What google-genai takes for ``ws://127.0.0.1:PORT``."""
    return url.replace("ws://", "http://", 1)


def without_tls() -> None:
    """Have google-genai dial ``ws://`` from now on."""
    module: Any = live
    dial = module.ws_connect

    def plainly(uri: str, **options: Any) -> Any:
        options.pop("ssl", None)
        return dial(uri.replace("wss://", "ws://", 1), **options)

    module.ws_connect = plainly
