"""Proxies that the environment names are used, by every provider's dial."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve

import unirt
from tests.pace import FAST
from unirt.registry import installed, load
from unirt.simulator import Simulator
from unirt.transport import Transport
from unirt.transports.websocket import open_websocket

KEY = "sk-very-secret-key"


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
            self.carry(reader, upstream_writer), self.carry(upstream_reader, writer)
        )

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
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


@pytest.mark.parametrize("transport", ["websocket", "fast"])
@pytest.mark.parametrize("provider", installed())
async def test_a_session_goes_through_the_proxy(
    provider: str, transport: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    async with (
        Simulator(load(provider), pace=FAST) as simulator,
        unirt.connect(provider, transport=transport, environ=simulator.env) as session,
    ):
        address = simulator.url.removeprefix("ws://")
        await session.send_text("hello")
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                break

    assert proxy.asked == [f"CONNECT {address}"]


@pytest.mark.parametrize("transport", ["websocket", "fast"])
@pytest.mark.parametrize("provider", installed())
async def test_no_proxy_is_honoured(
    provider: str, transport: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("https_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with (
        Simulator(load(provider), pace=FAST) as simulator,
        unirt.connect(provider, transport=transport, environ=simulator.env),
    ):
        pass

    assert proxy.asked == []


# The dial of any provider, beneath sessions.


@pytest.fixture(params=["websocket", "fast"])
def dial(request: pytest.FixtureRequest) -> Callable[..., Awaitable[Transport]]:
    """Opens a WebSocket with a key in its headers, once by each transport."""

    async def dial(url: str, **options: Any) -> Transport:
        headers = {"Authorization": f"Bearer {KEY}"}
        return await open_websocket(
            "toy", url, headers=headers, options=options, transport=request.param
        )

    return dial


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def test_tls_goes_through_the_proxy_to_the_server(
    dial: Callable[..., Awaitable[Transport]], proxy: Proxy
) -> None:
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.configure_trust(trusting)

    async with serve(echo, "127.0.0.1", 0, ssl=serving) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"wss://localhost:{port}/"
        transport = await dial(url, proxy=proxy.url, ssl=trusting)
        await transport.send("safe")
        assert await transport.receive() == b"safe"
        await transport.close()
        with pytest.raises(unirt.DialError, match="TLS failed"):
            await dial(url, proxy=proxy.url)
    assert proxy.asked == [f"CONNECT localhost:{port}"] * 2


@pytest.mark.parametrize("named", ["by an option", "by the environment"])
async def test_the_way_to_the_proxy_may_be_secure_too(
    dial: Callable[..., Awaitable[Transport]],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """What it trusts is read where nobody waits for it; else this test would fail."""
    authority, trusted = trustme.CA(), tmp_path / "trusted.pem"
    serving, made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Proxy()
    authority.issue_cert("localhost").configure_cert(serving)
    authority.cert_pem.write_to_path(trusted)
    async with (
        await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=serving) as secure,
        serve(echo, "127.0.0.1", 0) as server,
    ):
        port = next(iter(server.sockets)).getsockname()[1]
        proxy = f"https://localhost:{secure.sockets[0].getsockname()[1]}"
        options = {"proxy": proxy} if named == "by an option" else {}
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(unirt.DialError, match="TLS failed"):
            await dial(f"ws://localhost:{port}/", **options)
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        transport = await dial(f"ws://localhost:{port}/", **options)
        await transport.send("safe")
        assert await transport.receive() == b"safe"
        await transport.close()
    assert made.asked == [f"CONNECT localhost:{port}"]


async def test_a_proxy_that_refuses_is_a_dial_error_without_its_password(
    dial: Callable[..., Awaitable[Transport]],
) -> None:
    heads: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        left.set()

    left = asyncio.Event()
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(unirt.DialError, match="407") as refused:
            await dial("ws://127.0.0.1:9/", proxy=f"http://me:password@127.0.0.1:{port}")
        await left.wait()
    assert b"Proxy-Authorization: Basic" in heads[0]
    assert KEY.encode() not in heads[0]
    assert "password" not in str(refused.value)


async def test_a_proxy_of_an_unknown_kind_is_a_dial_error(
    dial: Callable[..., Awaitable[Transport]],
) -> None:
    with pytest.raises(unirt.DialError, match="proxy") as refused:
        await dial("ws://127.0.0.1:9/", proxy="gopher://me:password@127.0.0.1:9")
    assert "password" not in str(refused.value)


async def test_a_socks_proxy_resolves_the_name(dial: Callable[..., Awaitable[Transport]]) -> None:
    asked: list[bytes] = []

    async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """SOCKS 5 without a password (RFC 1928)."""
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x00")
        assert (await reader.readexactly(4))[3] == 3, "a name, and no address"
        name = await reader.readexactly((await reader.readexactly(1))[0])
        asked.append(name)
        port = int.from_bytes(await reader.readexactly(2), "big")
        writer.write(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        carrier, upstream = Proxy(), await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carrier.carry(reader, upstream[1]), carrier.carry(upstream[0], writer))
        left.set()

    left = asyncio.Event()
    async with (
        await asyncio.start_server(socks, "127.0.0.1", 0) as proxy,
        serve(echo, "127.0.0.1", 0) as server,
    ):
        port = next(iter(server.sockets)).getsockname()[1]
        proxy_url = f"socks5h://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        transport = await dial(f"ws://no-such-name.localhost:{port}/", proxy=proxy_url)
        await transport.send("here")
        assert await transport.receive() == b"here"
        await transport.close()
        await left.wait()
    assert asked == [b"no-such-name.localhost"]
