"""A task that is gone before its end fails a test, and so does an error that nobody asked for."""

from __future__ import annotations

import asyncio
import gc

from tests.lost import lost


async def fail() -> None:
    raise ValueError("mine")


async def wait() -> None:
    await asyncio.get_running_loop().create_future()


async def test_a_task_that_is_gone_before_its_end_is_known() -> None:
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    del task  # nobody holds it any more, but what it waits for
    gc.collect()
    (told,) = lost()
    assert "test_lost.py" in told


async def test_one_that_was_cancelled_is_none() -> None:
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    del task
    gc.collect()
    assert lost() == ()


async def test_an_error_that_nobody_asked_for_is_known() -> None:
    task = asyncio.create_task(fail())
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("its own"))
    await asyncio.wait({task, future})
    del task, future
    gc.collect()
    first, second = sorted(lost())
    assert "its own" in first
    assert "mine" in second
