"""
What a cassette holds, as values: a header, and one entry for each line below it.

Line 1 of a file is its header, so entry `n`, counted from 0, stands in line ``n + 2``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

import attrs
from pydantic_core import to_json

from unirt.translator import Frame
from unirt.value import Value

__all__ = [
    "VERSION",
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
    "moment",
    "silence_of",
]

VERSION = 1
"What this version of unirt writes, and the newest that it reads."

Path = tuple[str | int, ...]
"Where in a JSON value: keys and indices, from outside in."


class Origin(StrEnum):
    """Who said what the far end says."""

    LIVE = "live"
    SIMULATOR = "simulator"
    HAND_WRITTEN = "hand-written"
    IMPORTED = "imported"


@attrs.frozen(kw_only=True)
class Header(Value):
    """What is true of the whole cassette."""

    origin: Origin
    provider: str | None = None
    "Its registered name; ``None`` where nobody knows the protocol."
    model: str | None = None
    protocol: str | None = None
    "The path of the address, which names the version where a provider has several."
    recorded_by: str | None = None
    "Which program and version wrote it."
    against: str | None = None
    "What it was recorded against: an address, or a scenario of the simulator."
    recorded_at: str | None = None
    "When it began, in ISO 8601; ``None`` where the file must not change with the day."
    scrubbed: Mapping[str, Any] = attrs.field(factory=dict)
    "What was taken out, by rule."
    match: tuple[str, ...] = ()
    "The matchers to play it with, where they are not the usual ones."
    notes: Mapping[str, Any] = attrs.field(factory=dict)
    "Whatever else its author wants to say."

    @property
    def began_at(self) -> float | None:
        """When it began, in Unix seconds; ``None`` where the header does not say so."""
        try:
            then = datetime.fromisoformat(self.recorded_at or "")
        except ValueError:
            return None
        return None if then.tzinfo is None else then.timestamp()


def moment(unix: float) -> str:
    """A time of day, given in Unix seconds, as a header has it."""
    then = datetime.fromtimestamp(unix, UTC)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(ms: float) -> float:
    return round(float(ms), 3)


@attrs.frozen(kw_only=True)
class Entry(Value):
    """One line."""

    at_ms: float = attrs.field(default=0.0, converter=_whole)
    "Since the cassette began, to the microsecond."
    connection: int = 1
    "Which connection it belongs to, counted from 1."

    @property
    def at(self) -> float:
        """The same time in seconds, to the microsecond."""
        return round(self.at_ms / 1000, 6)


@attrs.frozen(kw_only=True)
class Opened(Entry):
    """A connection was dialled. Its other lines follow, unless the dial failed."""

    url: str
    "Without credentials."
    provider: str | None = None
    "Where it is not the header's."
    model: str | None = None
    "Where it is not the header's."
    transport: str = "websocket"
    subprotocol: str | None = None
    status: int | None = 101
    "The HTTP status of the answer; ``None`` where none came."
    error: str = ""
    "Why the dial failed."
    client: str | None = None
    "What spoke there, where it was no session of unirt: the library that it dialled with."

    @property
    def failed(self) -> bool:
        """Whether no connection came about."""
        return self.status != 101


@attrs.frozen(kw_only=True)
class Altered(Value):
    """Audio of a frame that is not what it was."""

    at: Path
    "Where in the frame its base64 is."
    size: int
    "How much audio there was, in bytes."
    silence: int | None = None
    "The byte that it was replaced by, all through; ``None`` where it was cut."


@attrs.frozen(kw_only=True)
class Framed(Entry):
    """One message, in one direction."""

    direction: Literal["sent", "received"]
    "``sent`` by the client, or ``received`` by it."
    data: Any
    "Decoded JSON where it is an object or an array; else the text or the bytes as they were."
    binary: bool = False
    "Whether it travelled as a binary message."
    altered: tuple[Altered, ...] = ()
    written: tuple[Any, bytes] | None = attrs.field(default=None, eq=False, repr=False)
    "How `data` stood in the file, with that `data`: so it need not be written anew."

    @property
    def frame(self) -> Frame:
        """The message, as text or binary."""
        return (
            self.payload if self.binary or isinstance(self.data, bytes) else self.payload.decode()
        )

    @property
    def payload(self) -> bytes:
        """The message's bytes: JSON as in the file, or written anew with no white space."""
        if self.written is not None and self.written[0] is self.data:
            return self.written[1]
        if isinstance(self.data, bytes):
            return self.data
        return self.data.encode() if isinstance(self.data, str) else to_json(self.data)


@attrs.frozen(kw_only=True)
class Closed(Entry):
    """The connection ended."""

    code: int | None = None
    "``None`` where it was cut without a close frame."
    reason: str = ""
    by: Literal["local", "remote", "network"] = "remote"


@attrs.frozen(kw_only=True)
class Stalled(Entry):
    """Nothing more comes, and the connection stays open until the client closes it."""


@attrs.frozen(kw_only=True)
class Exchanged(Entry):
    """One HTTP request and its response, as vcrpy keeps them; until that is scrubbed with a key."""

    request: Mapping[str, Any] = attrs.field(repr=False)
    response: Mapping[str, Any] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Segment(Value):
    """One connection of a cassette."""

    number: int
    provider: str | None
    model: str | None
    opened: Opened
    line: int
    "Where :attr:`opened` stands."
    entries: tuple[tuple[int, Entry], ...]
    "What follows it, each with its line."


@attrs.frozen(kw_only=True)
class Cassette(Value):
    """One recording."""

    header: Header
    entries: tuple[Entry, ...]

    def numbered(self) -> Iterator[tuple[int, Entry]]:
        """The entries, each with its line."""
        return enumerate(self.entries, 2)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The connections, in the order in which they were dialled."""
        opened: dict[int, tuple[int, Opened]] = {}
        rest: dict[int, list[tuple[int, Entry]]] = {}
        for line, entry in self.numbered():
            if isinstance(entry, Opened):
                opened[entry.connection] = line, entry
            elif not isinstance(entry, Exchanged):
                rest.setdefault(entry.connection, []).append((line, entry))
        return tuple(
            Segment(
                number=number,
                provider=first.provider or self.header.provider,
                model=first.model or self.header.model,
                opened=first,
                line=line,
                entries=tuple(rest.get(number, ())),
            )
            for number, (line, first) in opened.items()
        )

    @property
    def exchanges(self) -> tuple[Exchanged, ...]:
        """What went over HTTP, in order."""
        return tuple(entry for entry in self.entries if isinstance(entry, Exchanged))


@lru_cache(maxsize=256)
def silence_of(size: int, byte: int) -> str:
    """Silence in base64; most frames of one cassette hold equally much."""
    return base64.b64encode(bytes((byte,)) * size).decode()
