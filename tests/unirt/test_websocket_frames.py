"""What the WebSocket transports make of frames, byte by byte, against a server of no library."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from unirt.transport import Transport, TransportClosed

Dial = Callable[..., Awaitable[Transport]]

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
OK = b"\x81\x02ok"


class Wire:
    """The server's end: what it says at once, and what it was told by the end."""

    def __init__(self, says: bytes) -> None:
        self.says = says
        self.url = ""
        self.heard: list[tuple[int, bytes]] = []
        "The opcode and the payload of each frame."
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key.split(b":")[1].strip() + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + self.says
        )
        try:
            while True:
                first, second = await reader.readexactly(2)
                assert second >> 7, "a client masks"
                assert second & 127 < 126, "these tests send nothing long"
                mask = await reader.readexactly(4)
                payload = await reader.readexactly(second & 127)
                plain = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
                self.heard.append((first & 15, plain))
                if first & 15 == 8:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        self.over.set()


@asynccontextmanager
async def saying(frames: bytes) -> AsyncIterator[Wire]:
    wire = Wire(frames)
    async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
        wire.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield wire
        await wire.over.wait()


async def read_on(transport: Transport) -> None:
    while True:
        await transport.receive()


async def ended(transport: Transport) -> TransportClosed:
    with pytest.raises(TransportClosed) as told:
        await read_on(transport)
    return told.value


@pytest.mark.parametrize(
    ("frames", "messages"),
    [
        (b"\x81\x00", [b""]),
        (b"\x82\x01\xff\x81\x01a", [b"\xff", b"a"]),
        (b"\x81\x7e\x00\x7e" + b"x" * 126, [b"x" * 126]),
        (b"\x82\x7f" + (70_000).to_bytes(8, "big") + b"x" * 70_000, [b"x" * 70_000]),
        (b"\x01\x03abc\x00\x00\x80\x03def", [b"abcdef"]),
        (b"\x02\x01\x00\x89\x01p\x80\x01\x01" + OK, [b"\x00\x01", b"ok"]),
        (b"\x01\x00\x80\x00" + OK, [b"", b"ok"]),
        (b"\x8a\x04\x00\x00\x00\x01\x89\x00" + OK, [b"ok"]),
    ],
    ids=["empty", "binary", "126", "70000", "in three", "ping between", "empty in two", "pong"],
)
async def test_messages_are_put_together(dial: Dial, frames: bytes, messages: list[bytes]) -> None:
    async with saying(frames) as wire:
        transport = await dial(wire.url)
        assert [await transport.receive() for _ in messages] == messages
        await transport.close()


async def test_a_ping_is_answered_with_what_it_holds(dial: Dial) -> None:
    async with saying(b"\x89\x04here" + OK) as wire:
        transport = await dial(wire.url)
        await transport.receive()
        await transport.close()
    assert wire.heard[0] == (10, b"here")


@pytest.mark.parametrize(
    ("frame", "code", "reason", "answer"),
    [
        (b"\x88\x02\x03\xe8", 1000, "", b"\x03\xe8"),
        (b"\x88\x04\x03\xf0no", 1008, "no", b"\x03\xf0no"),
        (b"\x88\x04\x0f\xa1\xc3\xbc", 4001, "ü", b"\x0f\xa1\xc3\xbc"),
        (b"\x88\x00", 1005, "", None),
    ],
)
async def test_a_close_says_what_it_says_and_is_answered(
    dial: Dial, frame: bytes, code: int, reason: str, answer: bytes | None
) -> None:
    async with saying(OK + frame) as wire:
        transport = await dial(wire.url)
        assert await transport.receive() == b"ok"
        gone = await ended(transport)
        await transport.close()
    assert (gone.code, gone.reason, gone.by) == (code, reason, "remote")
    ((opcode, payload),) = wire.heard
    assert opcode == 8
    assert payload == answer or answer is None  # a close without a code: any may answer it


ILLEGAL = {
    "reserved bit": b"\xc1\x01a",
    "unknown opcode": b"\x83\x01a",
    "masked": b"\x81\x81\x00\x00\x00\x00a",
    "continuation of nothing": b"\x80\x01a",
    "message in a message": b"\x01\x01a\x81\x01b",
    "ping in two": b"\x09\x00",
    "ping with a reserved bit": b"\xc9\x00",
    "long ping": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "close of one byte": b"\x88\x01\x03",
    "close with no number of a close": b"\x88\x02\x00\x00",
    "close with 1005": b"\x88\x02\x03\xed",
    "close with 1006": b"\x88\x02\x03\xee",
    "close with a reason that is no text": b"\x88\x03\x03\xe8\xff",
}


@pytest.mark.parametrize("frame", ILLEGAL.values(), ids=ILLEGAL)
async def test_an_illegal_frame_ends_it_and_nobody_wanted_that(dial: Dial, frame: bytes) -> None:
    async with saying(OK + frame) as wire:
        transport = await dial(wire.url)
        assert await transport.receive() == b"ok"
        with pytest.raises(TransportClosed):
            await transport.send("late")
        gone = await ended(transport)
        await transport.close()
    assert gone.by == "network"
    ((opcode, payload),) = wire.heard
    assert opcode == 8
    assert int.from_bytes(payload[:2], "big") in (1002, 1007)


@pytest.mark.parametrize(
    "frames", [b"\x81\x05abcde", b"\x01\x03abc\x80\x02de"], ids=["at once", "in two"]
)
async def test_a_message_beyond_the_size_asked_for_ends_it(dial: Dial, frames: bytes) -> None:
    async with saying(b"\x81\x04abcd" + frames) as wire:
        transport = await dial(wire.url, max_size=4)
        assert await transport.receive() == b"abcd"
        gone = await ended(transport)
        await transport.close()
    assert gone.by == "network"
    assert [int.from_bytes(payload[:2], "big") for _, payload in wire.heard] == [1009]


async def test_nobody_can_announce_more_than_128_mib(dial: Dial) -> None:
    async with saying(OK + b"\x82\x7f" + (2**27 + 1).to_bytes(8, "big")) as wire:
        transport = await dial(wire.url)
        assert await transport.receive() == b"ok"
        gone = await ended(transport)
        await transport.close()
    assert gone.by == "network"
    assert [int.from_bytes(payload[:2], "big") for _, payload in wire.heard] == [1009]
