"""The pytest plug-in, in pytests of its own."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import unirt
from unirt.cassettes import read
from unirt.registry import load
from unirt.simulator import Pace, Simulator

pytest_plugins = "pytester"

APPLICATION = """
import asyncio, os
import pytest
import unirt

async def greet(words):
    async with unirt.connect(os.environ.get("APP_PROVIDER"), env_file=None) as session:
        await session.send_text(words)
        async for step in session.content():
            if step.step == "close" and step.stream.kind == "transcript":
                return step.text
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest on a test module with an application in it."""

    def run(tests: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_app=APPLICATION + tests)
        return pytester.runpytest_inprocess("-p", "no:asyncio", *arguments)

    return run


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A simulator in another thread, and the variables that lead to it."""
    import threading

    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    pace = Pace(speed=100, latency_ms=1, word_ms=1)
    simulator = Simulator(load("google"), pace=pace)

    async def serve() -> None:
        async with simulator:
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    with monkeypatch.context() as patch:
        patch.setenv("APP_PROVIDER", "google")
        for name, value in simulator.env.items():
            patch.setenv(name, value)
        yield simulator
        loop.call_soon_threadsafe(stop.set)
        thread.join()
    loop.close()


ONE = """
@pytest.mark.unirt_cassette
def test_greeting():
    assert asyncio.run(greet("Hello")) == "You wrote: Hello"
"""


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on there is no key and no provider."""
    for name in ("APP_PROVIDER", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_a_test_is_recorded_and_then_played(
    run: Run, simulator: Simulator, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ONE, "--unirt-record=once").assert_outcomes(passed=1)
    path = pytester.path / "cassettes" / "test_app" / "test_greeting.jsonl"
    assert read(path).header.origin == "simulator"
    assert len(simulator.connections) == 1
    forget(monkeypatch)
    run(ONE).assert_outcomes(passed=1)
    assert len(simulator.connections) == 1


def test_a_missing_cassette_fails_with_the_command_that_records_it(
    run: Run, simulator: Simulator
) -> None:
    result = run(ONE)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*CassetteMissing*record it: "
            "python -m pytest test_app.py::test_greeting --unirt-record=once"
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*another exception occurred*")
    assert len(simulator.connections) == 0


def test_the_command_is_for_the_folder_that_pytest_was_started_in(
    run: Run, simulator: Simulator, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\n")
    folder = pytester.mkdir("below")
    (folder / "test_below.py").write_text(APPLICATION + ONE)
    monkeypatch.chdir(folder)
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.stdout.fnmatch_lines(["*pytest test_below.py::test_greeting --unirt-record=once"])


def test_a_mismatch_fails_the_test_and_shows_the_difference(
    run: Run, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ONE, "--unirt-record=once").assert_outcomes(passed=1)
    result = run(ONE.replace('"Hello"))', '"Hallo"))'))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*parts*text: 'Hello' was recorded, 'Hallo' was sent"])


def test_what_is_left_over_fails_the_test_itself(run: Run, simulator: Simulator) -> None:
    run(ONE, "--unirt-record=once").assert_outcomes(passed=1)
    result = run("\n@pytest.mark.unirt_cassette\ndef test_greeting():\n    pass\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["CassetteMismatch: 1 recorded connections were never made*"])
    result.stdout.no_fnmatch_line("*self.check(exc)*")


def test_what_is_left_over_of_a_fixture_fails_when_it_is_torn_down(
    run: Run, simulator: Simulator
) -> None:
    fixture = """
@pytest.fixture
def session():
    loop = asyncio.new_event_loop()
    connecting = unirt.connect(os.environ.get("APP_PROVIDER"), env_file=None)
    session = loop.run_until_complete(connecting.__aenter__())
    yield loop, session
    loop.run_until_complete(session.close())
    loop.close()

@pytest.mark.unirt_cassette
def test_session(session):
    loop, opened = session
    loop.run_until_complete(opened.send_text("Hello"))
"""
    run(fixture, "--unirt-record=once").assert_outcomes(passed=1)
    run(fixture).assert_outcomes(passed=1)
    lazy = fixture.replace('    loop.run_until_complete(opened.send_text("Hello"))', "    pass")
    result = run(lazy)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*recorded frames were left over; the first was sent*"])


@pytest.mark.parametrize(
    ("line", "marker", "ini", "recorded"),
    [
        ("rewrite", "none", "none", 1),
        (None, "rewrite", "none", 1),
        (None, None, "rewrite", 1),
        ("none", "rewrite", "rewrite", 0),
        (None, "none", "rewrite", 0),
    ],
)
def test_the_command_line_wins_over_the_marker_and_that_over_the_ini_file(
    line: str | None, marker: str | None, ini: str, recorded: int,
    run: Run, simulator: Simulator, pytester: pytest.Pytester,
) -> None:  # fmt: skip
    pytester.makeini(f"[pytest]\nunirt_record = {ini}\n")
    options = f"(mode={marker!r})" if marker else ""
    tests = ONE.replace("unirt_cassette\n", f"unirt_cassette{options}\n")
    result = run(tests, *([f"--unirt-record={line}"] if line else []))
    result.assert_outcomes(passed=recorded, errors=1 - recorded)
    assert len(simulator.connections) == recorded


def test_an_unknown_mode_is_refused_with_the_nearest(run: Run) -> None:
    result = run(ONE, "--unirt-record=onse")
    result.stdout.fnmatch_lines(["*there is no record mode 'onse'*did you mean once?*"])


NAMES = """
class TestApp:
    @pytest.mark.unirt_cassette
    @pytest.mark.parametrize("words", ["a/b c", "a_b_c", "x" * 200, "y" * 200])
    def test_words(self, words):
        asyncio.run(greet(words))

    class TestInner:
        @pytest.mark.unirt_cassette
        def test_words(self):
            asyncio.run(greet("Inner"))

