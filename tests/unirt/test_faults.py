"""Faults as values and as text, and what the wrapper does to frames."""

from __future__ import annotations

import asyncio
import json

import attrs
import pytest

import unirt
from unirt.clock import ManualClock
from unirt.config import SessionConfig
from unirt.provider import Credentials
from unirt.registry import load
from unirt.simulator import Near
from unirt.testing.faults import KINDS, Fault, Faults, Phase, fault_of
from unirt.testing.virtual import LoopClock, run_virtually
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import MemoryTransport, memory_pair

CREATED = json.dumps({"type": "session.created", "session": {"id": "s", "model": "m"}})
UPDATED = json.dumps({"type": "session.updated", "session": {"id": "s", "model": "m"}})


def test_a_fault_is_a_line_of_text() -> None:
    for text in (
        "stall@mid_audio",
        "close=1008@tool_call",
        "drop@sent:before_first_audio#2",
        "refuse=503@dial*2",
    ):
        assert str(fault_of(text)) == text
    assert fault_of("close=1008@tool_call") == Fault(
        kind="close", phase=Phase.TOOL_CALL, value=1008
    )


def test_every_kind_has_a_number_where_it_says_so() -> None:
    for kind in KINDS.values():
        assert (kind.default is None) is (kind.value == "")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("stall", "cannot be read"),
        ("stall@", "cannot be read"),
        ("stal@mid_audio", "did you mean stall"),
        ("stall@mid_adio", "did you mean mid_audio"),
        ("refuse@mid_audio", "name the phase 'dial'"),
        ("garbage@dial", "name a phase of an open connection"),
        ("garbage@sent:mid_audio", "cannot be done to what is sent"),
        ("stall=5@mid_audio", "has no number"),
        ("drop@mid_audio#0", "would never happen"),
        ("drop@mid_audio*0", "would never happen"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, what: str) -> None:
    with pytest.raises(unirt.ConfigurationError, match=what):
        fault_of(text)


def test_what_takes_a_socket_is_refused_without_one() -> None:
    with pytest.raises(unirt.ConfigurationError, match="FaultProxy"):
        Faults("reset@mid_audio")


def test_what_a_provider_never_says_is_refused() -> None:
    with pytest.raises(unirt.ConfigurationError, match="never says ProviderError"):
        Faults("error@mid_audio").on("google")
    with pytest.raises(unirt.ConfigurationError, match="never says SessionExpiring"):
        Faults("go_away@mid_audio").on("openai")


