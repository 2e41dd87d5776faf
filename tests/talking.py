"""What several tests of whole sessions need: somebody who reads, and two servers to talk to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import unirt
from unirt.registry import load
from unirt.simulator import Scenario, Simulator
from unirt.testing import check

__all__ = ["PAIRS", "Pair", "Reader", "two"]

PAIRS = [("openai", "google"), ("google", "openai")]
"Who is talked to first, and who after that."

Some = TypeVar("Some", bound=unirt.Event)


class Reader:
    """Reads one view for as long as the session lasts, and has things waited for."""

    def __init__(self, session: unirt.Session) -> None:
        self.session = session
        self.events: list[unirt.Event] = []
        self._moved = asyncio.Event()
        self._view = aiter(session)  # the very one that an application's loop reads
        self._task = asyncio.create_task(self._read())
        self.error: unirt.ConnectionLost | None = None

    async def _read(self) -> None:
        try:
            async for event in self._view:
                self.events.append(event)
                self._moved.set()
        except unirt.ConnectionLost as exc:
            self.error = exc
        finally:
            self._moved.set()

    def of(self, kind: type[Some]) -> list[Some]:
        return [event for event in self.events if type(event) is kind]

    async def completed_ones(self, count: int) -> list[unirt.ResponseDone]:
        """Wait until so many answers came to their end."""

        def found() -> list[unirt.ResponseDone]:
            return [e for e in self.of(unirt.ResponseDone) if e.ending is unirt.Ending.COMPLETE]

        await self.until(lambda: len(found()) >= count)
        return found()

    async def until(self, told: Callable[[], object]) -> None:
        while not told():
            if self._task.done():
                raise AssertionError(f"the session ended, after {self.events[-5:]}")
            self._moved.clear()
            await self._moved.wait()

    async def many(self, kind: type[Some], count: int = 1) -> list[Some]:
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    async def done(self) -> list[unirt.Event]:
        await self._task
        check(self.events, complete=True)
        return self.events


class Pair:
    """Two simulators, and a session that begins with the first."""

    def __init__(self, here: Simulator, there: Simulator) -> None:
        self.here, self.there = here, there
        self.environ = {**here.env, **there.env}
        self.names = here.provider.name, there.provider.name

    def connect(self, **more: Any) -> Any:
        """Without a word on it, a connection that is lost is not opened again."""
        arguments = {"reconnect": False, "environ": self.environ, "env_file": None, **more}
        return unirt.connect(self.here.provider, **arguments)


@contextlib.asynccontextmanager
async def two(
    first: str,
    second: str,
    here: Scenario | None = None,
    there: Scenario | None = None,
    *,
    mark: str = "b",
) -> AsyncIterator[Pair]:
    """Simulators of two providers; the second has ids of its own, unless it has no mark."""
    async with (
        Simulator(load(first), here) as one,
        Simulator(load(second), there, mark=mark) as other,
    ):
        yield Pair(one, other)