class TestOther:
    class TestInner:
        @pytest.mark.unirt_cassette
        def test_words(self):
            asyncio.run(greet("Other"))

@pytest.mark.unirt_cassette("shared.jsonl.gz", audio="silence")
def test_named():
    asyncio.run(greet("Hello"))

def test_fixture(unirt_cassette):
    assert unirt_cassette.path.name == "test_fixture.jsonl"
    asyncio.run(greet("Hello"))

def test_without():
    from unirt.deck.stack import current
    assert current() is None
"""


def test_files_are_called_after_their_tests_and_never_two_alike(
    run: Run, simulator: Simulator, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(NAMES, "--unirt-record=rewrite").assert_outcomes(passed=9)
    folder = pytester.path / "cassettes" / "test_app"
    names = sorted(path.name for path in folder.iterdir())
    assert names[-2:] == ["shared.jsonl.gz", "test_fixture.jsonl"]
    assert "TestApp.test_words[a_b_c].jsonl" in names
    assert "TestApp.TestInner.test_words.jsonl" in names
    assert len(names) == 8
    assert max(map(len, names)) < 130
    assert read(folder / "shared.jsonl.gz").header.scrubbed["audio"] == "silence"
    forget(monkeypatch)
    run(NAMES).assert_outcomes(passed=9)


LASTING = """
@pytest.fixture(scope="session")
def greeted():
    return asyncio.run(greet("Hello"))

@pytest.fixture
def greeted_again(greeted):
    return asyncio.run(greet("Hello"))

@pytest.mark.unirt_cassette
def test_once(greeted_again, greeted):
    assert greeted_again == greeted

@pytest.mark.unirt_cassette
def test_twice(greeted_again, greeted):
    assert greeted_again == greeted
"""


def test_what_outlives_a_test_is_in_the_cassette_of_none(
    run: Run, simulator: Simulator, pytester: pytest.Pytester
) -> None:
    run(LASTING, "--unirt-record=once").assert_outcomes(passed=2)
    folder = pytester.path / "cassettes" / "test_app"
    assert [len(read(path).segments) for path in folder.iterdir()] == [1, 1]
    run(LASTING, "-k", "twice").assert_outcomes(passed=1)


WITHOUT = """
import sys

def test_nothing_of_it_was_imported():
    assert "unirt_pytest" in sys.modules
    assert not [name for name in sys.modules if name == "unirt" or name.startswith("unirt.")]
"""


def test_a_run_without_cassettes_does_not_import_unirt(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WITHOUT)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_cassette_that_was_compressed_by_hand_is_found(
    run: Run, simulator: Simulator, pytester: pytest.Pytester
) -> None:
    import gzip

    run(ONE, "--unirt-record=once").assert_outcomes(passed=1)
    path = pytester.path / "cassettes" / "test_app" / "test_greeting.jsonl"
    Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    run(ONE).assert_outcomes(passed=1)


def test_the_ini_file_chooses_the_matchers_the_pace_the_audio_and_the_folder(
    run: Run, simulator: Simulator, pytester: pytest.Pytester
) -> None:
    pytester.makeini(
        "[pytest]\nunirt_match = ids microphone\nunirt_pace = 1000\nunirt_audio = 20\n"
        "unirt_cassettes = tapes\n"
    )
    run(ONE, "--unirt-record=once").assert_outcomes(passed=1)
    header = read(pytester.path / "tapes" / "test_app" / "test_greeting.jsonl").header
    assert header.match == ("ids", "microphone")
    assert header.scrubbed["audio"] == "cut to 20 ms"
    run(ONE).assert_outcomes(passed=1)


def test_a_whole_module_may_be_marked(
    run: Run, simulator: Simulator, pytester: pytest.Pytester
) -> None:
    tests = "\npytestmark = pytest.mark.unirt_cassette\n" + ONE.replace(
        "@pytest.mark.unirt_cassette\n", ""
    )
    run(tests, "--unirt-record=once").assert_outcomes(passed=1)
    run(tests).assert_outcomes(passed=1)


def test_the_marker_is_known(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("-p", "no:asyncio", "--markers")
    result.stdout.fnmatch_lines(["*unirt_cassette(name=None, ?*options): *"])
    assert unirt.cassette.__doc__ is not None


MANY = """
@pytest.mark.unirt_cassette
@pytest.mark.parametrize("words", ["one", "two", "three", "four"])
def test_words(words):
    assert os.environ["PYTEST_XDIST_WORKER"] in ("gw0", "gw1")
    assert asyncio.run(greet(words)) == f"You wrote: {words}"
"""


@pytest.mark.long
def test_in_several_processes_each_test_records_and_plays_its_own(
    run: Run, simulator: Simulator, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
        monkeypatch.delenv(name, raising=False)
    run(MANY, "--unirt-record=once", "-n", "2").assert_outcomes(passed=4)
    assert len(list((pytester.path / "cassettes" / "test_app").iterdir())) == 4
    assert len(simulator.connections) == 4
    forget(monkeypatch)
    played = run(MANY.replace('"four"', '"four", "five"'), "-n", "2")
    played.assert_outcomes(passed=4, errors=1)
    played.stdout.fnmatch_lines(["*test_app.py::test_words?five?' --unirt-record=once"])
    assert len(simulator.connections) == 4