class Wire:
    """A transport with faults, and the far end of it."""

    def __init__(self, *faults: str | Fault, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.faults = Faults(*faults, clock=self.clock)
        self.inner, self.there = memory_pair()

    async def __aenter__(self) -> tuple[Transport, MemoryTransport]:
        async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
            return self.inner

        provider = self.faults.on(attrs.evolve(load("openai"), dial=dial))
        self.here = await provider.dial(SessionConfig(), Credentials())
        return self.here, self.there

    async def __aexit__(self, *exc: object) -> None:
        await self.here.close()


async def told(transport: Transport, count: int) -> list[str | bytes]:
    return [await transport.receive() for _ in range(count)]


@pytest.mark.parametrize(
    ("fault", "come"),
    [
        ("drop@handshake", [UPDATED]),
        ("duplicate@handshake", [CREATED, CREATED, UPDATED]),
        ("reorder@handshake", [UPDATED, CREATED]),
        ("truncate@handshake", [CREATED[: len(CREATED) // 2], UPDATED]),
        ("drop@handshake#2", [CREATED]),
        ("drop@handshake*2", []),
        ("garbage@handshake", ['{"type": "resp', CREATED, UPDATED]),
        ("garbage@handshake#2", [CREATED, '{"type": "resp', UPDATED]),
        ("unknown@ready", [CREATED, UPDATED, '{"type":"novelty.announced"}']),
    ],
)
async def test_what_becomes_of_what_comes(fault: str, come: list[str]) -> None:
    wire = Wire(fault)
    async with wire as (here, there):
        await there.send(CREATED)
        await there.send(UPDATED)
        assert await told(here, len(come)) == come
        await there.close(1001, "bye")
        with pytest.raises(TransportClosed) as gone:
            await here.receive()
        assert (gone.value.code, gone.value.by) == (1001, "remote")
    assert {each.fault for each in wire.faults.happened} == {fault_of(fault)}


async def test_of_what_is_not_received_no_more_than_so_many_frames_are_taken() -> None:
    """The next waits where it is, so the far end is held up as by the transport within."""
    async with Wire("drop@close") as (here, there):
        for number in range(80):
            await there.send(json.dumps({"type": "novelty", "number": number}))
        for _ in range(500):
            await asyncio.sleep(0)
        assert len(here._waiting) == 64  # type: ignore[attr-defined]  # the bound on the page
        numbers = [json.loads(frame)["number"] for frame in await told(here, 80)]
        assert numbers == list(range(80))


async def test_of_dials_the_second_is_the_second_whatever_becomes_of_the_first() -> None:
    async def dial(config: SessionConfig, credentials: Credentials) -> Transport:
        return memory_pair()[0]

    faults = Faults("refuse=429@dial", "cut@dial#2")
    provider = faults.on(attrs.evolve(load("openai"), dial=dial))
    for what in ("refused on purpose", "cut on purpose"):
        with pytest.raises(unirt.DialError, match=what):
            await provider.dial(SessionConfig(), Credentials())
    await (await provider.dial(SessionConfig(), Credentials())).close()
    assert [each.connection for each in faults.happened] == [1, 2]


async def test_corrupt_text_is_no_json() -> None:
    async with Wire("corrupt@handshake") as (here, there):
        await there.send(CREATED)
        (frame,) = await told(here, 1)
        with pytest.raises(json.JSONDecodeError):
            json.loads(frame)


@pytest.mark.parametrize(
    ("fault", "code", "by"),
    [("cut@ready", None, "network"), ("close=1012@ready", 1012, "remote")],
)
async def test_an_end_comes_after_what_came_before(fault: str, code: int | None, by: str) -> None:
    async with Wire(fault) as (here, there):
        for frame in (CREATED, UPDATED):
            await there.send(frame)
        assert await told(here, 2) == [CREATED, UPDATED]
        for use in (here.receive(), here.send("{}")):
            with pytest.raises(TransportClosed) as gone:
                await use
            assert (gone.value.code, gone.value.by) == (code, by)
        with pytest.raises(TransportClosed):  # nor is the far end left alone with it
            await told(there, 1)


async def test_only_frames_with_a_text_in_them_count() -> None:
    fault = Fault(kind="drop", phase=Phase.HANDSHAKE, holding="session.updated")
    async with Wire(fault) as (here, there):
        for frame in (CREATED, UPDATED, CREATED):
            await there.send(frame)
        assert await told(here, 2) == [CREATED, CREATED]


@pytest.mark.parametrize(
    ("fault", "come"),
    [
        ("drop@sent:handshake", ["2"]),
        ("duplicate@sent:handshake", ["1", "1", "2"]),
        ("reorder@sent:handshake", ["2", "1"]),
    ],
)
async def test_what_becomes_of_what_is_sent(fault: str, come: list[str]) -> None:
    async with Wire(fault) as (here, there):
        await here.send("1")
        await here.send("2")
        assert await told(there, len(come)) == come


async def test_a_network_that_takes_nothing_more_lets_go_when_it_is_closed() -> None:
    wire = Wire("stall@sent:handshake")
    async with wire as (here, _):
        sending = asyncio.create_task(here.send("1"))
        closing = asyncio.create_task(here.close())
        while wire.clock.next_wake() is None:
            await asyncio.sleep(0)
        assert not sending.done()
        wire.clock.advance(5.0)
        await closing
        with pytest.raises(TransportClosed):
            await sending


def test_late_is_late_by_the_clock() -> None:
    async def late() -> float:
        clock = LoopClock()
        faults = Faults("delay=3000@handshake", "delay=2000@dial", clock=clock)
        async with Near(load("openai"), clock=clock) as near:
            connecting = unirt.connect(
                faults.on(near.provider), clock=clock, environ={}, env_file=None
            )
            async with connecting:
                return clock.now()

    assert run_virtually(late()) == pytest.approx(5.0)


def test_a_slow_network_takes_its_time() -> None:
    async def slow(*faults: str) -> float:
        clock = LoopClock()
        async with Near(load("openai"), clock=clock) as near:
            provider = Faults(*faults, clock=clock).on(near.provider)
            async with unirt.connect(provider, clock=clock, environ={}, env_file=None) as session:
                await session.send_text("Hello")
                async for event in session:
                    if isinstance(event, unirt.ResponseDone):
                        break
                return clock.now()

    assert run_virtually(slow("throttle=5000@ready")) > 5 * run_virtually(slow())
