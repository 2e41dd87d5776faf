"""What the event loop only logs fails a test."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from tests.complaints import heard

pytest_plugins = "pytester"


async def fail() -> None:
    raise LookupError("nobody asks for this")


async def test_an_exception_that_nobody_asks_for_is_heard() -> None:
    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    del task
    gc.collect()
    (told,) = heard()
    assert "never retrieved" in told
    assert "nobody asks for this" in told


async def test_a_task_that_is_gone_before_its_end_is_heard() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    del task  # nobody but a cycle holds it
    gc.collect()
    (told,) = heard()
    assert "Task was destroyed but it is pending" in told


async def test_a_callback_that_raises_is_heard() -> None:
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    (told,) = heard()
    assert "ZeroDivisionError" in told


async def test_all_else_is_not() -> None:
    task = asyncio.create_task(fail())
    with pytest.raises(LookupError):
        await task
    assert heard() == ()


def test_a_test_in_which_one_is_written_fails(pytester: pytest.Pytester) -> None:
    tests = Path(__file__).parent
    pytester.makeconftest(
        f"import sys; sys.path.insert(0, {str(tests.parent)!r})\n"
        "from tests.conftest import no_complaints\n"
    )
    pytester.makepyfile(
        """
        import asyncio
        async def forget():
            asyncio.get_running_loop().call_soon(lambda: 1 / 0)
            await asyncio.sleep(0)
        def test_it():
            asyncio.run(forget())
        """
    )
    pytester.runpytest_inprocess("-p", "no:asyncio").assert_outcomes(passed=1, errors=1)
