"""A connection hears the same, and answers the same, however the network cuts what it brings."""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from unirt.transports.connection import READ_BYTES, PromptConnection


class Wire(asyncio.Transport):
    """The socket beneath a connection: keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass


class Peer:
    """A connection that has just dialled, and the server's side of it, without a network."""

    def __init__(self, *, max_size: int | None = None, debug: bool = False) -> None:
        logger = logging.getLogger("tests.connection" + (".debug" if debug else ""))
        logger.setLevel(logging.DEBUG if debug else logging.INFO)
        protocol = ClientProtocol(parse_uri("ws://localhost/"), max_size=max_size, logger=logger)
        self.connection = PromptConnection(protocol, max_queue=(1_000, None), close_timeout=0)
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self._server = ServerProtocol(max_size=None)
        request = protocol.connect()
        protocol.send_request(request)
        self._server.receive_data(b"".join(protocol.data_to_send()))

    def accepted(self) -> bytes:
        """The server's answer to the upgrade."""
        (request,) = self._server.events_received()
        assert isinstance(request, Request)
        self._server.send_response(self._server.accept(request))
        return b"".join(self._server.data_to_send())

    def hears(self, pieces: Sequence[bytes]) -> None:
        """As event loops hand it over: in memory that the next read of any connection changes."""
        for piece in pieces:
            memory = self.connection.get_buffer(-1)
            memory[: len(piece)] = piece
            self.connection.buffer_updated(len(piece))
            memory[: len(piece)] = b"\x89" * len(piece)

    async def messages(self) -> list[bytes]:
        """What was heard, all of it."""
        found = []
        self.connection.inbox.finish()
        with contextlib.suppress(EOFError):
            while True:
                found.append(await self.connection.inbox.receive())
        return found

    @property
    def answers(self) -> list[tuple[Opcode, bytes]]:
        """What the connection wrote, as a server hears it."""
        self._server.receive_data(self.wire.written)
        return [
            (event.opcode, bytes(event.data))
            for event in self._server.events_received()
            if isinstance(event, Frame)
        ]


def frame(data: bytes, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


SAID = [
    frame(b""),
    frame(b"one"),
    frame(b"\xff" * 200, Opcode.BINARY),
    frame(b"ping", Opcode.PING),
    frame(b"two, ", fin=False),
    frame(b"between", Opcode.PING),
    frame(b"in two", Opcode.CONT),
    frame(b"three"),
    frame(b"\x03\xe9bye", Opcode.CLOSE),
    frame(b"after the end"),
]
HEARD = [b"", b"one", b"\xff" * 200, b"two, in two", b"three"]
ANSWERED = [
    (Opcode.PONG, b"ping"),
    (Opcode.PONG, b"between"),
    (Opcode.CLOSE, b"\x03\xe9bye"),
]


async def turns() -> None:
    """Let what is due now run."""
    for _ in range(3):
        await asyncio.sleep(0)


def cuts(data: bytes) -> Iterator[list[bytes]]:
    yield [data]
    yield [data[n : n + 1] for n in range(len(data))]
    yield [data[n : n + 7] for n in range(0, len(data), 7)]
    for n in range(1, len(data)):
        yield [data[:n], data[n:]]


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "logged by the library"])
async def test_however_it_is_cut(debug: bool) -> None:
    length = len(Peer().accepted() + b"".join(SAID))
    for number in range(length + 2):
        peer = Peer(debug=debug)
        data = peer.accepted() + b"".join(SAID)
        (pieces,) = [cut for n, cut in enumerate(cuts(data)) if n == number]
        peer.hears(pieces)
        assert await peer.messages() == HEARD, pieces
        assert peer.answers == ANSWERED, pieces
        assert peer.connection.protocol.close_code == 1001 or peer.connection.state is State.CLOSING


async def test_small_messages_between_two_cuts() -> None:
    said = [frame(b""), frame(b"a"), frame(b"pi", Opcode.PING), frame(b"bcd"), frame(b"e" * 130)]
    data = b"".join(3 * said)[:180]
    for first, second in itertools.combinations(range(len(data)), 2):
        peer = Peer()
        peer.hears([peer.accepted(), data[:first], data[first:second], data[second:]])
        assert await peer.messages() == [b"", b"a", b"bcd", b"e" * 130, b"", b"a", b"bcd"]
        assert peer.answers == 2 * [(Opcode.PONG, b"pi")]


