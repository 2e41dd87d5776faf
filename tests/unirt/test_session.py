"""The session: verbs go out in order, events come in, and whatever ends it, it ends well."""

import asyncio
import json
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
import pytest

import unirt
from unirt import AudioFormat, Encoding
from unirt.clock import ManualClock
from unirt.testing import check
from unirt.transports.memory import memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import
Read = TypeVar("Read")

SILENCE = bytes(640)  # 20 ms of what the toy listens to


async def kept(view: AsyncIterable[Read]) -> list[Read]:
    return [event async for event in view]


async def into(seen: list[Any], view: Any) -> None:
    async for event in view:
        seen.append(event)  # noqa: PERF401  (it is looked at while it grows)


def names(events: list[unirt.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


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
    filler = asyncio.create_task(_fill(session))
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


async def _fill(session: unirt.Session) -> None:
    while True:
        await session.send_raw({"do": "filler"})


# Audio in.


async def test_audio_in_the_providers_format_goes_untouched(
    session: unirt.Session, toy: Toy
) -> None:
    data = bytes(range(256)) * 2
    for form in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.int16)):
        await session.send_audio(form)
        assert bytes.fromhex((await toy.heard())["data"]) == data


async def test_audio_of_another_format_is_converted_and_flushed_at_the_end_of_the_turn(
    session: unirt.Session, toy: Toy
) -> None:
    stereo = AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32)
    for _ in range(50):
        await session.send_audio(np.zeros((960, 2), np.float32), stereo)
    await session.end_turn()

    frames = 0
    while (frame := await toy.heard())["do"] == "audio":
        frames += len(bytes.fromhex(frame["data"])) // 2
    assert frame["do"] == "EndTurn"
    assert frames == 16_000  # a second, to the sample


