"""Nothing of ours holds up an event loop in a test."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import unirt
from tests.blocking import ALLOWED, Allowed, Blocked, blocked

WAYS = [
    "import time; time.sleep(0)",
    f"open({__file__!r})",
    f"import pathlib; pathlib.Path({__file__!r}).read_bytes()",
    "import os; os.listdir('.')",
    "import os; os.open('.', os.O_RDONLY)",
    "import socket; socket.getaddrinfo('localhost', 9)",
    "import socket; socket.create_connection(('127.0.0.1', 9))",
    "import ssl; ssl.create_default_context()",
    "import subprocess; subprocess.Popen.wait(None)",
    "import threading; threading.Event().wait(0.001)",
    "import threading; threading.Lock().acquire()",
    "import queue; queue.Queue().get(timeout=0.001)",
    "import concurrent.futures as c; c.Future().result(timeout=0.001)",
]


def written_in(file: str, way: str) -> Callable[[], None]:
    """A function as if it stood in that file."""
    made: dict[str, Callable[[], None]] = {}
    exec(compile(f"def held_up(): {way}", file, "exec"), made)
    return made["held_up"]


@pytest.mark.parametrize("way", WAYS)
async def test_who_holds_up_a_loop_is_stopped(way: str) -> None:
    with pytest.raises(Blocked):
        written_in(unirt.__file__, way)()
    (told,) = blocked()
    assert "in test_who_holds_up_a_loop_is_stopped" in told
    assert "in held_up" in told


async def test_in_a_thread_or_in_a_test_it_is_no_matter() -> None:
    await asyncio.to_thread(written_in(unirt.__file__, "import time; time.sleep(0)"))
    written_in(__file__, "import time; time.sleep(0)")()
    assert blocked() == ()


def test_nor_is_it_where_no_loop_runs() -> None:
    written_in(unirt.__file__, "import time; time.sleep(0)")()
    assert blocked() == ()


@pytest.mark.parametrize("row", ALLOWED, ids=lambda row: row.file)
def test_what_may_is_there(row: Allowed) -> None:
    if row.file.startswith("<frozen"):
        (name,) = row.functions
        assert vars(sys.modules["_frozen_importlib"])[name].__code__.co_filename == row.file
        return
    found = [path for folder in sys.path if (path := Path(folder) / row.file).is_file()]
    text = found[0].read_text("utf-8")
    assert [name for name in row.functions if not re.search(rf"\bdef {name}\(", text)] == []
