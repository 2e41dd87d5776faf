"""What the WebSocket transports do with time: who waits for whom, and who is given up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

import unirt
from unirt.transport import Transport, TransportClosed

Dial = Callable[..., Awaitable[Transport]]


@asynccontextmanager
async def server(
    handler: Callable[[ServerConnection], Awaitable[None]], **options: Any
) -> AsyncIterator[str]:
    options = {"max_size": None, "close_timeout": 0.1, "ping_interval": None, **options}
    async with serve(handler, "127.0.0.1", 0, **options) as running:
        yield f"ws://127.0.0.1:{next(iter(running.sockets)).getsockname()[1]}"


async def test_who_does_not_read_holds_the_server_up(dial: Dial) -> None:
    count, size = 1_024, 64 << 10
    sent = 0

    async def pour(connection: ServerConnection) -> None:
        nonlocal sent
        for _ in range(count):
            await connection.send(b"x" * size)
            sent += 1
        await connection.wait_closed()

    async with server(pour) as url:
        transport = await dial(url)
        for _ in range(4 * count):
            await asyncio.sleep(0)
        assert sent < count
        for _ in range(count):
            assert len(await transport.receive()) == size
        await transport.close()
    assert sent == count


async def test_what_connections_read_at_the_same_time_stays_apart(dial: Dial) -> None:
    said = [[bytes([n]) * (n * 7_919 % 30_011 + who) for n in range(250)] for who in range(4)]
    lines = iter(said)

    async def speak(connection: ServerConnection) -> None:
        for message in next(lines):
            await connection.send(message)
        await connection.wait_closed()

    async def hear(transport: Transport) -> list[Any]:
        return [await transport.receive() for _ in range(250)]

    async with server(speak) as url:
        transports = [await dial(url) for _ in said]
        assert await asyncio.gather(*map(hear, transports)) == said
        for transport in transports:
            await transport.close()


async def test_a_queue_of_a_size_asked_for_holds_the_server_up(dial: Dial) -> None:
    count, size = 256, 256 << 10
    sent = 0

    async def pour(connection: ServerConnection) -> None:
        nonlocal sent
        for n in range(count):
            await connection.send(f"{n:{size}}")
            sent += 1
        await connection.wait_closed()

    async with server(pour) as url:
        transport = await dial(url, max_queue=1)
        for _ in range(4 * count):
            await asyncio.sleep(0)
        assert sent < count
        assert [int(await transport.receive()) for _ in range(count)] == list(range(count))
        await transport.close()


async def test_sending_goes_on_when_the_server_reads_again(dial: Dial) -> None:
    reads = asyncio.Event()

    async def late(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await reads.wait()
        connection.transport.resume_reading()
        for _ in range(2):
            await connection.send(str(len(await connection.recv())))
        await connection.wait_closed()

    async with server(late) as url:
        transport = await dial(url)
        sends = [asyncio.create_task(transport.send(b"x" * size)) for size in (16 << 20, 7)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(send.done() for send in sends)
        reads.set()
        await asyncio.gather(*sends)
        assert [await transport.receive(), await transport.receive()] == [b"16777216", b"7"]
        await transport.close()


async def test_who_waits_to_send_is_told_of_the_end(dial: Dial) -> None:
    cut = asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await cut.wait()
        connection.transport.abort()

    async with server(deaf) as url:
        transport = await dial(url)
        sends = [asyncio.create_task(transport.send(b"x" * size)) for size in (16 << 20, 7)]
        for _ in range(10):
            await asyncio.sleep(0)
        cut.set()
        told = await asyncio.gather(*sends, return_exceptions=True)
        await transport.close()
    assert [type(exc) for exc in told] == [TransportClosed, TransportClosed]


class Shelf:
    """Takes what is delivered, up to a number of frames between two clearings."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken: list[bytes] = []
        self.free = size
        self.full = asyncio.Event()
        self.cleared = asyncio.Event()

    def take(self, frames: Sequence[bytes]) -> bool:
        self.taken += frames
        self.free -= len(frames)
        if self.free <= 0:
            self.full.set()
        return self.free > 0

    async def room(self) -> None:
        await self.cleared.wait()
        self.free = self.size
        self.cleared.clear()
        self.full.clear()


async def test_frames_are_delivered_in_order_and_then_the_end(dial: Dial) -> None:
    async def speak(connection: ServerConnection) -> None:
        for n in range(3):
            await connection.send(str(n))
            await connection.recv()
        await connection.close(4000, "enough")

    async with server(speak) as url:
        transport: Any = await dial(url)
        shelf = Shelf(100)
        assert await transport.receive() == b"0"
        delivering = asyncio.create_task(transport.deliver(shelf.take, shelf.room))
        for _ in range(3):
            await transport.send("next")
        with pytest.raises(TransportClosed) as told:
            await delivering
        await transport.close()
    assert shelf.taken == [b"1", b"2"]
    assert (told.value.code, told.value.by) == (4000, "remote")


