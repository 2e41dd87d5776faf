"""``unirt cassette``, as a person runs it, and every command of the page on cassettes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import ROOT, SPEECH, Recorder, Run, changed, sent_at, shown
from unirt.cassettes import Cassette, Closed, Framed, Origin, read
from unirt.cassettes.faults import FAULTS
from unirt.cli import check
from unirt.cli.mutate import run as mutate
from unirt.registry import installed

# check


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
        lines[0]["against"] = "wss://host/correct-horse-battery"
        said = [line["received"] for line in lines if "transcript.delta" in str(line)]
        said[0]["delta"], said[1]["delta"] = "It is sk-abcdefgh", "ijklmnopqrstuvwxyz."
        return lines

    path = changed(tape(), tmp_path / "t.jsonl", leaky)
    done = unirt("cassette", "check", path, OPENAI_API_KEY="correct-horse-battery")

    assert done.returncode == 1
    assert "what looks like a key" in done.stdout
    assert "line 4)" in done.stdout
    assert "under a name that is secret" in done.stdout
    assert "line 5)" in done.stdout
    assert "the header holds a secret" in done.stdout
    assert done.stdout.count("a part of a secret") == 3  # with that under a name
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


# scrub, mutate, convert


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
    console, _ = shown()
    assert mutate(path, target, faults=list(faults), at=at, console=console) == 0
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
    assert read(tmp_path / "new.jsonl").header.scrubbed["secrets"] == 1


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
