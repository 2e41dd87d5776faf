"""
A session whose provider fails goes on with another, over real sockets (fields 3, 15, 27, 29).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

import unirt
from tests.failing import SECOND, chain, failing
from tests.talking import PAIRS, Pair, Reader, two
from unirt import commands as cmd
from unirt.clock import ManualClock
from unirt.registry import load
from unirt.simulator.script import loads
from unirt.simulator.voice import speech


@pytest.fixture(params=PAIRS, ids="-to-".join)
def names(request: pytest.FixtureRequest) -> tuple[str, str]:
    first, second = request.param
    return first, second


@pytest.fixture
async def pair(names: tuple[str, str]) -> AsyncIterator[Pair]:
    async with two(*names, failing(1011, "internal error"), SECOND) as pair:
        yield pair


def chain_that_waits(pair: Pair, open_now: asyncio.Event) -> unirt.Failover:
    """Both, of which the second is dialled when it is time."""
    second = load(pair.names[1])

    async def slowly(config: unirt.SessionConfig, credentials: Any) -> Any:
        await open_now.wait()
        return await second.dial(config, credentials)

    there = unirt.Candidate(provider=pair.names[1], transport=slowly)
    return chain(pair, chain=(unirt.Candidate(provider=pair.names[0]), there))


async def ask(reader: Reader) -> None:
    """A question that is answered, and the one in whose answer the connection goes."""
    await reader.session.send_text("I am Ada.")
    await reader.many(unirt.ResponseDone)
    await reader.session.send_text("What is my name?")


async def test_a_session_goes_on_where_its_provider_failed(pair: Pair) -> None:
    async with pair.connect(fallback=chain(pair)) as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(600)
        await session.send_text("What is my name?")
        await reader.many(unirt.Reconnected)
        await reader.many(unirt.ResponseDone, 3)  # the answer that was cut off, and its successor
        assert session.provider == pair.names[1]
        assert not session.closed
    await reader.done()

    (leaving,), (there,) = reader.of(unirt.Reconnecting), reader.of(unirt.Reconnected)
    assert (leaving.why, leaving.code, leaving.by) == ("lost", 1011, "remote")
    assert leaving.error == "close code 1011, internal error"
    assert (there.previous, there.origin.provider) == pair.names
    cut, after = reader.of(unirt.ResponseDone)[1:]
    assert cut.ending is unirt.Ending.INTERRUPTED
    assert after.ending is unirt.Ending.COMPLETE
    assert session.history[-1].text == "As I was saying: your name is Ada."
    assert reader.error is None


async def test_the_new_provider_knows_what_was_heard_and_not_what_was_generated(
    pair: Pair,
) -> None:
    async with pair.connect(fallback=chain(pair)) as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        session.playback.played(600)
        session.playback.played(0)  # a device that has not begun with the second
        await session.send_text("What is my name?")
        await reader.many(unirt.ResponseDone, 3)
        commands = pair.there.connections[-1].commands
    await reader.done()

    told = repr([c for c in commands if isinstance(c, cmd.SeedHistory | cmd.CreateItem)])
    assert "Pleased to meet you" in told
    assert "Well, that is" not in told
    (cut,) = reader.of(unirt.Interrupted)
    assert cut.by == "reconnecting"


async def test_without_a_chain_the_session_ends_as_it_did(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await ask(reader)
        await reader.done()

    assert reader.error is not None
    assert reader.error.code == 1011
    assert reader.of(unirt.ResponseDone)[1].ending is unirt.Ending.FAILED


async def test_a_provider_that_hangs_up_as_agreed_ends_the_session(names: tuple[str, str]) -> None:
    async with (
        two(*names, failing(1000, "bye"), SECOND) as pair,
        pair.connect(fallback=chain(pair)) as session,
    ):
        reader = Reader(session)
        await ask(reader)
        await reader.done()

    assert not reader.of(unirt.Reconnecting)
    assert reader.error is None


async def test_the_same_provider_is_tried_first_where_that_may_help(pair: Pair) -> None:
    async with pair.connect(fallback=chain(pair, retries=1)) as session:
        reader = Reader(session)
        await ask(reader)
        await reader.many(unirt.Reconnected)
        assert session.provider == pair.names[0]
        assert len(pair.here.connections) == 2
    await reader.done()


async def test_a_provider_that_would_do_it_again_is_not_tried_again(
    names: tuple[str, str],
) -> None:
    async with (
        two(*names, failing(1008, "not allowed"), SECOND) as pair,
        pair.connect(fallback=chain(pair, retries=5)) as session,
    ):
        reader = Reader(session)
        await ask(reader)
        await reader.many(unirt.Reconnected)
        assert session.provider == pair.names[1]
        assert len(pair.here.connections) == 1
    await reader.done()


async def test_retries_wait_longer_each_time_on_the_sessions_clock(names: tuple[str, str]) -> None:
    clock = ManualClock()
    async with two(*names, failing(1011), SECOND) as pair:
        fallback = chain(pair, retries=3)
        reconnect = unirt.Reconnect(jitter=0.0)
        dial, dials = load(names[0]).dial, []

        async def once(config: unirt.SessionConfig, credentials: Any) -> Any:
            dials.append(clock.now())
            if len(dials) > 1:
                raise unirt.DialError(names[0], url="nowhere", why="it is down")
            return await dial(config, credentials)

        timeouts = unirt.Timeouts(dial=math.inf)  # what bounds a dial has turns of its own
        async with pair.connect(
            fallback=fallback, reconnect=reconnect, clock=clock, transport=once, timeouts=timeouts
        ) as session:
            reader = Reader(session)
            await ask(reader)
            await reader.many(unirt.Reconnecting)  # before it time stands still
            while not reader.of(unirt.Reconnected):
                clock.advance(0.125)
                await asyncio.sleep(0)
        await reader.done()

    attempts = reader.of(unirt.Reconnecting)
    assert [each.target for each in attempts] == [names[0]] * 3 + [names[1]]
    assert [after - before for before, after in pairwise(dials[1:])] == [0.5, 1.0]


async def test_where_nobody_answers_the_session_ends_and_says_why(pair: Pair) -> None:
    async with pair.connect(fallback=chain(pair)) as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await pair.there.__aexit__(None, None, None)
        await session.send_text("What is my name?")
        await reader.done()
        with pytest.raises(unirt.SessionClosedError):
            await session.send_text("Anybody?")

    assert reader.error is not None
    assert (reader.error.code, reader.error.by) == (1011, "remote")
    closed = reader.events[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert not closed.clean
    assert reader.of(unirt.Reconnecting)[0].target == pair.names[1]


async def test_what_is_said_meanwhile_waits_and_audio_is_held(pair: Pair) -> None:
    """Fields 2 and 3: nothing that the user says while nobody listens is lost in silence."""
    open_now = asyncio.Event()
    async with pair.connect(
        fallback=chain_that_waits(pair, open_now), audio_in=unirt.PCM16_24K
    ) as session:
        reader = Reader(session)
        await ask(reader)
        await reader.many(unirt.Reconnecting)
        voice = speech(900, unirt.PCM16_24K) + bytes(48_000)
        for start in range(0, len(voice), 960):
            await session.send_audio(voice[start : start + 960])
        text = asyncio.create_task(session.send_text("And who am I?"))
        open_now.set()
        (there_now,) = await reader.many(unirt.Reconnected)
        await text
        assert there_now.replayed_ms >= len(voice) / 48
        assert there_now.lost_ms == 0
        line = pair.there.connections[-1]
        await reader.until(lambda: line.totals.audio_ms_received >= len(voice) / 48 - 50)
    await reader.done()


async def test_audio_beyond_the_bound_is_counted(pair: Pair) -> None:
    open_now = asyncio.Event()
    async with pair.connect(
        fallback=chain_that_waits(pair, open_now), audio_in=unirt.PCM16_24K
    ) as session:
        reader = Reader(session)
        await ask(reader)
        await reader.many(unirt.Reconnecting)
        for _ in range(40):
            await session.send_audio(bytes(48_000))  # a second each
        open_now.set()
        (there,) = await reader.many(unirt.Reconnected)
    await reader.done()

    assert (there.replayed_ms, there.lost_ms) == (30_000, 10_000)


async def test_a_turn_that_was_begun_is_begun_again(names: tuple[str, str]) -> None:
    """Push-to-talk (field 20): the user holds the button while the connection goes."""
    here = loads("""
        [pace]
        speed = 50
        [[reply]]
        cue = "text"
        steps = [{ close = 1011 }]
    """)
    there = loads("""
        [pace]
        speed = 50
        [[reply]]
        cue = "turn"
        heard = { text = "Hello?", when = "before" }
        steps = [{ say = "Hello!", ms = 400 }]
    """)
    async with (
        two(*names, here, there) as pair,
        pair.connect(
            fallback=chain(pair), turn_detection="manual", audio_in=unirt.PCM16_24K
        ) as session,
    ):
        reader = Reader(session)
        await session.start_turn()
        await session.send_audio(speech(500, unirt.PCM16_24K))
        await session.send_text("(a button)")
        await reader.many(unirt.Reconnected)
        await session.send_audio(speech(500, unirt.PCM16_24K))
        await session.end_turn()
        await reader.until(lambda: [e for e in reader.of(unirt.ResponseDone) if e.audio_ms])
        line = pair.there.connections[-1]
        assert line.totals.audio_ms_received == pytest.approx(1000, abs=40)
    await reader.done()
    (there_now,) = reader.of(unirt.Reconnected)
    assert there_now.replayed_ms == 500


CALLING = loads("""
    [pace]
    speed = 50

    [[session.tools]]
    name = "book"

    [[reply]]
    cue = "text"
    steps = [{ call = "book", args = { seat = 4 } }]

    [[reply]]
    cue = "text"
    steps = [{ close = 1011 }]
