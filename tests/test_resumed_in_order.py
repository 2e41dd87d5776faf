"""
Where a provider remembers the conversation, one connection at a time is open (field 2).

It may take two that know the same handle for a theft, or answer on the old one.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

import unirt
from tests.talking import Reader
from unirt.registry import load
from unirt.simulator import Near
from unirt.simulator.script import loads
from unirt.testing.virtual import LoopClock, run_virtually

SCENARIO = """
    [[reply]]
    cue = "text"
    steps = [{ handle = "h1" }, { say = "One.", ms = 300 }, %s]
"""
ENDS = {
    "it says that it goes": "{ go_away = 20000 }",
    "it closes": "{ close = 1001 }",
    "it is left": '{ handle = "h2" }',
}


@pytest.mark.parametrize("how", list(ENDS))
def test_the_old_connection_is_closed_before_the_new_one_is_opened(how: str) -> None:
    done: list[str] = []

    async def talk() -> None:
        clock = LoopClock()
        scenarios = [loads(SCENARIO % ENDS[how]), None]
        async with Near(load("google"), scenarios, clock=clock) as near:

            async def dial(config: unirt.SessionConfig, credentials: Any) -> Any:
                number = len(near.connections) + 1
                done.append(f"open {number}")
                transport: Any = await near.provider.dial(config, credentials)
                close = transport.close

                async def closed(*arguments: Any) -> None:
                    await close(*arguments)
                    done.append(f"closed {number}")

                transport.close = closed
                return transport

            provider = attrs.evolve(near.provider, dial=dial)
            connecting = unirt.connect(provider, clock=clock, environ={}, env_file=None)
            async with connecting as session:
                reader = Reader(session)
                await session.send_text("Hi")
                await reader.many(unirt.ResponseDone)
                if how == "it is left":
                    await session.update(voice="Kore")
                (there,) = await reader.many(unirt.Reconnected)
                assert there.state_restored
            await reader.done()

    run_virtually(talk())
    assert done == ["open 1", "closed 1", "open 2", "closed 2"]
