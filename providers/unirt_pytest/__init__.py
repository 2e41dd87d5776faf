"""
The pytest plug-in: a marker and a fixture that put a cassette in while a test runs.

::

    @pytest.mark.unirt_cassette
    async def test_greeting():
        ...  # whatever it connects to comes from cassettes/<module>/test_greeting.jsonl

pytest imports it in every run where unirt is installed. So it stands beside the package and not in
it, and imports unirt when the first test uses a cassette. The record mode is that of the command
line (``--unirt-record``), else of the marker, else of the ini file (``unirt_record``), else
``none``.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unirt.deck.deck import Deck

__all__: list[str] = []

MARKER = "unirt_cassette"
_UNSAFE = re.compile(r"[^\w.\[\]-]+")
_LONGEST = 120
"Characters of a file's name."
_DECK = pytest.StashKey["Deck"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The command line and the ini file."""
    modes = "none, once, new_episodes, all or rewrite"
    parser.getgroup("unirt").addoption(
        "--unirt-record", metavar="MODE", help=f"record mode of unirt cassettes: {modes}"
    )
    parser.addini("unirt_record", f"record mode of unirt cassettes: {modes}", default="")
    parser.addini("unirt_match", "matchers of unirt cassettes", type="args", default=[])
    parser.addini("unirt_pace", "fast, recorded, or how many times faster", default="")
    parser.addini("unirt_audio", "keep, silence, or ms of each piece to record", default="")
    parser.addini("unirt_cassettes", "folder of cassettes, beside each test file", "string",
                  "cassettes")  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(name=None, **options): play or record a cassette while the test runs; "
        "the options are those of unirt.cassette()",
    )


@pytest.fixture(autouse=True)
def _unirt_cassette_of_marker(request: pytest.FixtureRequest) -> None:
    """
    A test with the marker uses the fixture, before all others of its own.

    What lasts longer than a test, a server for all of them, is set up before: it is in no cassette.
    """
    if request.node.get_closest_marker(MARKER) is not None:
        request.getfixturevalue(MARKER)


@pytest.fixture(name=MARKER)
def cassette_of_test(request: pytest.FixtureRequest) -> Iterator[Deck]:
    """The cassette that is in while this test runs; see :class:`unirt.deck.deck.Deck`."""
    import unirt

    item = request.node
    marker = item.get_closest_marker(MARKER)
    options = {**_configured(request.config), **(dict(marker.kwargs) if marker else {})}
    name = marker.args[0] if marker and marker.args else options.pop("name", None)
    chosen = request.config.getoption("--unirt-record")
    mode = chosen or options.pop("mode", None) or request.config.getini("unirt_record") or "none"
    options["mode"] = mode
    path = _path(item, name, request.config.getini("unirt_cassettes"))
    command = shlex.join(["python", "-m", "pytest", _from_here(item), "--unirt-record=once"])
    with _plainly(), unirt.cassette(path, **{"command": command, **options}) as deck:
        item.stash[_DECK] = deck
        yield deck


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """
    What went wrong fails the test itself, where it can be told by then.

    What a fixture still has open may go on until it is torn down; so may what is left over.
    """
    deck = item.stash.get(_DECK, None)
    try:
        yield
    except BaseException as exc:
        if deck is not None:
            deck.check(exc)
        raise
    if deck is not None and (deck.idle or deck.mismatch() is not None):
        with _plainly():
            deck.check()


@contextlib.contextmanager
def _plainly() -> Iterator[None]:
    """What is wrong with a cassette, without the lines of unirt's that found it."""
    from unirt.errors import UnirtError

    try:
        yield
    except UnirtError as exc:
        told = f"{type(exc).__name__}: {exc}"
        raise pytest.fail.Exception(told, pytrace=False) from None


def _configured(config: pytest.Config) -> dict[str, Any]:
    """What the ini file says."""
    found: dict[str, Any] = {}
    if match := config.getini("unirt_match"):
        found["match"] = match
    for name in ("pace", "audio"):
        if value := config.getini(f"unirt_{name}"):
            found[name] = _number(value)
    return found


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _from_here(item: pytest.Item) -> str:
    """A test's name where pytest was started, which need not be its root."""
    here = os.path.relpath(item.path, item.config.invocation_params.dir)
    return f"{here}::{item.nodeid.partition('::')[2]}"


def _path(item: pytest.Item, name: str | None, folder: str) -> Path:
    """``cassettes/<module>/<test>.jsonl`` beside the test file, compressed where that is there."""
    if name is None:
        owner = getattr(item, "cls", None)
        name = _safe(item.name if owner is None else f"{owner.__qualname__}.{item.name}")
    place = item.path.parent / folder / item.path.stem / name
    if place.name.endswith((".jsonl", ".jsonl.gz")):
        return place
    packed = place.with_name(f"{place.name}.jsonl.gz")
    return packed if packed.exists() else place.with_name(f"{place.name}.jsonl")


def _safe(name: str) -> str:
    """A test's name as a file may be called; what that makes alike is told apart by a number."""
    safe = _UNSAFE.sub("_", name)
    if safe == name and len(safe) <= _LONGEST:
        return safe
    import zlib

    return f"{safe[: _LONGEST - 9]}_{zlib.crc32(name.encode()):08x}"
