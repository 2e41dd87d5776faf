"""Frames read and written here are what the library reads and writes, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from unirt.transports.framing import client_frame, frame_end, take_messages

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]
MESSAGES = st.lists(
    st.one_of(st.binary(max_size=300), st.sampled_from(SIZES).map(lambda size: b"x" * size)),
    max_size=8,
)


def from_server(data: bytes, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def heard_by_a_server(frame: bytes) -> list[tuple[Opcode, bytes, bool]]:
    server = ServerProtocol(state=OPEN, max_size=None)
    server.receive_data(frame)
    found = [event for event in server.events_received() if isinstance(event, Frame)]
    assert server.parser_exc is None
    return [(event.opcode, bytes(event.data), event.fin) for event in found]


@pytest.mark.parametrize("size", SIZES)
def test_a_server_hears_what_a_client_writes(size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    assert heard_by_a_server(client_frame(data)) == [(Opcode.BINARY, data, True)]
    text = "ü" * (size // 2) + "x" * (size % 2)
    assert heard_by_a_server(client_frame(text)) == [(Opcode.TEXT, text.encode(), True)]


def test_every_frame_has_a_mask_of_its_own() -> None:
    assert len({client_frame("the same")[2:6] for _ in range(50)}) == 50


@given(MESSAGES, st.integers(0, 20))
def test_whole_messages_are_taken_and_the_rest_is_left(messages: list[bytes], less: int) -> None:
    frames = [from_server(message) for message in messages]
    data = b"".join(frames)[: -less or None]
    found: list[bytes] = []
    stopped = take_messages(data, 0, found, None)

    assert found == messages[: len(found)]
    assert stopped == len(b"".join(frames[: len(found)]))
    if len(found) < len(frames):
        end = frame_end(data, stopped, None)
        whole = stopped + len(frames[len(found)])
        assert end == whole or (end is None and len(data) - stopped < 10)


@pytest.mark.parametrize(
    "other",
    [
        from_server(b"ping", Opcode.PING),
        from_server(b"", Opcode.PONG),
        from_server(b"\x03\xe8bye", Opcode.CLOSE),
        from_server(b"part", Opcode.TEXT, fin=False),
        from_server(b"part", Opcode.CONT, fin=False),
        from_server(b"end", Opcode.CONT),
        b"\xc1\x05compr",
    ],
)
def test_another_frame_is_left_and_its_end_is_known(other: bytes) -> None:
    data = from_server(b"one") + other + from_server(b"two")
    found: list[bytes] = []
    stopped = take_messages(data, 0, found, None)
    assert found == [b"one"]
    end = frame_end(data, stopped, None)
    assert end == stopped + len(other)
    assert take_messages(data, end, found, None) == len(data)
    assert found == [b"one", b"two"]


@pytest.mark.parametrize(
    "refused",
    [
        b"\x83\x7f" + b"\xff" * 8,  # an opcode that there is not, and a body for ever
        b"\x81\xff" + b"\xff" * 8,  # masked
        b"\x81\x7e\x10\x00",  # too long
        b"\x81\x7f\x00\x00\x00\x00\x10\x00\x00\x00",
    ],
)
def test_what_is_refused_by_its_head_is_not_waited_for(refused: bytes) -> None:
    assert take_messages(refused, 0, [], 1_000) == 0
    end = frame_end(refused, 0, 1_000)
    assert end is not None
    client = ClientProtocol(parse_uri("ws://localhost"), state=OPEN, max_size=1_000)
    client.receive_data(refused[:end])
    assert end <= len(refused)
    assert client.parser_exc is not None


@pytest.mark.parametrize("size", [126, 70_000])
def test_the_longest_message_that_may_come_is_taken_and_no_longer_one(size: int) -> None:
    found: list[bytes] = []
    data = from_server(b"x" * size)
    assert take_messages(data, 0, found, size - 1) == 0
    assert take_messages(data, 0, found, size) == len(data)
    assert found == [b"x" * size]
