"""
Faults that take a socket: a session over each WebSocket transport, a simulated server, and between
them a proxy on loopback.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

import unirt
from tests.stepping import descriptors
from tests.talking import Reader
from unirt.clock import Clock, ManualClock
from unirt.registry import load
from unirt.simulator import Pace, Simulator
from unirt.testing.faults import FaultProxy
from unirt.testing.faults.wire import written

NAMES = ["openai", "google"]
TRANSPORTS = ["websocket", "fast"]
LIVELY = Pace(speed=50, latency_ms=0, word_ms=0)
AT_ONCE = unirt.Reconnect(first_wait=0.0, jitter=0.0)
SLOW = Pace(speed=4, latency_ms=0, word_ms=0)
SHORT_S = 0.2
"How long a close may take, in the cells that have to wait for that."


class Talk:
    """A session through a proxy, and what was left over when all was closed."""

    def __init__(
        self,
        name: str,
        transport: str,
        *faults: str,
        clock: Clock | None = None,
        pace: Pace = LIVELY,
        **more: Any,
    ) -> None:
        self.simulator = Simulator(load(name), pace=pace)
        self.name, self.faults, self.clock = name, faults, clock
        self.more = {
            "transport": transport,
            "reconnect": AT_ONCE,
            "timeouts": unirt.Timeouts(close=2 * SHORT_S),
            "connection_options": {"close_timeout": SHORT_S, "max_size": 500_000},
            "env_file": None,
            **more,
        }

    async def __aenter__(self) -> tuple[unirt.Session, Reader, FaultProxy]:
        self.descriptors = descriptors()
        await self.simulator.__aenter__()
        self.proxy = FaultProxy(self.simulator.url, self.name, *self.faults, clock=self.clock)
        await self.proxy.__aenter__()
        self.session = await unirt.connect(
            self.name, environ=self.proxy.env, **self.more
        ).__aenter__()
        self.reader = Reader(self.session)
        return self.session, self.reader, self.proxy

    async def __aexit__(self, *exc: Any) -> None:
        await self.session.close()
        await self.reader.done()  # which checks the order of the events
        await self.ended()

    async def ended(self) -> None:
        await self.proxy.__aexit__(None, None, None)
        await self.simulator.__aexit__(None, None, None)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert self.proxy.open == 0
        assert descriptors() <= self.descriptors


class Waits(ManualClock):
    """The proxy's clock: it stands still, and says how long somebody would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    async def sleep_until(self, when: float) -> None:
        self.seconds.append(when)


async def answered(reader: Reader, text: str) -> None:
    before = len([e for e in reader.of(unirt.ResponseDone) if e.ending is unirt.Ending.COMPLETE])
    await reader.session.send_text(text)
    await reader.completed_ones(before + 1)
    reader.session.playback.played(60_000)


CUT = (None, "network", "the connection was cut")
ENDS = {
    "cut": CUT,
    "reset": CUT,
    "half_close": CUT,
    "close=1012": (1012, "remote", "close code 1012"),
    "linger=1012": (1012, "remote", "close code 1012"),
    "nonsense": (None, "network", "invalid opcode"),
    "oversize": (None, "network", "1048617"),
}
"What the application is told of each: the code, who ended it, and words of the error."


async def it_ended(reader: Reader, fault: str) -> None:
    """The fault ended the connection, as its name says, and there is another that answers."""
    (left,) = await reader.many(unirt.Reconnecting)
    await reader.many(unirt.Reconnected)
    await answered(reader, "And now?")
    code, by, words = ENDS[fault]
    assert (left.code, left.by) == (code, by)
    assert words in (left.error or "")


SAID = written(b'{"type":"still.here"}', masked=True)


async def of_a_socket(fault: str) -> tuple[str, bytes]:
    """How a socket ends that a fault is done to, and what the server hears that is said then."""
    heard = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        heard.set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with FaultProxy(f"ws://127.0.0.1:{port}", "openai", f"{fault}@handshake") as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(proxy.url).port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            try:
                await reader.read()
                how = "it is over"
            except ConnectionResetError:
                how = "it is reset"
            writer.write(SAID)
            writer.close()
            return how, await heard


async def test_a_socket_ends_as_the_fault_says() -> None:
    assert await of_a_socket("cut") == ("it is over", b"")
    assert await of_a_socket("reset") == ("it is reset", b"")
    assert await of_a_socket("half_close") == ("it is over", SAID)


@pytest.mark.parametrize("phase", ["before_first_audio", "mid_audio", "between_turns", "tool_call"])
@pytest.mark.parametrize("fault", list(ENDS))
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_what_ends_a_socket_is_told_and_mended(
    name: str, transport: str, fault: str, phase: str
) -> None:
    async def look_up() -> str:
        """Look it up."""
        return "found"

    talk = Talk(name, transport, f"{fault}@{phase}", tools=[look_up])
    async with talk as (_, reader, proxy):
        await answered(reader, "look_up, please" if phase == "tool_call" else "Tell me of it")
        await it_ended(reader, fault)
        assert len(proxy.happened) == 1


@pytest.mark.parametrize("fault", list(ENDS))
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_what_ends_a_socket_while_the_user_goes_over_an_answer(
    name: str, transport: str, fault: str
) -> None:
    async with Talk(name, transport, f"{fault}@barge_in", pace=SLOW) as (session, reader, proxy):
        await session.send_text("Tell me all of it, and take your time for that")
        await reader.many(unirt.AudioDelta)
        await session.interrupt()
        await it_ended(reader, fault)
        assert len(proxy.happened) == 1


