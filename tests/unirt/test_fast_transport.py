"""What is particular to the transport of the extra ``[fast]``; the rest is shared by both."""

import asyncio
import base64
import importlib
import logging
import socket
import ssl
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

import unirt
from unirt.transport import Transport, TransportClosed
from unirt.transports.fast import FastTransport
from unirt.transports.fast_dial import OPTIONS
from unirt.transports.websocket import DEFAULTS, open_websocket

KEY = "sk-very-secret-key"


async def dial(url: str, **options: Any) -> Transport:
    return await open_websocket(
        "toy",
        url,
        headers={"X-Key": KEY},
        options={"proxy": None, **options},
        transport="fast",
    )


async def idle(connection: ServerConnection) -> None:
    await connection.wait_closed()


def address(server: Any) -> str:
    return f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def test_it_has_every_option_that_is_set_by_default() -> None:
    assert DEFAULTS.keys() <= OPTIONS.keys()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"write_limit": 1, "origin": "x"}, "no write_limit and no origin"),
        ({"compression": "deflate"}, "no compression"),
        ({"max_queue": (16, 4)}, "max_queue"),
        ({"ssl": ssl.create_default_context()}, "ssl cannot be used with a ws:// address"),
        ({"server_hostname": "x"}, "server_hostname cannot be used"),
    ],
    ids=["unknown", "compression", "max_queue", "ssl", "server_hostname"],
)
async def test_an_option_it_does_not_have_is_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match=what) as refused:
        await dial("ws://127.0.0.1:9", **options)
    assert refused.value.where == "connection_options"
    assert "ping_interval" in refused.value.remedy


@pytest.mark.parametrize("context", [None, False, "context"])
async def test_tls_is_not_left_out(context: Any) -> None:
    with pytest.raises(unirt.ConfigurationError, match="SSLContext"):
        await dial("wss://127.0.0.1:9", ssl=context)


async def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("unirt.transports.fast", "unirt.transports.fast_dial"):
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(f"unirt.transports.{name.rpartition('.')[2]}")
    monkeypatch.setitem(sys.modules, "picows", None)
    with pytest.raises(unirt.ConfigurationError) as missing:
        await dial("ws://127.0.0.1:9")
    assert "unirt-realtime[fast]" in missing.value.remedy
    with pytest.raises(ImportError):
        importlib.import_module("unirt.transports.fast")


async def test_a_transport_of_another_name_is_refused() -> None:
    with pytest.raises(unirt.ConfigurationError, match="'pigeon'"):
        await open_websocket("toy", "ws://localhost", headers={}, options={}, transport="pigeon")


async def test_the_request_says_who_asks() -> None:
    seen: list[Request] = []

    async with serve(idle, "127.0.0.1", 0, process_request=lambda _, r: seen.append(r)) as server:
        host = address(server)
        for options in ({}, {"user_agent_header": "mine"}, {"user_agent_header": None}):
            transport = await dial(f"ws://me:pass@{host}/a?b=c", **options)
            assert isinstance(transport, FastTransport)
            assert transport.url == f"ws://{host}/a"
            await transport.close()
    first, second, third = (request.headers for request in seen)
    assert seen[0].path == "/a?b=c"
    assert first.get_all("Host") == [host]
    assert first.get_all("Authorization") == [f"Basic {base64.b64encode(b'me:pass').decode()}"]
    assert "Sec-WebSocket-Extensions" not in first
    assert first["User-Agent"].startswith("Python/")
    assert second["User-Agent"] == "mine"
    assert "User-Agent" not in third


async def test_the_reason_of_a_refusal_may_come_after_its_head() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    left = asyncio.Event()
    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        with pytest.raises(unirt.DialError) as refused:
            await dial(f"ws://{address(server)}/")
        await left.wait()
    assert (refused.value.status, refused.value.why) == (401, "Unauthorized")


async def test_no_log_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    caplog.set_level(1)
    async with serve(idle, "127.0.0.1", 0, logger=logging.Logger("apart")) as server:
        transport = await dial(f"ws://{address(server)}/?key={KEY}")
        await transport.close()
    assert KEY not in caplog.text


async def test_who_does_not_read_does_not_blame_the_peer() -> None:
    """Pongs are behind what is not read; that they do not come says nothing of the peer."""
    count, thrice = 64, asyncio.Event()
    pings = 0

    class Pinged(ServerConnection):
        def process_event(self, event: Any) -> None:
            nonlocal pings
            super().process_event(event)
            if isinstance(event, Frame) and event.opcode is Opcode.PING:
                pings += 1
                if pings == 3:
                    thrice.set()

    async def pour(connection: ServerConnection) -> None:
        for _ in range(count):
            await connection.send(b"x" * (256 << 10))
        await connection.wait_closed()

    async with serve(pour, "127.0.0.1", 0, create_connection=Pinged) as server:
        transport = await dial(f"ws://{address(server)}/", ping_interval=0.01, ping_timeout=0.5)
        await thrice.wait()
        for _ in range(count):
            assert len(await transport.receive()) == 256 << 10
        await transport.close()


async def test_one_read_never_brings_more_than_a_view_may_hold() -> None:
    """What the kernel may hold is bounded, for the library takes whatever is there at once."""
    size, count, taken = 13_000, 2_000, list[int]()

    async def pour(connection: ServerConnection) -> None:
        for _ in range(count):
            await connection.send(b"x" * size)
        await connection.close()

    def take(frames: Sequence[str | bytes]) -> bool:
        taken.append(sum(map(len, frames)))
        return True

    async def room() -> None:
        raise AssertionError("there was always room")

    async with serve(pour, "127.0.0.1", 0) as server:
        transport = await dial(f"ws://{address(server)}/")
        assert isinstance(transport, FastTransport)
        sock = transport._connection.underlying_transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 2 << 21
        with pytest.raises(TransportClosed):
            await transport.deliver(take, room)
    assert sum(taken) == size * count
    assert max(taken) < 120 * 24_000 * 2  # s of a view's audio, as PCM, without its base64