async def test_the_format_of_audio_in_is_said_once_for_all(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(audio_in=AudioFormat(rate=8_000, encoding="ulaw")) as session:
        await session.send_audio(b"\xff" * 800)
        await session.commit()
        assert (await toy.heard())["do"] == "hello"
        sizes = []
        while (frame := await toy.heard())["do"] == "audio":
            sizes.append(len(frame["data"]) // 2)
        assert sum(sizes) == 3_200


async def test_cleared_audio_is_not_flushed_later(session: unirt.Session, toy: Toy) -> None:
    await session.send_audio(bytes(960), AudioFormat(rate=24_000))
    await session.clear_input()
    await session.end_turn()

    heard = [(await toy.heard())["do"]]
    while heard[-1] != "EndTurn":
        heard.append((await toy.heard())["do"])
    assert heard in (["ClearInput", "EndTurn"], ["audio", "ClearInput", "EndTurn"])


async def test_a_whole_file_goes_in_pieces_of_a_second(session: unirt.Session, toy: Toy) -> None:
    data = np.arange(16_000 * 3 // 2, dtype=np.int16)
    await session.send_audio(data)

    pieces = [bytes.fromhex((await toy.heard())["data"]) for _ in range(2)]
    assert [len(piece) for piece in pieces] == [32_000, 16_000]
    assert b"".join(pieces) == data.tobytes()


@pytest.mark.parametrize(
    ("data", "format", "said"),
    [
        (b"odd", None, "3 bytes are not a whole number of 2-byte"),
        (b"123456", AudioFormat(channels=2), "6 bytes"),
        ("text", None, "a str is no audio"),
        (b"12", "pcm", "'pcm' is no format"),
        (np.zeros(4, np.int32), None, "int32"),
        (np.zeros((2, 2, 2), np.int16), None, "shape"),
        (np.zeros(4, np.float32), AudioFormat(rate=16_000), "pcm16"),
    ],
    ids=str,
)
async def test_audio_that_is_not_what_it_says_is_refused(
    data: Any, format: AudioFormat | None, said: str, session: unirt.Session
) -> None:
    with pytest.raises(unirt.AudioFormatError, match=said):
        await session.send_audio(data, format)
    assert session.stats.frames_out <= 1  # the greeting


async def test_no_audio_is_no_frame(session: unirt.Session, toy: Toy) -> None:
    await session.send_audio(b"")
    await session.send_raw({"do": "next"})

    assert (await toy.heard())["do"] == "next"


# Audio out.


async def test_audio_out_comes_in_the_format_asked_for(toy: Toy) -> None:
    await toy.greet()
    wanted = AudioFormat(rate=8_000, encoding=Encoding.ULAW)
    async with toy.connecting(audio_out=wanted) as session:
        for _ in range(10):
            await toy.say("audio", response="r", size=4_800)
        await toy.say("done", response="r")
        await toy.there.close(1000)
        events = await kept(session)

    check(events, complete=True)
    deltas = [event for event in events if isinstance(event, unirt.AudioDelta)]
    assert {delta.format for delta in deltas} == {wanted}
    assert sum(delta.duration_ms for delta in deltas) == 1000
    assert all(delta.raw["is"] == "audio" for delta in deltas[:10])
    assert [delta.synthesised for delta in deltas] == [False] * 10 + [True]


async def test_the_tail_of_interrupted_audio_is_silent(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(audio_out=AudioFormat(rate=48_000)) as session:
        await toy.say("audio", response="r", size=4_800)
        await toy.say("interrupt")
        await toy.say("done", response="r")
        await toy.there.close(1000)
        events = await kept(session)

    check(events, complete=True)
    assert names(events).count("AudioDelta") == 1


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
    await _until(view, unirt.UsageReported, times=3)
    assert session.usage.total_tokens == 3

    await toy.say("done", response="r1", tokens=5)
    await toy.say("usage", response="r2", scope="response", tokens=7)
    await toy.say("done", response="r2")
    await _until(view, unirt.ResponseDone, times=2)
    assert session.usage.total_tokens == 12


async def test_usage_is_kept_by_the_model_as_the_provider_calls_it(
    session: unirt.Session, toy: Toy
) -> None:
    view = aiter(session)
    await toy.say("start", response="r1")
    await toy.say("done", response="r1", tokens=5)
    done = await _until(view, unirt.ResponseDone)

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
    await _until(view, unirt.Noted)
    assert (await toy.heard())["do"] == "pong"
    after = session.stats

    assert after.frames_in - before.frames_in == 1
    assert after.bytes_in > before.bytes_in
    assert (after.frames_out, after.frames_waiting) == (2, 0)
    while not session.stats.frames_waiting:  # the network takes no more of them at once
        await session.send_text("waits")
    assert session.stats.frames_waiting == 1
    assert after.events == before.events + 1


async def _until(view: Any, kind: type[unirt.Event], times: int = 1) -> unirt.Event:
    async for event in view:
        if isinstance(event, kind):
            times -= 1
            if times == 0:
                return event
    raise AssertionError(f"no {kind.__name__} came")


# Time.


async def test_timers_ring_on_the_clock_that_was_given(toy: Toy) -> None:
    clock = ManualClock(100.0)
    await toy.greet()
    async with toy.connecting(clock=clock) as session:
        view = aiter(session)
        await toy.say("timer", at=200.0)
        await _until(view, unirt.Noted)
        await toy.say("timer", at=150.0)  # earlier than the one that is set
        assert (await _until(view, unirt.Noted)).received_at == 100.0
        while clock.next_wake() != 150.0:
            await asyncio.sleep(0)
        clock.advance_to(160.0)

        event = await _until(view, unirt.SessionExpiring)
        assert event == unirt.SessionExpiring(origin=event.origin, time_left_ms=160_000)
        assert await toy.heard()
        assert (await toy.heard())["do"] == "expiring"


async def test_a_timer_that_is_set_again_rings_again(toy: Toy) -> None:
    clock = ManualClock()
    await toy.greet()
    async with toy.connecting(clock=clock) as session:
        view = aiter(session)
        for at in (10.0, 20.0):
            await toy.say("timer", at=at)
            await _until(view, unirt.Noted)
            while clock.next_wake() is None:
                await asyncio.sleep(0)
            clock.advance_to(at)
            assert (await _until(view, unirt.SessionExpiring)).received_at == at


# The end.


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
    filler = asyncio.create_task(_fill(session))
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
    async with toy.connecting(transport=transport, close_timeout=0.05) as session:
        view = aiter(session)
    assert transport.aborted.is_set()
    closed = (await kept(view))[-1]
    assert isinstance(closed, unirt.SessionClosed)
    assert (closed.by, closed.clean) == ("local", True)


async def test_a_cancelled_close_hurries_and_leaves_nothing(toy: Toy) -> None:
    await toy.greet()
    transport = Stubborn(toy.here)
    async with toy.connecting(transport=transport, close_timeout=3600) as session:
        closing = asyncio.create_task(session.close())
        for _ in range(20):
            await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
    assert transport.aborted.is_set()


async def test_what_cannot_be_flushed_does_not_hold_a_close_up(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(close_timeout=0.05) as session:
        for _ in range(100):  # more than the network holds, and nobody reads
            await session.send_raw({"do": "stuck"})
    assert session.closed
    assert json.loads(await toy.there.receive())["do"] == "hello"
