"""The bounds on waiting: what they may be, and that a clock in hand decides them."""

import asyncio
import math
from collections.abc import Awaitable
from typing import Any

import pytest

import unirt
from tests.unirt.reading import kept
from unirt import Timeouts
from unirt.clock import ManualClock
from unirt.config import SessionConfig
from unirt.errors import ConfigurationError
from unirt.provider import Credentials
from unirt.settings import read

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


async def asleep(clock: ManualClock, until: float) -> None:
    """Wait until somebody sleeps until a time."""
    while clock.next_wake() != until:
        await asyncio.sleep(0)


class Mute:
    """A transport whose close never ends by itself; nor does what is sent when it is congested."""

    def __init__(self, inner: Any) -> None:
        self.url = inner.url
        self.receive = inner.receive
        self.aborted = self.congested = False
        self._send = inner.send

    async def send(self, frame: Any) -> None:
        if self.congested:
            await asyncio.Event().wait()
        await self._send(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.aborted = True


@pytest.mark.parametrize("name", ["dial", "handshake", "answer", "silence", "close"])
@pytest.mark.parametrize("value", [0, -1.0, math.nan, "5", True, None])
def test_what_is_no_time_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"is no time \(timeouts\.{name}\)"):
        Timeouts(**{name: value})


def test_what_an_overdue_answer_means_is_one_of_two() -> None:
    with pytest.raises(ConfigurationError, match="use 'tell' or 'reconnect'"):
        Timeouts(at_overdue="panic")  # type: ignore[arg-type]  # the case


def test_every_one_has_a_variable() -> None:
    names = ("dial", "handshake", "answer", "silence", "close")
    environ = {f"UNIRT_{name.upper()}_TIMEOUT": f"{n}" for n, name in enumerate(names, 3)}
    found = read(environ={**environ, "UNIRT_AT_OVERDUE": "reconnect"}).timeouts
    assert found == Timeouts(
        dial=3, handshake=4, answer=5, silence=6, close=7, at_overdue="reconnect"
    )
    assert read(environ={"UNIRT_ANSWER_TIMEOUT": "inf"}).timeouts == Timeouts(answer=math.inf)
    assert read(environ={}).timeouts == Timeouts()


@pytest.mark.parametrize("value", ["0", "-3", "soon", "nan"])
def test_a_variable_that_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="DIAL_TIMEOUT"):
        _ = read(environ={"UNIRT_DIAL_TIMEOUT": value}).timeouts


async def entered(connecting: Any) -> None:
    async with connecting:
        raise AssertionError("it is open")


async def test_a_dial_is_given_up_at_its_time(toy: Toy) -> None:
    clock, cancelled = ManualClock(100.0), asyncio.Event()

    async def dial(config: SessionConfig, credentials: Credentials) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    connecting = toy.connecting(transport=dial, clock=clock, timeouts=Timeouts(dial=7.0))
    entering = asyncio.create_task(entered(connecting))
    await asleep(clock, 107.0)
    clock.advance(7.0)
    with pytest.raises(unirt.DialError, match="no connection within 7 s"):
        await entering
    assert cancelled.is_set()


async def test_a_handshake_is_given_up_at_its_time(toy: Toy) -> None:
    clock = ManualClock(100.0)
    await toy.say("note", why="not a greeting")
    connecting = toy.connecting(clock=clock, timeouts=Timeouts(handshake=11.0))
    entering = asyncio.create_task(entered(connecting))
    await asleep(clock, 111.0)
    clock.advance(11.0)
    with pytest.raises(unirt.HandshakeError, match="not ready after 11 s, 2 events heard"):
        await entering


async def test_a_close_is_cut_at_its_time(toy: Toy) -> None:
    clock = ManualClock(100.0)
    await toy.greet()
    transport = Mute(toy.here)
    timeouts = Timeouts(close=3.0)
    async with toy.connecting(transport=transport, clock=clock, timeouts=timeouts) as session:
        view = aiter(session)
        closing = asyncio.create_task(session.close())
        while not (wake := clock.next_wake()) or wake > 103.0:
            await asyncio.sleep(0)
        clock.advance(2.9)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closing.done()
        clock.advance(0.1)
        await closing
    assert transport.aborted
    assert isinstance((await kept(view))[-1], unirt.SessionClosed)


async def test_who_is_cancelled_while_it_closes_waits_for_nothing_more(toy: Toy) -> None:
    clock = ManualClock(100.0)
    await toy.greet()
    transport = Mute(toy.here)
    timeouts = Timeouts(close=3.0)
    async with toy.connecting(transport=transport, clock=clock, timeouts=timeouts) as session:
        transport.congested = True
        await session.send_text("It will never leave.")
        closing = asyncio.create_task(session.close())
        await asleep(clock, 101.5)  # half of the time is for what is to be sent
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert session.closed
    assert transport.aborted


async def test_an_argument_takes_the_place_of_the_variables(toy: Toy) -> None:
    environ = {"UNIRT_DIAL_TIMEOUT": "3", "TOY_API_KEY": "k"}
    connecting: Any = toy.connecting(environ=environ)
    assert connecting.plan.timeouts == Timeouts(dial=3.0)
    connecting = toy.connecting(environ=environ, timeouts=Timeouts(close=1.0))
    assert connecting.plan.timeouts == Timeouts(close=1.0)


async def test_the_end_of_the_playback_is_waited_for_by_the_same_clock(toy: Toy) -> None:
    clock = ManualClock(100.0)
    await toy.greet()
    async with toy.connecting(clock=clock) as session:
        await toy.say("audio", response="r", size=48_000)  # one second
        await toy.say("done", response="r")
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                break
        finished: Awaitable[None] = asyncio.ensure_future(session.playback.finished())
        while clock.next_wake() != 101.0:
            await asyncio.sleep(0)
        clock.advance(1.0)
        await finished
