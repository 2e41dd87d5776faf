"""``unirt inspect``, as a person runs it: the wire beside its meaning."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Recorder, Run, shown
from unirt.cli import inspect
from unirt.registry import installed


def inspected(path: Path, **options: Any) -> str:
    console, told = shown()
    assert inspect.run(path, console=console, **options) == 0
    return told()


def timeline_of(text: str) -> str:
    return text.partition("concluded")[2]


@pytest.mark.parametrize("provider", installed())
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
        (["--since", "nan"], "'nan' is no time"),
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


@pytest.mark.parametrize(
    "options", [("inspect", "--html"), ("replay", "--audio")], ids=["page", "sound"]
)
def test_what_is_made_of_a_cassette_never_takes_its_place(
    unirt: Run, options: tuple[str, str], tape: Recorder, tmp_path: Path
) -> None:
    command, option = options
    before = tape().read_bytes()
    done = unirt(command, tape(), option, tape())
    assert done.returncode == 2
    assert "not changed where it is" in done.stderr
    assert tape().read_bytes() == before

    made = tmp_path / "in" / "folders" / "made"
    assert unirt(command, tape(), option, made).returncode == 0
    assert made.stat().st_size > 1_000

    (tmp_path / "file").write_text("")
    done = unirt(command, tape(), option, tmp_path / "file" / "made")
    assert done.returncode == 2
    assert "it cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
