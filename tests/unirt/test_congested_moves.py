"""A verb that waits for a congested network when that network goes: it takes the next way."""

import asyncio
from typing import Any

import unirt
from unirt.transports.memory import memory_pair

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


async def test_a_verb_that_waits_for_room_is_said_on_the_next_connection(toy: Toy) -> None:
    toy.here, toy.there = memory_pair(capacity=2)
    lost = toy.there
    await toy.greet()
    limits = unirt.Limits(outgoing_frames=2)
    again = unirt.Reconnect(first_wait=0.0, jitter=0.0)
    async with toy.connecting(limits=limits, reconnect=again) as session:
        for word in ("one", "two", "three"):  # and "hello": two under way, two in the outbox
            await session.send_text(word)
        waiting = asyncio.create_task(session.send_text("four"))
        await asyncio.sleep(0)
        assert not waiting.done()

        toy.here, toy.there = memory_pair()
        await toy.greet()
        lost.cut()
        await waiting

    heard = [(frame["do"], frame.get("text")) for frame in [await toy.heard() for _ in range(3)]]
    assert heard == [("hello", None), ("Respond", None), ("text", "four")]
