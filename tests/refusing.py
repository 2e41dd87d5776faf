"""Servers that let nobody in, and what somebody is told who wants to begin a session there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

import unirt

__all__ = ["refusal", "refusing", "refusing_calls"]


@asynccontextmanager
async def refusing(respond: Callable[[ServerConnection, Request], Response]) -> AsyncIterator[str]:
    """The address of a server that answers whoever dials, and opens no socket."""

    async def never(connection: ServerConnection) -> None:
        raise AssertionError("it is let in")

    async with serve(never, "127.0.0.1", 0, process_request=respond) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


@asynccontextmanager
async def refusing_calls(
    status: int, body: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[str, list[str]]]:
    """The address of a server that takes no calls, and who asked it."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n", 1)[0].decode())
        told = {"content-length": str(len(body)), "connection": "close", **(headers or {})}
        lines = [f"HTTP/1.1 {status} No", *(f"{name}: {value}" for name, value in told.items())]
        writer.write("\r\n".join([*lines, "", body]).encode())
        await reader.read()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", asked


async def refusal(name: str, url: str, **more: Any) -> unirt.DialError:
    """The error that a session does not begin with."""
    given = {"api_key": "0123456789abcdef", "env_file": None, "environ": {}, **more}
    connecting = unirt.connect(name, base_url=url, **given)
    with pytest.raises(unirt.DialError) as refused:
        await connecting.__aenter__()
    return refused.value
