"""A simulated server without a socket."""

from __future__ import annotations

import pytest

import unirt
from unirt import commands as cmd
from unirt.provider import Provider
from unirt.simulator import Near
from unirt.simulator.script import loads
from unirt.testing import check
from unirt.testing.virtual import LoopClock, run_virtually

HANGS_UP = loads("""
[[reply]]
cue = "text"
steps = [{ close = 1008, reason = "enough" }]
""")


def test_a_session_needs_no_network_and_no_key(provider: Provider) -> None:
    async def talk() -> list[unirt.Event]:
        clock = LoopClock()
        events = []
        async with Near(provider, clock=clock) as near:
            async with unirt.connect(
                near.provider, clock=clock, environ={}, env_file=None
            ) as session:
                await session.send_text("Hello")
                async for event in session:
                    events.append(event)
                    if isinstance(event, unirt.ResponseDone):
                        await session.close()
            said = [c.text for c in near.connections[0].commands if isinstance(c, cmd.SendText)]
            assert said == ["Hello"]
        return events

    events = run_virtually(talk())
    check(events, complete=True)
    assert events == run_virtually(talk())  # every time the same


def test_it_hangs_up_as_its_scenario_says(provider: Provider) -> None:
    async def talk() -> None:
        clock = LoopClock()
        async with Near(provider, HANGS_UP, clock=clock) as near:
            async with unirt.connect(
                near.provider, clock=clock, environ={}, env_file=None
            ) as session:
                await session.send_text("Hello")
                with pytest.raises(unirt.ConnectionLost, match="enough"):
                    async for _ in session:
                        pass
            assert near.connections[0].closed == (1008, "enough")

    run_virtually(talk())


def test_who_leaves_it_leaves_nobody_behind(provider: Provider) -> None:
    async def talk() -> str:
        clock = LoopClock()
        async with Near(provider, clock=clock) as near:
            connecting = unirt.connect(
                near.provider, clock=clock, environ={}, env_file=None, reconnect=False
            )
            session = await connecting.__aenter__()
            assert near.open == 1
        assert near.open == 0
        with pytest.raises(unirt.ConnectionLost) as told:
            async for _ in session:
                pass
        await session.close()
        return told.value.reason

    assert run_virtually(talk()) == "the simulator ends"
