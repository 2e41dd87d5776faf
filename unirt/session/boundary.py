"""Turn boundaries: the moments at which a conversation can be moved without cutting anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from unirt.clock import Clock
from unirt.commands import Command, EndTurn, Respond, SendImage, SendText
from unirt.config import Manual, SessionConfig
from unirt.events import Event, InputCommitted, ResponseDone, ResponseStarted, SessionClosed

__all__ = ["Boundary"]


class Boundary:
    """
    Knows whether a response runs, when none does, and whether one is due.

    Args:
        clock: The time of those who wait.
        config: What is in force.
    """

    def __init__(self, clock: Clock, config: Callable[[], SessionConfig]) -> None:
        self._clock = clock
        self._config = config
        self._due = False
        "The user's turn is over, and wants an answer."
        self._running: set[str] = set()
        self._waiting: set[asyncio.Future[None]] = set()
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            InputCommitted: self._committed,
            ResponseStarted: self._started,
            ResponseDone: self._done,
            SessionClosed: self._closed,
        }

    @property
    def here(self) -> bool:
        """Whether no response runs."""
        return not self._running

    @property
    def due(self) -> bool:
        """Whether the user waits for a response that has not begun."""
        return self._due

    @property
    def awaited(self) -> bool:
        """Whether a response runs, or the user waits for one."""
        return self._due or not self.here

    def said(self, command: Command) -> None:
        """The application said something."""
        match command:
            case SendText() | SendImage() | EndTurn():
                self._due = self._due or command.respond
            case Respond() if command.in_conversation:
                self._due = True
            case _:
                pass

    async def wait(self, patience: float) -> None:
        """Wait until none does, or for `patience` seconds."""
        if self.here or patience <= 0:
            return
        timer = asyncio.ensure_future(self._clock.sleep_until(self._clock.now() + patience))
        try:
            while self._running and not timer.done():  # one may begin in the step that ends another
                future = asyncio.get_running_loop().create_future()
                self._waiting.add(future)
                try:
                    await asyncio.wait((future, timer), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._waiting.discard(future)
        finally:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)

    def _committed(self, event: InputCommitted) -> None:
        detection = self._config().turn_detection
        by_itself = not isinstance(detection, Manual)
        self._due = self._due or (by_itself and getattr(detection, "respond", None) is not False)

    def _started(self, event: ResponseStarted) -> None:
        if event.in_conversation:
            self._due = False
            self._running.add(event.response_id)

    def _done(self, event: ResponseDone) -> None:
        self._running.discard(event.response_id)
        if self.here:
            self._wake()

    def _closed(self, event: SessionClosed) -> None:
        self._running.clear()
        self._wake()

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
