"""The kinds of faults: what each does, and where it can be done."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

from unirt.testing.faults.phases import Phase
from unirt.value import Value

__all__ = ["KINDS", "Kind", "Scope"]


class Scope(StrEnum):
    """What a fault is done to."""

    DIAL = "dial"
    "A connection that is being made."
    CONNECTION = "connection"
    "One that is open; it needs no frame, and happens the moment that its point is reached."
    FRAME = "frame"
    "The next frame."


@attrs.frozen(kw_only=True)
class Kind(Value):
    """One kind of fault. What has the name of one of the faults of a cassette is the same."""

    name: str
    what: str
    scopes: frozenset[Scope]
    value: str = ""
    "What its number says; empty where it has none."
    default: int | None = None
    "The number where none is given."
    sent: bool = False
    "Whether it can be done to what the client sends."
    socket_only: bool = False
    "Whether it takes a socket, so that only the proxy can do it."

    def scope_in(self, phase: Phase) -> Scope | None:
        """What it is done to in a phase; ``None`` where it cannot be done."""
        if phase is Phase.DIAL:
            scope = Scope.DIAL
        else:
            scope = Scope.FRAME if Scope.FRAME in self.scopes else Scope.CONNECTION
        return scope if scope in self.scopes else None


_DIAL = frozenset({Scope.DIAL})
_OPEN = frozenset({Scope.CONNECTION})
_FRAME = frozenset({Scope.FRAME})

_TABLE: tuple[Kind, ...] = (
    Kind(
        name="refuse",
        what="The server refuses the connection.",
        scopes=_DIAL,
        value="HTTP status",
        default=503,
    ),
    Kind(
        name="close",
        what="The far end closes the connection.",
        scopes=_OPEN,
        value="close code",
        default=1011,
    ),
    Kind(
        name="cut",
        what="The network goes away: there is no close frame.",
        scopes=_DIAL | _OPEN,
    ),
    Kind(
        name="reset",
        what="The far end resets the socket (TCP RST).",
        scopes=_DIAL | _OPEN,
        socket_only=True,
    ),
    Kind(
        name="half_close",
        what="The far end says that it sends no more, and goes on reading (TCP FIN).",
        scopes=_OPEN,
        socket_only=True,
    ),
    Kind(
        name="linger",
        what="The far end closes the connection, and never ends the socket.",
        scopes=_OPEN,
        value="close code",
        default=1011,
        socket_only=True,
    ),
    Kind(
        name="stall",
        what="Nothing more comes, and the connection stays open. As sent: nothing leaves.",
        scopes=_DIAL | _OPEN,
        sent=True,
    ),
    Kind(
        name="throttle",
        what="What comes, comes at so many bytes a second.",
        scopes=_OPEN,
        value="bytes per second",
        default=20_000,
    ),
    Kind(
        name="cap",
        what="The session has lasted as long as it may: the provider says so, and ends it.",
        scopes=_OPEN,
    ),
    Kind(
        name="go_away",
        what="The provider says that it will end the connection soon.",
        scopes=_OPEN,
        value="ms that are left",
        default=5_000,
    ),
    Kind(name="error", what="The provider reports an error, and goes on.", scopes=_OPEN),
    Kind(name="garbage", what="Something comes that is no frame at all.", scopes=_OPEN),
    Kind(name="unknown", what="Something comes that nobody has heard of.", scopes=_OPEN),
    Kind(
        name="oversize",
        what="A frame comes that is far too large, and that nobody has heard of.",
        scopes=_OPEN,
        value="bytes",
        default=1 << 20,
    ),
    Kind(
        name="delay",
        what="A frame, and all behind it, comes late. A dial: it takes so long.",
        scopes=_DIAL | _FRAME,
        value="ms",
        default=2_000,
        sent=True,
    ),
    Kind(name="drop", what="A frame does not come.", scopes=_FRAME, sent=True),
    Kind(name="duplicate", what="A frame comes twice.", scopes=_FRAME, sent=True),
    Kind(name="reorder", what="A frame comes after the one behind it.", scopes=_FRAME, sent=True),
    Kind(name="truncate", what="Half of a frame comes.", scopes=_FRAME, sent=True),
    Kind(
        name="corrupt",
        what="A frame comes with a wrong character in its middle.",
        scopes=_FRAME,
        sent=True,
    ),
    Kind(
        name="break",
        what="A WebSocket frame begins and never ends: the connection is cut within it.",
        scopes=_FRAME,
        socket_only=True,
    ),
    Kind(
        name="nonsense",
        what="Bytes come that are no WebSocket frame.",
        scopes=_OPEN,
        socket_only=True,
    ),
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _TABLE}
"All of them, by name."