""")
BOOKED = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "text"
    steps = [{ say = "Your seat is booked.", ms = 400 }]
""")


async def test_a_tool_that_runs_goes_on_and_its_result_is_known_there(
    names: tuple[str, str],
) -> None:
    """Field 3: work in flight is not corrupted, and a seat is not booked twice."""
    booked, go = [], asyncio.Event()

    @unirt.tool(blocking=False)
    async def book(seat: int) -> str:
        """Book a seat."""
        booked.append(seat)
        await go.wait()
        return f"seat {seat} is yours"

    async with (
        two(*names, CALLING, BOOKED) as pair,
        pair.connect(fallback=chain(pair), tools=[book]) as session,
    ):
        reader = Reader(session)
        await session.send_text("A seat, please.")
        await reader.many(unirt.ToolStarted)
        await session.send_text("Hurry.")
        (there,) = await reader.many(unirt.Reconnected)
        (started,) = reader.of(unirt.ToolStarted)
        assert there.calls == (started.call_id,)
        go.set()
        await reader.until(lambda: [e for e in reader.of(unirt.ResponseDone) if e.audio_ms])
        seeds = list(pair.there.connections[-1].commands)
    await reader.done()

    assert booked == [4]
    (finished,) = reader.of(unirt.ToolFinished)
    assert finished.status is unirt.ToolStatus.COMPLETED
    assert "seat 4 is yours" in repr(seeds)
    results = [item.output for item in session.history if item.kind is unirt.ItemKind.TOOL_RESULT]
    assert results == ["seat 4 is yours"]


