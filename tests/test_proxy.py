"""Proxies that the environment names are used, by every provider's dial."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

import unirt
from unirt.registry import installed, load
from unirt.simulator import Simulator


class Proxy:
    """An HTTP proxy that tunnels: the CONNECT method of RFC 9110, 9.3.6."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        self.asked.append(f"{method} {target}")
        host, _, port = target.rpartition(":")
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(
            self._carry(reader, upstream_writer), self._carry(upstream_reader, writer)
        )

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        sink.close()
        with contextlib.suppress(ConnectionError):
            await sink.wait_closed()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@pytest.mark.parametrize("provider", installed())
async def test_a_session_goes_through_the_proxy(
    provider: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    async with (
        Simulator(load(provider)) as simulator,
        unirt.connect(provider, environ=simulator.env) as session,
    ):
        address = simulator.url.removeprefix("ws://")
        await session.send_text("hello")
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                break

    assert proxy.asked == [f"CONNECT {address}"]


@pytest.mark.parametrize("provider", installed())
async def test_no_proxy_is_honoured(
    provider: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with (
        Simulator(load(provider)) as simulator,
        unirt.connect(provider, environ=simulator.env),
    ):
        pass

    assert proxy.asked == []
