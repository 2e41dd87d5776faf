"""Whole sessions over real sockets: the same stream by each transport, on each event loop."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

import unirt
from unirt.registry import installed, load
from unirt.simulator import Simulator
from unirt.simulator.scenario import Pace
from unirt.simulator.voice import silence, speech
from unirt.testing import check, fold, outline

SPOKEN = speech(600, unirt.PCM16_16K) + silence(900, unirt.PCM16_16K)
LOOPS = ["asyncio"] if sys.platform == "win32" else ["asyncio", "uvloop"]


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


async def conversation(provider: str, transport: str) -> list[dict[str, Any]]:
    """A written turn and a spoken one that interrupts it; what came of them, as plain data."""
    events: list[unirt.Event] = []
    async with (
        Simulator(load(provider), pace=Pace(speed=50.0, latency_ms=1.0)) as simulator,
        unirt.connect(provider, transport=transport, environ=simulator.env) as session,
    ):
        await session.send_text("hello")
        await _until(session, events, unirt.ResponseDone)
        await session.send_audio(SPOKEN, unirt.PCM16_16K)
        await _until(session, events, unirt.ResponseDone)
    check(events)
    # How much was heard before the interruption is a matter of the clock.
    return [{**entry, "heard_ms": None} for entry in outline(fold(events))]


async def _until(
    session: unirt.Session, events: list[unirt.Event], last: type[unirt.Event]
) -> None:
    async for event in session:
        events.append(event)
        if isinstance(event, last):
            return


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("provider", installed())
def test_the_stream_is_the_same(provider: str, loop: str) -> None:
    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        usual, fast = (
            runner.run(conversation(provider, transport)) for transport in ("websocket", "fast")
        )
    assert usual
    assert fast == usual
