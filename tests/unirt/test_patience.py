"""An answer that does not come, or does not go on, is told at its time, and only then."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import unirt
from unirt import ResponseOverdue, Timeouts
from unirt.clock import ManualClock
from unirt.session.state import State
from unirt.testing import check
from unirt.transports.memory import MemoryTransport, memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


class Wait:
    """A session whose time is in hand, and what it told."""

    def __init__(self, session: unirt.Session, toy: Toy, clock: ManualClock) -> None:
        self.session, self.toy, self.clock = session, toy, clock
        self.events: list[unirt.Event] = []

    @property
    def overdue(self) -> list[tuple[str, float, str | None]]:
        told = [event for event in self.events if isinstance(event, ResponseOverdue)]
        return [(event.what, event.waited, event.response_id) for event in told]

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def say(self, what: str, **fields: Any) -> None:
        await self.toy.say(what, **fields)
        await self.settle()

    async def passes(self, seconds: float, step: float = 0.5) -> None:
        """Time goes by, in steps in which everybody who wakes has a turn."""
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            self.clock.advance(min(step, until - self.clock.now()))
            await self.settle()


@asynccontextmanager
async def waiting(toy: Toy, **more: Any) -> AsyncIterator[Wait]:
    clock = ManualClock(1000.0)
    await toy.greet()
    arguments = {"timeouts": Timeouts(answer=20.0, silence=8.0), **more}
    async with toy.connecting(clock=clock, **arguments) as session:
        it = Wait(session, toy, clock)
        reading = asyncio.create_task(read(it))
        await it.settle()
        try:
            yield it
        finally:
            await session.close()
            await reading
    check(it.events, complete=True)
    assert clock.next_wake() is None


async def read(it: Wait) -> None:
    try:
        async for event in it.session:
            it.events.append(event)
    except unirt.ConnectionLost:
        pass


ASKED = {
    "text": lambda it: it.session.send_text("Hello"),
    "a picture": lambda it: it.session.send_image(b"jpeg", respond=True),
    "a request": lambda it: it.session.respond(),
    "a turn": lambda it: it.session.end_turn(),
    "the provider's own ear": lambda it: it.say("commit", item="i"),
}


@pytest.mark.parametrize("how", ASKED)
async def test_an_answer_that_is_due_and_does_not_begin_is_told_once(toy: Toy, how: str) -> None:
    async with waiting(toy) as it:
        await ASKED[how](it)
        await it.passes(19.5)
        assert it.overdue == []
        await it.passes(0.5)
        assert it.overdue == [("answer", 20.0, None)]
        await it.passes(100)
        assert len(it.overdue) == 1
        assert not it.session.closed


@pytest.mark.parametrize("how", ASKED)
async def test_one_that_begins_is_not(toy: Toy, how: str) -> None:
    async with waiting(toy) as it:
        await ASKED[how](it)
        await it.passes(19.5)
        await it.say("start", response="r")
        await it.say("done", response="r")
        await it.passes(100)
        assert it.overdue == []


NOT_ASKED = {
    "text that wants none": lambda it: it.session.send_text("Note", respond=False),
    "a picture": lambda it: it.session.send_image(b"jpeg"),
    "a turn that wants none": lambda it: it.session.end_turn(respond=False),
    "audio": lambda it: it.session.send_audio(bytes(640)),
    "the user's beginning": lambda it: it.say("speech", item="i"),
}


@pytest.mark.parametrize("how", NOT_ASKED)
async def test_where_none_is_due_nothing_is_told(toy: Toy, how: str) -> None:
    async with waiting(toy) as it:
        await NOT_ASKED[how](it)
        await it.passes(100)
        assert it.overdue == []


async def test_where_the_application_decides_a_turn_of_the_provider_owes_nothing(toy: Toy) -> None:
    async with waiting(toy, turn_detection="manual") as it:
        await it.say("commit", item="i")
        await it.passes(100)
        assert it.overdue == []


async def test_the_users_last_words_count_where_nobody_tells_when_they_stop(toy: Toy) -> None:
    async with waiting(toy) as it:
        await it.say("transcript", item="i", text="I would ", final=False)
        await it.passes(15)
        await it.say("transcript", item="i", text="like to", final=False)
        await it.passes(19.5)
        assert it.overdue == []
        await it.passes(0.5)
        assert it.overdue == [("answer", 20.0, None)]


async def test_words_that_come_after_their_answer_owe_nothing(toy: Toy) -> None:
    async with waiting(toy) as it:
        await it.say("commit", item="i")
        await it.say("start", response="r")
        await it.say("done", response="r")
        await it.say("transcript", item="i", text="Hello")
        await it.passes(100)
        assert it.overdue == []


async def test_while_the_user_speaks_on_nobody_owes_an_answer(toy: Toy) -> None:
    async with waiting(toy) as it:
        await it.session.send_text("Hello")
        await it.say("speech", item="i")
        await it.passes(100)
        assert it.overdue == []
        await it.say("commit", item="i")
        await it.passes(20)
        assert it.overdue == [("answer", 20.0, None)]


async def test_an_answer_may_wait_for_the_one_before_it(toy: Toy) -> None:
    async with waiting(toy, timeouts=Timeouts(answer=20.0, silence=1000.0)) as it:
        await it.say("start", response="r1")
        await it.session.respond()
        await it.passes(50)
        await it.say("done", response="r1")
        await it.passes(19.5)
        assert it.overdue == []
        await it.passes(0.5)
        assert it.overdue == [("answer", 20.0, None)]


async def test_one_beside_the_conversation_is_waited_for_by_itself(toy: Toy) -> None:
    async with waiting(toy, timeouts=Timeouts(answer=20.0, silence=1000.0)) as it:
        await it.session.respond(in_conversation=False)
        await it.say("start", response="r1")
        await it.passes(20)
        assert it.overdue == [("answer", 20.0, None)]
        await it.session.respond(in_conversation=False)
        await it.say("start", response="r2", in_conversation=False)
        await it.passes(50)
        assert len(it.overdue) == 1


@pytest.mark.parametrize("verb", ["cancel", "interrupt"])
async def test_what_was_called_off_is_not_waited_for(toy: Toy, verb: str) -> None:
    async with waiting(toy) as it:
        await it.session.send_text("Hello")
        await getattr(it.session, verb)()
        await it.passes(100)
        assert it.overdue == []


GROWS: list[dict[str, Any]] = [
    {"what": "audio", "size": 480},
    {"what": "text", "text": "word"},
    {"what": "text", "text": "word", "kind": "thought"},
]


@pytest.mark.parametrize("piece", GROWS)
async def test_a_silence_is_told_once_and_at_most_a_quarter_late(
    toy: Toy, piece: dict[str, Any]
) -> None:
    async with waiting(toy) as it:
        await it.say("start", response="r")
        for _ in range(5):
            await it.passes(7.0)
            await it.say(response="r", **piece)
        await it.passes(7.5)
        assert it.overdue == []
        await it.passes(2.5)
        ((what, waited, response_id),) = it.overdue
        assert (what, response_id) == ("silence", "r")
        assert 8.0 <= waited <= 10.0
        await it.passes(100)
        assert len(it.overdue) == 1
        await it.say(response="r", **piece)
        await it.passes(10.0)
        assert len(it.overdue) == 2  # another one


async def test_from_each_look_on_the_first_piece_is_seen_and_no_other(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    show = State._shown_to

    def shown_to(state: State, looks_on: Any, events: Any) -> None:
        shown.append(events)
        show(state, looks_on, events)

    monkeypatch.setattr(State, "_shown_to", shown_to)
    async with waiting(toy) as it:
        await it.say("start", response="r")
        for looks in (1, 2, 3):
            for _ in range(5):
                await it.say("audio", response="r", size=480)
            assert len(shown) == looks
            await it.passes(2.0)
        await it.say("done", response="r")
        await it.say("note")
        seen = len(shown)
        await it.say("note")
        assert len(shown) == seen


async def test_from_a_response_that_only_began_it_is_told_at_its_very_time(toy: Toy) -> None:
    async with waiting(toy) as it:
        await it.say("start", response="r")
        await it.passes(7.5)
        assert it.overdue == []
        await it.passes(0.5)
        assert it.overdue == [("silence", 8.0, "r")]


async def test_what_others_say_breaks_no_silence(toy: Toy) -> None:
    async with waiting(toy) as it:
        await it.say("start", response="r1")
        await it.say("start", response="r2", in_conversation=False)
        for _ in range(10):
            await it.passes(1.0)
            await it.say("audio", response="r2", size=480)
            await it.say("note")
            await it.say("transcript", item="u", text="I say", final=False)
        assert it.overdue == [("silence", 8.0, "r1")]


async def test_a_silence_is_none_while_the_application_owes_a_result(toy: Toy) -> None:
    async with waiting(toy, tools=[unirt.Tool(name="tool")]) as it:
        await it.say("call", response="r", call="c1")
        await it.say("call", response="r", call="c2")
        await it.passes(100)
        await it.session.send_tool_result("c1", 1)
        await it.passes(100)
        assert it.overdue == []
        await it.session.send_tool_result("c2", 2)
        await it.passes(7.5)
        assert it.overdue == []
        await it.passes(2.5)
        assert [what for what, _, _ in it.overdue] == ["silence"]


@pytest.mark.parametrize(
    ("more", "due"), [({}, True), ({"respond": False}, False), ({"scheduling": "when_idle"}, False)]
)
async def test_after_the_last_result_an_answer_is_due(
    toy: Toy, more: dict[str, Any], due: bool
) -> None:
    async with waiting(toy, tools=[unirt.Tool(name="tool")]) as it:
        await it.say("call", response="r", call="c1")
        await it.say("call", response="r", call="c2")
        await it.say("done", response="r")
        await it.passes(100)
        await it.session.send_tool_result("c1", 1, **more)
        await it.passes(100)
        assert it.overdue == []
        await it.session.send_tool_result("c2", 2, **more)
        await it.passes(100)
        assert [what for what, _, _ in it.overdue] == ["answer"] * due


async def test_calls_that_were_called_off_owe_nothing(toy: Toy) -> None:
    async with waiting(toy, tools=[unirt.Tool(name="tool")]) as it:
        await it.say("call", response="r", call="c1")
        await it.passes(100)
        assert it.overdue == []
        await it.say("cancel", calls=["c1"])
        await it.passes(10)
        assert [what for what, _, _ in it.overdue] == ["silence"]


async def test_without_a_bound_nothing_is_told_and_nobody_sleeps(toy: Toy) -> None:
    endless = Timeouts(answer=float("inf"), silence=float("inf"))
    async with waiting(toy, timeouts=endless) as it:
        await it.session.send_text("Hello")
        await it.say("start", response="r")
        assert it.clock.next_wake() is None
        await it.passes(1e5, step=1e4)
        assert it.overdue == []


async def test_an_overdue_answer_may_end_a_session_that_keeps_to_its_connection(toy: Toy) -> None:
    timeouts = Timeouts(answer=20.0, at_overdue="reconnect")
    async with waiting(toy, timeouts=timeouts) as it:
        await it.session.send_text("Hello")
        await it.passes(20)
        assert it.session.closed
        with pytest.raises(unirt.SessionClosedError):
            await it.session.send_text("late")
    overdue, closed = it.events[-2:]
    assert isinstance(overdue, ResponseOverdue)
    assert overdue.reconnects
    assert isinstance(closed, unirt.SessionClosed)
    assert (closed.by, closed.clean) == ("network", False)
    assert closed.reason == "nothing of the answer was heard for 20 s"


@pytest.mark.parametrize("begins", [False, True])
async def test_it_is_asked_for_again_over_each_connection_on_which_none_begins(
    toy: Toy, begins: bool
) -> None:
    ends: list[MemoryTransport] = []

    async def dial(config: unirt.SessionConfig, credentials: unirt.Credentials) -> Any:
        here, there = memory_pair("memory://toy")
        await there.send(json.dumps({"is": "hello"}))
        ends.append(there)
        return here

    arguments: dict[str, Any] = {
        "transport": dial,
        "reconnect": unirt.Reconnect(first_wait=0.0, jitter=0.0),
        "timeouts": Timeouts(answer=20.0, silence=20.0, at_overdue="reconnect"),
    }
    async with waiting(toy, **arguments) as it:
        await it.session.send_text("Hello")
        if begins:  # on the first of them it does, and comes to nothing
            await ends[0].send(json.dumps({"is": "start", "response": "r"}))
            await it.settle()
        for count in (1, 2, 3):
            await it.passes(20)
            assert len(it.overdue) == count
            assert len(ends) == count + 1
            asked = [json.loads(await ends[-1].receive())["do"] for _ in range(2)]
            assert asked == ["hello", "Respond"]
