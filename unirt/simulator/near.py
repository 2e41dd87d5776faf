"""
A simulated server without a socket, in the process of its client.

What it says goes from hand to hand (:mod:`unirt.transports.memory`), and its time is any
:class:`~unirt.clock.Clock`: with a virtual one a whole conversation takes milliseconds, and goes
the same way every time. What only sockets do is not there; that is :class:`Simulator`'s.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from types import TracebackType

import attrs

from unirt.clock import Clock
from unirt.config import SessionConfig
from unirt.provider import Credentials, Provider
from unirt.simulator.line import Line
from unirt.simulator.scenario import Pace, Scenario
from unirt.simulator.serving import serve_line
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import MemoryTransport, memory_pair

__all__ = ["Near"]

_REMEMBERED = 256
"How many connections stay in :attr:`Near.connections`."


class Near:
    """
    A server of a provider's protocol, for clients of this process.

    ::

        async with Near(load(name), clock=clock) as near:
            async with unirt.connect(near.provider, clock=clock) as session: ...

    Args:
        provider: Whose protocol to speak.
        scenario: What to answer on each connection; ``None`` to improvise. Several are for one
            connection each, the last for all that follow.
        clock: What times the answers.
        pace: How fast to answer; the scenario's by default.
        log: Whether each connection keeps its frames.
    """

    def __init__(
        self,
        provider: Provider,
        scenario: Scenario | Sequence[Scenario | None] | None = None,
        *,
        clock: Clock,
        pace: Pace | None = None,
        log: bool = False,
    ) -> None:
        self.provider = attrs.evolve(provider, dial=self._dial)
        "The same provider, reached without a network and without a key."
        self.connections: deque[Line] = deque(maxlen=_REMEMBERED)
        "One for each connection, the newest last."
        self._real = provider
        self._scenarios = tuple(scenario) if isinstance(scenario, Sequence) else (scenario,)
        self._clock = clock
        self._pace = pace
        self._log = log
        self._count = 0
        self._serving: dict[asyncio.Task[None], MemoryTransport] = {}

    async def __aenter__(self) -> Near:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for transport in self._serving.values():
            await transport.close(1001, "the simulator ends")
        while self._serving:
            await asyncio.wait(self._serving)

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._serving)

    async def _dial(self, config: SessionConfig, credentials: Credentials) -> Transport:
        self._count += 1
        ours, theirs = memory_pair(f"near:{self._real.name}")
        line = Line(
            self._real,
            self._scenarios[min(self._count, len(self._scenarios)) - 1],
            model=config.model,
            pace=self._pace,
            log=self._log,
            mark="" if self._count == 1 else f"{self._count}_",
        )
        self.connections.append(line)
        task = asyncio.create_task(self._handle(theirs, line))
        self._serving[task] = theirs
        task.add_done_callback(self._serving.pop)
        return ours

    async def _handle(self, transport: MemoryTransport, line: Line) -> None:
        try:
            await serve_line(
                line,
                self._clock,
                receive=transport.receive,
                send=transport.send,
                close=transport.close,
            )
            line.closed = line.close_wanted()
        except TransportClosed as gone:
            line.closed = gone.code, gone.reason