@pytest.mark.parametrize("fault", list(ENDS))
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_what_ends_a_socket_again_before_another_one_is_ready(
    name: str, transport: str, fault: str
) -> None:
    talk = Talk(name, transport, "cut@mid_audio", f"{fault}@reconnect")
    async with talk as (_, reader, proxy):
        await answered(reader, "Tell me of it")
        await reader.many(unirt.Reconnected)
        await answered(reader, "And now?")
        first, second = reader.of(unirt.Reconnecting)
        assert (first.attempt, second.attempt) == (1, 2)
        assert second.error
        assert len(proxy.happened) == 2


@pytest.mark.parametrize("fault", [*ENDS, "break"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_what_ends_a_socket_that_is_being_closed(
    name: str, transport: str, fault: str
) -> None:
    async with Talk(name, transport, f"{fault}@close") as (session, reader, _proxy):
        await answered(reader, "Tell me of it")
        await session.close()
    (closed,) = reader.of(unirt.SessionClosed)
    assert closed.by == "local"
    assert reader.error is None
    assert not reader.of(unirt.Reconnecting)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_frame_that_never_ends(name: str, transport: str) -> None:
    async with Talk(name, transport, "break@mid_audio#2") as (_, reader, _proxy):
        await answered(reader, "Tell me of it, please")
        (left,) = await reader.many(unirt.Reconnecting)
        assert (left.code, left.by, left.error) == CUT
        assert not reader.of(unirt.Malformed)  # half a frame is no frame


@pytest.mark.parametrize("fault", ["garbage", "unknown", "truncate", "corrupt"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_what_breaks_no_socket_breaks_no_session(
    name: str, transport: str, fault: str
) -> None:
    async with Talk(name, transport, f"{fault}@mid_audio") as (_, reader, _proxy):
        await answered(reader, "Tell me of it")
        kind = unirt.Unmapped if fault == "unknown" else unirt.Malformed
        assert len(await reader.many(kind)) == 1
        assert not reader.of(unirt.Reconnecting)


@pytest.mark.parametrize("fault", ["stall", "stall@sent:"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_session_whose_network_stalls_can_be_closed(
    name: str, transport: str, fault: str
) -> None:
    point = "mid_audio" if fault == "stall" else "between_turns"
    text = f"{fault}{'' if fault.endswith(':') else '@'}{point}"
    async with Talk(name, transport, text) as (session, reader, proxy):
        await session.send_text("Tell me of it")
        await reader.many(unirt.AudioDelta)
        if point == "between_turns":
            await reader.many(unirt.ResponseDone)
            await session.send_text("Nobody reads this")
        await session.close()
        assert len(proxy.happened) == 1
    (closed,) = reader.of(unirt.SessionClosed)
    assert closed.by == "local"
    assert reader.error is None


@pytest.mark.parametrize("fault", ["refuse=503@dial", "cut@dial", "reset@dial", "delay=1@dial"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_dial_that_fails_is_tried_again(name: str, transport: str, fault: str) -> None:
    async with Talk(name, transport, fault) as (_, reader, proxy):
        await answered(reader, "Hello")
        assert len(proxy.happened) == 1


@pytest.mark.parametrize(
    ("fault", "status"), [("refuse=401@dial*2", 401), ("cut@dial*2", None), ("reset@dial*2", None)]
)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_dial_that_always_fails(
    name: str, transport: str, fault: str, status: int | None
) -> None:
    talk = Talk(name, transport, fault)
    with pytest.raises(unirt.DialError) as told:
        await talk.__aenter__()
    assert told.value.status == status
    await talk.ended()


BROKEN_OFF = ["cut", "reset", "half_close", "nonsense"]


@pytest.mark.parametrize("fault", BROKEN_OFF)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_handshake_that_is_broken_off(name: str, transport: str, fault: str) -> None:
    async with Talk(name, transport, f"{fault}@handshake") as (_, reader, proxy):
        await answered(reader, "Hi")  # over the next connection
        assert len(proxy.happened) == 1


@pytest.mark.parametrize("fault", [*BROKEN_OFF, "close=1008"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_handshake_that_comes_to_nothing(name: str, transport: str, fault: str) -> None:
    talk = Talk(name, transport, f"{fault}@handshake", f"{fault}@reconnect")
    with pytest.raises(unirt.HandshakeError) as told:
        await talk.__aenter__()
    refused = fault.startswith("close")
    assert (told.value.code, told.value.cut) == (1008 if refused else None, not refused)
    await talk.ended()


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", NAMES)
async def test_a_slow_network_loses_nothing(name: str, transport: str) -> None:
    waits = Waits()

    async def heard(*faults: str) -> str:
        async with Talk(name, transport, *faults, clock=waits) as (_, reader, _proxy):
            await answered(reader, "Hi")
        return "".join(event.text for event in reader.of(unirt.TranscriptDelta))

    assert await heard("throttle=10000@before_first_audio") == await heard()
    assert all(0 < each <= 512 / 10_000 for each in waits.seconds)
    assert sum(waits.seconds) * 10_000 > 5_000  # bytes


@pytest.mark.parametrize("fault", ["delay=1500@dial", "delay=1500@mid_audio"])
@pytest.mark.parametrize("name", NAMES)
async def test_what_comes_late_is_as_late_as_it_was_told_to_be(name: str, fault: str) -> None:
    waits = Waits()
    async with Talk(name, "websocket", fault, clock=waits) as (_, reader, _proxy):
        await answered(reader, "Hi")
    assert waits.seconds == [1.5]


@pytest.mark.parametrize("name", NAMES)
async def test_only_what_a_proxy_can_stand_before(name: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match="no address"):
        FaultProxy("wss://example.com", name, "cut@ready")
