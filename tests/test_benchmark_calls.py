"""Calls of the benchmarks: whoever calls hears the marks in what was said. No timing."""

from __future__ import annotations

import asyncio

import pytest

from tests.benchmarks.calls.marks import Marks
from tests.benchmarks.calls.parrot import Parrots
from tests.benchmarks.calls.section import CALLERS, called
from unirt.registry import load as load_provider


@pytest.mark.long
@pytest.mark.parametrize("who", list(CALLERS))
async def test_whoever_calls_hears_what_was_said_and_knows_the_marks_in_it(who: str) -> None:
    async with Parrots(load_provider("openai")) as server:
        answer = await asyncio.to_thread(called, who, server.url, seconds=1.0)
    assert answer["cpu_s"] > 0
    assert answer["delays_ms"]
    assert min(answer["delays_ms"]) > 0
    assert answer["heard_s"] > 0.5


def test_a_mark_is_loud_and_the_voice_around_it_is_not() -> None:
    marks = Marks()
    said = [marks.say(number) for number in range(50)]
    for piece in said[1:25]:
        marks.hear(piece)
    assert marks.delays_ms == []
    marks.hear(said[25])
    marks.hear(said[25])  # its echo is no second mark
    assert len(marks.delays_ms) == 1
    assert marks.heard_bytes == 26 * 960
