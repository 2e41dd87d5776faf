"""
Nothing that a test does reaches another machine: who tries is refused, and the test fails.

The interpreter tells of each address before it is used (:pep:`578`), whoever uses it, and in every
thread. Not seen are processes of their own: a hook goes no further than its interpreter, and to put
one into all that start would take a module in everybody's path. Nor is what reaches the network
without the interpreter, as ``uvloop`` does, whose loop is compiled and cannot be watched; the tests
that run on it (``tests/test_fast_session.py``) dial simulators by the address that these have.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

__all__ = ["FarAway", "refused", "watch"]

_ADDRESSED = ("socket.connect", "socket.sendto", "socket.sendmsg")
_NAMED = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

_refused: list[str] = []
_watched = False


class FarAway(OSError):
    """A test reached for another machine: an error of the network, so that who asked cleans up."""


def watch() -> None:
    """From here on nobody in this process reaches further than this machine."""
    global _watched  # noqa: PLW0603  (a hook cannot be taken away, so there is one)
    if not _watched:
        _watched = True
        sys.addaudithook(_hear)


def refused() -> Sequence[str]:
    """Who was reached for since this was last asked."""
    told = tuple(_refused)
    _refused.clear()
    return told


def _hear(event: str, given: tuple[Any, ...]) -> None:
    if event in _ADDRESSED:
        address = given[1]
        far = isinstance(address, tuple) and isinstance(address[0], str) and _is_far(address[0])
    elif event in _NAMED:
        far = _is_name(given[0])
    else:
        return
    if far:
        what = f"{event.removeprefix('socket.')} {given[1] if event in _ADDRESSED else given[0]!r}"
        _refused.append(what)
        raise FarAway(what)


def _is_far(host: str) -> bool:
    """Whether an address, or a name in the place of one, is of another machine."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return _is_name(host)
    return not (address.is_loopback or address.is_unspecified or _is_mine(host, address.version))


@functools.cache
def _is_mine(host: str, version: int) -> bool:
    """Whether it is an address of this machine, which a browser's page here may have: it binds."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as mine:
        try:
            mine.bind((host, 0))
        except OSError:
            return False
    return True


def _is_name(host: str | bytes | None) -> bool:
    """Whether others are asked where this is; not of an address, nor of a name of this machine."""
    name = host.decode() if isinstance(host, bytes) else host or ""
    if not name or name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return True
    return False
