"""
The log: one logger a module, by the module's own name, and the session in each record.

A program has many sessions, and none of them is a task or a thread of its own, so nothing that the
standard library puts into a record tells them apart. Each has a mark, therefore: the process and a
count. It is the record's ``session``; what belongs to no session has ``-`` there.
"""

from __future__ import annotations

import itertools
import logging
import os
from typing import TYPE_CHECKING

__all__ = ["NOBODY", "Log", "logger", "marked", "new_mark"]

NOBODY = "-"
"The mark of what belongs to no session."

_COUNT = itertools.count(1)

if TYPE_CHECKING:
    Log = logging.LoggerAdapter[logging.Logger]
else:
    Log = logging.LoggerAdapter
"A module's logger, for one session."


def new_mark() -> str:
    """What the records of another session are told by; its trace has it too."""
    return f"{os.getpid()}.{next(_COUNT)}"


def logger(name: str) -> logging.Logger:
    """The logger of a module; each of its records has a session."""
    found = logging.getLogger(name)
    found.addFilter(_with_session)
    return found


def marked(log: logging.Logger, mark: str) -> Log:
    """The same logger, for one session."""
    return logging.LoggerAdapter(log, {"session": mark})


def _with_session(record: logging.LogRecord) -> bool:
    if not hasattr(record, "session"):
        record.session = NOBODY
    return True
