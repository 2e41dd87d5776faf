"""A session with some tools, over a toy protocol, and what is heard and told of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import unirt
from unirt.clock import ManualClock
from unirt.grammar import Checker

from .conftest import Toy

__all__ = ["Desk", "double", "halve", "opened"]


class Desk:
    """A session with some tools, and what is heard and told of them."""

    def __init__(self, toy: Toy, session: unirt.Session, clock: ManualClock) -> None:
        self.toy, self.session, self.clock = toy, session, clock
        self.view = session.view()

    async def call(self, name: str, call: str = "c1", **arguments: Any) -> None:
        text = json.dumps(arguments)
        await self.toy.say("call", response="r1", call=call, name=name, arguments=text)

    async def until(self, kind: type[unirt.Event]) -> Any:
        async for event in self.view:
            if type(event) is kind:
                return event
        raise AssertionError("the session ended before")

    async def finished(self) -> unirt.ToolFinished:
        event: unirt.ToolFinished = await self.until(unirt.ToolFinished)
        return event

    async def result(self) -> dict[str, Any]:
        frame = await self.toy.heard()
        assert frame.pop("do") == "SendToolResult"
        return dict(frame)


@asynccontextmanager
async def opened(toy: Toy, *tools: Any, **arguments: Any) -> AsyncIterator[Desk]:
    clock = ManualClock()
    await toy.greet()
    check = Checker().feed_all
    async with toy.connecting(tools=tools, clock=clock, observers=[check], **arguments) as session:
        assert (await toy.heard())["do"] == "hello"
        yield Desk(toy, session, clock)


async def double(number: int) -> dict[str, int]:
    """Double a number."""
    return {"doubled": 2 * number}


def halve(number: float) -> float:
    return number / 2
