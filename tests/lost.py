"""
No task is lost: one that is gone before it came to its end fails the test, and so does an error
that nobody asked a task, or a future, for.

The event loop only logs it, where nobody waits for what is lost, and no test would see it. It tells
when the garbage collector comes, which may be in a later test of the process.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

__all__ = ["listen", "lost"]

_LOST = (
    "Task was destroyed",
    "Task exception was never retrieved",
    "Future exception was never retrieved",
)
"How the event loop begins to tell it."

_lost: list[str] = []


class _Ear(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        told = record.getMessage()
        if told.startswith(_LOST):
            _lost.append(told)


_EAR = _Ear(logging.ERROR)


def listen() -> None:
    """From here on it is known what is lost in this process."""
    logging.getLogger("asyncio").addHandler(_EAR)  # once, however often it is added


def lost() -> Sequence[str]:
    """What was since this was last asked."""
    told = tuple(_lost)
    _lost.clear()
    return told
