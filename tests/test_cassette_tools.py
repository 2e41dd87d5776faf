"""The tools around cassettes, as a person runs them: what they print, write, and end with."""

import asyncio
import gzip
import io
import json
import os
import re
import shlex
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from unirt import cassettes
from unirt.cassettes import Cassette, Closed, Framed, Origin, read
from unirt.cassettes.faults import FAULTS
from unirt.cli import check, inspect, main, replay
from unirt.cli import record as recording
from unirt.cli.calls import number_or_name
from unirt.cli.performance import is_ours, perform
from unirt.config import SessionConfig
from unirt.errors import ConfigurationError
from unirt.events import Event, RateLimitsUpdated
from unirt.registry import installed, load
from unirt.simulator import Simulator
from unirt.simulator.script import builtin, builtin_names

UNIRT = [sys.executable, "-c", "from unirt.cli import main; main()"]
ROOT = Path(__file__).parent.parent
SPEECH = ROOT / "examples" / "audio" / "go_forward.wav"
every_provider = pytest.mark.parametrize("provider", installed())

Recorder = Callable[..., Path]


Run = Callable[..., subprocess.CompletedProcess[str]]


def in_a_process(*arguments: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNIRT, *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", **env},
    )  # fmt: skip


@pytest.fixture
def unirt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """The console script, without the second that a process takes to start."""

    def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["unirt", *map(str, arguments)])
        for name, value in {"COLUMNS": "200", **env}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


def shown() -> tuple[Console, Callable[[], str]]:
    file = io.StringIO()
    return Console(file=file, width=200), file.getvalue


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """Records a built-in scenario, once for each provider."""
    folder = tmp_path_factory.mktemp("tapes")

    def recorded(provider: str = "openai", scenario: str = "text_turn") -> Path:
        path = folder / f"{provider}-{scenario}.jsonl"
        if not path.exists():
            console, _ = shown()
            recording.run(path, [], simulator=provider, scenario=scenario, console=console)
        return path

    return recorded


def changed(path: Path, target: Path, change: Callable[[list[Any]], list[Any]]) -> Path:
    """A copy of a cassette with its lines changed."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    target.write_text("".join(f"{json.dumps(line)}\n" for line in change(lines)), "utf-8")
    return target


# record


@every_provider
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


async def test_a_live_conversation_is_recorded_in_real_time(tmp_path: Path) -> None:
    """Live is whatever the settings reach: here a simulator that the command knows nothing of."""
    import asyncio

    async with Simulator(load("openai"), builtin("text_turn")) as simulator:
        key = simulator.env["OPENAI_API_KEY"]
        done = await asyncio.to_thread(
            in_a_process, "record", "t.jsonl", "Good morning.",
            cwd=tmp_path, UNIRT_PROVIDER="openai", **simulator.env,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Good morning to you." in done.stdout
    cassette = read(tmp_path / "t.jsonl")
    assert cassette.header.origin is Origin.LIVE
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
    assert opened.failed  # type: ignore[attr-defined]  # an Opened


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


# replay


@every_provider
@pytest.mark.parametrize("scenario", [name for name in builtin_names() if name != "bad_config"])
def test_what_was_recorded_is_said_again(provider: str, scenario: str) -> None:
    console, told = shown()
    status = replay.run(ROOT / "cassettes" / provider / f"{scenario}.jsonl", console=console)

    assert status == 0, told()
    assert "Everything was sent and received as recorded." in told()


def test_a_replay_shows_both_views_and_writes_what_was_heard(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    done = unirt("replay", tape("google"), "--audio", "heard.wav")

    assert done.returncode == 0, done.stderr
    kept, _, folded = done.stdout.partition("Folded")
    assert "· ResponseStarted*" in kept
    assert "▸ AudioDelta 1200 ms in 12 pieces" in kept
    assert "assistant transcript 'Good morning to you.': complete" in folded
    with wave.open(str(tmp_path / "heard.wav")) as heard:
        assert heard.getnframes() == pytest.approx(1.2 * heard.getframerate(), abs=1)


def sent_at(lines: list[Any], text: str) -> int:
    return next(n for n, line in enumerate(lines) if text in json.dumps(line.get("sent", "")))


def test_what_unirt_says_of_its_own_accord_must_be_in_the_recording(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    """A session that is spoken over tells how much was heard; this recording lacks that."""

    def without_the_truncation(lines: list[Any]) -> list[Any]:
        del lines[sent_at(lines, "conversation.item.truncate")]
        return lines

    source = tape("openai", "barge_in_playing")
    path = changed(source, tmp_path / "t.jsonl", without_the_truncation)
    done = unirt("replay", path)

    assert done.returncode == 1
    assert "another frame was expected" in done.stdout
    assert "t.jsonl, line" in done.stdout
    assert "'conversation.item.truncate' was sent" in done.stdout
    assert "Everything was sent" not in done.stdout
    assert "Traceback" not in done.stderr


def test_a_frame_that_no_session_sends_is_a_mismatch(tape: Recorder, tmp_path: Path) -> None:
    def with_a_frame(lines: list[Any]) -> list[Any]:
        at = sent_at(lines, "session.update")
        lines[at]["sent"]["session"]["instructions"] = "Say this."
        lines[at]["sent"]["session"]["no_such_setting"] = 1
        return lines

    path = changed(tape("openai"), tmp_path / "t.jsonl", with_a_frame)
    console, told = shown()
    assert replay.run(path, console=console) == 1
    assert "no_such_setting: 1 was recorded, nothing was sent" in told()

    console, told = shown()
    assert replay.run(path, verbatim=True, console=console) == 0, told()


def test_what_a_loudspeaker_had_played_is_told_again(tape: Recorder, tmp_path: Path) -> None:
    """How much was heard is the application's word; only what was truncated shows it."""

    def with_a_slow_loudspeaker(lines: list[Any]) -> list[Any]:
        for line in lines:
            for frame in (line.get("sent"), line.get("received")):
                if frame and "audio_end_ms" in frame:
                    frame["audio_end_ms"] -= 400
        return lines

    source = tape("openai", "barge_in_playing")
    path = changed(source, tmp_path / "t.jsonl", with_a_slow_loudspeaker)
    console, told = shown()
    assert replay.run(path, console=console) == 0, told()


