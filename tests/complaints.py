"""
What the event loop only logs: a task that is gone before it came to an end, an exception that
nobody asked for, a callback that raises.

Such a record names what is lost where nobody waits for it, and no test would see it; so a test in
which one is written fails.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

__all__ = ["heard", "listen"]

_heard: list[str] = []


class _Ear(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _heard.append(self.format(record))


_EAR = _Ear(logging.ERROR)


def listen() -> None:
    """From here on what loops of this process complain about is kept."""
    logging.getLogger("asyncio").addHandler(_EAR)  # once, however often it is added


def heard() -> Sequence[str]:
    """What they did since this was last asked."""
    told = tuple(_heard)
    _heard.clear()
    return told
