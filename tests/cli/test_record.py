"""``unirt record``, as a person runs it: what it prints, writes, and ends with."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from cassettes.live import differences
from tests.cli.terminal import ROOT, SPEECH, Run, in_a_process, shown
from tests.pace import FAST
from unirt.cassettes import Closed, Framed, Opened, Origin, read
from unirt.cli import record as recording
from unirt.registry import installed, load
from unirt.simulator import Simulator
from unirt.simulator.script import builtin


@pytest.mark.parametrize("provider", installed())
def test_a_text_is_said_to_a_simulator_and_recorded(provider: str, tmp_path: Path) -> None:
    done = in_a_process(
        "record", "talk.jsonl", "--simulator", provider, "Hello there", "And again", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "user 'And again'" in done.stdout
    assert "wrote talk.jsonl" in done.stdout
    cassette = read(tmp_path / "talk.jsonl")
    assert cassette.header.origin is Origin.SIMULATOR
    assert cassette.header.provider == provider
    assert cassette.header.recorded_at is None  # its time is virtual
    assert isinstance(cassette.entries[-1], Closed)
    said = json.dumps([e.data for e in cassette.entries if isinstance(e, Framed)])
    assert said.index("Hello there") < said.index("And again")


def test_a_wav_file_is_said_and_answered(tmp_path: Path) -> None:
    console, told = shown()
    out = tmp_path / "talk.jsonl.gz"
    assert recording.run(out, [str(SPEECH)], simulator="google", console=console) == 0
    assert "seconds of speech" in told()
    assert gzip.decompress(out.read_bytes()).startswith(b'{"unirt_cassette": 1')


def test_recording_twice_gives_the_same_file(tmp_path: Path) -> None:
    written = []
    for name in ("a.jsonl", "b.jsonl"):
        console, _ = shown()
        status = recording.run(
            tmp_path / name, [], simulator="openai", scenario="tool_call", console=console
        )
        assert status == 0
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_audio_can_be_left_out(tmp_path: Path) -> None:
    console, _ = shown()
    out = tmp_path / "t.jsonl"
    recording.run(
        out, [], simulator="openai", scenario="spoken_turn", audio="silence", console=console
    )
    frames = [e for e in read(out).entries if isinstance(e, Framed) and e.altered]
    assert {change.silence for frame in frames for change in frame.altered} == {0}
    assert out.stat().st_size < 100_000


def test_a_scenario_of_ones_own_is_held(unirt: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[reply]]\ncue = "text"\nsteps = [{ say = "As written." }]\n[[app]]\ntext = "Well?"\n'
    )
    done = unirt("record", "t.jsonl", "--simulator", "openai", "--scenario", "mine.toml")
    assert done.returncode == 0, done.stderr
    assert "As written." in done.stdout
    assert read(tmp_path / "t.jsonl").header.notes == {"scenario": "mine"}


@pytest.mark.long
async def test_a_live_conversation_is_recorded_in_real_time(tmp_path: Path) -> None:
    """Live is whatever the settings reach: here a simulator that the command knows nothing of."""
    async with Simulator(load("openai"), builtin("text_turn"), pace=FAST) as simulator:
        key = simulator.env["OPENAI_API_KEY"]
        done = await asyncio.to_thread(
            in_a_process, "record", "t.jsonl", "Good morning.",
            cwd=tmp_path, UNIRT_PROVIDER="openai", **simulator.env,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Good morning to you." in done.stdout
    cassette = read(tmp_path / "t.jsonl")
    assert cassette.header.origin is Origin.SIMULATOR, "the address tells"
    assert cassette.header.recorded_at is not None
    assert key not in (tmp_path / "t.jsonl").read_text("utf-8")


def test_a_session_that_is_refused_is_told_and_recorded(unirt: Run, tmp_path: Path) -> None:
    done = unirt("record", "t.jsonl", "Hello", OPENAI_API_KEY="sk-nobodys-key-at-all",
                 OPENAI_BASE_URL="ws://127.0.0.1:9/", UNIRT_PROVIDER="openai")  # fmt: skip
    assert done.returncode == 1
    assert "could not connect" in done.stdout
    assert "Traceback" not in done.stderr
    (opened,) = read(tmp_path / "t.jsonl").entries
    assert "sk-nobodys" not in (tmp_path / "t.jsonl").read_text("utf-8")
    assert isinstance(opened, Opened)
    assert opened.failed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["t.jsonl"], "nothing is to be said"),
        (["t.jsonl", "Hello", "--scenario", "text_turn"], "leave one of them out"),
        (["t.jsonl", "--scenario", "no_such"], "no scenario 'no_such'"),
        (["t.jsonl", "no.wav"], "no.wav"),
        (["there.jsonl", "Hello"], "--force"),
        (["t.jsonl", "Hello", "--audio", "loud"], "'loud'"),
        (["t.jsonl", "--scenario", "bad_config"], "no_such_setting"),
    ],
)
def test_a_recording_that_cannot_be_is_a_wrong_call(
    unirt: Run, arguments: list[str], says: str, tmp_path: Path
) -> None:
    (tmp_path / "there.jsonl").write_text("")
    done = unirt("record", *arguments, "--simulator", "openai")

    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "t.jsonl").exists()


@pytest.mark.parametrize("provider", installed())
@pytest.mark.parametrize("scenario", ["tool_failed", "server_tool_approved"])
def test_failing_tools_and_approvals_are_part_of_a_scenario(
    provider: str, scenario: str, tmp_path: Path
) -> None:
    path = tmp_path / "talk.jsonl"
    console, told = shown()
    assert recording.run(path, [], simulator=provider, scenario=scenario, console=console) == 0
    assert differences(read(path), read(ROOT / "cassettes" / provider / f"{scenario}.jsonl")) == []
    assert read(path).entries[-1].at_ms < 20_000, told()


def test_what_never_comes_is_told(tmp_path: Path) -> None:
    scenario = tmp_path / "waiting.toml"
    scenario.write_text('[[app]]\ntext = "Hi"\nafter = "ToolCall"\n')
    console, told = shown()
    out = tmp_path / "t.jsonl"
    assert recording.run(out, [], simulator="openai", scenario=str(scenario), console=console) == 1
    assert "ToolCall never came, for which SendText waits" in told()
    assert read(out).entries[-1].at_ms < 10_000
