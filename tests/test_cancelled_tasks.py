"""
Every task that a session runs, cancelled by somebody else, at each place at which it waits.

What is awaited then comes, or the session ends and tells why. Time is virtual, so whoever waits for
what never comes fails the test.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from types import FrameType
from typing import Any

import attrs
import pytest

import unirt
from tests.stepping import Stepped
from unirt.audio import PCM16_16K
from unirt.registry import load
from unirt.session import Session
from unirt.simulator import Near, Scenario
from unirt.simulator.script import loads
from unirt.testing import check
from unirt.testing.virtual import LoopClock, run_virtually

VOICES = {"openai": "coral", "google": "Kore"}
PACE = "[pace]\nspeed = 2.0\nchunk_ms = 200\n"
CONNECTIONS = [
    """
    [[reply]]
    cue = "text"
    steps = [{ call = "look", args = {} }]
    [[reply]]
    cue = "tool_result"
    steps = [{ say = "It was seen, and this takes a moment.", ms = 3000 }]
    """,
    """
    [[reply]]
    cue = "text"
    steps = [{ say = "It takes a while.", ms = 3000 }]
    """,
    """
    [[reply]]
    cue = "text"
    steps = [{ say = "And this", ms = 400 }, { close = 1011, reason = "bye" }]
    """,
]
AGAIN = {
    "openai": '{ say = "Here again.", ms = 400 }',
    "google": '{ say = "Here again.", ms = 400 }, { go_away = 20000 }',
}
"What is said when all was lost. Only one says when it ends a connection; an hour is for all."
STEPS = (0, 1, 2, 5)
"Those of a task at which it is cancelled; 0 is before it began."
TASKS = 2
"How many of the tasks that do the same are tried."


@attrs.define
class Target:
    """The task to cancel: the n-th that does some work, at a step; 0 is before it began."""

    work: str
    number: int
    step: int


class Factory:
    """Makes tasks, and cancels one of them."""

    def __init__(self, target: Target | None) -> None:
        self.made: Counter[str] = Counter()
        self._target = target
        self._stepped: Stepped | None = None
        self.hit = False

    def __call__(
        self, loop: asyncio.AbstractEventLoop, work: Any, **more: Any
    ) -> asyncio.Task[Any]:
        name = work_of(work) if of_the_library(sys._getframe(1)) else None
        target = self._target
        if name is None:
            return asyncio.Task(work, loop=loop, **more)
        self.made[name] += 1
        if target is None or (target.work, target.number) != (name, self.made[name]):
            return asyncio.Task(work, loop=loop, **more)
        if target.step == 0:
            task = asyncio.Task[Any](work, loop=loop, **more)
            self.hit = task.cancel()
            return task
        self._stepped = Stepped(work, target.step)
        return asyncio.Task(self._stepped, loop=loop, **more)

    @property
    def reached(self) -> bool:
        return self.hit or (self._stepped is not None and self._stepped.reached)


def of_the_library(frame: FrameType | None) -> bool:
    """Whether a task that is made here is made by a session, and not by a server or a test."""
    while frame is not None and "/asyncio/" in frame.f_code.co_filename:
        frame = frame.f_back
    name = "" if frame is None else str(frame.f_globals["__name__"])
    return name.startswith("unirt.") and not name.startswith(("unirt.simulator", "unirt.testing"))


def work_of(work: Any) -> str:
    """What a task does."""
    inner = work.cr_frame.f_locals.get("work")
    return str((work if inner is None else inner).__qualname__)


class Source:
    """Tools that change."""

    def __init__(self) -> None:
        self.tools = [self._tool("before")]
        self._changed: Callable[[], None] = lambda: None

    def _tool(self, name: str) -> unirt.FunctionTool:
        return attrs.evolve(unirt.tool(lambda: name, name=name), source=self)

    def follow(self, changed: Callable[[], None]) -> Callable[[], None]:
        self._changed = changed
        return lambda: None

    def change(self) -> None:
        self.tools = [self._tool("after")]
        self._changed()


class Application:
    """Does all that makes a session run tasks, until it is over."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.clock = LoopClock()
        self.source = Source()
        self.events: list[unirt.Event] = []
        self.errors: list[BaseException] = []
        self.broken: list[str] = []
        self.left: list[str] = []
        self.whole = False
        self._moved = asyncio.Event()
        self._over = False

    async def run(self, factory: Factory) -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(factory)
        loop.set_exception_handler(lambda _, context: self.broken.append(str(context)))
        async with Near(load(self.provider), self.scenarios(), clock=self.clock) as near:
            try:
                await self._hold(near)
            except (unirt.UnirtError, RuntimeError) as exc:
                self.errors.append(exc)
            await self.clock.sleep_until(self.clock.now() + 1.0)  # the server notices
            self.left += [f"{near.open} connections"] if near.open else []
        others = asyncio.all_tasks() - {asyncio.current_task()}
        self.left += [repr(task) for task in others]

    def scenarios(self) -> list[Scenario]:
        cues = ("text", "respond")  # what the turn that was lost is there differs by provider
        steps = AGAIN[self.provider]
        again = "".join(f'[[reply]]\ncue = "{cue}"\nsteps = [{steps}]\n' for cue in cues)
        return [loads(PACE + script) for script in (*CONNECTIONS, again)]

    async def _hold(self, near: Near) -> None:
        connecting = unirt.connect(
            near.provider,
            clock=self.clock,
            reconnect=unirt.Reconnect(first_wait=1.0, jitter=0.0),
            tools=[unirt.tool(self.look, approve=self.allow, timeout=5.0), self.source],
            budget=unirt.Budget(duration=36_000.0),
            environ={},
            env_file=None,
        )
        async with connecting as session:
            reading = asyncio.create_task(self._read(session))
            try:
                await self._talk(session)
            finally:
                began = self.clock.now()
                await session.close()
                await reading
                assert self.clock.now() - began <= 6.0

    async def _talk(self, session: Session) -> None:
        await session.send_text("Look")
        if not await self._told(unirt.AudioDelta):
            return
        listening = asyncio.create_task(session.listen(self))
        self.source.change()
        await session.update(voice=VOICES[self.provider])  # when the answer is over
        if not await self._told(unirt.UpdateSettled):
            return
        await session.send_text("Go on")
        if not await self._told(unirt.ResponseStarted, 3):
            return
        await session.switch(self.provider, patience=1.0)
        await session.send_text("And on")
        if not await self._told(unirt.Reconnected, 3):
            return
        await session.playback.finished()
        await listening
        if not await self._told(unirt.Reconnected, 4):  # an hour may be over before
            return
        self.whole = True

    def judge(self) -> None:
        """
        What holds in the end.

        Raises:
            AssertionError: It does not.
        """
        assert self.left == self.broken == []
        check(self.events, complete=True)
        assert self.whole or self.errors
        for error in self.errors:
            assert "not by the session" in f"{error} {error.__cause__}", f"{error!r}"

    async def look(self) -> str:
        """Look."""
        await self.clock.sleep_until(self.clock.now() + 1.0)
        return "seen"

    async def allow(self, _: object) -> bool:
        await asyncio.sleep(0)
        return True

    # What it hears, and says.

    format = PCM16_16K

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        """A microphone."""
        for _ in range(10):
            yield bytes(6_400)
            await self.clock.sleep_until(self.clock.now() + 0.2)

    async def _read(self, session: Session) -> None:
        try:
            async for event in session:
                self.events.append(event)
                self._moved.set()
        except (unirt.UnirtError, RuntimeError) as exc:
            self.errors.append(exc)
        finally:
            self._over = True
            self._moved.set()

    async def _told(self, kind: type[unirt.Event], count: int = 1) -> bool:
        """Wait until something was told so often; whether it was before the session ended."""
        async with asyncio.timeout(3_600.0):
            while len([event for event in self.events if type(event) is kind]) < count:
                if self._over:
                    return False
                self._moved.clear()
                await self._moved.wait()
        return True


