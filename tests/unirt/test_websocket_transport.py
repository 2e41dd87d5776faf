"""The WebSocket transports, the default one and the fast one, against real loopback servers."""

import asyncio
import contextlib
import http
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

import unirt
from unirt.transport import Transport, TransportClosed
from unirt.transports.websocket import WebSocketTransport, open_websocket

KEY = "sk-very-secret-key"
"What the fixture ``dial`` has in its headers."


@asynccontextmanager
async def server(
    handler: Callable[[ServerConnection], Awaitable[None]], **options: Any
) -> AsyncIterator[str]:
    options = {"max_size": None, "close_timeout": 0.1, "ping_interval": None, **options}
    async with serve(handler, "127.0.0.1", 0, **options) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        scheme = "wss" if options.get("ssl") else "ws"
        yield f"{scheme}://127.0.0.1:{port}"


Dial = Callable[..., Awaitable[Transport]]


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def idle(connection: ServerConnection) -> None:
    await connection.wait_closed()


async def read_on(transport: Transport) -> None:
    while True:
        await transport.receive()


async def ended(transport: Transport) -> TransportClosed:
    with pytest.raises(TransportClosed) as told:
        await read_on(transport)
    return told.value


async def test_text_and_bytes_travel_both_ways_as_bytes(dial: Dial) -> None:
    async with server(echo) as url:
        transport = await dial(url)
        await transport.send('{"grüße": 1}')
        await transport.send(b"\x00\xff")

        assert await transport.receive() == '{"grüße": 1}'.encode()
        assert await transport.receive() == b"\x00\xff"
        await transport.close()


