"""The examples run, on every provider, against the simulators."""

import asyncio
import os
import re
import sys
import wave
from pathlib import Path

import pytest

from tests.talking import PAIRS
from unirt.registry import installed, load
from unirt.simulator import Simulator
from unirt.simulator.script import loads

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.parametrize("provider", installed())
async def test_both_views(provider: str, tmp_path: Path) -> None:
    async with Simulator(load(provider)) as simulator:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / "both_views" / "both_views.py"),
            str(EXAMPLES / "audio" / "go_forward.wav"),
            cwd=tmp_path,
            env={**os.environ, "UNIRT_PROVIDER": provider, **simulator.env},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()

    lines = printed.decode().splitlines()
    assert process.returncode == 0
    assert "[control] SessionStarted" in lines
    assert any(line.startswith("[control] ResponseDone") for line in lines)
    assert any("[content] user: " in line for line in lines)
    assert any("[content] assistant: I heard" in line for line in lines)
    assert ("[control] ResponseStarted (concluded)" in lines) == (provider == "google")


async def test_the_order_desk_passes_its_own_tests(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'own'}",
        cwd=EXAMPLES / "order_desk",
        env={"PATH": os.defpath},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    assert b"5 passed" in printed


def test_the_page_on_cassettes_shows_tests_of_the_order_desk() -> None:
    page = (EXAMPLES.parent / "docs" / "howto" / "cassettes.md").read_text("utf-8")
    tests = (EXAMPLES / "order_desk" / "test_order_desk.py").read_text("utf-8")
    shown = re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert shown
    assert all(block in tests for block in shown)


FAILS = loads("""
    [pace]
    speed = 50

    [[reply]]
    cue = "text"
    steps = [{ say = "Pleased to meet you.", ms = 300 }]

    [[reply]]
    cue = "text"
    steps = [{ say = "Your name", ms = 200 }, { close = 1011, reason = "overloaded" }]
""")


@pytest.mark.parametrize("chain", PAIRS, ids="-to-".join)
async def test_failover(chain: tuple[str, str], tmp_path: Path) -> None:
    """A provider fails in the middle of an answer; the other one goes on, and then is left."""
    async with Simulator(load(chain[0]), FAILS) as here, Simulator(load(chain[1])) as there:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / "failover" / "failover.py"),
            cwd=tmp_path,
            env={
                **os.environ,
                **here.env,
                **there.env,
                "UNIRT_FALLBACK": ",".join(chain),
                "UNIRT_SPEED": "" if chain[0] == "google" else "1.25",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        keys, screen = process.stdin, process.stdout
        assert keys is not None
        assert screen is not None
        printed: list[str] = []

        async def say(line: str, *until: str) -> None:
            keys.write(f"{line}\n".encode())
            for words in until:
                printed.append((await screen.readline()).decode())
                while words not in printed[-1]:
                    assert printed[-1], printed
                    printed.append((await screen.readline()).decode())

        await say("I am Ada.", f"{chain[0]}: Pleased to meet you.")
        await here.__aexit__(None, None, None)
        await say("Hello?", f"lost: trying {chain[1]}", f"[{chain[1]}] ready", f"{chain[1]}: ")
        await say("/nobody", "no provider named 'nobody'")
        await say(f"/{chain[0]}", f"[{chain[1]}] goes on: could not connect")
        await say("Still there?", f"{chain[1]}: ")
        keys.close()
        rest = await screen.read()
        assert await process.wait() == 0, (printed, rest)


async def test_webrtc_client(tmp_path: Path) -> None:
    """A question from a file, over two real peers, and the answer in another file."""
    async with Simulator(load("openai")) as simulator:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / "webrtc_client" / "webrtc_client.py"),
            str(EXAMPLES / "audio" / "go_forward.wav"),
            "answer.wav",
            cwd=tmp_path,
            env={**os.environ, **simulator.env},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    lines = printed.decode().splitlines()
    assert process.returncode == 0
    assert lines[0] == "the call is rtc_1"
    assert any(line.startswith("assistant: I heard") for line in lines)
    with wave.open(str(tmp_path / "answer.wav"), "rb") as file:
        assert file.getframerate() == 24_000
        assert file.getnframes() > 12_000
        assert any(file.readframes(file.getnframes()))
