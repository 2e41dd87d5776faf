"""
Every example in README and docs runs, on every provider, against the simulators.

And whatever a page leads to, or names, is there.
"""

import asyncio
import gc
import importlib
import inspect
import logging
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

import unirt
from tests.pace import FAST
from unirt import sound
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.settings import Settings
from unirt.simulator import Simulator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
CODE = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"(?<![\w./-])unirt(?:_openai|_google)?(?:\.\w+)+")
PLACE = re.compile(r"(?:unirt|providers|tests|examples|docs|cassettes|\.ci)/[\w./*-]+")
OF_OTHERS = {"docs/decisions/0065-realtime-api-clients.md", "tests/realtime/cassettes"}
"Places in other projects, which the first decision quotes."


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


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector as it was, afterwards, likewise."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("log", "collector")
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


def everything_to_read() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def anchors(page: Path) -> set[str]:
    """What can be linked to within a page: its headings, as GitHub makes them into anchors."""
    headings = HEADING.findall(FENCE.sub("", page.read_text("utf-8")))
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in plain}


def leads_somewhere(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", ())
            found = getattr(found, part)
        return True
    return False


PAGE = pytest.mark.parametrize(
    "page", everything_to_read(), ids=lambda page: str(page.relative_to(ROOT))
)


@PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" not in target:
            other = (page.parent / target).resolve() if target else page
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), f"{target}#{anchor}"


@PAGE
def test_what_is_named_is_there(page: Path) -> None:
    group = "unirt.providers"  # of entry points
    room = (ROOT / "unirt" / "telemetry").glob("*.py")
    attributes = {name for path in room for name in NAME.findall(path.read_text("utf-8"))}
    quoted = CODE.findall(FENCE.sub("", page.read_text("utf-8")))
    names = {name for code in quoted for name in NAME.findall(code)} - attributes - {group}
    assert {name for name in names if not leads_somewhere(name)} == set()
    places = {code for code in quoted if PLACE.fullmatch(code)} - OF_OTHERS
    assert {place for place in places if not any(ROOT.glob(place.rstrip("/")))} == set()


def test_every_argument_and_every_variable_is_on_the_page_of_the_configuration() -> None:
    page = (ROOT / "docs" / "howto" / "configure.md").read_text("utf-8")
    variables = {f"`UNIRT_{name.upper()}`" for name in Settings.model_fields}
    arguments = {f"`{name}`" for name in inspect.signature(unirt.connect).parameters}
    named = {f"`{code}`" for code in CODE.findall(page)}
    in_lower_case = {"`temperature`", "`max_output_tokens`", "`speed`"}
    assert (variables | arguments) - in_lower_case - named == set()


def test_every_extra_is_in_the_table_of_extras() -> None:
    page = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = set(project["optional-dependencies"]) - {"bench", "test"}  # of a checkout
    rows = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    assert {name for row in rows for name in CODE.findall(row)} == extras


def test_every_part_of_a_provider_is_on_its_page() -> None:
    page = (ROOT / "docs" / "howto" / "write-a-provider.md").read_text("utf-8")
    optional = [
        field.name for field in attrs.fields(Provider) if field.default is not attrs.NOTHING
    ]
    assert optional
    assert [name for name in optional if f"`{name}`" not in page] == []


def test_every_source_and_every_player_is_on_its_page() -> None:
    page = (ROOT / "docs" / "howto" / "sound.md").read_text("utf-8")
    told = {"Device", "Level"}  # what devices say of themselves
    names = {name for name in sound.__all__ if name[0].isupper()} - told
    assert {name for name in names if not re.search(rf"`{name}\b", page)} == set()


def test_every_example_is_in_the_table_of_examples() -> None:
    page = (ROOT / "examples" / "README.md").read_text("utf-8")
    folders = {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}
    assert set(re.findall(r"^\| \[(\w+)\]", page, re.MULTILINE)) == folders - {"__pycache__"}


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
