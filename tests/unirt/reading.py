"""What tests of sessions read, and how they fill a network."""

from collections.abc import AsyncIterable
from typing import Any, TypeVar

import unirt

__all__ = ["fill", "into", "kept", "names", "until"]

Read = TypeVar("Read")


async def kept(view: AsyncIterable[Read]) -> list[Read]:
    """All that a view tells."""
    return [event async for event in view]


async def into(seen: list[Any], view: Any) -> None:
    """All that a view tells, while it tells it."""
    async for event in view:
        seen.append(event)  # noqa: PERF401  (it is looked at while it grows)


def names(events: list[unirt.Event]) -> list[str]:
    """What the events are."""
    return [type(event).__name__ for event in events]


async def until(view: Any, kind: type[unirt.Event], times: int = 1) -> unirt.Event:
    """The next event of a kind, or one of the next."""
    async for event in view:
        if isinstance(event, kind):
            times -= 1
            if times == 0:
                return event
    raise AssertionError(f"no {kind.__name__} came")


async def fill(session: unirt.Session) -> None:
    """Say more than the network takes, for ever."""
    while True:
        await session.send_raw({"do": "filler"})
