"""
An hour of the model's voice that nobody reads: how much is held, what is dropped, what is not.

See field 23: peers grow by 170 MB an hour. What the bounds are is said in docs/topics/bounds.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

import unirt
from tests.benchmarks.load import Load, numbered
from tests.benchmarks.server import PROTOCOLS
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import memory_pair

pytestmark = pytest.mark.long

HOUR_MS = 3_600_000.0
MOST_MB = 30.0
"Two minutes of audio with the frames that it came in, and all else that an hour brings."


@contextlib.asynccontextmanager
async def talking(provider: str) -> AsyncIterator[tuple[unirt.Session, Transport, Any]]:
    """A session, the other end of its connection, and the turns that a server says there."""
    voice, turn = PROTOCOLS[provider]
    server = voice()
    ours, theirs = memory_pair(capacity=16)

    async def shake_hands() -> None:
        for said in server.greeting():
            await theirs.send(said)
        with contextlib.suppress(TransportClosed):
            while True:
                for said in server.answer(json.loads(await theirs.receive())):
                    await theirs.send(said)

    answering = asyncio.create_task(shake_hands())
    connecting = unirt.connect(provider, transport=ours, env_file=None, environ={})
    async with connecting as session:
        yield session, theirs, turn(Load(chunk_ms=200))
    await answering


@pytest.mark.parametrize("provider", sorted(PROTOCOLS))
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
