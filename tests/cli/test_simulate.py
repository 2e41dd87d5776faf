"""``unirt simulate``: a server for any client, until it is told to stop."""

import asyncio
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.cli.terminal import UNIRT, Run


@pytest.mark.parametrize("provider", ["openai", "google"])
async def test_simulate_prints_what_a_client_needs_and_stops_when_told(
    provider: str, question: Path, unirt: Run, tmp_path: Path
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
    done = await asyncio.to_thread(unirt, "chat", "--wav", question, UNIRT_PROVIDER=provider, **env)
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


def test_a_wrong_scenario_is_told_with_its_place(unirt: Run, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('[[reply]]\ncue = "shout"\n')
    done = unirt("simulate", "openai", "--script", "x.toml")

    assert done.returncode == 1
    assert "x.toml" in done.stderr
    assert "shout" in done.stderr
