"""The manual clock wakes its sleepers in order, at their time."""

import asyncio
import time

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


async def test_the_unix_clock_counts_from_the_epoch_and_runs_with_the_loop() -> None:
    clock = UnixClock()
    loop = asyncio.get_running_loop()
    first = clock.now() - loop.time()

    assert abs(clock.now() - time.time()) < 60
    assert abs(clock.now() - loop.time() - first) < 1e-3
    soon = clock.now() + 0.001
    await asyncio.wait_for(clock.sleep_until(soon), 5)
    assert clock.now() >= soon
