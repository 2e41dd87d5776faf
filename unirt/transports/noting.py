"""
Whether a connection that opens is recorded where it is dialled.

Then it notes from its first message on which are binary, and whatever else records connections lets
it be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["is_noting", "noting"]

_NOTING: ContextVar[bool] = ContextVar("unirt_noting", default=False)


@contextmanager
def noting() -> Iterator[None]:
    """What opens in here is recorded already."""
    token = _NOTING.set(True)
    try:
        yield
    finally:
        _NOTING.reset(token)


def is_noting() -> bool:
    """Whether what opens now is."""
    return _NOTING.get()
