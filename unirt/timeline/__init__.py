"""
A cassette as a timeline: what went over the wire, what it meant, what was heard, how long it took.

:func:`timeline` is a pure function of a cassette. It runs the provider's own translators over the
frames, so it knows no provider, and works for all of them, for several connections in one file, for
audio that was cut or silenced, and for frames that nobody understands. ``unirt inspect`` draws what
it returns, in the terminal and as a page.
"""

from unirt.timeline.build import timeline
from unirt.timeline.runs import Run, runs
from unirt.timeline.values import Lane, Piece, Row, RowKind, Timeline, ToolRun, Turn

__all__ = [
    "Lane",
    "Piece",
    "Row",
    "RowKind",
    "Run",
    "Timeline",
    "ToolRun",
    "Turn",
    "runs",
    "timeline",
]
