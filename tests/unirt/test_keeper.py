"""The keeper: each limit warns, is reached, and ends the session as asked; nothing is left open."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices import data_snapshot
from genai_prices.types import ClauseStartsWith, ModelInfo, ModelPrice
from genai_prices.types import Provider as Priced

import unirt
from tests.unirt.conftest import Toy
from unirt import (
    Bound,
    Budget,
    Ending,
    Event,
    LimitNear,
    LimitReached,
    LimitReachedError,
    Noted,
    ResponseDone,
    SessionClosed,
    ToolCall,
)
from unirt.clock import ManualClock
from unirt.testing import check

SECOND = 48_000
"Bytes of what the toy speaks in a second."


class Held:
    """A session with a budget, its clock, and what it told."""

    def __init__(self, session: unirt.Session, toy: Toy, clock: ManualClock) -> None:
        self.session = session
        self.toy = toy
        self.clock = clock
        self.events: list[Event] = []

    async def until(self, kind: type[Event]) -> Any:
        async for event in self.session:
            self.events.append(event)
            if isinstance(event, kind):
                return event
        raise AssertionError(f"no {kind.__name__} came")

    async def at(self, when: float) -> None:
        """Move on, and let whoever wakes do what it does."""
        while self.clock.next_wake() is None:
            await asyncio.sleep(0)
        self.clock.advance_to(when)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(2):  # what the first brings is judged in a step of its own
            await self.toy.say("note")
            await self.until(Noted)

    async def end(self) -> None:
        self.events += [event async for event in self.session]
        check(self.events, complete=True)

    @property
    def limits(self) -> list[tuple[str, str]]:
        """What was told of limits so far."""
        told = [e for e in self.events if isinstance(e, LimitNear | LimitReached)]
        return [(type(event).__name__, event.limit) for event in told]


@asynccontextmanager
async def held(toy: Toy, **budget: Any) -> AsyncIterator[Held]:
    clock = ManualClock(100.0)
    await toy.greet()
    async with toy.connecting(clock=clock, budget=Budget(**budget)) as session:
        yield Held(session, toy, clock)


NEAR, REACHED = "LimitNear", "LimitReached"


async def test_a_session_lasts_as_long_as_it_may(toy: Toy) -> None:
    async with held(toy, duration=10) as it:
        await it.at(107.9)
        assert it.limits == []
        await it.at(108.0)
        assert it.limits == [(NEAR, "duration")]
        near = next(event for event in it.events if isinstance(event, LimitNear))
        assert (near.used, near.most, near.synthesised, near.raw) == (8.0, 10.0, True, None)
        assert near.received_at == 108.0

        await toy.say("audio", response="r1", size=480)
        await toy.say("text", response="r1", text="and so")
        await it.until(unirt.TextDelta)
        it.clock.advance_to(110.0)
        await it.end()

    *_, reached, audio, text, done, closed = it.events
    assert isinstance(reached, LimitReached)
    assert (reached.limit, reached.used, reached.most, reached.ends) == ("duration", 10, 10, True)
    assert isinstance(audio, unirt.StreamClosed)
    assert isinstance(text, unirt.StreamClosed)
    assert isinstance(done, ResponseDone)
    assert (done.ending, done.reason) == (Ending.CANCELLED, "session_closed")
    assert isinstance(closed, SessionClosed)
    assert (closed.by, closed.clean, closed.code) == ("local", True, 1000)
    assert closed.reason == "limit: duration"
    assert it.session.ended_by == reached


async def test_a_verb_on_a_session_that_ended_itself_says_which_limit_it_was(toy: Toy) -> None:
    async with held(toy, duration=10) as it:
        while it.clock.next_wake() is None:
            await asyncio.sleep(0)
        it.clock.advance_to(110.0)
        await it.until(SessionClosed)
        for verb in (it.session.send_text("more"), it.session.send_audio(b"\0\0")):
            with pytest.raises(LimitReachedError) as refused:
                await verb
            error = refused.value
            assert isinstance(error, unirt.SessionClosedError)
            assert (error.limit, error.used, error.most) == ("duration", 10.0, 10.0)
            assert (error.code, error.reason) == (1000, "limit: duration")
            assert "closed itself at its limit of 10 (duration: 10 used)" in str(error)


async def test_tokens_count_whatever_became_of_the_response(toy: Toy) -> None:
    """Pain 24: cancelled responses count, and so does transcription."""
    async with held(toy, tokens=100) as it:
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", tokens=50, ending="cancelled")
        await it.settle()
        assert it.limits == []
        await toy.say("usage", scope="transcription", tokens=30)
        await it.settle()
        assert it.limits == [(NEAR, "tokens")]
        await toy.say("start", response="r2")
        await toy.say("usage", scope="response", response="r2", tokens=5)
        await it.settle()
        assert it.limits == [(NEAR, "tokens")]  # told once
        await toy.say("done", response="r2", tokens=20)
        await it.end()

    names = [type(event).__name__ for event in it.events][-3:]
    assert names == ["ResponseDone", "LimitReached", "SessionClosed"]
    assert it.session.ended_by is not None
    assert (it.session.ended_by.used, it.session.ended_by.most) == (100, 100.0)


async def test_a_running_count_can_reach_a_limit(toy: Toy) -> None:
    async with held(toy, tokens=10) as it:
        await toy.say("start", response="r1")
        await toy.say("usage", scope="response", response="r1", tokens=12)
        await it.end()
    assert it.limits == [(REACHED, "tokens")]
    done = it.events[-2]
    assert isinstance(done, ResponseDone)
    assert done.ending is Ending.CANCELLED


async def test_a_limit_that_only_tells(toy: Toy) -> None:
    bound = Bound(10, warn_at=None, ends=False)
    async with held(toy, duration=bound, tokens=bound, idle=bound) as it:
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", tokens=10)
        await it.until(LimitReached)
        await it.at(110.0)
        await it.at(150.0)
        assert it.limits == [(REACHED, "tokens"), (REACHED, "duration"), (REACHED, "idle")]
        await it.session.send_text("hello")
        await it.at(159.9)
        assert len(it.limits) == 3
        await it.at(160.0)
        assert it.limits[3:] == [(REACHED, "idle")]  # each silence anew
        assert not any(e.ends for e in it.events if isinstance(e, LimitReached))
        await it.session.send_text("still here")
        assert not it.session.closed
        assert it.session.ended_by is None


async def test_silence_ends_a_session(toy: Toy) -> None:
    async with held(toy, idle=10) as it:
        await it.at(107.9)
        await it.session.send_audio(b"\0\0" * 160)  # silence is sent all the time
        await it.session.send(unirt.AppendAudio(data=b"\0\0" * 160))
        await it.at(108.0)
        assert it.limits == [(NEAR, "idle")]
        it.clock.advance_to(110.0)
        await it.end()
    assert it.limits == [(NEAR, "idle"), (REACHED, "idle")]
    closed = it.events[-1]
    assert isinstance(closed, SessionClosed)
    assert closed.reason == "limit: idle"


@pytest.mark.parametrize(
    "what",
    [("speech", {"item": "u1"}), ("transcript", {"item": "u1", "text": "Hm", "final": False})],
    ids=lambda what: what[0],
)
async def test_a_user_who_speaks_is_no_silence(toy: Toy, what: tuple[str, Any]) -> None:
    async with held(toy, idle=10) as it:
        await it.at(109.0)
        await toy.say(what[0], **what[1])
        await toy.say("commit", item="u1")
        await it.settle()
        await it.at(118.9)
        assert it.limits == [(NEAR, "idle"), (NEAR, "idle")]  # once a silence
        it.clock.advance_to(119.0)
        await it.end()
    assert it.limits[2:] == [(REACHED, "idle")]


async def test_speech_that_goes_on_is_no_silence(toy: Toy) -> None:
    async with held(toy, idle=10) as it:
        await toy.say("speech", item="u1")
        await it.settle()
        for when in (105.0, 110.0, 125.0):
            await it.at(when)
        assert it.limits == []


async def test_a_verb_is_no_silence(toy: Toy) -> None:
    async with held(toy, idle=10) as it:
        await it.at(107.0)
        await it.session.send_text("I am thinking")
        await it.at(114.9)
        assert it.limits == []
        await it.at(115.0)
        assert it.limits == [(NEAR, "idle")]


async def test_an_answer_is_no_silence_nor_is_the_time_to_hear_it(toy: Toy) -> None:
    async with held(toy, idle=10) as it:
        await toy.say("start", response="r1")
        await it.settle()
        await it.at(120.0)
        await toy.say("audio", response="r1", size=30 * SECOND)
        await it.settle()
        await it.at(125.0)
        await toy.say("done", response="r1")
        await it.settle()
        assert it.limits == []
        await it.at(157.9)  # heard until 150
        assert it.limits == []
        await it.at(158.0)
        assert it.limits == [(NEAR, "idle")]


async def test_what_is_interrupted_is_not_heard_any_more(toy: Toy) -> None:
    async with held(toy, idle=10) as it:
        await toy.say("audio", response="r1", size=30 * SECOND)
        await toy.say("done", response="r1")
        await it.settle()
        await it.at(105.0)
        await toy.say("interrupt")
        await it.settle()
        await it.at(113.0)
        assert it.limits == [(NEAR, "idle")]


async def test_a_tool_at_work_is_no_silence(toy: Toy) -> None:
    async with held(toy, idle=10) as it:
        await toy.say("call", response="r1", call="c1")
        await toy.say("call", response="r1", call="c2")
        await toy.say("done", response="r1")
        call = await it.until(ToolCall)
        await it.settle()
        await it.at(130.0)
        await toy.say("cancel", calls=["c2"])
        await it.settle()
        await it.at(140.0)
        assert it.limits == []
        await it.session.send_tool_result(call.call_id, "half", more_follows=True)
        await it.at(150.0)
        assert it.limits == []
        await it.session.send_tool_result(call.call_id, "done")
        await it.at(158.0)
        assert it.limits == [(NEAR, "idle")]


@pytest.fixture
def toy_prices() -> Iterator[None]:
    """A dollar for a thousand tokens."""
    prices = {name: Decimal(1000) for name in ("input_mtok", "output_mtok")}
    model = ModelInfo(id="toy", match=ClauseStartsWith("toy-1"), prices=ModelPrice(**prices))
    toy = Priced(id="toy", name="Toy", api_pattern="nowhere", models=[model])
    data_snapshot.set_custom_snapshot(
        data_snapshot.DataSnapshot(providers=[toy], from_auto_update=False)
    )
    yield
    data_snapshot.set_custom_snapshot(None)


@pytest.mark.usefixtures("toy_prices")
async def test_a_trace_tells_amounts(toy: Toy, tmp_path: Path) -> None:
    await toy.greet()
    path = tmp_path / "trace.jsonl"
    async with toy.connecting(budget=Budget(cost="0.10"), trace=path) as session:
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", tokens=100)
        assert [event async for event in session]
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    (told,) = [line for line in lines if line.get("event") == "LimitReached"]
    assert (told["used"], told["most"]) == ("0.1", "0.10")


@pytest.mark.usefixtures("toy_prices")
async def test_money_is_limited_by_what_has_a_price(toy: Toy) -> None:
    async with held(toy, cost="0.10") as it:
        await toy.say("usage", scope="transcription", tokens=1000)  # by a model without a price
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", tokens=80)
        await it.settle()
        assert it.limits == [(NEAR, "cost")]
        assert it.session.cost.amount is None
        assert it.session.cost.known == Decimal("0.08")
        await toy.say("start", response="r2")
        await toy.say("done", response="r2", tokens=25, ending="cancelled")
        await it.end()
    reached = it.session.ended_by
    assert reached is not None
    assert (reached.used, reached.most) == (Decimal("0.105"), Decimal("0.10"))


async def test_nothing_is_told_of_limits_after_the_end(toy: Toy) -> None:
    async with held(toy, tokens=1, duration=5) as it:
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", tokens=50)
        await toy.there.close()
        it.clock.advance_to(200.0)
        await it.end()
        it.clock.advance_to(300.0)
    assert isinstance(it.events[-1], SessionClosed)


async def test_an_application_that_closes_first_was_not_ended_by_a_limit(toy: Toy) -> None:
    async with held(toy, duration=10) as it:
        await it.session.close()
        it.clock.advance_to(200.0)
        await it.end()
        with pytest.raises(unirt.SessionClosedError) as refused:
            await it.session.send_text("more")
    assert not isinstance(refused.value, LimitReachedError)
    assert it.session.ended_by is None


async def test_observers_are_told(toy: Toy) -> None:
    seen: list[Event] = []
    await toy.greet()
    async with toy.connecting(budget=Budget(tokens=1), observers=[seen.extend]) as session:
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", tokens=1)
        events = [event async for event in session]
    assert seen == events
    assert LimitReached in map(type, events)


async def test_without_a_budget_there_is_no_keeper(session: unirt.Session) -> None:
    assert session._keeper is None


async def test_only_what_is_limited_is_looked_at(toy: Toy) -> None:
    async with held(toy, tokens=5) as it:
        keeper = it.session._keeper
        assert keeper is not None
        assert set(keeper.handlers) == {unirt.SessionStarted, ResponseDone, unirt.UsageReported}
        assert keeper.watching == {}
        assert it.clock.next_wake() is None
