"""The console script, as a person runs it."""

import asyncio
import io
import os
import re
import signal
import socket
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from unirt.cli.demo import run, scenario
from unirt.events import Ending
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.scenario import End, Say, Scenario
from unirt.simulator.script import loads
from unirt.usage import Tokens, Usage

UNIRT = [sys.executable, "-c", "from unirt.cli import main; main()"]
SPEECH = Path(__file__).parent.parent / "examples" / "audio" / "go_forward.wav"


def unirt(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*UNIRT, *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", **env},
    )  # fmt: skip


def test_the_demo_agrees_with_itself_and_writes_its_replies(tmp_path: Path) -> None:
    done = unirt("demo", "--fast", cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The folded streams agree." in done.stdout
    assert "ToolCall drive" in done.stdout
    assert "Interrupted" in done.stdout
    replies = sorted(path.name for path in (tmp_path / "unirt-demo").iterdir())
    assert replies == [
        "google-reply-1.wav", "google-reply-2.wav", "openai-reply-1.wav", "openai-reply-2.wav",
    ]  # fmt: skip
    with wave.open(str(tmp_path / "unirt-demo" / "openai-reply-2.wav")) as reply:
        assert reply.getnframes() / reply.getframerate() == pytest.approx(2.6, abs=0.2)


@pytest.mark.parametrize("provider", ["openai", "google"])
def test_the_demo_runs_one_provider(provider: str, tmp_path: Path) -> None:
    done = unirt("demo", "--fast", "--provider", provider, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "is legal and complete" in done.stdout


def changed(reply: int, **fields: Any) -> Scenario:
    """The demo's conversation with one of its replies changed."""
    demo = scenario()
    replies = list(demo.replies)
    replies[reply] = attrs.evolve(replies[reply], **fields)
    return attrs.evolve(demo, replies=tuple(replies))


DIFFERENCES: dict[str, tuple[int, dict[str, Any]]] = {
    "a word": (1, {"steps": (Say(text="I have driven ten metres.", ms=9_000),)}),
    "a cost": (1, {"usage": Usage(output=Tokens(audio=1))}),
    "an ending": (2, {"steps": (Say(text="I"), End(ending=Ending.FAILED, reason="quota"))}),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
async def test_the_demo_fails_where_the_providers_differ(difference: str, tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    reply, fields = DIFFERENCES[difference]
    other = changed(reply, **fields)
    status = await run(
        ["google", "openai"], fast=True, out=tmp_path, console=console, scripts={"openai": other}
    )

    assert status == 1
    assert isinstance(console.file, io.StringIO)
    assert "The streams differ." in console.file.getvalue()


async def test_the_demo_fails_where_nothing_was_interrupted(tmp_path: Path) -> None:
    quiet = attrs.evolve(scenario(), actions=scenario().actions[:1])
    status = await run(
        ["openai"], fast=True, out=tmp_path, console=Console(file=io.StringIO()),
        scripts={"openai": quiet},
    )  # fmt: skip

    assert status == 1


def test_providers_tells_what_is_set_and_never_the_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOOGLE_API_KEY=AIza-very-secret\n")
    done = unirt("providers", cwd=tmp_path, OPENAI_API_KEY="sk-very-secret")

    assert done.returncode == 0, done.stderr
    assert re.search(r"OPENAI_API_KEY .* yes", done.stdout)
    assert re.search(r"GOOGLE_API_KEY .* yes", done.stdout)
    assert re.search(r"GEMINI_API_KEY .* no", done.stdout)
    assert "very-secret" not in done.stdout + done.stderr
    for word in ("openai", "google", "native", "emulated", "refused", "synthesised"):
        assert word in done.stdout


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
    env: dict[str, str], says: str, tmp_path: Path
) -> None:
    done = unirt("chat", "--text", cwd=tmp_path, **env)

    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_chat_speaks_a_file_and_writes_the_answer(provider: str, tmp_path: Path) -> None:
    async with Simulator(load(provider)) as simulator:
        done = await asyncio.to_thread(
            unirt, "chat", "--wav", str(SPEECH), "--out", "reply.wav",
            cwd=tmp_path, UNIRT_PROVIDER=provider, **simulator.env,
        )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    with wave.open(str(tmp_path / "reply.wav")) as reply:
        assert reply.getnframes() > 0
    assert "seconds of speech" in done.stdout


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_chat_by_keyboard(provider: str, tmp_path: Path) -> None:
    async with Simulator(load(provider)) as simulator:
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


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_simulate_prints_what_a_client_needs_and_stops_when_told(
    provider: str, tmp_path: Path
) -> None:
    (tmp_path / "s.toml").write_text('[[reply]]\ncue = "speech"\nsteps = [{ say = "As written." }]')
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *UNIRT, "simulate", provider, "--port", str(port), "--script", "s.toml",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    printed = b""
    while b"Ctrl-C" not in printed:
        printed += await process.stdout.readline()
    env = dict(re.findall(r"export (\w+)=(\S+)", printed.decode()))
    done = await asyncio.to_thread(
        unirt, "chat", "--wav", str(SPEECH), cwd=tmp_path, UNIRT_PROVIDER=provider, **env
    )
    process.send_signal(signal.SIGINT)
    await process.wait()

    assert done.returncode == 0, done.stdout + done.stderr
    assert process.returncode == 0
    assert f":{port}".encode() in printed
    assert "As written." in done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_wrong_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"not a wave")
    done = unirt("chat", "--wav", "x.wav", cwd=tmp_path)

    assert done.returncode == 1
    assert "x.wav" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_scenario_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[[reply]]\ncue = "shout"\n')
    done = unirt("simulate", "openai", "--script", "x.toml", cwd=tmp_path)

    assert done.returncode == 1
    assert "x.toml" in done.stderr
    assert "shout" in done.stderr


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_chat_tells_in_one_line_why_the_session_ended(provider: str, tmp_path: Path) -> None:
    scenario = loads(
        '[[reply]]\ncue = "speech"\nsteps = [{ close = 1011, reason = "out of order" }]'
    )
    async with Simulator(load(provider), scenario) as simulator:
        done = await asyncio.to_thread(
            unirt, "chat", "--wav", str(SPEECH), cwd=tmp_path,
            UNIRT_PROVIDER=provider, **simulator.env,
        )  # fmt: skip

    assert done.returncode == 1
    assert "1011" in done.stderr
    assert "out of order" in done.stderr
    assert "Traceback" not in done.stderr
