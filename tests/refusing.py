"""Servers that let nobody in, and what somebody is told who wants to begin a session there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

import unirt

__all__ = ["refusal", "refusing"]


@asynccontextmanager
async def refusing(respond: Callable[[ServerConnection, Request], Response]) -> AsyncIterator[str]:
    """The address of a server that answers whoever dials, and opens no socket."""

    async def never(connection: ServerConnection) -> None:
        raise AssertionError("it is let in")

    async with serve(never, "127.0.0.1", 0, process_request=respond) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def refusal(name: str, url: str, **more: Any) -> unirt.DialError:
    """The error that a session does not begin with."""
    given = {"api_key": "0123456789abcdef", "env_file": None, "environ": {}, **more}
    connecting = unirt.connect(name, base_url=url, **given)
    with pytest.raises(unirt.DialError) as refused:
        await connecting.__aenter__()
    return refused.value