async def test_delivery_waits_for_room_and_the_server_with_it(dial: Dial) -> None:
    count, size = 1_024, 64 << 10
    sent = 0

    async def pour(connection: ServerConnection) -> None:
        nonlocal sent
        for n in range(count):
            await connection.send(f"{n:{size}}")
            sent += 1
        await connection.close()

    async with server(pour) as url:
        transport: Any = await dial(url, close_timeout=3600)
        shelf = Shelf(16)
        delivering = asyncio.create_task(transport.deliver(shelf.take, shelf.room))
        await shelf.full.wait()
        for _ in range(4 * count):
            await asyncio.sleep(0)
        assert sent < count
        held = len(shelf.taken)
        while not delivering.done():
            shelf.cleared.set()
            await asyncio.sleep(0)
        await asyncio.gather(delivering, return_exceptions=True)
        await transport.close()
    assert held < count
    assert [int(frame) for frame in shelf.taken] == list(range(count))


async def test_a_cancelled_delivery_leaves_the_rest_to_receive(dial: Dial) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with server(echo) as url:
        transport: Any = await dial(url)
        shelf = Shelf(1)
        delivering = asyncio.create_task(transport.deliver(shelf.take, shelf.room))
        await transport.send("one")
        await shelf.full.wait()
        delivering.cancel()
        await asyncio.wait({delivering})
        await transport.send("two")
        shelf.cleared.set()
        delivering = asyncio.create_task(transport.deliver(shelf.take, shelf.room))
        await asyncio.sleep(0)
        delivering.cancel()
        await asyncio.wait({delivering})
        assert [*shelf.taken, await transport.receive()] == [b"one", b"two"]
        await transport.close()


# Pings.


class Pinged(ServerConnection):
    """A connection that says when it was pinged three times."""

    thrice: asyncio.Event

    def process_event(self, event: Any) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.count = getattr(self, "count", 0) + 1
            if self.count == 3:
                self.thrice.set()


@pytest.fixture
def thrice() -> type[Pinged]:
    return type("Pinged", (Pinged,), {"thrice": asyncio.Event()})


async def test_a_peer_that_answers_pings_stays(dial: Dial, thrice: type[Pinged]) -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with server(echo, create_connection=thrice) as url:
        transport = await dial(url, ping_interval=0.005, ping_timeout=5)
        await thrice.thrice.wait()
        await transport.send("here")
        assert await transport.receive() == b"here"
        await transport.close()


async def test_pings_that_expect_nothing_end_nothing(dial: Dial, thrice: type[Pinged]) -> None:
    async def late(connection: ServerConnection) -> None:
        await thrice.thrice.wait()
        await connection.send("here")
        await connection.wait_closed()

    async with server(late, create_connection=thrice) as url:
        transport = await dial(url, ping_interval=0.005, ping_timeout=None)
        assert await transport.receive() == b"here"
        await transport.close()


# Dials that come to nothing.


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that reads one request and answers so, or never; its address, and who asked."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        if answer is not None:
            writer.write(answer)
            writer.write_eof()
        await asyncio.gather(reader.read(), return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        gone.set()

    async with await asyncio.start_server(serve_one, "127.0.0.1", 0) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/", asked
        await gone.wait()


async def test_a_cancelled_dial_leaves_no_socket(dial: Dial) -> None:
    async with answering(None) as (url, asked):
        dialling = asyncio.ensure_future(dial(url))
        await asked.wait()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling


@pytest.mark.parametrize(
    ("answer", "status", "why"),
    [
        (b"", None, "."),
        (b"HTTP/1.1 529 Overloaded\r\nContent-Length: 4\r\n\r\nbusy", 529, "busy"),
        (b"HTTP/1.1 418 \r\nContent-Length: 0\r\n\r\n", 418, "."),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", None, "(?i)connection"),
    ],
    ids=["nothing", "no status of Python's", "no words", "half an upgrade"],
)
async def test_an_answer_that_is_no_upgrade(
    dial: Dial, answer: bytes, status: int | None, why: str
) -> None:
    async with answering(answer) as (url, _):
        with pytest.raises(unirt.DialError, match=why) as refused:
            await dial(url)
    assert refused.value.status == status
    assert refused.value.why


async def test_a_server_that_sends_in_circles_is_a_dial_error(dial: Dial) -> None:
    def again(connection: ServerConnection, _request: Any) -> Any:
        answer = connection.respond(302, "")
        answer.headers["Location"] = "/again"
        return answer

    async def nobody(_connection: ServerConnection) -> None:
        raise AssertionError

    async with server(nobody, process_request=again) as url:
        with pytest.raises(unirt.DialError, match="redirects"):
            await dial(url)
