"""Cancelled at whatever place it waits, a session leaves no task, no socket and no descriptor."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import unirt
from tests.stepping import cancelled_at_every_step
from unirt.provider import Provider
from unirt.simulator import Simulator
from unirt.simulator.script import loads

SCENARIO = loads("""
    [pace]
    speed = 1000
    latency_ms = 0
    [[reply]]
    cue = "text"
    steps = [{ say = "Yes.", ms = 200 }, { call = "look", args = {} }]
    [[reply]]
    cue = "tool_result"
    steps = [{ say = "Done.", ms = 200 }]
""")


@unirt.tool
async def look() -> str:
    """Look."""
    await asyncio.sleep(0)
    return "seen"


async def converse(simulator: Simulator, kind: str) -> None:
    """Dial, talk, have a tool called, change a setting, listen to the end, and close."""
    connecting = unirt.connect(
        simulator.provider,
        tools=[look],
        transport=kind,
        environ=simulator.env,
        env_file=None,
        reconnect=False,
    )
    async with connecting as session:
        await session.send_audio(bytes(3200))
        await session.send_text("Look")
        async for event in session:
            if isinstance(event, unirt.ToolFinished):
                break
        async for event in session:
            if isinstance(event, unirt.ResponseDone):
                break
        session.playback.played(10_000)
        await session.playback.finished()
        await session.close()


@pytest.mark.parametrize("kind", ["websocket", "fast"])
async def test_a_conversation(provider: Provider, kind: str) -> None:
    async with Simulator(provider, SCENARIO) as simulator:
        await converse(simulator, kind)  # whatever is loaded or opened once is there now
        steps = await cancelled_at_every_step(lambda: converse(simulator, kind))
    assert steps >= 8


@pytest.mark.parametrize("kind", ["websocket", "fast"])
async def test_a_move_to_another_connection(provider: Provider, kind: str) -> None:
    async def move() -> None:
        connecting: Any = unirt.connect(
            simulator.provider, transport=kind, environ=simulator.env, env_file=None
        )
        async with connecting as session:
            await session.send_text("Look")
            await session.switch(provider.name, patience=0)
            await session.send_text("Again")

    async with Simulator(provider, SCENARIO) as simulator:
        await move()
        steps = await cancelled_at_every_step(move)
    assert steps >= 5
