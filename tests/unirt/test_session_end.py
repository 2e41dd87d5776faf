"""The end of a session: whatever ends it, it ends well."""

import asyncio
import json
from typing import Any

import pytest

import unirt
from tests.unirt.reading import fill, into, kept, names
from unirt.testing import check
from unirt.transports.memory import memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


async def test_closing_sends_what_is_queued_and_tells_the_end(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting() as session:
        view = aiter(session)
        for n in range(50):
            await session.send_raw({"do": n})
        await session.close(4000, "bye")
        assert session.closed
    events = await kept(view)

    assert [(await toy.heard())["do"] for _ in range(51)] == ["hello", *range(50)]
    with pytest.raises(Exception, match="4000"):
        await toy.there.receive()
    closed = events[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert (closed.code, closed.reason, closed.by, closed.clean) == (4000, "bye", "local", True)
    check(events, complete=True)


async def test_closing_waits_for_a_slow_network_to_take_what_is_queued(toy: Toy) -> None:
    toy.here, toy.there = memory_pair(capacity=1)
    await toy.greet()
    async with toy.connecting() as session:
        for n in range(50):
            await session.send_raw({"do": n})
        closing = asyncio.create_task(session.close())
        heard = [(await toy.heard())["do"] for _ in range(51)]
        await closing

    assert heard == ["hello", *range(50)]


async def test_closing_twice_at_once_and_again_is_one_close(session: unirt.Session) -> None:
    await asyncio.gather(session.close(), session.close(4000), session.close())
    await session.close()

    assert names(await kept(session)).count("SessionClosed") == 1


async def test_a_loop_that_was_left_goes_on_where_it_was(session: unirt.Session, toy: Toy) -> None:
    for response in ("r1", "r2"):
        await toy.say("text", response=response, text="words")
        seen: list[Any] = []
        async for event in session:
            seen.append(event)
            if isinstance(event, unirt.TextDelta):
                break
        async for step in session.content():
            if step.step == "delta":
                assert step.stream.response_id == response
                break
        assert seen[-1].response_id == response


async def test_closing_inside_an_iteration_ends_it(session: unirt.Session) -> None:
    seen = []
    async for event in session:
        seen.append(event)
        await session.close()

    assert names(seen) == ["SessionStarted", "SessionClosed"]


async def test_leaving_the_block_ends_a_reader_in_another_task(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting() as session:
        reader = asyncio.create_task(kept(session))
        steps = asyncio.create_task(kept(session.content()))
        await toy.say("text", response="r", text="half")
        await asyncio.sleep(0)

    assert names(await reader)[-1] == "SessionClosed"
    assert (await steps)[-1].ending == "cancelled"


async def test_the_servers_close_ends_the_session_cleanly(session: unirt.Session, toy: Toy) -> None:
    await toy.say("text", response="r", text="last words")
    await toy.there.close(1000, "done")
    events = await kept(session)

    assert names(events)[-2:] == ["ResponseDone", "SessionClosed"]
    check(events, complete=True)
    with pytest.raises(unirt.SessionClosedError) as raised:
        await session.send_text("late")
    assert raised.value.reason == "done"
    assert raised.value.__cause__ is None


async def test_a_lost_connection_is_raised_after_its_last_event_in_every_view(
    session: unirt.Session, toy: Toy
) -> None:
    views: list[Any] = [aiter(session), session.content(), session.view()]
    await toy.say("text", response="r", text="half")
    toy.there.cut()

    for view in views:
        seen: list[Any] = []
        with pytest.raises(unirt.ConnectionLost) as raised:
            await into(seen, view)
        assert (raised.value.provider, raised.value.code, raised.value.by) == (
            "toy",
            None,
            "network",
        )
        if isinstance(seen[-1], unirt.Event):
            assert isinstance(seen[-1], unirt.SessionClosed)
        else:
            assert seen[-1].ending == "failed"
        with pytest.raises(StopAsyncIteration):
            await anext(view)
    with pytest.raises(unirt.SessionClosedError) as late:
        await session.send_text("late")
    assert isinstance(late.value.__cause__, unirt.ConnectionLost)


async def test_a_waiting_producer_learns_of_the_end(session: unirt.Session, toy: Toy) -> None:
    filler = asyncio.create_task(fill(session))
    for _ in range(400):
        await asyncio.sleep(0)
    toy.there.cut()

    with pytest.raises(unirt.SessionClosedError):
        await filler


async def test_a_bug_in_a_translator_is_raised_where_the_user_awaits(
    session: unirt.Session, toy: Toy
) -> None:
    view = aiter(session)
    await toy.say("bug")

    with pytest.raises(RuntimeError, match="a bug in the translator"):
        await kept(view)
    with pytest.raises(unirt.SessionClosedError) as late:
        await session.send_text("late")
    assert isinstance(late.value.__cause__, RuntimeError)


async def test_a_bug_that_nobody_awaited_is_raised_by_the_block(toy: Toy) -> None:
    async def look_away() -> None:
        async with toy.connecting() as session:
            await toy.say("bug")
            while not session.closed:
                await asyncio.sleep(0)

    await toy.greet()
    with pytest.raises(RuntimeError, match="a bug in the translator"):
        await look_away()


async def test_a_cancelled_owner_leaves_nothing(toy: Toy) -> None:
    await toy.greet()

    async def own() -> None:
        async with toy.connecting() as session:
            async for _ in session:
                pass

    task = asyncio.create_task(own())
    assert (await toy.heard())["do"] == "hello"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(Exception, match="1000"):
        await toy.there.receive()


class Stubborn:
    """A transport whose close never ends by itself."""

    def __init__(self, inner: Any) -> None:
        self.url = inner.url
        self.send, self.receive = inner.send, inner.receive
        self.aborted = asyncio.Event()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.aborted.set()


async def test_closing_is_bounded_whatever_the_transport_does(toy: Toy) -> None:
    await toy.greet()
    transport = Stubborn(toy.here)
    async with toy.connecting(transport=transport, timeouts=unirt.Timeouts(close=0.05)) as session:
        view = aiter(session)
    assert transport.aborted.is_set()
    closed = (await kept(view))[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert (closed.by, closed.clean) == ("local", True)


async def test_a_cancelled_close_hurries_and_leaves_nothing(toy: Toy) -> None:
    await toy.greet()
    transport = Stubborn(toy.here)
    async with toy.connecting(transport=transport, timeouts=unirt.Timeouts(close=3600)) as session:
        closing = asyncio.create_task(session.close())
        for _ in range(20):
            await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
    assert transport.aborted.is_set()


async def test_what_cannot_be_flushed_does_not_hold_a_close_up(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(timeouts=unirt.Timeouts(close=0.05)) as session:
        for _ in range(100):  # more than the network holds, and nobody reads
            await session.send_raw({"do": "stuck"})
    assert session.closed
    assert json.loads(await toy.there.receive())["do"] == "hello"