async def test_the_server_sees_text_as_text_the_headers_and_no_extension(dial: Dial) -> None:
    seen: list[Any] = []

    async def look(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.extend([connection.request.headers["Authorization"], connection.protocol.extensions])
        seen.extend([await connection.recv(), await connection.recv()])

    async with server(look) as url:
        transport = await dial(url)
        await transport.send("text")
        await transport.send(b"bytes")
        await ended(transport)
    assert seen == [f"Bearer {KEY}", [], "text", b"bytes"]


async def test_frames_of_16_mib_pass_both_ways(dial: Dial) -> None:
    frame = b"x" * (16 << 20)
    async with server(echo) as url:
        transport = await dial(url)
        await transport.send(frame)
        assert await transport.receive() == frame
        await transport.close()


async def test_a_server_side_connection_is_a_transport_too(dial: Dial) -> None:
    async def serve_one(connection: ServerConnection) -> None:
        transport = WebSocketTransport(connection, "ws://client")
        frame = await transport.receive()
        assert isinstance(frame, bytes)
        await transport.send(b"got " + frame)
        await transport.close(4002, "served")

    async with server(serve_one) as url:
        transport = await dial(url)
        await transport.send("it")
        assert await transport.receive() == b"got it"
        gone = await ended(transport)
    assert (gone.code, gone.reason, gone.by) == (4002, "served", "remote")


# Who closed.


async def test_the_servers_close_is_remote_and_comes_after_its_last_frame(dial: Dial) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.send("last")
        await connection.close(1008, "no such model")

    async with server(leave) as url:
        transport = await dial(url)
        assert await transport.receive() == b"last"
        gone = await ended(transport)
        with pytest.raises(TransportClosed) as again:
            await transport.send("late")
        await transport.close()
    assert (gone.code, gone.reason, gone.by) == (1008, "no such model", "remote")
    assert (again.value.code, again.value.by) == (1008, "remote")


async def test_our_close_is_local(dial: Dial) -> None:
    codes: list[Any] = []

    async def watch(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.extend([connection.close_code, connection.close_reason])

    async with server(watch) as url:
        transport = await dial(url)
        await transport.close(4001, "ü" * 100)
        gone = await ended(transport)
    assert (gone.code, gone.by) == (4001, "local")
    assert codes == [4001, "ü" * 61]  # a close frame holds 123 bytes of reason


async def test_a_cut_is_the_networks(dial: Dial) -> None:
    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with server(cut) as url:
        transport = await dial(url)
        gone = await ended(transport)
        await transport.close(4000)
        late = await ended(transport)
    assert (gone.code, gone.by) == (None, "network")
    assert (late.code, late.by) == (None, "network")


async def test_a_peer_that_breaks_the_protocol_is_the_networks_fault(dial: Dial) -> None:
    async def garbage(connection: ServerConnection) -> None:
        connection.transport.write(b"\xff\xff\xff\xff")
        await connection.wait_closed()

    async with server(garbage) as url:
        transport = await dial(url)
        gone = await ended(transport)
        await transport.close()
    assert gone.by == "network"


async def test_a_peer_that_answers_no_ping_is_lost(dial: Dial) -> None:
    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with server(deaf) as url:
        transport = await dial(url, ping_interval=0.02, ping_timeout=0.02, close_timeout=0.02)
        gone = await ended(transport)
    assert (gone.code, gone.by) == (None, "network")
    assert "ping" in gone.reason


# Closing.


async def test_closing_is_bounded_when_the_peer_never_answers(dial: Dial) -> None:
    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with server(deaf) as url:
        transport = await dial(url, close_timeout=0.05)
        await transport.close()
        gone = await ended(transport)
    assert (gone.code, gone.by) == (1000, "local")


async def test_closing_is_bounded_when_the_peer_does_not_read(dial: Dial) -> None:
    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with server(deaf) as url:
        transport = await dial(url, close_timeout=0.05)
        stuck = asyncio.create_task(transport.send(b"x" * (16 << 20)))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not stuck.done()
        await transport.close()
        with contextlib.suppress(TransportClosed):  # or it was given up
            await stuck
        with pytest.raises(TransportClosed):
            await transport.send("late")


async def test_closing_often_and_at_once_is_one_close(dial: Dial) -> None:
    async with server(idle) as url:
        transport = await dial(url)
        await asyncio.gather(*(transport.close(1000 + n) for n in range(3)))
        await transport.close()
        assert (await ended(transport)).code == 1000


async def test_a_code_that_must_not_be_sent_still_closes(dial: Dial) -> None:
    async with server(idle) as url:
        transport = await dial(url)
        await transport.close(1006, "abnormal")
        assert (await ended(transport)).by == "network"


async def test_a_cancelled_close_leaves_no_socket(dial: Dial) -> None:
    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with server(deaf) as url:
        transport = await dial(url, close_timeout=3600)
        closing = asyncio.create_task(transport.close())
        for _ in range(5):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        assert (await ended(transport)).by == "local"


async def test_a_cancelled_receive_loses_no_frame(dial: Dial) -> None:
    async with server(echo) as url:
        transport = await dial(url)
        waiting = asyncio.create_task(transport.receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        await transport.send("kept")
        assert await transport.receive() == b"kept"
        await transport.close()


# Dialling.


def refuse(
    status: int, body: str, **headers: str
) -> Callable[[ServerConnection, Request], Response]:
    def answer(connection: ServerConnection, request: Request) -> Response:
        raw = body.encode()
        fields = Headers({"Content-Length": str(len(raw)), **headers})
        return Response(status, http.HTTPStatus(status).phrase, fields, raw)

    return answer


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, '{"error": {"message": "Incorrect API key"}}', "Incorrect API key"),
        (503, "", "Service Unavailable"),
        (403, "two\n  lines", "two lines"),
        (400, "x" * 2_000, "x" * 500),
        (401, f"the key {KEY} is wrong", "the key *** is wrong"),
    ],
)
async def test_a_refused_upgrade_tells_status_and_body_and_no_key(
    dial: Dial, status: int, body: str, why: str
) -> None:
    async with server(idle, process_request=refuse(status, body)) as url:
        with pytest.raises(unirt.DialError) as refused:
            await dial(f"{url}/v1/realtime?model=m&key={KEY}")
    error = refused.value
    assert (error.provider, error.status) == ("toy", status)
    assert error.url == f"{url}/v1/realtime"
    assert why in error.why
    assert len(error.why) <= 500
    assert KEY not in str(error) + repr(error) + repr(error.__cause__)


