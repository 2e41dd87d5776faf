"""
A door for both: WebSockets, and plain HTTP requests, on one port.

The ``websockets`` library serves upgrades and nothing else. Its connections ask here first what has
come: a request that opens no connection is answered here, and the library never sees it.

Pages of any origin may ask, for a simulator is reached from pages that are served elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection

from unirt.translator import Reply, Request

__all__ = ["Answering", "Door"]

Answering = Callable[[Request], Awaitable[Reply]]
"What answers plain requests."

_MOST = 1 << 20
"Bytes of a request; a larger one is cut off."
_OPEN: Mapping[str, str] = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "*",
    "access-control-allow-methods": "*",
    "access-control-expose-headers": "location",
}


class Door(ServerConnection):
    """One connection of the library's, that may be a plain request."""

    answering: Answering

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        loop = asyncio.get_running_loop()
        self._come: bytearray | None = bytearray()
        "What has come; ``None`` once it is the library's business."
        self._request: asyncio.Future[Request | None] = loop.create_future()
        "A plain request; ``None`` where there is none."
        self._lost: asyncio.Future[None] = loop.create_future()

    def data_received(self, data: bytes) -> None:
        if self._come is None:
            super().data_received(data)
            return
        self._come += data
        if self._come.startswith(b"GET "):
            come, self._come = bytes(self._come), None
            self._settle(None)
            super().data_received(come)
        elif len(self._come) > _MOST:
            self.transport.abort()
        elif (request := _parsed(bytes(self._come))) is not None:
            self._settle(request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(None)
        if not self._lost.done():
            self._lost.set_result(None)
        super().connection_lost(exc)

    async def handshake(self, *args: Any, **more: Any) -> None:
        request = await self._request
        if request is None:
            if not self._lost.done():  # else who came is gone, and asked for nothing
                await super().handshake(*args, **more)
            return
        self.transport.write(_written(await self._answer(request)))
        self.transport.close()
        await self._lost

    async def _answer(self, request: Request) -> Reply:
        if request.method == "OPTIONS":
            return Reply(status=204)
        return await self.answering(request)

    def _settle(self, request: Request | None) -> None:
        if not self._request.done():
            self._request.set_result(request)


def _parsed(come: bytes) -> Request | None:
    """A whole request; ``None`` while some of it is missing."""
    head, end, body = come.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(body) < int(length):
        return None
    method, _, target = first.partition(" ")
    parts = urlsplit(target.rpartition(" ")[0])
    return Request(
        method=method,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers=headers,
        body=body[: int(length)],
    )


def _written(reply: Reply) -> bytes:
    body = reply.body.encode()
    headers = {**_OPEN, **reply.headers, "content-length": str(len(body)), "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    phrase = HTTPStatus(reply.status).phrase
    return f"HTTP/1.1 {reply.status} {phrase}\r\n{lines}\r\n".encode("latin-1") + body
