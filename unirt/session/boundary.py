"""
Turn boundaries: the moments at which a conversation can be moved without cutting anything.

An answer with tools is one answer, whatever the protocol makes of it: some end a response at its
calls and begin another with their results, others keep it open meanwhile. So it runs on while the
model waits for a result, and from the last result until it is spoken of. A tool that does not block
is nobody's to wait for: it is declared so, or says nothing and the model waits for none by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from unirt.clock import Clock
from unirt.commands import (
    CancelResponse,
    Command,
    EndTurn,
    Interrupt,
    Respond,
    SendImage,
    SendText,
    SendToolResult,
)
from unirt.config import Manual, SessionConfig, Tool
from unirt.events import (
    Ending,
    Event,
    InputCommitted,
    Reconnecting,
    ResponseDone,
    ResponseStarted,
    SessionClosed,
    ToolCall,
    ToolCallCancelled,
)
from unirt.session.owed import Owed

__all__ = ["Boundary"]


class Boundary:
    """
    Knows whether an answer runs, when none does, and whether one is due.

    Args:
        clock: The time of those who wait.
        config: What is in force.
        waits: Whether the model waits for a tool that does not say; by default it does.
    """

    def __init__(
        self,
        clock: Clock,
        config: Callable[[], SessionConfig],
        waits: Callable[[], bool] = lambda: True,
    ) -> None:
        self._clock = clock
        self._config = config
        self._waits = waits
        self._due = False
        "The user's turn is over, and wants an answer."
        self._running: set[str] = set()
        self._owed = Owed()
        "What the model waits for."
        self._answering: str | None = None
        "The response whose last result went out, until the model speaks of it."
        self._waiting: set[asyncio.Future[None]] = set()
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            InputCommitted: self._committed,
            ResponseStarted: self._started,
            ResponseDone: self._done,
            ToolCall: self._called,
            ToolCallCancelled: self._cancelled,
            Reconnecting: self._left,
            SessionClosed: self._closed,
        }

    @property
    def here(self) -> bool:
        """Whether no answer runs."""
        return not (self._running or self._owed or self._answering)

    @property
    def speaking(self) -> bool:
        """Whether a response runs that waits for no result: what it says was begun before."""
        return not self._running <= {*self._owed.responses, self._answering}

    @property
    def due(self) -> bool:
        """Whether the user waits for a response that has not begun."""
        return self._due or self._answering is not None

    def said(self, command: Command) -> None:
        """The application said something."""
        match command:
            case SendText() | SendImage() | EndTurn():
                self._due = self._due or command.respond
            case Respond() if command.in_conversation:
                self._due = True
            case Interrupt() | CancelResponse():
                self._due = False
                self._answering = None
                self._wake()
            case SendToolResult():
                self._result(command)
            case _:
                pass

    async def wait(self, patience: float, *, with_tools: bool = True) -> None:
        """
        Wait until none does, or for `patience` seconds.

        Args:
            patience: How long at most.
            with_tools: Whether a tool that the model waits for is waited for.
        """
        if patience <= 0 or self._over(with_tools):
            return
        timer = asyncio.ensure_future(self._clock.sleep_until(self._clock.now() + patience))
        try:
            while not (self._over(with_tools) or timer.done()):  # one may begin as another ends
                future = asyncio.get_running_loop().create_future()
                self._waiting.add(future)
                try:
                    await asyncio.wait((future, timer), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._waiting.discard(future)
        finally:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)

    def _over(self, with_tools: bool) -> bool:
        return self.here if with_tools else not self.speaking

    def _committed(self, event: InputCommitted) -> None:
        detection = self._config().turn_detection
        by_itself = not isinstance(detection, Manual)
        self._due = self._due or (by_itself and getattr(detection, "respond", None) is not False)

    def _result(self, command: SendToolResult) -> None:
        if (settled := self._owed.settle(command)) is not None:
            response_id, answered = settled
            if answered:
                self._answering = response_id
            self._wake()

    def _started(self, event: ResponseStarted) -> None:
        if event.in_conversation:
            self._due = False
            self._speaks_of_it()
            self._running.add(event.response_id)

    def _called(self, event: ToolCall) -> None:
        if event.response_id in self._running and self._waits_for(event.name):
            self._owed.add(event.call_id, event.response_id)
            self._wake()

    def _waits_for(self, name: str) -> bool:
        for tool in self._config().tools or ():
            if isinstance(tool, Tool) and tool.name == name and tool.blocking is not None:
                return tool.blocking
        return self._waits()

    def _cancelled(self, event: ToolCallCancelled) -> None:
        self._owed.drop(event.call_ids)
        self._wake()

    def _done(self, event: ResponseDone) -> None:
        self._running.discard(event.response_id)
        if event.response_id == self._answering and event.ending is Ending.INTERRUPTED:
            self._answering = None
        self._wake()

    def _left(self, event: Reconnecting) -> None:
        """Whoever answers next waits for no result, and knows of no response."""
        self._speaks_of_it()

    def _closed(self, event: SessionClosed) -> None:
        self._running.clear()
        self._speaks_of_it()
        self._wake()

    def _speaks_of_it(self) -> None:
        """The model waits for nothing of before any more."""
        self._owed.clear()
        self._answering = None

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
