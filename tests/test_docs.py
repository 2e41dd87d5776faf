"""Every example in README and docs runs, on every provider, against the simulators."""

import asyncio
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.pace import FAST
from unirt.registry import installed, load
from unirt.simulator import Simulator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def examples() -> list[object]:
    return [
        pytest.param(block, id=f"{page.stem}-{n}")
        for page in PAGES
        for n, block in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
    ]


@pytest.fixture(scope="module")
def environments() -> Iterator[Mapping[str, Mapping[str, str]]]:
    """The variables that point a client at a simulator of each provider."""
    ready: dict[str, Mapping[str, str]] = {}
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        simulators = [Simulator(load(name), pace=FAST) for name in installed()]
        for simulator in simulators:
            await simulator.__aenter__()
            ready[simulator.provider.name] = simulator.env
        started.set()
        await stop.wait()
        for simulator in simulators:
            await simulator.__aexit__(None, None, None)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    started.wait()
    yield ready
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture
def log() -> Iterator[None]:
    """The log as it was, afterwards: examples set it up for a program of their own."""
    mine, frames = logging.getLogger("unirt"), logging.getLogger("unirt.transports.frames")
    handlers, levels = mine.handlers[:], (mine.level, frames.level)
    yield
    mine.handlers[:] = handlers
    mine.setLevel(levels[0])
    frames.setLevel(levels[1])


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("provider", installed())
@pytest.mark.parametrize("code", examples())
def test_example(
    code: str,
    provider: str,
    environments: Mapping[str, Mapping[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNIRT_PROVIDER", provider)
    for environment in environments.values():
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
    exec(compile(code, "example", "exec"), {"__name__": "__main__"})

    assert capsys.readouterr().out or list(tmp_path.iterdir())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
