"""What no test may do fails the test that does it, although nobody else is told."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = "pytester"

DONE = {
    "another machine is reached for": """
        import contextlib, socket
        def test_it():
            with contextlib.suppress(OSError), socket.socket() as far:
                far.connect(("192.0.2.7", 9))
    """,
    "a loop is held up": """
        import asyncio, contextlib, time, unirt
        async def swallow():
            with contextlib.suppress(Exception):
                exec(compile("time.sleep(0)", unirt.__file__, "exec"))
        def test_it():
            asyncio.run(swallow())
    """,
    "a task is lost": """
        import asyncio, gc
        async def wait():
            await asyncio.get_running_loop().create_future()
        async def lose():
            asyncio.create_task(wait())
            await asyncio.sleep(0)
            gc.collect()
        def test_it():
            asyncio.run(lose())
    """,
}
SAID = {
    "another machine is reached for": "*192.0.2.7*",
    "a loop is held up": "*time.sleep*",
    "a task is lost": "*Task was destroyed*",
}


@pytest.mark.parametrize("what", DONE)
def test_who_swallows_it_fails(what: str, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from tests.conftest import nothing_hidden\n"
    )
    pytester.makepyfile(DONE[what])
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([SAID[what]])
