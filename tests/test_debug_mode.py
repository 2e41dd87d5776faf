"""
Sessions, tools and transports in the debug mode of ``asyncio``.

There a loop tells whoever touches it from another thread, and what was never awaited, or never
asked for, tells where it was made. It takes several times as much of a processor, so it is no
test's usual mode. How long a callback takes is only logged: no clock decides here.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = (
    "test_debug_mode.py",
    "test_cancelled_tasks.py",
    "test_reconnecting.py",
    "test_rotating.py",
    "test_resumed_in_order.py",
    "test_switching.py",
    "test_switching_tools.py",
    "test_tools.py",
    "test_updates.py",
    "test_use_of_a_session.py",
    "unirt/test_memory_transport.py",
    "unirt/test_recording_transport.py",
    "unirt/test_fast_transport.py",
    "unirt/test_keepalive.py",
    "unirt/test_moved.py",
    "unirt/test_outbox.py",
    "unirt/test_session*.py",
    "unirt/test_tool_*.py",
    "unirt/test_websocket_*.py",
)
"Where sessions run, and what they stand on."


async def test_a_loop_is_in_the_mode_that_the_environment_asks_for() -> None:
    debug = bool(os.environ.get("PYTHONASYNCIODEBUG"))
    assert asyncio.get_running_loop().get_debug() is debug


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_runs_sessions_passes_in_it() -> None:
    found = [sorted(Path(__file__).parent.glob(pattern)) for pattern in FILES]
    assert all(found)
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--numprocesses=2", "--tb=short", "--no-header"]
        + [str(path) for paths in found for path in paths],
        cwd=ROOT,
        env={**mine, "PYTHONASYNCIODEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
