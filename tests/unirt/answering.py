"""A whole answer, said by the toy and heard by an application."""

from typing import Any

import unirt
from unirt import Event

__all__ = ["answer", "hear"]

Toy = Any  # the fixture's class lives in conftest.py, which no module may import


async def answer(toy: Toy) -> None:
    """Say a whole answer."""
    await toy.say("start", response="r1")
    await toy.say("audio", response="r1", size=9_600)
    await toy.say("text", response="r1", kind="transcript", text="Good morning.")
    await toy.say("done", response="r1", tokens=12)


async def hear(session: unirt.Session, until: type[Event] = unirt.ResponseDone) -> list[Event]:
    """Read events up to the first of a kind."""
    heard = []
    async for event in session:
        heard.append(event)
        if type(event) is until:
            break
    return heard
