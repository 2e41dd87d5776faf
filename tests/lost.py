"""
No task is lost: one that is gone before it came to its end fails the test.

The event loop only logs it, where nobody waits for what is lost, and no test would see it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

__all__ = ["listen", "lost"]

_lost: list[str] = []


class _Ear(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        told = record.getMessage()
        if told.startswith("Task was destroyed"):
            _lost.append(told)


_EAR = _Ear(logging.ERROR)


def listen() -> None:
    """From here on it is known which tasks of this process are lost."""
    logging.getLogger("asyncio").addHandler(_EAR)  # once, however often it is added


def lost() -> Sequence[str]:
    """Which were since this was last asked."""
    told = tuple(_lost)
    _lost.clear()
    return told
