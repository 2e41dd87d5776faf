"""The log: a logger for each module, and whose record it is in each."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import unirt
from unirt import log
from unirt.settings import apply_log

Toy = Any  # the fixture's class lives in conftest.py, which no module may import

MODULES = sorted(Path(unirt.__file__).parent.rglob("*.py"))


def test_every_module_that_logs_has_the_logger_of_its_own_name() -> None:
    logging_ones = [path for path in MODULES if re.search(r"\b_LOG\b", path.read_text())]
    assert len(logging_ones) > 10
    for path in logging_ones:
        assert "_LOG = logger(__name__)\n" in path.read_text(), path
    strangers = [path for path in MODULES if "getLogger" in path.read_text()]
    assert {path.name for path in strangers} == {"log.py", "secrecy.py", "settings.py"}


def test_a_record_of_nobody_s_has_a_session_too(caplog: pytest.LogCaptureFixture) -> None:
    mine = log.logger("unirt.test_log")
    log.logger("unirt.test_log").warning("once")
    log.marked(mine, "12.3").warning("twice")
    assert [getattr(record, "session", None) for record in caplog.records] == ["-", "12.3"]


async def test_every_record_of_a_session_is_told_by_its_mark(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(events: Any) -> None:
        raise ValueError("mine")

    caplog.set_level(logging.INFO, "unirt")
    await toy.greet()
    async with toy.connecting(observers=[broken]) as session:
        pass
    records = [record for record in caplog.records if record.name.startswith("unirt.")]
    assert {record.name for record in records} == {
        "unirt.session.session",
        "unirt.session.observers",
    }
    assert {getattr(record, "session", None) for record in records} == {session.log_id}


async def test_two_sessions_are_told_apart(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "unirt")
    other = type(toy)()
    await toy.greet()
    await other.greet()
    async with toy.connecting() as one, other.connecting() as two:
        assert one.log_id != two.log_id
    marks = [getattr(r, "session", None) for r in caplog.records if "is ready" in r.getMessage()]
    assert marks == [one.log_id, two.log_id]


async def test_the_trace_calls_it_the_same(toy: Toy, tmp_path: Path) -> None:
    await toy.greet()
    async with toy.connecting(trace=tmp_path / "trace.jsonl") as session:
        pass
    lines = (tmp_path / "trace.jsonl").read_text().splitlines()
    assert all(f'"session":"{session.log_id}"' in line for line in lines)


async def test_what_fails_before_there_is_a_session_has_its_mark(
    toy: Toy, caplog: pytest.LogCaptureFixture
) -> None:
    dials = 0

    async def dial(config: Any, credentials: Any) -> Any:
        nonlocal dials
        dials += 1
        if dials == 1:
            raise unirt.DialError("toy", url="ws://x", why="busy", status=503)
        return toy.here

    await toy.greet()
    at_once = unirt.Reconnect(first_wait=0.0, jitter=0.0)
    async with toy.connecting(transport=dial, reconnect=at_once) as session:
        pass
    (record,) = (r for r in caplog.records if "tried again" in r.getMessage())
    assert (record.name, getattr(record, "session", None)) == ("unirt.connect", session.log_id)


@contextmanager
def as_in_a_program() -> Iterator[None]:
    """Nobody listens to the log, and afterwards everybody does who did."""
    mine, root = logging.getLogger("unirt"), logging.getLogger()
    known = root.handlers[:], mine.handlers[:], mine.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:], mine.handlers[:] = known[:2]
        mine.setLevel(known[2])


def test_the_variable_has_the_session_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", written := io.StringIO())
    with as_in_a_program():
        apply_log("info")
        log.marked(log.logger("unirt.test_log"), "12.3").info("ready")
        logging.getLogger("unirt.a_stranger").info("hello")
    first, second = written.getvalue().splitlines()
    assert first.endswith("INFO unirt.test_log [12.3] ready")
    assert second.endswith("INFO unirt.a_stranger [-] hello")
