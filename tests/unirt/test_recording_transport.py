"""Recording: what goes over a transport is told, and nothing about the transport changes."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from unirt.transport import TransportClosed
from unirt.transports.memory import memory_pair
from unirt.transports.noting import noting
from unirt.transports.recording import RecordingTransport
from unirt.transports.websocket import open_websocket


class Noted:
    """What a track was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def sent(self, frame: str | bytes) -> Callable[[], None]:
        entry = ("sent", frame)
        self.told.append(entry)
        return lambda: self.told.remove(entry)

    def received(self, frames: Sequence[tuple[str | bytes, bool]]) -> None:
        self.told += (("received", *frame) for frame in frames)

    def closed(self, code: int | None, reason: str, by: str) -> None:
        self.told.append(("closed", code, reason, by))


async def test_both_directions_are_told_in_order() -> None:
    end, far = memory_pair("memory:x")
    track = Noted()
    transport = RecordingTransport(end, track)
    assert transport.url == "memory:x"
    await transport.send("one")
    assert transport.send_now(b"two")
    await far.send("three")
    await far.send(b"four")
    assert await transport.receive() == "three"
    assert await transport.receive() == b"four"
    await far.close(1001, "bye")
    with pytest.raises(TransportClosed):
        await transport.receive()
    assert track.told == [
        ("sent", "one"),
        ("sent", b"two"),
        ("received", "three", False),
        ("received", b"four", True),
        ("closed", 1001, "bye", "remote"),
    ]


async def test_a_frame_that_did_not_leave_is_not_told() -> None:
    end, far = memory_pair()
    track = Noted()
    transport = RecordingTransport(end, track)
    await far.close(1001, "bye")
    assert not transport.send_now("lost")
    with pytest.raises(TransportClosed):
        await transport.send("lost")
    assert track.told == [("closed", 1001, "bye", "remote")]


async def test_a_close_of_its_own_is_told_where_nobody_reads() -> None:
    end, _ = memory_pair()
    track = Noted()
    await RecordingTransport(end, track).close(1000, "done")
    assert track.told == [("closed", 1000, "done", "local")]


async def test_it_has_the_ways_of_the_other_transport_and_no_more() -> None:
    end, _ = memory_pair()
    transport = RecordingTransport(end, Noted())
    assert hasattr(transport, "send_now")
    assert not hasattr(transport, "deliver")


@pytest.mark.parametrize("kind", ["websocket", "fast"])
async def test_text_and_binary_are_told_apart_from_the_first_message_on(kind: str) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def speak(connection: ServerConnection) -> None:
        await connection.send("text")
        await connection.send(b"binary")
        await connection.send(["te", "xt"])
        await connection.send([b"bin", b"ary"])

    track = Noted()
    async with serve(speak, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with noting():
            inner = await open_websocket(
                "x", f"ws://127.0.0.1:{port}/", headers={}, options={}, transport=kind
            )
        transport = RecordingTransport(inner, track)

        def take(frames: object) -> bool:
            return True

        async def room() -> None:
            raise AssertionError("there is always room")

        with pytest.raises(TransportClosed):
            await transport.deliver(take, room)
        await transport.close()
    assert track.told == [
        ("received", b"text", False),
        ("received", b"binary", True),
        ("received", b"text", False),
        ("received", b"binary", True),
        ("closed", 1000, "", "remote"),
    ]


@pytest.mark.parametrize("kind", ["websocket", "fast"])
async def test_a_connection_that_nobody_records_notes_nothing(kind: str) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def listen(connection: ServerConnection) -> None:
        await connection.wait_closed()

    async with serve(listen, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        inner: Any = await open_websocket(
            "x", f"ws://127.0.0.1:{port}/", headers={}, options={}, transport=kind
        )
        assert inner.kinds is None
        await inner.close()
