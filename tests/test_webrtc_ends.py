"""How calls end, and how some never begin: hang-ups, dead networks, caps, and who is not there."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

import unirt
from tests.calling import (
    HERE,
    calling,
    cut_off,
    idle,
    peer_of,
    silenced,
    simulated,
    time_passes,
)
from unirt.clock import ManualClock
from unirt.simulator.call import Call


async def test_a_hang_up_by_the_other_side_ends_the_session_cleanly() -> None:
    async with simulated() as simulator, calling(simulator) as reader:
        call_id = reader.session.call_id
        async with httpx2.AsyncClient() as client:
            answer = await client.post(
                f"{simulator.env['OPENAI_BASE_URL']}/realtime/calls/{call_id}/hangup",
                headers={"Authorization": "Bearer sk-simulator"},
            )
        assert answer.status_code == 200
        events = await reader.done()
        assert reader.error is None
    closed = events[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert (closed.by, closed.code, closed.reason) == ("remote", 1000, "the peer hung up")
    assert await idle() == set()


@pytest.fixture
def time_of_calls(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """What both ends of a call know the time by, in which a network is taken for dead."""
    clock = ManualClock()
    monkeypatch.setattr("unirt.transports.webrtc.peer.SystemClock", lambda: clock)
    return clock


async def test_a_network_that_is_dead_ends_the_session_in_the_documented_time(
    time_of_calls: ManualClock,
) -> None:
    options = {"measure_every": 60.0}
    async with simulated() as simulator, calling(simulator, options=options) as reader:
        (call,) = simulator.calls.values()
        await cut_off(call._peer, peer_of(reader.session))
        # What had come is seen at the first look, and from then on it is 15 seconds.
        await time_passes(time_of_calls, 19, lambda: reader.error)
        assert reader.error is not None
        assert reader.error.by == "network"
        assert reader.error.reason == "nothing came for 15 s"
        assert time_of_calls.now() > 15
        last = reader.of(unirt.ConnectionMeasured)[-1].condition
        assert last.state == "failed"
        assert last.bytes_out > 0  # what was counted until then
    assert await idle() == set()


async def test_a_call_that_nobody_watches_any_more_ends_and_tells_why() -> None:
    async with simulated() as simulator, calling(simulator) as reader:
        (call,) = simulator.calls.values()
        frames = {task: getattr(task.get_coro(), "cr_frame", None) for task in asyncio.all_tasks()}
        watching = {
            task: frame.f_locals["self"]
            for task, frame in frames.items()
            if frame is not None and frame.f_code.co_qualname == "Peer._watch"
        }
        (task,) = (task for task, peer in watching.items() if peer is not call._peer)
        task.cancel()
        with pytest.raises(AssertionError, match="the session ended"):
            await reader.until(lambda: False)
        assert reader.error is not None
        assert "cancelled, and not by the session" in reader.error.reason
    assert await idle() == set()


async def test_a_call_is_measured_as_often_as_was_said(time_of_calls: ManualClock) -> None:
    measured: list[float] = []

    def note(events: Sequence[unirt.Event]) -> None:
        here = [event for event in events if isinstance(event, unirt.ConnectionMeasured)]
        measured.extend(time_of_calls.now() for _ in here)

    async with simulated() as simulator, calling(simulator, observers=[note]):
        begun = time_of_calls.now()
        await time_passes(time_of_calls, 20, lambda: len(measured) >= 3)
    assert measured[:3] == pytest.approx([begun + 5, begun + 10, begun + 15])


async def test_what_was_counted_is_known_after_the_call() -> None:
    options = {"measure_every": 3600.0}
    async with simulated() as simulator, calling(simulator, options=options) as reader:
        session = reader.session
        (call,) = simulator.calls.values()
        await session.send_text("hello")
        await reader.many(unirt.ResponseDone)
        assert reader.of(unirt.ConnectionMeasured) == []
    told = session.condition
    await call.over.wait()
    there = call._peer.condition
    assert told is not None
    assert told.state == "closed"
    assert told.received > 10
    # What one end sent the other got: over loopback all of it, but for what the end cut off.
    assert told.sent == pytest.approx(there.received, abs=3)
    assert told.received == pytest.approx(there.sent, abs=5)
    assert told.bytes_out == pytest.approx(there.bytes_in, rel=0.05)
    assert told.bytes_in == pytest.approx(there.bytes_out, rel=0.05)
    assert told.bytes_in > 2 * told.bytes_out  # who speaks sends more than who is silent


async def test_after_a_network_that_was_dead_the_session_calls_again(
    time_of_calls: ManualClock,
) -> None:
    async with simulated() as simulator, calling(simulator, reconnect=True) as reader:
        first = reader.session.call_id
        (call,) = simulator.calls.values()
        await cut_off(call._peer, peer_of(reader.session))
        await time_passes(time_of_calls, 19, lambda: reader.of(unirt.Reconnecting))
        (back,) = await reader.many(unirt.Reconnected)
        assert back.why == "lost"
        assert reader.session.call_id not in (None, first)
        await reader.session.send_text("still there?")
        await reader.many(unirt.ResponseDone)
        assert reader.of(unirt.AudioDelta)
    assert await idle() == set()


async def test_a_call_that_nears_its_cap_is_left_for_another_before_it_is_hung_up() -> None:
    clock = ManualClock()
    async with simulated() as simulator, calling(simulator, reconnect=True, clock=clock) as reader:
        first = reader.session.call_id
        clock.advance_to(59 * 60 + 1)
        (back,) = await reader.many(unirt.Reconnected)
        assert back.why == "expiring"
        assert reader.session.call_id not in (None, first)
        await reader.session.close()
        assert simulator.calls == {}
    assert await idle() == set()


# What does not come about.


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((401, "application/json", b'{"error": {"message": "no such key"}}'), "no such key"),
        ((201, "text/plain", b"this is no SDP"), "no SDP that fits"),
        ((201, "text/plain", b"v=0\r\nm=nonsense\r\n"), "no SDP that fits"),
        ((500, "text/plain", b""), "no reason given"),
    ],
    ids=["refused", "nonsense", "broken", "empty"],
)
async def test_a_call_that_does_not_come_about_leaves_nothing(
    answer: tuple[int, str, bytes], why: str
) -> None:
    status, type_, body = answer

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {type_}\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(unirt.DialError, match=why) as failed:
            await enter(base_url=f"http://127.0.0.1:{port}/v1")
        assert failed.value.status == (status if status >= 400 else None)
    assert await idle() == set()


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(unirt.DialError, match="no answer within"):
            await enter(base_url=f"http://127.0.0.1:{port}/v1", open_timeout=0.2)
    assert await idle() == set()


async def test_a_peer_that_is_not_there_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search alone has little time: that the request takes its own is no end of it."""
    answer = Call.answer
    briefly = SimpleNamespace(timeout=lambda _: asyncio.timeout(0.3))
    monkeypatch.setattr("unirt.transports.webrtc.dial.asyncio", briefly)

    async def gone(call: Call, offer: str) -> str:
        sdp = await answer(call, offer)
        silenced(call._peer)
        return sdp

    monkeypatch.setattr(Call, "answer", gone)
    async with simulated() as simulator:
        with pytest.raises(unirt.DialError, match="no way to the peer was found within 60 s"):
            await enter(base_url=simulator.env["OPENAI_BASE_URL"], open_timeout=60.0)
    assert await idle() == set()


