"""
Cassettes: a realtime session as a file that people can read.

One file is one scenario: every message of every connection in both directions with its time, how
each connection began and ended, and what went over HTTP. JSON lines, one message a line, so that a
diff reads well; the format is in docs/reference/cassettes.md.

- :func:`read`, :func:`write`: files.
- :func:`loads`, :func:`dumps`: the same, as bytes.
- :class:`Cassette`: what is in one.

All of it is sans-IO but for :mod:`~unirt.cassettes.files`. Who records and plays is
:func:`unirt.cassette`.
"""

from unirt.cassettes.entries import (
    Altered,
    Cassette,
    Closed,
    Entry,
    Exchanged,
    Framed,
    Header,
    Opened,
    Origin,
    Segment,
    Stalled,
)
from unirt.cassettes.files import read, write
from unirt.cassettes.lines import from_lines
from unirt.cassettes.reading import loads
from unirt.cassettes.values import kept
from unirt.cassettes.writing import dumps

__all__ = [
    "Altered",
    "Cassette",
    "Closed",
    "Entry",
    "Exchanged",
    "Framed",
    "Header",
    "Opened",
    "Origin",
    "Segment",
    "Stalled",
    "dumps",
    "from_lines",
    "kept",
    "loads",
    "read",
    "write",
]
