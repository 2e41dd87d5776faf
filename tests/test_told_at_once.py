"""What a frame says is told when it comes: no event waits for the frame after it."""

from __future__ import annotations

import asyncio

import pytest

from tests.benchmarked import BOTH, talking
from tests.benchmarks.load import numbered
from tests.talking import Reader


async def settled() -> None:
    """Nothing is on its way any more: all of it is in memory."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("provider", BOTH)
async def test_every_frame_is_told_before_the_next_one_comes(provider: str) -> None:
    async with talking(provider) as (session, server, steps):
        reader = Reader(session)
        await settled()
        for number in range(2):
            for step in steps:
                before = len(reader.events)
                await server.send(numbered(step.payload, number))
                await settled()
                assert len(reader.events) > before, step.payload
    await reader.done()
