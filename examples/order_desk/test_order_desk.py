"""
Tests of the order desk: no network, no key, and the same every time.

``python -m pytest --unirt-record=rewrite`` records all but the last from whatever the environment
leads to.
"""

import asyncio
from pathlib import Path

import pytest
from order_desk import LineIsDown, ask

import unirt
from unirt.cassettes import faults, read, write

QUESTION = "Where is my order 4711?"

each_provider = pytest.mark.parametrize("provider", ["openai", "google"])


@each_provider
@pytest.mark.unirt_cassette
def test_the_desk_looks_an_order_up(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIRT_PROVIDER", provider)
    assert "Friday" in asyncio.run(ask(QUESTION))


@each_provider
@pytest.mark.unirt_cassette
def test_the_desk_says_when_there_is_no_such_order(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIRT_PROVIDER", provider)
    assert "no order" in asyncio.run(ask("Where is my order 1234?"))


def test_the_desk_says_so_when_the_line_is_cut(tmp_path: Path) -> None:
    good = read(Path(__file__).parent / "cassettes" / "test_order_desk"
                / "test_the_desk_looks_an_order_up[openai].jsonl")  # fmt: skip
    bad = faults.cut(good, faults.line_with(good, "response.output_audio.delta", 2))
    write(tmp_path / "cut.jsonl", bad)
    with unirt.cassette(tmp_path / "cut.jsonl"), pytest.raises(LineIsDown):
        asyncio.run(ask(QUESTION))