async def test_nobody_listening_is_a_dial_error(dial: Dial) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(unirt.DialError) as refused:
            await dial(f"ws://127.0.0.1:{port}/x?key={KEY}")
    assert refused.value.status is None
    assert refused.value.url == f"ws://127.0.0.1:{port}/x"


@asynccontextmanager
async def stranger(answer: bytes) -> AsyncIterator[str]:
    """A server that speaks no WebSocket: it answers one request, and waits for the end."""
    reached, served = asyncio.Event(), asyncio.Event()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        with contextlib.suppress(OSError, EOFError):
            await reader.readuntil(b"\r\n\r\n")
            if answer:
                writer.write(answer)
                writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve_one, "127.0.0.1", 0) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        if reached.is_set():  # else the client was too busy to get here in its time
            await served.wait()


async def test_a_server_that_never_answers_is_a_dial_error(dial: Dial) -> None:
    async with stranger(b"") as url:
        with pytest.raises(unirt.DialError, match=r"no answer within 0\.05 s"):
            await dial(url, open_timeout=0.05)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_a_server_that_speaks_something_else_is_a_dial_error(
    dial: Dial, answer: bytes
) -> None:
    async with stranger(answer) as url:
        with pytest.raises(unirt.DialError) as failed:
            await dial(url)
    assert failed.value.why


@pytest.mark.parametrize("url", ["https://example.test/x", "not an address", "ws://"])
async def test_an_address_that_is_none_is_a_dial_error_without_its_query(
    dial: Dial, url: str
) -> None:
    with pytest.raises(unirt.DialError) as failed:
        await dial(f"{url}?key={KEY}")
    assert KEY not in str(failed.value)
    assert failed.value.__cause__ is None


async def test_redirects_stay_on_the_server(dial: Dial) -> None:
    def move(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/old":
            return refuse(302, "", Location="/new")(connection, request)
        return None

    async with server(echo, process_request=move) as url:
        transport = await dial(f"{url}/old")
        await transport.send("arrived")
        assert await transport.receive() == b"arrived"
        await transport.close()


async def test_a_redirect_to_another_server_does_not_get_the_key(dial: Dial) -> None:
    asked: list[str] = []

    def note(connection: ServerConnection, request: Request) -> None:
        asked.append(request.headers["Authorization"])

    async with server(idle, process_request=note) as other:
        moved = refuse(302, "", Location=f"{other}/stolen?key=x")
        async with server(idle, process_request=moved) as url:
            with pytest.raises(unirt.DialError) as refused:
                await dial(url)
    assert asked == []
    assert f"{other}/stolen" in refused.value.why
    assert "key=" not in refused.value.why


async def test_a_certificate_nobody_vouches_for_is_a_dial_error(dial: Dial) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async with server(echo, ssl=context) as url:
        with pytest.raises(unirt.DialError, match="TLS failed"):
            await dial(url)
        transport = await dial(url, ssl=trusting)
        await transport.send("safe")
        assert await transport.receive() == b"safe"
        await transport.close()


@pytest.mark.parametrize("value", ["sk-key\n", "sk-“key”", "a\r\nX-Evil: 1"])
async def test_a_key_that_no_header_can_hold_is_refused_before_dialling(value: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match="line breaks") as refused:
        await open_websocket("toy", "ws://127.0.0.1:9", headers={"X-Key": value}, options={})
    assert "X-Key" in str(refused.value)
    assert value not in str(refused.value)


async def test_options_that_do_not_exist_are_refused(dial: Dial) -> None:
    async with server(idle) as url:
        with pytest.raises(unirt.ConfigurationError) as refused:
            await dial(url, ping_intervall=3)
    assert refused.value.where == "connection_options"
