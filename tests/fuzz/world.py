"""A session, an application around it, and servers that anything may happen to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import unirt
from unirt.config import SessionConfig
from unirt.errors import DialError
from unirt.events import Event
from unirt.fold import ContentStep, fold
from unirt.grammar import Checker
from unirt.provider import Credentials
from unirt.registry import load
from unirt.session import Limits
from unirt.testing.virtual import LoopClock, virtual_loop
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import MemoryTransport, memory_pair

__all__ = ["World"]

_TURNS = 30
"Turns of the loop in which whatever can be done at once is done."
_LIMITS = Limits(events=60, audio_ms=400, outgoing_frames=8, replay_events=20, tools_running=2)
"Small, so that bounds are reached."


class Server:
    """One connection's far end: it shakes hands as the provider does, and says what it is told."""

    def __init__(self, provider: str, end: MemoryTransport) -> None:
        loaded = load(provider)
        assert loaded.server is not None
        self.end = end
        self.provider = provider
        self._translator = loaded.server(model=loaded.default_model)
        self._translator.start(0.0)
        self.task = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        try:
            await self._answer()
            while True:
                frame = await self.end.receive()
                if not self._translator.ready:  # what is said later, the test decides
                    self._translator.receive(frame, 0.0)
                    await self._answer()
        except TransportClosed:
            pass

    async def _answer(self) -> None:
        for frame in self._translator.frames_to_send():
            await self.end.send(frame)

    def say(self, frame: bytes) -> None:
        """Say a frame."""
        self.end.send_now(frame)

    async def hang_up(self, code: int | None) -> None:
        if code is None:
            self.end.cut()
        else:
            await self.end.close(code, "because")


class World:
    """
    Args:
        provider: Whom the session begins with.
        arguments: Of ``connect()``.
    """

    def __init__(self, provider: str, **arguments: Any) -> None:
        self.loop = virtual_loop()
        self.broken: list[str] = []
        "What nobody caught."
        self.loop.set_exception_handler(lambda _, context: self.broken.append(str(context)))
        self.servers: list[Server] = []
        self.refusals: list[int] = []
        "The HTTP status of each of the next dials."
        self.events: list[Event] = []
        self.steps: list[ContentStep] = []
        self.doing: list[asyncio.Task[Any]] = []
        "Verbs that have not returned."
        self.outcomes: dict[str, int] = {}
        self.ends: list[BaseException | None] = []
        "How each reader ended."
        self._checker = Checker()
        self._checked = 0
        self._provider = provider
        self._arguments = arguments
        self.session: unirt.Session = self.run(self._open())
        self._readers = [
            self.loop.create_task(self._read(self.session, self.events)),
            self.loop.create_task(self._read(self.session.content(), self.steps)),
        ]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def _open(self) -> unirt.Session:
        connecting = unirt.connect(
            self._provider,
            transport=self.dial(self._provider),
            clock=LoopClock(),
            limits=_LIMITS,
            environ={"OPENAI_API_KEY": "k", "GOOGLE_API_KEY": "k"},
            **self._arguments,
        )
        return await connecting.__aenter__()

    def dial(self, provider: str) -> Callable[[SessionConfig, Credentials], Any]:
        """What opens a connection to a new server of a provider."""

        async def dial(_config: SessionConfig, _credentials: Credentials) -> Transport:
            await asyncio.sleep(0.05)  # of the loop, whose time is virtual
            if self.refusals:
                status = self.refusals.pop()
                raise DialError(provider, url="memory:", why="not now", status=status)
            here, there = memory_pair(capacity=64)
            self.servers.append(Server(provider, there))
            return here

        return dial

    async def _read(self, view: Any, into: list[Any]) -> None:
        try:
            async for one in view:
                into.append(one)
                if len(into) % 7 == 0:
                    await asyncio.sleep(0)
        except Exception as exc:
            self.ends.append(exc)
        else:
            self.ends.append(None)

    def do(self, verb: Callable[[], Coroutine[Any, Any, Any]], turns: int | None) -> None:
        """Begin a verb; cancel it after so many turns of the loop, where a number is given."""

        async def begin() -> None:
            task = asyncio.create_task(self._outcome(verb))
            self.doing.append(task)
            for _ in range(_TURNS if turns is None else turns):
                await asyncio.sleep(0)
            if turns is not None:
                task.cancel()
                await asyncio.sleep(0)

        self.run(begin())

    async def _outcome(self, verb: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Whatever is documented is an outcome; all else breaks the test at the end."""
        try:
            await verb()
        except unirt.UnirtError as exc:
            self._count(type(exc).__name__)
        except asyncio.CancelledError:
            self._count("cancelled")
            raise
        else:
            self._count("done")

    def _count(self, outcome: str) -> None:
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def passes(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def settle(self) -> None:
        """What can be done at once is done."""

        async def turns() -> None:
            for _ in range(_TURNS):
                await asyncio.sleep(0)

        self.run(turns())

    def check(self) -> None:
        """
        What holds at any time.

        Raises:
            AssertionError: It does not.
        """
        self._checker.feed_all(self.events[self._checked :])
        self._checked = len(self.events)
        assert not self.broken, self.broken

    def end(self) -> None:
        """
        Close, and check what holds then.

        Raises:
            AssertionError: Something was left, or is not whole.
        """
        try:
            self.run(self._end())
            self.check()
            self._checker.finish()
            assert self.events[-1].__class__ is unirt.SessionClosed
            assert all(end is None or isinstance(end, unirt.ConnectionLost) for end in self.ends), (
                self.ends
            )
            assert len(self.ends) == 2
            self._check_fold()
        finally:
            self.loop.close()

    async def _end(self) -> None:
        begun = self.loop.time()
        await self.session.close()
        assert self.loop.time() - begun <= 6.0, "closing took too long"
        done = [*self.doing, *self._readers]
        if done:
            await asyncio.wait(done, timeout=1.0)
        assert all(task.done() for task in done), f"still waiting: {done}"
        for task in self.doing:
            if not task.cancelled() and (exc := task.exception()) is not None:
                raise exc
        for server in self.servers:
            server.end.cut()
            await server.task
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"
        assert self.session.closed
        assert self.session.stats.frames_waiting == 0

    def _check_fold(self) -> None:
        """The folded view is the fold of the whole, but for sound that nobody read in time."""
        dropped = self.session.stats.dropped_audio_ms + self.session.stats.silenced_audio_ms
        if not dropped:
            assert self.steps == fold(self.events)
