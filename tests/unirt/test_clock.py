"""The manual clock wakes its sleepers in order, at their time."""

import asyncio
import time

import pytest

from unirt.clock import ManualClock, SystemClock, UnixClock


async def test_sleepers_wake_in_order_of_time() -> None:
    clock = ManualClock()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, when: float) -> None:
        await clock.sleep_until(when)
        woken.append((name, clock.now()))

    tasks = [asyncio.create_task(sleeper(n, t)) for n, t in (("b", 2.0), ("a", 1.0), ("c", 9.0))]
    await asyncio.sleep(0)
    assert clock.next_wake() == 1.0
    clock.advance_to(1.0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(4.0)
    await asyncio.gather(*tasks[:2])
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert [name for name, _ in woken] == ["a", "b"]
    assert woken[0] == ("a", 1.0)
    assert clock.now() == 5.0
    assert clock.next_wake() is None


async def test_a_time_that_has_passed_does_not_wait() -> None:
    await ManualClock(3.0).sleep_until(2.0)
    for clock in (SystemClock(), UnixClock()):
        await clock.sleep_until(clock.now() - 1)


async def test_a_call_comes_at_its_time_on_a_loop_that_is_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, loop = SystemClock(), asyncio.get_running_loop()
    call_later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda delay, call: call_later(delay / 2, call))
    called: asyncio.Future[float] = loop.create_future()
    when = clock.now() + 0.005
    clock.call_at(when, lambda: called.set_result(clock.now()))
    assert await called >= when


async def test_a_call_that_was_called_off_does_not_come() -> None:
    clock, loop = SystemClock(), asyncio.get_running_loop()
    called, later = loop.create_future(), loop.create_future()
    clock.call_at(clock.now() - 1, lambda: called.set_result(None)).cancel()
    clock.call_at(clock.now() + 0.001, lambda: later.set_result(None))
    await later
    assert not called.done()


async def test_the_unix_clock_counts_from_the_epoch_and_runs_with_the_loop() -> None:
    clock = UnixClock()
    loop = asyncio.get_running_loop()
    first = clock.now() - loop.time()

    assert abs(clock.now() - time.time()) < 60
    assert abs(clock.now() - loop.time() - first) < 1e-3
    soon = clock.now() + 0.001
    await asyncio.wait_for(clock.sleep_until(soon), 5)
    assert clock.now() >= soon
    called: asyncio.Future[float] = loop.create_future()
    clock.call_at(soon + 0.001, lambda: called.set_result(clock.now()))
    assert await called >= soon + 0.001


async def test_a_manual_clock_calls_at_the_very_time_and_not_what_was_called_off() -> None:
    clock = ManualClock(10.0)
    called: list[tuple[str, float]] = []

    def note(who: str) -> None:
        called.append((who, clock.now()))

    clock.call_at(12.0, lambda: note("late"))
    clock.call_at(11.0, lambda: note("early"))
    clock.call_at(11.5, lambda: note("never")).cancel()
    clock.call_at(9.0, lambda: note("over"))
    assert called == []  # never at once
    await asyncio.sleep(0)
    assert called == [("over", 10.0)]
    clock.advance(5.0)
    assert called[1:] == [("early", 11.0), ("late", 12.0)]
    assert clock.next_wake() is None
