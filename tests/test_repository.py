"""The repository as a whole: style, types, layers, and what must never be committed."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.versions.__main__ import SERIES

ROOT = Path(__file__).parent.parent
CORE = ROOT / "unirt"


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def tool(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    return str(path) if path.exists() else name


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=" ".join,
)
@pytest.mark.timeout(600)
def test_checker(command: list[str]) -> None:
    name, *arguments = command
    run(tool(name), *arguments)


def test_every_series_of_websockets_that_is_allowed_is_tried() -> None:
    requirement = re.search(r'"websockets>=(\d+),<(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert requirement is not None
    least, beyond = map(int, requirement.groups())
    assert tuple(range(least, beyond)) == SERIES


def requirements() -> list[Requirement]:
    """What is asked for, by each extra; without ourselves."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    texts = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        texts += extra
    found = map(Requirement, texts)
    return [one for one in found if one.name != project["project"]["name"]]


def test_every_requirement_has_a_least_and_a_first_version_beyond() -> None:
    open_ended = [
        str(one)
        for one in requirements()
        if {spec.operator for spec in one.specifier} != {">=", "<"}
    ]
    assert open_ended == []


def test_ci_has_a_version_of_every_requirement_and_nothing_else_is_said_there() -> None:
    lines = (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines)
    names = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pinned.items()}
    not_installed = {"hatchling", "matplotlib"}  # a build's own, and the long benchmarks'
    for one in requirements():
        if one.name not in not_installed:
            assert one.specifier.contains(names[one.name]), one
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)


def tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_only_the_agreed_names_stand_at_the_top() -> None:
    agreed = {"pyproject.toml", "unirt", "providers", "tests", "cassettes", "docs", "examples"}
    beside = {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in found if not name.startswith(".")} <= agreed | beside


def test_no_text_tells_to_install_somebody_elses_package() -> None:
    wrong = re.compile(r"pip install ['\"]?unirt(?!-realtime)")
    for path in tracked():
        if path.suffix in {".md", ".py", ".toml", ".txt"} and path != Path(__file__):
            assert not wrong.search(path.read_text(encoding="utf-8")), path


def test_the_core_names_no_provider() -> None:
    packages = (ROOT / "providers").glob("unirt_*/translator.py")
    names = [path.parent.name.removeprefix("unirt_") for path in packages]
    assert len(names) >= 2
    for path in CORE.rglob("*.py"):
        text = path.read_text(encoding="utf-8").lower()
        assert not any(name in text for name in names), path


def test_no_file_is_a_hall() -> None:
    rooms = [path for folder in ("unirt", "providers") for path in (ROOT / folder).rglob("*.py")]
    halls = {
        str(path.relative_to(ROOT)): lines
        for path in rooms
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert halls == {}


def test_every_room_is_in_the_table_of_rooms() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| (`unirt/[^|]+) \|", text, re.MULTILINE)
    told = [name.removeprefix("unirt/") for row in rows for name in re.findall(r"`([^`]+)`", row)]
    there = {path.relative_to(ROOT).parts[1] for path in tracked() if path.is_relative_to(CORE)}
    assert set(told) - {"transports/webrtc"} == there - {"__init__.py", "py.typed"}
    assert len(set(told)) == len(told)


def test_whatever_is_overlooked_says_why() -> None:
    silenced = re.compile(r"# ?(?:noqa|type: ?ignore|pragma|ruff:|mypy:).*$", re.MULTILINE)
    typed = r"[#] type: ignore\[.+?\]"
    said = re.compile(rf"(?:{typed}  )?[#] noqa: [A-Z]+\d+  \(.+\)|{typed}  [#] (?!noqa)\w.+")
    unsaid = [
        (str(path.relative_to(ROOT)), one)
        for path in tracked()
        if path.suffix == ".py"
        for one in silenced.findall(path.read_text(encoding="utf-8"))
        if not said.fullmatch(one)
    ]
    assert unsaid == []
