"""
An input for the reader of cassettes, and what must hold whatever it says.

- It is refused by :class:`~unirt.errors.CassetteError`, or read.
- What was read can be written, and is then read as the same.
"""

from __future__ import annotations

from unirt.cassettes import dumps, from_lines, loads
from unirt.errors import CassetteError

__all__ = ["read_any"]


def read_any(data: bytes) -> int:
    """
    Read an input, in both formats; returns how many lines it held.

    Raises:
        AssertionError: Something did not hold.
    """
    for read in (loads, from_lines):
        try:
            cassette = read(data, "fuzz")
            written = dumps(cassette, "fuzz")
        except CassetteError:
            continue
        assert loads(written, "again") == cassette, "it is read as something else"
    return data.count(b"\n") + 1