# Ending in the middle of it.


async def test_closing_while_it_moves_is_bounded_and_clean(pair: Pair) -> None:
    """Field 25: a close during a reconnect leaves nothing."""
    dialling = asyncio.Event()

    async def never(config: unirt.SessionConfig, credentials: Any) -> Any:
        dialling.set()
        await asyncio.Event().wait()

    first, second = chain(pair).chain
    fallback = unirt.Failover(
        chain=(first, unirt.Candidate(provider=second.provider, transport=never)), retries=0
    )
    tasks = asyncio.all_tasks()
    async with pair.connect(fallback=fallback) as session:
        reader = Reader(session)
        await ask(reader)
        await dialling.wait()
        waiting = asyncio.create_task(session.send_text("Anybody?"))
        await session.close()
        with pytest.raises(unirt.SessionClosedError):
            await waiting
    events = await reader.done()

    closed = events[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert (closed.clean, closed.by) == (True, "local")
    await pair.here.settled()
    left = {task for task in asyncio.all_tasks() - tasks if "Simulator" not in repr(task)}
    assert not {task for task in left if "unirt" in repr(task) and "simulator" not in repr(task)}


async def test_a_switch_that_is_cancelled_still_settles(pair: Pair) -> None:
    async with pair.connect() as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        switching = asyncio.create_task(session.switch(pair.names[1]))
        await reader.many(unirt.Reconnecting)
        switching.cancel()
        await asyncio.wait({switching})
        await reader.many(unirt.Reconnected)
        assert session.provider == pair.names[1]
    await reader.done()


async def test_what_is_sent_between_manual_turns_is_not_sent_again(pair: Pair) -> None:
    async with pair.connect(
        fallback=chain(pair), turn_detection="manual", audio_in=unirt.PCM16_24K
    ) as session:
        reader = Reader(session)
        await session.send_text("I am Ada.")
        await reader.many(unirt.ResponseDone)
        await session.send_audio(bytes(24_000))
        await session.send_text("What is my name?")
        (there,) = await reader.many(unirt.Reconnected)
        assert there.replayed_ms == 0
    await reader.done()
