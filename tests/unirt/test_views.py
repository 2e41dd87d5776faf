"""Views: any number of readers, each whole, none able to starve another or to fill memory."""

import asyncio
import gc
from typing import Any

import pytest

import unirt
from unirt.composer import Composer
from unirt.fold import fold
from unirt.session.limits import Limits
from unirt.session.views import ContentView, Hub, View
from unirt.transports.memory import memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import

ORIGIN = unirt.Origin(provider="toy")
STREAM = unirt.Stream(id="s", kind=unirt.StreamKind.AUDIO)


def note(n: int) -> unirt.Event:
    return unirt.Noted(origin=ORIGIN, type="note", why=str(n))


def audio(ms: int) -> unirt.Event:
    return unirt.AudioDelta(origin=ORIGIN, stream=STREAM, data=bytes(48 * ms))


def whys(events: list[Any]) -> list[int]:
    return [int(event.why) for event in events if isinstance(event, unirt.Noted)]


async def take(view: View, count: int) -> list[unirt.Event]:
    return [await anext(view) for _ in range(count)]


async def rest(view: Any) -> list[Any]:
    return [event async for event in view]


def hub(**limits: Any) -> Hub:
    return Hub(Limits(**limits))


def over(hub: Hub) -> None:
    hub.finish(lambda: None)


async def test_every_view_sees_every_event_at_its_own_pace() -> None:
    events = hub()
    fast, slow = events.open(), events.open()
    events.deliver([note(1), note(2)], 0)
    assert whys(await take(fast, 2)) == [1, 2]
    events.deliver([note(3)], 0)
    over(events)

    assert whys(await rest(fast)) == [3]
    assert whys(await rest(slow)) == [1, 2, 3]


async def test_audio_of_one_read_is_only_dropped_once_its_reader_had_a_turn() -> None:
    events = hub(audio_ms=100)
    view = events.open()
    events.deliver([audio(60) for _ in range(10)], 0)
    assert view.dropped_ms == 0
    await take(view, 9)

    events.deliver([audio(60) for _ in range(10)], 0)
    assert view.dropped_ms == 0
    events.deliver([note(1)], 0)
    assert view.dropped_ms == 11 * 60 - 60
    over(events)
    assert [type(event).__name__ for event in await rest(view)] == ["AudioDelta", "Noted"]


async def test_reads_that_come_one_after_another_leave_a_woken_reader_its_turn() -> None:
    events = hub(audio_ms=100)
    view = events.open()
    reading = asyncio.create_task(take(view, 20))
    await asyncio.sleep(0)
    events.deliver([audio(60) for _ in range(10)], 0)
    assert not events.full
    events.deliver([audio(60) for _ in range(10)], 0)
    assert events.full
    await events.room()

    assert not events.full
    assert reading.done()
    assert len(await reading) == 20
    assert view.dropped_ms == 0


async def test_a_waiting_view_wakes_once_for_a_whole_frame() -> None:
    events = hub()
    view = events.open()
    waiting = asyncio.create_task(take(view, 3))
    await asyncio.sleep(0)
    events.deliver([note(1), note(2), note(3)], 0)

    assert whys(await waiting) == [1, 2, 3]


async def test_a_late_view_gets_what_went_before_while_that_is_kept() -> None:
    events = hub(replay_events=3)
    events.deliver([note(1), note(2), note(3)], 0)
    in_time = events.open()
    events.deliver([note(4)], 0)
    late = events.open()
    events.deliver([note(5)], 0)
    over(events)

    assert (whys(await rest(in_time)), in_time.missed) == ([1, 2, 3, 4, 5], 0)
    assert (whys(await rest(late)), late.missed) == ([5], 4)


async def test_what_is_kept_for_late_views_is_bounded_in_bytes_too() -> None:
    events = hub(replay_bytes=100)
    first = events.open()
    events.deliver([note(1)], 60)
    events.deliver([note(2)], 60)
    late = events.open()
    over(events)

    assert (first.missed, late.missed) == (0, 2)


