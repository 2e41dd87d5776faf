"""Sending without waiting over a WebSocket, the default one and the fast one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from unirt.transport import TransportClosed

Dial = Callable[..., Awaitable[Any]]
"Dials a transport that is a ``Prompt`` too."


@asynccontextmanager
async def server(handler: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    options: dict[str, Any] = {"max_size": None, "close_timeout": 0.1, "ping_interval": None}
    async with serve(handler, "127.0.0.1", 0, **options) as running:
        yield f"ws://127.0.0.1:{next(iter(running.sockets)).getsockname()[1]}"


async def test_text_arrives_as_text_and_bytes_as_bytes(dial: Dial) -> None:
    async def repeat(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(repr(message))

    async with server(repeat) as url:
        transport = await dial(url)
        assert transport.send_now("grüße")
        assert transport.send_now(b"\x00\xff")
        assert (await transport.receive()).decode() == repr("grüße")
        assert (await transport.receive()).decode() == repr(b"\x00\xff")
        await transport.close()


async def test_what_a_congested_network_does_not_take_now_is_sent_in_order(dial: Dial) -> None:
    reads = asyncio.Event()
    most, size = 4_096, 64 << 10
    received = []

    async def late(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await reads.wait()
        connection.transport.resume_reading()
        received.extend([int(message) async for message in connection])

    async with server(late) as url:
        transport = await dial(url)
        taken = 0
        while taken < most and transport.send_now(f"{taken:{size}}"):
            taken += 1
        assert taken < most
        reads.set()
        for number in range(taken, taken + 10):
            if not transport.send_now(f"{number:{size}}"):
                await transport.send(f"{number:{size}}")
        await transport.close()
    assert received == list(range(taken + 10))


@pytest.mark.parametrize("cut", [True, False])
async def test_nothing_is_sent_now_over_a_connection_that_is_gone(dial: Dial, cut: bool) -> None:
    async def leave(connection: ServerConnection) -> None:
        if cut:
            connection.transport.abort()
        else:
            await connection.close(1001)

    async with server(leave) as url:
        transport = await dial(url)
        with pytest.raises(TransportClosed):
            await transport.receive()
        assert not transport.send_now("late")
        await transport.close()


async def test_nothing_is_sent_now_once_this_side_has_closed(dial: Dial) -> None:
    async def idle(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with server(idle) as url:
        transport = await dial(url)
        await transport.close()
        assert not transport.send_now("late")
