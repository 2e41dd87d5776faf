"""Servers that are busy answer pings late (field 4): such a connection stays, a dead one goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

import unirt
from tests.warped import run_warped, warp
from unirt.config import SessionConfig
from unirt.provider import Credentials, Provider
from unirt.registry import load
from unirt.transport import Transport, TransportClosed


class Busy:
    """A server that does not look at its socket until it is told to, and then answers all."""

    def __init__(self) -> None:
        self.looks = asyncio.Event()
        self.reached = asyncio.Event()

    async def serve(self, connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        self.reached.set()
        await self.looks.wait()
        connection.transport.resume_reading()
        async for message in connection:
            await connection.send(message)


@asynccontextmanager
async def busy() -> AsyncIterator[tuple[Busy, str]]:
    it = Busy()
    async with serve(it.serve, "127.0.0.1", 0, ping_interval=None, close_timeout=1) as server:
        yield it, f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v1"
        it.looks.set()


async def dialled(provider: Provider, kind: str, url: str) -> Transport:
    config = SessionConfig(model=provider.default_model)
    return await provider.dial(config, Credentials(api_key="k", base_url=url, transport=kind))


async def echoed(transport: Transport, text: str) -> None:
    await transport.send(text)
    assert await transport.receive() == text.encode()


@pytest.mark.parametrize("kind", ["websocket", "fast"])
def test_a_pong_after_thirty_seconds_keeps_the_connection(provider: Provider, kind: str) -> None:
    async def talk() -> None:
        async with busy() as (server, url):
            transport = await dialled(provider, kind, url)
            await server.reached.wait()
            await warp(20 + 30)  # a ping after the former, its pong after the latter
            server.looks.set()
            await echoed(transport, "the pong was before this")
            await warp(19)
            await echoed(transport, "still here")
            await transport.close()

    run_warped(talk())


@pytest.mark.parametrize("kind", ["websocket", "fast"])
def test_one_that_never_comes_ends_it_and_says_who_did_and_why(
    provider: Provider, kind: str
) -> None:
    async def talk() -> None:
        async with busy() as (server, url):
            transport = await dialled(provider, kind, url)
            await server.reached.wait()
            reading = asyncio.create_task(transport.receive())
            await warp(20 + 39)
            assert not reading.done()
            await warp(10)  # the last of it is for a close that nobody answers
            with pytest.raises(TransportClosed) as raised:
                await reading
            await transport.close()
        gone = raised.value
        assert (gone.code, gone.reason, gone.by) == (None, "keepalive ping timeout", "network")

    run_warped(talk())


@pytest.mark.parametrize("kind", ["websocket", "fast"])
def test_the_close_event_says_it_too(kind: str) -> None:
    provider = load("openai")

    async def talk() -> None:
        greeted = asyncio.Event()

        async def greet_and_freeze(connection: ServerConnection) -> None:
            await connection.send('{"type":"session.created","event_id":"e","session":{}}')
            await connection.recv()
            await connection.send('{"type":"session.updated","event_id":"f","session":{}}')
            connection.transport.pause_reading()
            greeted.set()
            await connection.wait_closed()

        async with serve(
            greet_and_freeze, "127.0.0.1", 0, ping_interval=None, close_timeout=0.05
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            connecting = unirt.connect(
                provider,
                api_key="k",
                base_url=f"http://127.0.0.1:{port}/v1",
                transport=kind,
                reconnect=False,
                env_file=None,
                environ={},
            )
            async with connecting as session:
                await greeted.wait()
                while not session.closed:
                    await warp(1)
                with pytest.raises(unirt.ConnectionLost) as raised:
                    async for _ in session:
                        pass
        lost = raised.value
        assert (lost.code, lost.by) == (None, "network")
        assert lost.reason == "keepalive ping timeout"

    run_warped(talk())
