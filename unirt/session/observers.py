"""
Observers: functions of the application that are told everything, before any view is.

They are called in the middle of a step, between the frame and the views, so the rules are strict.
An observer returns at once, changes nothing of what it is given, and starts a task for whatever
takes time. One that raises has its error logged and is not called again, and the session goes on:
what looks on must not be able to stop what it looks at.

An observer may be more than a function. One that has a method ``said(command)`` is told what the
application said, once it was accepted; one that has ``close()`` is told the end, once. The rules
are the same.

A session without observers has no :class:`Observers` either, and pays for one comparison a step.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from unirt.commands import Command
from unirt.events import Event
from unirt.log import logger, marked
from unirt.translator import Frame

if TYPE_CHECKING:
    from unirt.session.trace import Trace

__all__ = ["Observer", "Observers"]

_LOG = logger(__name__)

Observer = Callable[[Sequence[Event]], None]
"Is given the events of each step, in order; see :mod:`unirt.session.observers`."


class Observers:
    """
    Whoever looks on at one session.

    Args:
        observers: In the order in which they are told.
        trace: Is told before them, and of the frames that go out too; owned from here on.
        mark: Whose they are, for the log.
    """

    def __init__(self, observers: Iterable[Observer], trace: Trace | None, mark: str) -> None:
        self._log = marked(_LOG, mark)
        self._trace = trace
        self._observers = (*(() if trace is None else (trace.told,)), *observers)

    def told(self, events: Sequence[Event]) -> None:
        """Events came. Never raises."""
        for observer in self._observers:
            self._call(observer, observer, events)

    def said(self, command: Command) -> None:
        """The application said something. Never raises."""
        for observer in self._observers:
            if (said := getattr(observer, "said", None)) is not None:
                self._call(observer, said, command)

    def _call(self, observer: Observer, function: Callable[..., object], *arguments: Any) -> None:
        try:
            function(*arguments)
        except (Exception, CancelledError) as exc:
            # Nothing is awaited here: a cancellation is that of something it looked at.
            self._observers = tuple(o for o in self._observers if o is not observer)
            name = getattr(observer, "__qualname__", type(observer).__name__)
            self._log.error("the observer %s raised, and is not called again", name, exc_info=exc)

    def sent(self, frames: Sequence[Frame]) -> None:
        """Frames were handed to the outbox."""
        if self._trace is not None:
            self._trace.sent(frames)

    def close(self) -> None:
        """The session is over. Never raises; told once."""
        observers, self._observers = self._observers, ()
        for observer in observers:
            if (close := getattr(observer, "close", None)) is not None:
                self._call(observer, close)
        if self._trace is not None:
            self._trace.close()
