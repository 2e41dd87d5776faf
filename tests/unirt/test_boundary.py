"""Turn boundaries: who waits for one waits until it is really there."""

from __future__ import annotations

import asyncio

from unirt import Ending, ResponseDone, ResponseStarted, SessionConfig, Usage
from unirt.clock import ManualClock
from unirt.events import Event, Origin
from unirt.session.boundary import Boundary

ORIGIN = Origin(provider="toy")


def started(id_: str) -> Event:
    return ResponseStarted(origin=ORIGIN, response_id=id_)


def done(id_: str) -> Event:
    return ResponseDone(origin=ORIGIN, response_id=id_, ending=Ending.COMPLETE, usage=Usage())


def tell(boundary: Boundary, *events: Event) -> None:
    for event in events:
        boundary.handlers[type(event)](event)


async def waiting(boundary: Boundary, patience: float = 10.0) -> asyncio.Task[None]:
    task = asyncio.create_task(boundary.wait(patience))
    await settle()
    return task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_answer_that_begins_as_another_ends_is_waited_for_too() -> None:
    boundary = Boundary(ManualClock(), SessionConfig)
    tell(boundary, started("r1"))
    task = await waiting(boundary)
    tell(boundary, done("r1"), started("r2"))  # one step: a tool's result is answered
    await settle()
    assert not task.done()
    tell(boundary, done("r2"))
    await task


async def test_patience_is_for_all_of_them_together() -> None:
    clock = ManualClock()
    boundary = Boundary(clock, SessionConfig)
    tell(boundary, started("r1"))
    task = await waiting(boundary)
    clock.advance(9.0)
    tell(boundary, done("r1"), started("r2"))
    await settle()
    assert not task.done()
    clock.advance(1.0)
    await task
    assert not boundary.here