async def test_the_first_view_misses_nothing_however_late_it_is_opened() -> None:
    events = hub(replay_events=1, replay_bytes=1)
    for n in range(50):
        events.deliver([note(n)], 10_000)
    first = events.open()
    over(events)

    assert (whys(await rest(first)), first.missed) == (list(range(50)), 0)


async def test_what_nobody_ever_reads_is_given_up_at_the_bound_and_stops_nothing() -> None:
    events = hub(events=10, replay_events=1)
    for n in range(11):
        events.deliver([note(n)], 0)
        await events.room()
    late = events.open()
    over(events)

    assert (whys(await rest(late)), late.missed) == ([], 11)


async def test_a_view_opened_after_the_end_still_sees_the_last_event() -> None:
    events = hub(replay_events=1)
    first = events.open()
    events.deliver([note(1), note(2)], 0)
    over(events)

    view = events.open()
    assert whys(await rest(first)) == [1, 2]
    assert whys(await rest(view)) == [2]
    assert view.missed == 1


async def test_audio_nobody_reads_is_dropped_oldest_first_and_counted() -> None:
    events = hub(audio_ms=800)
    view, reader = events.open(), events.open()
    for n in range(20):
        events.deliver([note(n), audio(100)], 0)
        await take(reader, 2)
    over(events)
    seen = await rest(view)
    heard = [event for event in seen if isinstance(event, unirt.AudioDelta)]

    assert whys(seen) == list(range(20))  # nothing but audio is dropped
    assert 700 <= sum(event.duration_ms for event in heard) <= 800
    assert seen[-1] is heard[-1]  # the newest is there
    assert view.dropped_ms == 2000 - sum(event.duration_ms for event in heard)
    assert reader.dropped_ms == 0
    assert events.dropped_ms == view.dropped_ms


async def test_audio_that_is_read_makes_room_for_more() -> None:
    events = hub(audio_ms=200)
    view = events.open()
    for _ in range(50):
        events.deliver([audio(100)], 0)
        await take(view, 1)

    assert view.dropped_ms == 0


async def test_unread_events_hold_the_reader_back_until_they_are_read() -> None:
    events = hub(events=3)
    view = events.open()
    events.deliver([note(1), audio(20), note(2)], 0)
    await events.room()
    events.deliver([note(3)], 0)
    waiting = asyncio.create_task(events.room())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()

    await take(view, 1)
    await waiting


@pytest.mark.parametrize("how", ["closed", "forgotten", "released"])
async def test_a_view_that_is_given_up_holds_nobody_back(how: str) -> None:
    events = hub(events=1)
    view: View | None = events.open()
    events.deliver([note(1)], 0)
    waiting = asyncio.create_task(events.room())
    await asyncio.sleep(0)
    if how == "closed":
        assert view is not None
        await view.aclose()
    elif how == "forgotten":
        view = None
        gc.collect()
    else:
        events.release()

    await waiting


async def test_leaving_a_loop_gives_its_view_up() -> None:
    events = hub(events=1)
    events.deliver([note(1)], 0)
    async for _ in events.open():
        break
    events.deliver([note(2), note(3)], 0)
    gc.collect()

    await events.room()


async def test_a_closed_view_is_over_also_for_who_waits_on_it() -> None:
    view = hub().open()
    waiting = asyncio.create_task(rest(view))
    await asyncio.sleep(0)
    await view.aclose()

    assert await waiting == []
    with pytest.raises(StopAsyncIteration):
        await anext(view)


async def test_a_cancelled_reader_loses_no_event() -> None:
    events = hub()
    view = events.open()
    waiting = asyncio.create_task(take(view, 1))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    events.deliver([note(1)], 0)

    assert whys(await take(view, 1)) == [1]


@pytest.mark.parametrize("woken", [False, True])
async def test_who_was_cancelled_while_waiting_may_wait_again(woken: bool) -> None:
    events = hub()
    view = events.open()
    waiting = asyncio.create_task(take(view, 1))
    await asyncio.sleep(0)
    if woken:
        events.deliver([note(1)], 0)
    waiting.cancel()
    await asyncio.wait({waiting})
    if woken:
        assert whys(await take(view, 1)) == [1]

    again = asyncio.create_task(take(view, 1))
    await asyncio.sleep(0)
    events.deliver([note(2)], 0)
    assert whys(await again) == [2]


