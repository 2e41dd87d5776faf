"""The session: verbs go out in order, events come in, and it knows what it is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import unirt
from tests.unirt.reading import fill, until
from unirt.clock import ManualClock

Toy = Any  # the fixture's class lives in conftest.py, which no module may import

SILENCE = bytes(640)  # 20 ms of what the toy listens to


# Verbs.

VERBS: dict[str, tuple[Callable[[unirt.Session], Awaitable[object]], str]] = {
    "send_text": (lambda s: s.send_text("hi"), "text"),
    "send_image": (lambda s: s.send_image(b"\xff\xd8"), "SendImage"),
    "start_turn": (lambda s: s.start_turn(), "StartTurn"),
    "end_turn": (lambda s: s.end_turn(), "EndTurn"),
    "commit": (lambda s: s.commit(), "CommitInput"),
    "clear_input": (lambda s: s.clear_input(), "ClearInput"),
    "respond": (lambda s: s.respond(instructions="be brief"), "Respond"),
    "cancel": (lambda s: s.cancel(), "CancelResponse"),
    "interrupt": (lambda s: s.interrupt(played_ms=120), "Interrupt"),
    "truncate": (lambda s: s.truncate("i", 100), "TruncateItem"),
    "send_tool_result": (lambda s: s.send_tool_result("c", {"a": 1}), "SendToolResult"),
    "update": (lambda s: s.update(voice="b"), "UpdateSession"),
    "seed": (lambda s: s.seed([unirt.Item(role=unirt.Role.USER)]), "SeedHistory"),
    "delete_item": (lambda s: s.delete_item("i"), "DeleteItem"),
    "retrieve_item": (lambda s: s.retrieve_item("i"), "RetrieveItem"),
    "approve": (lambda s: s.approve("a", False), "ApproveServerTool"),
    "send_raw": (lambda s: s.send_raw({"do": "raw"}), "raw"),
    "send": (lambda s: s.send(unirt.CreateItem(item=unirt.Item())), "CreateItem"),
    "send_audio": (lambda s: s.send_audio(SILENCE), "audio"),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_is_one_frame(verb: str, session: unirt.Session, toy: Toy) -> None:
    say, frame = VERBS[verb]
    await say(session)

    assert (await toy.heard())["do"] == frame


async def test_reporting_playback_sends_nothing(session: unirt.Session, toy: Toy) -> None:
    await session.report_playback(100)
    await session.send_raw({"do": "next"})

    assert (await toy.heard())["do"] == "next"


@pytest.mark.parametrize("verb", [*VERBS, "report_playback"])
async def test_every_verb_on_a_closed_session_raises_at_once(
    verb: str, session: unirt.Session
) -> None:
    await session.close()
    say = VERBS[verb][0] if verb in VERBS else lambda s: s.report_playback(1.0)

    with pytest.raises(unirt.SessionClosedError) as raised:
        await say(session)
    assert raised.value.code == 1000
    assert "unirt.connect()" in str(raised.value)


async def test_a_refused_command_sends_nothing_and_the_session_goes_on(
    session: unirt.Session, toy: Toy
) -> None:
    with pytest.raises(unirt.UsageError, match="write something else"):
        await session.send_text("refuse me")
    with pytest.raises(unirt.UnsupportedCommand, match="ClearPlayback"):
        await session.send(unirt.ClearPlayback())
    await session.send_text("fine")

    assert await toy.heard() == {"do": "text", "text": "fine"}


async def test_frames_of_many_producers_keep_each_producers_order(
    session: unirt.Session, toy: Toy
) -> None:
    async def produce(name: str) -> None:
        for n in range(200):
            await session.send_raw({"do": name, "n": n})

    async def consume() -> list[dict[str, Any]]:
        return [await toy.heard() for _ in range(400)]

    frames, *_ = await asyncio.gather(consume(), produce("a"), produce("b"))
    for name in "ab":
        assert [f["n"] for f in frames if f["do"] == name] == list(range(200))


async def test_a_congested_network_holds_producers_back_and_not_the_reader(
    session: unirt.Session, toy: Toy
) -> None:
    view = aiter(session)
    sent = 0

    async def produce() -> None:
        nonlocal sent
        while True:
            await session.send_audio(SILENCE)
            sent += 1

    producer = asyncio.create_task(produce())
    for n in range(100):  # the server reads nothing, and is heard all the same
        await toy.say("ping", n=n)
    pings = 0
    while pings < 100:
        pings += type(await anext(view)) is unirt.Noted
    stuck = sent
    for _ in range(10):
        await asyncio.sleep(0)

    assert sent == stuck
    assert stuck < 200  # what the network and the outbox hold
    await session.interrupt()  # does not wait behind the audio
    producer.cancel()
    await asyncio.wait({producer})
    toy.there.cut()


async def test_a_verb_cancelled_while_it_waits_has_sent_nothing(
    session: unirt.Session, toy: Toy
) -> None:
    filler = asyncio.create_task(fill(session))
    for _ in range(400):
        await asyncio.sleep(0)
    late = asyncio.create_task(session.send_raw({"do": "cancelled"}))
    await asyncio.sleep(0)
    for task in (late, filler):
        task.cancel()
    await asyncio.wait({late, filler})
    end = asyncio.create_task(session.send_raw({"do": "end"}))

    heard = []
    while (frame := await toy.heard())["do"] != "end":
        heard.append(frame["do"])
    await end
    assert len(heard) > 64
    assert "cancelled" not in heard


# Facts.


async def test_a_session_knows_what_it_is(session: unirt.Session) -> None:
    assert (session.provider, session.model) == ("toy", "toy-1-large")
    assert (session.session_id, session.url) == ("sess_1", "memory://toy")
    assert session.config.model == session.capabilities.model == "toy-1"
    assert not session.closed


async def test_an_update_is_in_the_configuration(session: unirt.Session) -> None:
    await session.update(voice="b", turn_detection="manual")

    assert session.config.voice == "b"
    assert session.config.turn_detection == unirt.Manual()
    with pytest.raises(unirt.ConfigurationError, match="voice"):
        await session.update(voise="c")  # type: ignore[call-arg]  # the case


async def test_usage_is_the_sum_of_responses_and_counts_running_ones_once(
    session: unirt.Session, toy: Toy
) -> None:
    view = aiter(session)
    await toy.say("text", response="r1", text="x")
    await toy.say("usage", response="r1", scope="response", tokens=1)
    await toy.say("usage", response="r1", scope="response", tokens=3)
    await toy.say("usage", scope="transcription", tokens=100)
    await until(view, unirt.UsageReported, times=3)
    assert session.usage.total_tokens == 3

    await toy.say("done", response="r1", tokens=5)
    await toy.say("usage", response="r2", scope="response", tokens=7)
    await toy.say("done", response="r2")
    await until(view, unirt.ResponseDone, times=2)
    assert session.usage.total_tokens == 12


async def test_usage_is_kept_by_the_model_as_the_provider_calls_it(
    session: unirt.Session, toy: Toy
) -> None:
    view = aiter(session)
    await toy.say("start", response="r1")
    await toy.say("done", response="r1", tokens=5)
    done = await until(view, unirt.ResponseDone)

    (account,) = session.usage.responses
    assert (account.provider, account.model, account.count) == ("toy", "toy-1-large", 1)
    assert isinstance(done, unirt.ResponseDone)
    for cost in (session.cost, session.cost_of(done)):
        assert cost.amount is None
        assert cost.unknown == ("'toy' has no price for the model 'toy-1-large'",)


async def test_stats_count_frames_both_ways(session: unirt.Session, toy: Toy) -> None:
    view = aiter(session)
    before = session.stats
    await toy.say("ping")
    await until(view, unirt.Noted)
    assert (await toy.heard())["do"] == "pong"
    after = session.stats

    assert after.frames_in - before.frames_in == 1
    assert after.bytes_in > before.bytes_in
    assert (after.frames_out, after.frames_waiting) == (2, 0)
    while not session.stats.frames_waiting:  # the network takes no more of them at once
        await session.send_text("waits")
    assert session.stats.frames_waiting == 1
    assert after.events == before.events + 1
    toy.there.cut()  # else leaving waits for the network


# Time.


async def test_timers_ring_on_the_clock_that_was_given(toy: Toy) -> None:
    clock = ManualClock(100.0)
    await toy.greet()
    async with toy.connecting(clock=clock) as session:
        view = aiter(session)
        await toy.say("timer", at=200.0)
        await until(view, unirt.Noted)
        await toy.say("timer", at=150.0)  # earlier than the one that is set
        assert (await until(view, unirt.Noted)).received_at == 100.0
        while clock.next_wake() != 150.0:
            await asyncio.sleep(0)
        clock.advance_to(160.0)

        event = await until(view, unirt.SessionExpiring)
        assert event == unirt.SessionExpiring(origin=event.origin, time_left_ms=150_000)
        assert await toy.heard()
        assert (await toy.heard())["do"] == "expiring"


async def test_a_timer_that_is_set_again_rings_again(toy: Toy) -> None:
    clock = ManualClock()
    await toy.greet()
    async with toy.connecting(clock=clock) as session:
        view = aiter(session)
        for at in (10.0, 20.0):
            await toy.say("timer", at=at)
            await until(view, unirt.Noted)
            while clock.next_wake() is None:
                await asyncio.sleep(0)
            clock.advance_to(at)
            assert (await until(view, unirt.SessionExpiring)).received_at == at