@functools.cache
def unharmed(provider: str) -> Counter[str]:
    """The tasks there are where nobody is cancelled."""
    application, factory = run(provider, None)
    assert application.whole
    return factory.made


WORKS = {
    "Calls._serve", "Errand._run", "Event.wait", "Keeper._watch", "Link._read", "Listening._hear",
    "LoopClock.sleep_until", "Moves._go.<locals>.go", "Moves._rotate", "Moves._try", "Outbox.run",
    "Sources._update", "Updates._when_due", "Works.start.<locals>.work",
}  # fmt: skip


@pytest.mark.parametrize("provider", ["openai", "google"])
@pytest.mark.parametrize("work", sorted(WORKS))
def test_what_is_awaited_comes_or_the_session_ends_and_tells_why(provider: str, work: str) -> None:
    made = unharmed(provider)
    assert set(made) == WORKS
    steps = 0
    for number in range(1, min(made[work], TASKS) + 1):
        for step in STEPS:
            tried, factory = run(provider, Target(work, number, step))
            if not factory.reached:
                break
            tried.judge()
            steps += 1
    assert steps > 0


def run(provider: str, target: Target | None) -> tuple[Application, Factory]:
    application, factory = Application(provider), Factory(target)
    run_virtually(application.run(factory))
    return application, factory
