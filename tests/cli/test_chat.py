"""``unirt chat``: by file and by keyboard, and in one line why there is none."""

import asyncio
import os
import wave
from pathlib import Path

import pytest

from tests.cli.terminal import UNIRT, Run, in_a_process
from tests.pace import FAST
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"UNIRT_PROVIDER": "openai"}, "OPENAI_API_KEY"),
        ({"UNIRT_PROVIDER": "google"}, "GEMINI_API_KEY"),
        ({}, "UNIRT_PROVIDER"),
        ({"UNIRT_PROVIDER": "nobody"}, "no provider named 'nobody'"),
    ],
)
def test_chat_without_a_key_says_which_variable_to_set(
    env: dict[str, str], says: str, unirt: Run
) -> None:
    done = unirt("chat", "--text", **env)

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_chat_speaks_a_file_and_writes_the_answer(
    provider: str, question: Path, tmp_path: Path
) -> None:
    async with Simulator(load(provider), pace=FAST) as simulator:
        done = await asyncio.to_thread(
            in_a_process, "chat", "--wav", question, "--out", "reply.wav",
            cwd=tmp_path, UNIRT_PROVIDER=provider, **simulator.env,
        )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    with wave.open(str(tmp_path / "reply.wav")) as reply:
        assert reply.getnframes() > 0
    assert "seconds of speech" in done.stdout


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_chat_by_keyboard(provider: str, tmp_path: Path) -> None:
    async with Simulator(load(provider), pace=FAST) as simulator:
        process = await asyncio.create_subprocess_exec(
            *UNIRT, "chat", "--text", cwd=tmp_path,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "UNIRT_PROVIDER": provider, **simulator.env},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello there\n")
        said = b""
        while b"hello there" not in said:
            said += await process.stdout.read(100)
        process.stdin.close()
        await process.wait()

    assert process.returncode == 0


def test_a_wrong_file_is_told_in_one_line(unirt: Run, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"not a wave")
    done = unirt("chat", "--wav", "x.wav")

    assert done.returncode == 1
    assert "x.wav" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_chat_tells_in_one_line_why_the_session_ended(
    provider: str, question: Path, unirt: Run
) -> None:
    scenario = loads(
        '[[reply]]\ncue = "speech"\nsteps = [{ close = 1011, reason = "out of order" }]'
    )
    async with Simulator(load(provider), scenario) as simulator:
        done = await asyncio.to_thread(
            unirt, "chat", "--wav", question, UNIRT_PROVIDER=provider,
            UNIRT_RECONNECT="off", **simulator.env,
        )  # fmt: skip

    assert done.returncode == 1
    assert "1011" in done.stderr
    assert "out of order" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["mp3", "pcm16/", "pcm16/12", "", "ulaw/8000/99"])
def test_what_is_no_format_is_told(name: str, unirt: Run) -> None:
    done = unirt("chat", "--wav", "-", "--format", name)

    assert done.returncode == 1
    assert "--format" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--wav", "in.wav", "--mic", "headset"], "no sound device is used with --wav (--mic"),
        (["--wav", "in.wav", "--guard", "echo"], "no sound device is used with --wav (--guard)"),
        (["--text", "--speaker", "desk"], "no sound device is used with --text (--mic"),
        (["--format", "ulaw"], "nothing goes through a pipe (--format)"),
        (["--wav", "in.wav", "--out", "o.wav", "--format", "ulaw"], "nothing goes through a pipe"),
    ],
    ids=" ".join,
)
def test_what_would_be_passed_over_is_refused(arguments: list[str], said: str, unirt: Run) -> None:
    done = unirt("chat", *arguments, UNIRT_PROVIDER="openai", OPENAI_API_KEY="k")

    assert done.returncode == 1
    assert said in done.stderr
