"""Virtual time: it jumps, it does not wait, and who waits for nothing is told."""

from __future__ import annotations

import asyncio

import pytest

from unirt.testing.virtual import LoopClock, run_virtually


def test_time_jumps_to_whatever_is_due_next() -> None:
    clock, woken = LoopClock(), []

    async def wake(at: float) -> None:
        await clock.sleep_until(at)
        woken.append((at, clock.now()))

    async def hour() -> float:
        clock.call_at(1800.5, lambda: woken.append((1800.5, clock.now())))
        await asyncio.gather(wake(3600.0), wake(0.000_001), wake(0.1))
        return clock.now()

    assert run_virtually(hour()) == 3600.0
    assert woken == [(at, at) for at in (0.000_001, 0.1, 1800.5, 3600.0)]


def test_times_are_whole_microseconds_and_nobody_wakes_early() -> None:
    clock = LoopClock()

    async def third() -> float:
        await clock.sleep_until(1 / 3)
        return clock.now()

    assert run_virtually(third()) == 0.333_334


def test_it_stands_still_while_there_is_work() -> None:
    async def work() -> float:
        for _ in range(1_000):
            await asyncio.sleep(0)
        return LoopClock().now()

    assert run_virtually(work()) == 0.0


def test_waiting_for_ever_is_told() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match=r"wait for ever; who waits: Task-\d+ in .*wait$"):
        run_virtually(wait())
