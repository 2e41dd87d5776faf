"""The end of a wait, by a clock that is in hand."""

import asyncio
import gc
import math
import weakref

import pytest

from unirt.clock import Clock, ManualClock, SystemClock
from unirt.deadline import Deadline
from unirt.transports.tape_clock import TapeClock


async def until(clock: Clock, when: float, work: asyncio.Future[None]) -> str:
    try:
        async with Deadline(clock, when):
            await work
    except TimeoutError:
        return "late"
    return "done"


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_it_ends_a_wait_at_its_time_and_not_before() -> None:
    clock, work = ManualClock(10.0), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(until(clock, 12.0, work))
    await turns()
    clock.advance(1.9)
    await turns()
    assert not waiting.done()
    clock.advance(0.1)
    assert await waiting == "late"
    assert work.cancelled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_is_done_in_time_leaves_no_sleeper_and_no_task() -> None:
    clock, work = ManualClock(), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(until(clock, 12.0, work))
    await turns()
    work.set_result(None)
    assert await waiting == "done"
    assert clock.next_wake() is None
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("clock", [ManualClock(5.0), SystemClock(), TapeClock()])
async def test_a_time_that_is_over_ends_it_at_the_first_wait(clock: Clock) -> None:
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert await until(clock, clock.now() - 1.0, work) == "late"


@pytest.mark.parametrize("clock", [SystemClock(), TapeClock()])
async def test_it_rings_on_a_clock_that_moves_by_itself(clock: Clock) -> None:
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert await until(clock, clock.now() + 0.01, work) == "late"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_is_over_is_freed_at_once_and_not_by_the_collector() -> None:
    clock = SystemClock()
    gc.disable()
    try:
        async with Deadline(clock, clock.now() + 60.0) as deadline:
            kept = weakref.ref(deadline)
        del deadline
        assert kept() is None
    finally:
        gc.enable()


async def test_infinity_is_no_bound_and_asks_the_clock_for_nothing() -> None:
    clock, work = ManualClock(), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(until(clock, math.inf, work))
    await turns()
    clock.advance(1e9)
    assert clock.next_wake() is None
    work.set_result(None)
    assert await waiting == "done"


async def test_a_cancellation_from_outside_is_no_timeout() -> None:
    clock, work = ManualClock(), asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(until(clock, 12.0, work))
    await turns()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_is_raised_inside_passes() -> None:
    clock = ManualClock()
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    work.set_exception(ValueError("mine"))
    with pytest.raises(ValueError, match="mine"):
        await until(clock, 1.0, work)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_result_is_not_lost_to_a_cancellation_on_the_way_out() -> None:
    """What was opened in the block is known to whoever has to close it."""
    clock, work = ManualClock(), asyncio.get_running_loop().create_future()
    opened: list[str] = []

    async def opens() -> None:
        opened.append(await until(clock, 12.0, work))
        await asyncio.sleep(0)

    opening = asyncio.create_task(opens())
    await turns()
    work.set_result(None)
    await asyncio.sleep(0)  # it is on its way out
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert opened == ["done"]
    assert opening.cancelling() == 1
