"""
An hour of the model's voice that nobody reads: how much is held, what is dropped, what is not.

See field 23: peers grow by 170 MB an hour. What the bounds are is said in docs/topics/bounds.md.
"""

from __future__ import annotations

import tracemalloc

import pytest

import unirt
from tests.benchmarked import BOTH, talking
from tests.benchmarks.load import numbered

pytestmark = pytest.mark.long

HOUR_MS = 3_600_000.0
MOST_MB = 30.0
"Two minutes of audio with the frames that it came in, and all else that an hour brings."


@pytest.mark.parametrize("provider", BOTH)
async def test_pain_23_an_hour_that_nobody_reads_is_bounded(provider: str) -> None:
    said_ms = 0.0
    turns = 0
    async with talking(provider) as (session, server, steps):
        view = session.view()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            while said_ms < HOUR_MS:
                for step in steps:
                    await server.send(numbered(step.payload, turns))
                    said_ms += 200.0 if step.audio else 0.0
                turns += 1
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (peak - before) / 1e6 < MOST_MB

        done, heard_ms = 0, 0.0
        async for event in view:
            heard_ms += event.duration_ms if isinstance(event, unirt.AudioDelta) else 0.0
            done += isinstance(event, unirt.ResponseDone)
            if done == turns:
                break
        assert heard_ms + view.dropped_ms == pytest.approx(said_ms)
        assert session.stats.dropped_audio_ms == view.dropped_ms
        assert 100_000 < heard_ms <= 120_000 + 200 * 70 * 4