async def test_a_close_of_ours_in_the_middle_of_a_frame() -> None:
    peer = Peer()
    cut = frame(b"x" * 200)
    peer.hears([peer.accepted(), cut[:50]])
    peer.connection.protocol.send_close(1000)
    peer.hears([cut[50:] + frame(b"\x03\xe8", Opcode.CLOSE)])
    assert peer.connection.protocol.parser_exc is None
    assert peer.connection.protocol.close_rcvd is not None
    assert await peer.messages() == [b"x" * 200]


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "logged by the library"])
@pytest.mark.parametrize("ours", [False, True], ids=["the server's", "ours"])
async def test_a_socket_that_the_server_does_not_end_is_ended(debug: bool, ours: bool) -> None:
    peer = Peer(debug=debug)
    peer.hears([peer.accepted() + frame(b"one")])
    await turns()
    assert not peer.wire.aborted
    if ours:
        peer.connection.protocol.send_close(1000)
    peer.hears([frame(b"\x03\xe8", Opcode.CLOSE)])
    assert not peer.wire.aborted  # the timeout is for the server
    await turns()
    assert peer.wire.aborted
    assert await peer.messages() == [b"one"]


async def test_the_connections_of_a_thread_share_what_they_read_into() -> None:
    one, other = Peer().connection, Peer().connection
    assert one.get_buffer(-1).obj is other.get_buffer(-1).obj
    assert len(one.get_buffer(1_000)) == READ_BYTES
    assert await asyncio.to_thread(lambda: one.get_buffer(-1).obj) is not one.get_buffer(-1).obj


async def test_of_small_messages_fewer_bytes_are_read_at_once() -> None:
    peer = Peer()
    peer.hears([peer.accepted()])

    def read(each: int, count: int) -> int:
        data = frame(bytes(each)) * count
        while data:
            most = len(peer.connection.get_buffer(-1))
            peer.hears([data[:most]])
            data = data[most:]
        return len(peer.connection.get_buffer(-1))

    some, fewer, larger = read(1_000, 2_000), read(100, 3_000), read(5_000, 50)
    assert 150_000 < some < 300_000
    assert read(100, 10) == larger > some > fewer  # what trickles in says nothing
    assert read(1, 30_000) == fewer == 1 << 16
    assert read(20_000, 3) == 1 << 16
    assert read(20_000, 4) == READ_BYTES


async def test_the_log_of_the_library_tells_every_frame(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer(debug=True)
    with caplog.at_level(logging.DEBUG, logger="tests.connection.debug"):
        peer.hears([peer.accepted() + frame(b"one")])
        assert peer.connection.send_now("two")
    told = [record.getMessage() for record in caplog.records]
    assert "< TEXT 'one' [3 bytes]" in told
    assert "> TEXT 'two' [3 bytes]" in told


@pytest.mark.parametrize("cut", [1, 3, 4, 9, 1_000])
async def test_a_message_that_is_too_long_is_refused_before_all_of_it_came(cut: int) -> None:
    peer = Peer(max_size=100)
    peer.hears([peer.accepted()])
    data = frame(b"x" * 100) + frame(b"x" * 65_536)
    peer.hears([data[n : n + cut] for n in range(0, 120, cut)])
    assert await peer.messages() == [b"x" * 100]
    ((opcode, payload),) = peer.answers
    assert (opcode, int.from_bytes(payload[:2], "big")) == (Opcode.CLOSE, 1009)


async def test_a_refused_upgrade_is_read_by_the_library() -> None:
    answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nbad\nkey\r\n"
    for number in range(len(answer) + 1):
        peer = Peer()
        (pieces,) = [cut for n, cut in enumerate(cuts(answer)) if n == number]
        peer.hears(pieces)
        refused: Any = peer.connection.protocol.handshake_exc
        assert refused.response.status_code == 401
        assert refused.response.body == b"bad\nkey\r\n"
        await turns()
        assert peer.wire.aborted  # the server does not end the socket
