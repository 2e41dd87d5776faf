"""The inputs that are kept, and a short search for others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import corpus, translators
from tests.fuzz.mutation import Mutator
from tests.fuzz.runs import NAMES, fuzz
from tests.fuzz.script import COMMANDS, Passes, Served, config_of, steps_of
from tests.fuzz.targets import SEARCHED, TARGETS
from unirt.config import Manual

needs_the_engine = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has no wheel for this platform"
)


@pytest.mark.parametrize("target", NAMES)
def test_what_is_documented_happens_with_every_input_that_is_kept(target: str) -> None:
    kept = corpus.inputs(target)
    assert len(kept) > 30
    lines = sum(TARGETS[target](path.read_bytes()) for path in kept)
    assert lines > 300


@pytest.mark.parametrize("target", ["google", "openai"])
def test_one_of_the_two_who_watch_takes_part_in_a_search(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def count(name: str, make: Callable[..., Any], *given: Any) -> Any:
        made.append(name)
        return make(*given)

    for name in ("_client", "_Relay"):
        make = getattr(translators, name)
        monkeypatch.setattr(translators, name, partial(count, name, make))
    kept = [path.read_bytes() for path in corpus.inputs(target)]
    for data in kept:
        SEARCHED[target](data)
    assert made.count("_client") == 2 * len(kept)  # the one under test; its twin, or the relay's
    assert 0.3 < made.count("_Relay") / len(kept) < 0.7


@pytest.mark.long
@needs_the_engine
@pytest.mark.parametrize("target", NAMES)
def test_a_short_search_finds_nothing(target: str, tmp_path: Path) -> None:
    run = fuzz(target, 60, tmp_path, seed=7, tries=200, share=10)
    assert run.found is None, run.found
    assert run.inputs >= 200
    assert run.lines > run.inputs
    assert run.reached > 200


def test_lines_are_frames_commands_and_time() -> None:
    data = b'#1\n{"a":1}\n\n>{"b":2}\n!2\n@1500\n#3\n!x\n'
    assert config_of(data).turn_detection == Manual()
    assert list(steps_of(data)) == [
        b'{"a":1}', Served(b'{"b":2}'), COMMANDS[2], Passes(1.5), b"!x",
    ]  # fmt: skip


def test_changes_are_the_same_for_a_seed_and_never_too_long() -> None:
    known = [path.read_bytes() for path in corpus.inputs("google")[:5]]
    mutator = Mutator(known, lambda data, most: data[:most])
    for seed in range(300):
        changed = mutator.change(known[0], 1_000, seed)
        assert changed == mutator.change(known[0], 1_000, seed)
        assert len(changed) <= max(1_000, len(known[0]))
