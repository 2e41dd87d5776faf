"""The time of a cassette: it stands, is moved, and wakes its sleepers in order."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable
from functools import partial

import pytest

from unirt.testing.virtual import LoopClock, run_virtually
from unirt.transports import tape_clock
from unirt.transports.tape_clock import TapeClock


async def test_it_wakes_its_sleepers_in_order_and_at_their_times() -> None:
    clock = TapeClock()
    clock.attend(1)
    woken: list[tuple[float, float]] = []

    async def sleep(*moments: float) -> None:
        for when in moments:
            await clock.sleep_until(when)
            woken.append((when, clock.now()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleep(1.0, 2.0, 3.0))
        tasks.create_task(sleep(1.5, 9.0))
        await asyncio.sleep(0)
        assert clock.waits(1.0)
        assert not clock.waits(0.5)
        await clock.reach(3.0)
        assert woken == [(1.0, 1.0), (1.5, 1.5), (2.0, 2.0), (3.0, 3.0)]
        assert clock.now() == 3.0
        clock.jump(2.0)
        assert clock.now() == 3.0
        await clock.reach(9.0)
    assert woken[-1] == (9.0, 9.0)


async def test_a_time_that_has_come_is_not_waited_for() -> None:
    clock = TapeClock()
    clock.jump(5.0)
    await clock.sleep_until(5.0)


async def test_where_nothing_is_played_a_sleeper_waits_by_himself() -> None:
    clock = TapeClock()
    await clock.sleep_until(0.001)
    assert clock.now() == 0.001
    clock.attend(1)
    sleeper = asyncio.create_task(clock.sleep_until(0.002))
    await asyncio.sleep(0)
    clock.attend(-1)
    await sleeper
    assert clock.now() == 0.002


async def test_lingering_goes_on_to_whatever_somebody_sleeps_until() -> None:
    clock = TapeClock()
    clock.attend(1)
    lingering = asyncio.create_task(clock.linger())
    await asyncio.sleep(0)
    await clock.sleep_until(0.001)
    await clock.sleep_until(0.002)
    assert clock.now() == 0.002
    lingering.cancel()


async def test_what_can_be_done_at_once_is_done_before_time_goes_on_by_itself() -> None:
    clock = TapeClock()
    clock.attend(1)
    lingering = asyncio.create_task(clock.linger())
    sleeper = asyncio.create_task(clock.sleep_until(1e-9))  # has passed at once
    await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
        assert clock.now() == 0.0
    await sleeper
    assert clock.now() == 1e-9
    lingering.cancel()


async def test_a_sleeper_that_was_cancelled_is_forgotten() -> None:
    clock = TapeClock()
    clock.attend(1)
    sleeper = asyncio.create_task(clock.sleep_until(1.0))
    await asyncio.sleep(0)
    sleeper.cancel()
    await asyncio.wait({sleeper})
    assert not clock.waits(2.0)


async def test_alarms_ring_at_their_very_time_and_give_nobody_else_a_turn() -> None:
    clock = TapeClock()
    clock.attend(1)
    rung: list[float] = []
    turns: list[float] = []

    async def other() -> None:
        turns.append(clock.now())

    task = asyncio.create_task(other())
    clock.call_at(1.0, lambda: rung.append(clock.now()))
    clock.call_at(2.0, lambda: rung.append(clock.now())).cancel()
    clock.call_at(3.0, lambda: rung.append(clock.now()))
    await clock.reach(4.0)
    assert rung == [1.0, 3.0]
    assert turns == []
    await task

    clock.call_at(4.001, lambda: rung.append(clock.now()))
    clock.attend(-1)
    clock.call_at(4.002, lambda: rung.append(clock.now()))
    await clock.sleep_until(4.01)
    assert rung == [1.0, 3.0, 4.001, 4.002]


async def test_a_pace_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real = asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await real(0)

    monkeypatch.setattr("unirt.transports.tape_clock.asyncio.sleep", note)
    monkeypatch.setattr("unirt.transports.tape_clock.time.monotonic", lambda: 100.0)
    clock = TapeClock(speed=4.0)
    clock.attend(1)
    assert clock.waits(2.0)
    await clock.reach(2.0)
    assert [seconds for seconds in slept if seconds] == [0.5]
    assert clock.now() == 2.0


async def test_who_is_only_called_is_called_without_a_turn_of_the_loop() -> None:
    clock = TapeClock()
    clock.attend(1)
    rung: list[tuple[str, float]] = []

    def ring(name: str) -> None:
        rung.append((name, clock.now()))

    for name, when in (("second", 2.0), ("first", 1.0), ("third", 3.0)):
        clock.call_at(when, partial(ring, name))
    clock.call_at(1.5, lambda: rung.append(("never", 0.0))).cancel()
    assert clock.rang(2.5)
    assert rung == [("first", 1.0)]
    assert clock.rang(2.5)
    assert rung == [("first", 1.0), ("second", 2.0)]
    assert not clock.waits(2.5)

    asleep = asyncio.create_task(clock.sleep_until(2.5))
    await asyncio.sleep(0)
    assert not clock.rang(3.0)  # a task is to be woken before that
    assert len(rung) == 2
    await clock.reach(3.0)
    assert rung[2:] == [("third", 3.0)]
    await asleep
    clock.attend(-1)


async def test_a_tape_that_takes_its_time_calls_nobody_before_it() -> None:
    clock = TapeClock(1000.0)
    clock.attend(1)
    rung: list[float] = []
    clock.call_at(1.0, lambda: rung.append(clock.now()))
    assert not clock.rang(1.0)
    assert rung == []
    await clock.reach(1.0)
    assert rung == [1.0]
    clock.attend(-1)


async def turns(count: int = 1_000) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def standing(
    clock: TapeClock, *, since: float = 0.0, for_s: float = 0.0, firmly: bool = True
) -> AsyncGenerator[asyncio.Task[None]]:
    """While it stands, which it has done for so long."""
    began = asyncio.get_running_loop().time() - for_s
    task = asyncio.create_task(clock.stand(since, began, firmly=firmly))
    await turns(3)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_where_it_stands_who_only_goes_along_is_no_reason_to_go_on() -> None:
    clock = TapeClock()
    clock.attend(1)
    async with standing(clock, for_s=60.0):
        player = asyncio.create_task(clock.follow_until(1e-9))
        await turns()
        assert not player.done()
        await clock.sleep_until(2e-9)  # this is one
        await player
    assert clock.now() == 2e-9


async def test_where_it_stands_who_waits_to_send_on_does() -> None:
    clock = TapeClock()
    clock.attend(1)
    clock.jump(1.0)
    async with standing(clock, since=1.0):
        for _ in range(3):
            await clock.pause_until(1.0 + 1e-9)
        assert clock.now() == 1.0
    await clock.pause_until(0.5)  # is over
    later = asyncio.create_task(clock.pause_until(2.0))
    await turns(1)
    await clock.reach(2.0)  # as for everybody
    await later


async def test_where_it_stands_it_goes_on_a_little_for_who_else_sleeps() -> None:
    clock = TapeClock()
    clock.attend(1)
    async with standing(clock):
        await clock.sleep_until(0.002)
    assert clock.now() == 0.002


@pytest.mark.parametrize(("firmly", "for_s"), [(True, 10.0), (False, 3.0)])
async def test_it_goes_on_further_when_as_much_real_time_is_over(
    firmly: bool, for_s: float
) -> None:
    clock = TapeClock()
    clock.attend(1)
    clock.jump(2.0)
    async with standing(clock, for_s=for_s, firmly=firmly):
        far = asyncio.create_task(clock.sleep_until(for_s + 60.0))
        await clock.sleep_until(for_s)
        assert clock.now() == for_s
        await turns()
        assert not far.done()
        far.cancel()


async def test_where_something_is_to_be_sent_it_stands_firmly() -> None:
    clock = TapeClock()
    clock.attend(1)
    async with standing(clock, for_s=2.0):
        sleeper = asyncio.create_task(clock.sleep_until(1.0))
        await turns()
        assert not sleeper.done()
        sleeper.cancel()


async def test_who_begins_to_sleep_is_noticed_while_time_goes_on_to_another() -> None:
    clock = TapeClock()
    clock.attend(1)
    clock.call_at(3_600.0, lambda: None)
    lingering = asyncio.create_task(clock.linger())
    await turns(3)
    await clock.sleep_until(0.001)
    lingering.cancel()


async def asleep(clock: TapeClock, sleep: Awaitable[None], *, more: bool) -> asyncio.Future[None]:
    """Whoever began to sleep while a connection was played, which is over now."""
    clock.attend(1)
    sleeper = asyncio.ensure_future(sleep)
    await turns(1)
    clock.attend(-1, more=more)
    return sleeper


async def test_who_wakes_by_himself_is_no_reason_to_go_on() -> None:
    clock = TapeClock()
    sleeper = await asleep(clock, clock.sleep_until(3.0), more=False)
    clock.attend(1)
    async with standing(clock, for_s=10.0):
        await turns()
    assert clock.now() == 0.0
    sleeper.cancel()


def test_who_follows_the_time_has_it_from_the_next_connection() -> None:
    async def follow() -> None:
        clock = TapeClock()
        before = await asleep(clock, clock.follow_until(0.001), more=True)
        after = asyncio.create_task(clock.follow_until(0.002))
        await LoopClock().sleep_until(tape_clock.STANDS_S / 2)  # a client that is slow to dial
        clock.attend(1)
        await LoopClock().sleep_until(tape_clock.STANDS_S * 2)
        assert not before.done()
        assert not after.done()
        assert clock.now() == 0.0
        await clock.reach(0.001)
        assert (before.done(), after.done()) == (True, False)
        await clock.reach(0.002)
        await after

    run_virtually(follow())


def test_it_is_not_waited_for_without_end() -> None:
    async def follow() -> float:
        clock = TapeClock()
        sleeper = await asleep(clock, clock.follow_until(3_600.0), more=True)
        await sleeper
        assert clock.now() == 3_600.0
        return LoopClock().now()

    assert run_virtually(follow()) == tape_clock.STANDS_S


def test_who_waits_alone_is_woken_though_the_tape_has_its_own_time_again() -> None:
    async def wait() -> None:
        clock = TapeClock()
        sleeper = await asleep(clock, clock.sleep_until(0.001), more=True)
        clock.attend(1)
        await sleeper
        assert clock.now() == 0.0

    run_virtually(wait())
