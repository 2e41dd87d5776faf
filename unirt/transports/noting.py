"""
Who records a connection that opens, and whether it is played.

While a cassette is in, all connections of the ``websockets`` library are hooked: recorded or played
at that level. What ``connect()`` dials is recorded above it, and is to be let be; such a connection
notes from its first message on which are binary.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = [
    "hooked",
    "is_hooked",
    "is_noting",
    "noting",
    "rehearsed_at",
    "rehearsing",
]

_NOTING: ContextVar[bool] = ContextVar("unirt_noting", default=False)
_HOOKED: list[None] = []
"As long as the library is hooked, by anybody, in any thread."


_REHEARSED: ContextVar[str | None] = ContextVar("unirt_rehearsed", default=None)


@contextmanager
def rehearsing(origin: str) -> Iterator[None]:
    """
    What is set up in here is played: its requests are made, and answered by the cassette.

    Args:
        origin: Scheme and host of the requests that were recorded; they are made to it.
    """
    token = _REHEARSED.set(origin)
    try:
        yield
    finally:
        _REHEARSED.reset(token)


def rehearsed_at() -> str | None:
    """Where to, if what is set up now is played; ``None`` where it is not."""
    return _REHEARSED.get()


@contextmanager
def noting() -> Iterator[None]:
    """What opens in here is recorded by whoever dials."""
    token = _NOTING.set(True)
    try:
        yield
    finally:
        _NOTING.reset(token)


def is_noting() -> bool:
    """Whether what opens now is."""
    return _NOTING.get()


@contextmanager
def hooked() -> Iterator[None]:
    """All that is opened through the library is hooked."""
    _HOOKED.append(None)
    try:
        yield
    finally:
        _HOOKED.pop()


def is_hooked() -> bool:
    """Whether what opens now is hooked: other libraries are not to be used for it."""
    return bool(_HOOKED) and not is_noting()