async def test_two_tasks_on_one_view_are_told_to_open_two() -> None:
    view = hub().open()
    first = asyncio.create_task(take(view, 1))
    await asyncio.sleep(0)

    with pytest.raises(unirt.UsageError, match="each its own"):
        await anext(view)
    first.cancel()
    await asyncio.wait({first})


async def test_the_end_is_raised_once_after_everything_else_was_read() -> None:
    events = hub()
    view = events.open()
    events.deliver([note(1)], 0)
    events.finish(lambda: unirt.ConnectionLost("toy", code=None, reason="", by="network"))

    assert whys(await take(view, 1)) == [1]
    with pytest.raises(unirt.ConnectionLost):
        await anext(view)
    with pytest.raises(StopAsyncIteration):
        await anext(view)


async def test_both_views_read_at_once_miss_nothing(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting() as session:
        for n in range(100):
            await toy.say("text", response="r", text=f"{n} ")
            if n == 50:
                while session.stats.frames_in < 40:  # before anybody reads
                    await asyncio.sleep(0)
        await toy.say("done", response="r")
        await toy.there.close(1000)
        kept, steps = await asyncio.gather(rest(session), rest(session.content()))

    assert isinstance(kept[0], unirt.SessionStarted)
    assert steps == fold(kept)
    assert steps[-1].text == "".join(f"{n} " for n in range(100))


async def test_the_folded_view_counts_what_it_missed_and_can_be_given_up() -> None:
    events = hub(replay_events=0, events=1)
    await events.open().aclose()
    events.deliver([note(1)], 0)
    view = ContentView(events.open())
    assert (view.missed, view.dropped_ms) == (1, 0)
    events.deliver([note(2)], 0)
    await view.aclose()

    await events.room()
    assert await rest(view) == []


async def test_a_view_that_is_not_read_stops_the_network_and_nothing_is_lost(toy: Toy) -> None:
    toy.here, toy.there = memory_pair(capacity=4)
    await toy.greet()
    async with toy.connecting(limits=Limits(events=10)) as session:
        view = aiter(session)
        server = asyncio.create_task(_notes(toy, 100))
        for _ in range(500):
            await asyncio.sleep(0)
        assert not server.done()
        assert session.stats.frames_in <= 11

        seen = [event async for event in _first(view, 101)]
        await server
    assert whys(seen) == list(range(100))


async def test_a_view_that_is_not_read_does_not_hold_a_close_up(toy: Toy) -> None:
    await toy.greet()
    async with toy.connecting(
        limits=Limits(events=2), timeouts=unirt.Timeouts(close=3600)
    ) as session:
        view = aiter(session)
        await _notes(toy, 10)
        while session.stats.frames_in < 2:
            await asyncio.sleep(0)
    assert isinstance((await rest(view))[-1], unirt.SessionClosed)


async def _notes(toy: Toy, count: int) -> None:
    for n in range(count):
        await toy.say("note", why=str(n))


async def _first(view: Any, count: int) -> Any:
    async for event in view:
        yield event
        count -= 1
        if count == 0:
            return


async def test_a_stream_whose_audio_nobody_read_in_time_still_opens_and_closes() -> None:
    events = hub(audio_ms=200)
    content = ContentView(events.open())
    composer = Composer("toy")
    composer.begin({}, 0.0)
    for n in range(4):
        response = composer.response_started(f"r{n}")
        for _ in range(10):
            composer.audio(response, f"i{n}", 0, bytes(48 * 100), unirt.PCM16_24K)
        composer.response_done(f"r{n}")
    for event in composer.events_received():
        events.deliver([event], 0)
    over(events)
    steps = await rest(content)

    assert content.dropped_ms >= 3_000
    for n in range(4):
        shown = [step.step for step in steps if step.stream.item_id == f"i{n}"]
        assert (shown[0], shown[-1]) == ("open", "close")