def test_a_frame_that_no_event_tells_is_lost(
    tape: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = load("openai")
    told_by = type(provider.new_translator(SessionConfig()))
    events_received = told_by.events_received

    def forgetful(self: Any) -> list[Event]:
        return [one for one in events_received(self) if not isinstance(one, RateLimitsUpdated)]

    path = tape("openai")
    monkeypatch.setattr(told_by, "events_received", forgetful)
    console, told = shown()
    assert replay.run(path, console=console) == 1
    assert "1 of 31 frames were told by no event" in told()


def test_a_recording_that_no_session_can_open_is_told(tape: Recorder, tmp_path: Path) -> None:
    def without_the_beginning(lines: list[Any]) -> list[Any]:
        return [*lines[:2], *lines[5:]]

    path = changed(tape("google"), tmp_path / "t.jsonl", without_the_beginning)
    console, told = shown()
    assert replay.run(path, console=console) == 1
    assert "setup" in told()


def test_a_recording_of_another_program_is_sent_as_it_is(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    source = tape("openai")
    lines = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    old = tmp_path / "old.jsonl"
    with old.open("w", encoding="utf-8") as file:
        for line in lines:
            for direction in ("sent", "received"):
                if direction in line:
                    file.write(json.dumps({"direction": direction, "data": line[direction]}) + "\n")
    new = tmp_path / "new.jsonl"
    done = unirt("cassette", "convert", old, new, "--provider", "openai")
    assert done.returncode == 0, done.stderr
    assert not is_ours(read(new))
    console, told = shown()
    assert replay.run(new, console=console) == 0, told()
    assert "sent as they are" in told()


@pytest.mark.parametrize("pace", ["slow", "0", "-1"])
def test_a_pace_that_is_none_is_a_wrong_call(pace: str) -> None:
    with pytest.raises(ConfigurationError, match="pace"):
        replay.speed_of(number_or_name(pace))


def test_a_pace_makes_it_take_its_time(tape: Recorder) -> None:
    assert [replay.speed_of(number_or_name(pace)) for pace in ("fast", "recorded", "4")] == [
        None, 1.0, 4.0,
    ]  # fmt: skip
    console, told = shown()
    assert replay.run(tape("openai"), pace=20.0, console=console) == 0, told()


# inspect


def test_nobody_asks_again_and_again_while_a_recording_takes_its_time(
    tape: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a pause to end sleeps once, however long it is."""
    naps = []
    whole = asyncio.sleep

    async def counted(delay: float) -> None:
        naps.append(delay)
        await whole(delay)

    cassette = read(tape("openai"))
    pause = 60_000.0
    later = [attrs.evolve(entry, at_ms=entry.at_ms + pause) for entry in cassette.entries[1:]]
    slow = attrs.evolve(cassette, entries=(cassette.entries[0], *later))
    monkeypatch.setattr(asyncio, "sleep", counted)
    (played,) = asyncio.run(perform(slow, "tape", speed=600))
    assert played.failure is None
    assert 0 < sum(delay > 0 for delay in naps) < len(slow.entries)


def inspected(path: Path, **options: Any) -> str:
    console, told = shown()
    assert inspect.run(path, console=console, **options) == 0
    return told()


def timeline_of(text: str) -> str:
    return text.partition("concluded")[2]


@every_provider
def test_the_timeline_shows_the_wire_beside_the_meaning(provider: str, tape: Recorder) -> None:
    assert "of silence" in inspected(tape(provider, "spoken_turn"))
    told = inspected(tape(provider, "tool_call"))

    assert f"{provider} · " in told
    assert "simulator" in told
    assert "get_weather({" in told
    line = next(line for line in told.splitlines() if "SendToolResult" in line)
    assert "→" in line
    assert "celsius" in line
    assert "user " in told
    assert any(block in told for block in "▃▄▅")


def test_pieces_share_a_line(tape: Recorder) -> None:
    told = timeline_of(inspected(tape("openai", "spoken_turn")))
    (line,) = [line for line in told.splitlines() if "AudioDelta" in line]
    assert "response.output_audio.delta in 18 frames 1800 ms" in line
    assert "AudioDelta 1800 ms in 18 pieces" in line


def test_filters_leave_out_what_is_not_asked_for(tape: Recorder) -> None:
    path = tape("google", "tool_call")
    control = timeline_of(inspected(path, planes=["control"]))
    assert "ResponseStarted" in control
    assert "▸" not in control
    assert "»" not in control
    assert "▸ ToolCall " in timeline_of(inspected(path, planes=["content"]))

    only = timeline_of(inspected(path, only=["Tool*"]))
    assert {line.split()[-2][:10] for line in only.splitlines() if "▸" in line} <= {
        "▸", "ToolCall", "assistant", "ToolCallDe",
    }  # fmt: skip
    assert "SendToolResult" not in only
    assert "toolResponse" in timeline_of(inspected(path, only=["toolResponse*"]))

    late = timeline_of(inspected(path, since="2.7s", until="2750"))
    times = [float(line.split()[1]) for line in late.splitlines() if line[:6].strip().isdigit()]
    assert times
    assert all(2.7 <= time <= 2.75 for time in times)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--plane", "astral"], "no plane 'astral'"),
        (["--since", "noon"], "'noon' is no time"),
        (["--until", "1m"], "'1m' is no time"),
    ],
)
def test_an_inspection_that_cannot_be_is_a_wrong_call(
    unirt: Run, arguments: list[str], says: str, tape: Recorder, tmp_path: Path
) -> None:
    done = unirt("inspect", tape(), *arguments)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.parametrize("command", [["inspect"], ["replay"], ["cassette", "check"]])
def test_a_file_that_is_not_there_is_a_wrong_call(
    unirt: Run, command: list[str], tmp_path: Path
) -> None:
    done = unirt(*command, "no.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith("unirt: there is no such file (no.jsonl)")


@pytest.mark.parametrize("command", [["inspect"], ["replay"]])
def test_a_file_that_is_no_cassette_is_told_with_its_line(
    unirt: Run, command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t.jsonl").write_text('{"direction": "sent", "data": {}}\n')
    done = unirt(*command, "t.jsonl")
    assert done.returncode == 1
    assert "t.jsonl, line 1" in done.stderr
    assert "unirt cassette convert" in done.stderr
    assert "Traceback" not in done.stderr


# cassette check


def test_the_cassettes_of_this_repository_are_fine() -> None:
    names = ("text_turn", "barge_in_playing", "parallel_tool_calls", "connection_lost")
    paths = [ROOT / "cassettes" / p / f"{name}.jsonl" for p in installed() for name in names]
    paths += sorted((ROOT / "cassettes" / "faults" / "google").glob("*.jsonl"))
    console, told = shown()
    assert check.run(paths, console=console) == 0, told()
    assert told().count("fine") == len(paths)


def test_check_finds_secrets_and_never_shows_them(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    def leaky(lines: list[Any]) -> list[Any]:
        lines[3]["sent"]["session"]["instructions"] = "Use sk-abcdefghijklmnopqrstuvwxyz to pay."
        lines[4]["received"]["session"]["password"] = "open sesame, please"
        lines[5]["sent"]["item"]["content"][0]["text"] = "my value is correct-horse-battery"
        return lines

    path = changed(tape(), tmp_path / "t.jsonl", leaky)
    done = unirt("cassette", "check", path, OPENAI_API_KEY="correct-horse-battery")

    assert done.returncode == 1
    assert "what looks like a key" in done.stdout
    assert "line 4)" in done.stdout
    assert "under a name that is secret" in done.stdout
    assert "line 5)" in done.stdout
    assert "the value of OPENAI_API_KEY" in done.stdout
    assert "unirt cassette scrub" in done.stdout
    for secret in ("sk-abc", "sesame", "correct-horse"):
        assert secret not in done.stdout + done.stderr


def test_check_tells_a_truncated_file_and_goes_on(
    unirt: Run, tape: Recorder, tmp_path: Path
) -> None:
    good = tape()
    (tmp_path / "bad.jsonl").write_bytes(good.read_bytes()[:-300])
    done = unirt("cassette", "check", "bad.jsonl", good)

    assert done.returncode == 1
    assert "truncated" in done.stdout
    assert "bad.jsonl, line" in done.stdout
    assert f"fine {good}" in done.stdout


def test_check_tells_a_stale_cassette(tape: Recorder, tmp_path: Path) -> None:
    def renamed(lines: list[Any]) -> list[Any]:
        lines[sent_at(lines, "response.create")]["sent"]["type"] = "response.make"
        return lines

    path = changed(tape(), tmp_path / "t.jsonl", renamed)
    console, told = shown()
    assert check.run([path], console=console) == 1
    assert "does not understand 'response.make'" in told()


def test_check_tells_what_is_not_legal(tape: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """No translator of ours breaks the order, so the rules are changed instead."""
    from unirt import events, grammar

    table = {noun: dict(states) for noun, states in grammar.TRANSITIONS.items()}
    responses = table[grammar.Noun.RESPONSE]
    responses[grammar.State.OPEN] = {
        kind: state
        for kind, state in responses[grammar.State.OPEN].items()
        if kind is not events.AudioDelta
    }
    monkeypatch.setattr(grammar, "TRANSITIONS", table)
    found = list(check.found_in(read(tape()), "t.jsonl"))
    assert any(
        "not legal" in line and "AudioDelta" in line and "t.jsonl, line" in line for line in found
    )


# cassette scrub, mutate, convert


def test_scrub_takes_out_what_is_asked_for(unirt: Run, tape: Recorder, tmp_path: Path) -> None:
    source = tape("openai", "spoken_turn")
    done = unirt("cassette", "scrub", source, "clean.jsonl", "--audio", "silence")
    assert done.returncode == 0, done.stderr
    clean = read(tmp_path / "clean.jsonl")
    assert clean.header.scrubbed["audio"] == "silence"
    assert any(isinstance(entry, Framed) and entry.altered for entry in clean.entries)
    console, told = shown()
    assert check.run([tmp_path / "clean.jsonl"], console=console) == 0, told()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["t.jsonl", "t.jsonl"], "not changed where it is"),
        (["t.jsonl", "there.jsonl"], "--force"),
        (["t.jsonl", "new.jsonl", "--audio", "some"], "'some'"),
        (["no.jsonl", "new.jsonl"], "no such file"),
    ],
)
def test_a_scrub_that_cannot_be_is_a_wrong_call(
    unirt: Run, arguments: list[str], says: str, tape: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "t.jsonl").write_bytes(tape().read_bytes())
    (tmp_path / "there.jsonl").write_text("mine")
    done = unirt("cassette", "scrub", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert (tmp_path / "there.jsonl").read_text() == "mine"
    assert not (tmp_path / "new.jsonl").exists()


def test_mutate_lists_all_faults(unirt: Run, tmp_path: Path) -> None:
    done = unirt("cassette", "mutate", "--list")
    assert done.returncode == 0
    for name in FAULTS:
        assert name in done.stdout
    assert "code=1011" in done.stdout


def mutated(path: Path, target: Path, *faults: str, at: str | None = None) -> Cassette:
    from unirt.cli.mutate import run

    console, _ = shown()
    assert run(path, target, faults=list(faults), at=at, console=console) == 0
    return read(target)


def test_faults_happen_where_and_as_they_are_told(tape: Recorder, tmp_path: Path) -> None:
    path = tape()
    closed = mutated(
        path, tmp_path / "a.jsonl", "close:code=1008,reason=Not today, sorry", at="audio.delta"
    )
    last = closed.entries[-1]
    assert isinstance(last, Closed)
    assert (last.code, last.reason, last.by) == (1008, "Not today, sorry", "remote")
    assert closed.header.origin is Origin.HAND_WRITTEN

    both = mutated(path, tmp_path / "b.jsonl", "garbage:text=oops, what", "unknown", at="9")
    first, second = both.entries[7:9]
    assert isinstance(first, Framed)
    assert isinstance(second, Framed)
    assert first.data == "oops, what"
    assert second.data == {"type": "novelty.announced"}

    console, told = shown()
    assert check.run([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], console=console) == 0, told()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no fault is named"),
        (["--fault", "clos"], "did you mean close?"),
        (["--fault", "close:cod=1"], "no option 'cod=1'"),
        (["--fault", "close:code=much"], "write a number"),
        (["--fault", "close:by=me"], "close:by cannot be 'me'"),
        (["--fault", "cut:now=1"], "leave it out"),
        (["--fault", "cut", "--at", "2"], "no frame is received in line 2"),
    ],
)
def test_a_mutation_that_cannot_be_is_a_wrong_call(
    unirt: Run, arguments: list[str], says: str, tape: Recorder, tmp_path: Path
) -> None:
    done = unirt("cassette", "mutate", tape(), "new.jsonl", *arguments)
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert not (tmp_path / "new.jsonl").exists()


def test_convert_says_what_it_needs_and_where_it_stumbles(unirt: Run, tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text('{"direction": "received", "data": {"x": 1}}\n')
    done = unirt("cassette", "convert", "old.jsonl", "new.jsonl")
    assert done.returncode == 2
    assert "--provider" in done.stderr

    done = unirt("cassette", "convert", "old.jsonl", "new.jsonl", "--provider", "google")
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "new.jsonl").header.origin is Origin.IMPORTED

    (tmp_path / "odd.jsonl").write_text('{"direction": "received", "data": {}}\n{"a": 1}\n')
    done = unirt("cassette", "convert", "odd.jsonl", "x.jsonl", "--provider", "google")
    assert done.returncode == 1
    assert "odd.jsonl, line 2" in done.stderr
    assert not (tmp_path / "x.jsonl").exists()


def test_convert_takes_secrets_out(unirt: Run, tmp_path: Path) -> None:
    frame = {"type": "session.update", "session": {"instructions": "sk-abcdefghijklmnopqrstuvwxyz"}}
    (tmp_path / "old.jsonl").write_text(json.dumps({"direction": "sent", "data": frame}) + "\n")
    done = unirt("cassette", "convert", "old.jsonl", "new.jsonl", "--provider", "openai")
    assert done.returncode == 0, done.stderr
    assert "sk-abc" not in (tmp_path / "new.jsonl").read_text("utf-8")
    assert cassettes.read(tmp_path / "new.jsonl").header.scrubbed["secrets"] == 1


# The page of the documentation.


def commands_in(page: Path) -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("unirt ")]


def test_every_command_of_the_page_works(unirt: Run, tape: Recorder, tmp_path: Path) -> None:
    page = ROOT / "docs" / "howto" / "look-at-cassettes.md"
    commands = commands_in(page)
    assert {command[0] for command in commands} == {"record", "replay", "inspect", "cassette"}
    assert {c[1] for c in commands if c[0] == "cassette"} == {"check", "scrub", "mutate", "convert"}
    (tmp_path / "old.jsonl").write_text('{"direction": "received", "data": {"setupComplete": {}}}')
    (tmp_path / "question.wav").write_bytes(SPEECH.read_bytes())
    for command in commands:
        done = unirt(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