async def test_where_no_socket_can_be_had_that_is_said_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        options: dict[str, Any] = {"base_url": "http://127.0.0.1:9/v1", "open_timeout": 3600.0}
        with pytest.raises(unirt.DialError, match=f"127.0.0.1 with a port from {port} to {port}"):
            await enter(ports=(port, port), **options)
        with pytest.raises(
            unirt.DialError, match=r"192\.0\.2\.7, which is no address of this machine"
        ):
            await enter(interfaces="192.0.2.7", **options)
    assert await idle() == set()


async def test_a_frame_that_the_client_cannot_have_ends_the_simulated_call_in_order(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with simulated() as simulator, calling(simulator) as reader:
        (call,) = simulator.calls.values()
        call._peer.largest = 64
        await reader.session.send_text("hello")
        events = await reader.done()
        assert reader.error is None
    closed = events[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert closed.by == "remote"
    assert "is larger than the client takes (64)" in caplog.text
    assert await idle() == set()


async def enter(*, base_url: str, **options: Any) -> None:
    connecting = unirt.connect(
        "openai",
        transport="webrtc",
        api_key="sk-0123456789abcdef",
        base_url=base_url,
        env_file=None,
        reconnect=False,
        environ={},
        connection_options={**HERE, **options},
    )
    async with connecting:
        raise AssertionError("it came about")


async def test_a_cancelled_enter_leaves_nothing() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    asked = asyncio.Event()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        entering = asyncio.create_task(enter(base_url=f"http://127.0.0.1:{port}/v1"))
        await asked.wait()
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
    assert await idle() == set()
    gc.collect()  # an open socket would warn, and a warning is an error
