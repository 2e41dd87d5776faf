"""The examples run, on every provider, against the simulators."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from unirt.registry import installed, load
from unirt.simulator import Simulator

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
