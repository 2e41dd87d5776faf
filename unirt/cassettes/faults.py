"""
Faults: a good cassette, and one that tells what a provider hardly ever does.

Each is a function of a cassette and a line that gives another cassette. The line is one of a frame
that the client receives, counted as in the file (:func:`line_with` finds one); the fault happens
just before it, or to it. Frames that only the provider can word, a notice or an error, are worded
by its own server side, so that no protocol is known here.

What a client sends after a connection is lost is lost too, so it is taken out with the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

import attrs

from unirt.cassettes.entries import Cassette, Closed, Entry, Framed, Header, Opened, Origin, Stalled
from unirt.cassettes.meaning import Ear
from unirt.cassettes.values import kept
from unirt.errors import CassetteError
from unirt.events import Event, ProviderError, SessionClosed, SessionExpiring, Severity
from unirt.events import Origin as EventOrigin
from unirt.translator import Frame

__all__ = [
    "FAULTS",
    "GARBAGE",
    "UNKNOWN",
    "cap",
    "close",
    "cut",
    "drop",
    "duplicate",
    "error",
    "garbage",
    "go_away",
    "line_with",
    "stall",
    "truncate",
    "unknown",
]

GARBAGE: Final = '{"type": "resp'
"What is no frame at all."
UNKNOWN: Final = '{"type":"novelty.announced"}'
"What nobody has heard of."


def line_with(cassette: Cassette, text: str, nth: int = 1) -> int:
    """
    The line of the `nth` frame that is received and has a text in it.

    Raises:
        CassetteError: There are not as many.
    """
    left = nth
    for line, entry in cassette.numbered():
        if isinstance(entry, Framed) and entry.direction == "received":
            left -= text in entry.payload.decode("utf-8", "replace")
            if not left:
                return line
    raise CassetteError(
        f"it has only {nth - left} received frames with {text!r} in them",
        where="the cassette",
        remedy="look for something else, or for an earlier one",
    )


# The connection.


def close(
    cassette: Cassette,
    line: int,
    *,
    code: int = 1011,
    reason: str = "",
    by: Literal["remote", "local"] = "remote",
) -> Cassette:
    """The far end closes the connection."""
    return _ended(cassette, line, Closed(code=code, reason=reason, by=by), "close")


def cut(cassette: Cassette, line: int) -> Cassette:
    """The network goes away: there is no close frame."""
    return _ended(cassette, line, Closed(code=None, by="network"), "cut")


def stall(cassette: Cassette, line: int) -> Cassette:
    """Nothing more comes, and the connection stays open."""
    return _ended(cassette, line, Stalled(), "stall")


def cap(cassette: Cassette, line: int, *, left_ms: float = 5_000) -> Cassette:
    """The session has lasted as long as it may: the provider says so, in its own way, and ends."""
    near = _said(cassette, line, SessionExpiring(origin=_ORIGIN, time_left_ms=left_ms))
    ear = _ear(cassette, line)
    last = ear.say(SessionClosed(origin=_ORIGIN, code=1001, reason="The session has expired."))
    code, reason = ear.close_wanted or (1001, "The session has expired.")
    told = _with(cassette, line, [*near, *last])
    ended = _ended(told, line + len(near) + len(last), Closed(code=code, reason=reason), "cap")
    return attrs.evolve(ended, header=_noted(cassette, "cap", line))


# Frames.


def go_away(cassette: Cassette, line: int, *, left_ms: float = 5_000) -> Cassette:
    """
    The provider says that it will end the connection soon.

    Raises:
        CassetteError: It has no frame for that.
    """
    return _told(cassette, line, SessionExpiring(origin=_ORIGIN, time_left_ms=left_ms), "go_away")


def error(
    cassette: Cassette,
    line: int,
    *,
    message: str = "The server had an error while processing your request.",
    type: str | None = "server_error",
    code: str | None = None,
) -> Cassette:
    """
    The provider reports an error, and goes on.

    Raises:
        CassetteError: It has no frame for that.
    """
    event = ProviderError(
        origin=_ORIGIN, message=message, severity=Severity.ERROR, type=type, code=code
    )
    return _told(cassette, line, event, "error")


def garbage(cassette: Cassette, line: int, *, text: str = GARBAGE) -> Cassette:
    """Something comes that is no frame at all."""
    return _inserted(cassette, line, [text], "garbage")


def unknown(cassette: Cassette, line: int) -> Cassette:
    """Something comes that nobody has heard of."""
    return _inserted(cassette, line, [UNKNOWN], "unknown")


def duplicate(cassette: Cassette, line: int) -> Cassette:
    """A frame comes twice."""
    return _inserted(cassette, line, [_received(cassette, line).frame], "duplicate")


def drop(cassette: Cassette, line: int) -> Cassette:
    """A frame does not come."""
    _received(cassette, line)
    entries = (entry for at, entry in cassette.numbered() if at != line)
    return _changed(cassette, entries, "drop", line)


def truncate(cassette: Cassette, line: int) -> Cassette:
    """Half of a frame comes."""
    entry = _received(cassette, line)
    text = entry.payload.decode("utf-8", "replace")
    half = attrs.evolve(entry, data=text[: len(text) // 2], altered=())
    entries = (half if at == line else other for at, other in cassette.numbered())
    return _changed(cassette, entries, "truncate", line)


FAULTS: Final[dict[str, Callable[..., Cassette]]] = {
    fault.__name__: fault
    for fault in (
        cap,
        close,
        cut,
        drop,
        duplicate,
        error,
        garbage,
        go_away,
        stall,
        truncate,
        unknown,
    )
}
"All of them, by name."

_ORIGIN: Final = EventOrigin(provider="fault")


def _received(cassette: Cassette, line: int) -> Framed:
    entry = dict(cassette.numbered()).get(line)
    if isinstance(entry, Framed) and entry.direction == "received":
        return entry
    raise CassetteError(
        "no frame is received there",
        where=f"line {line}",
        remedy="give the line of one that is",
    )


def _ended(cassette: Cassette, line: int, end: Closed | Stalled, fault: str) -> Cassette:
    """The cassette with one connection ending before a line."""
    entries = list(cassette.numbered())
    here = dict(entries).get(line)
    if here is None or isinstance(here, Opened):
        raise CassetteError(
            "no connection is open there",
            where=f"line {line}",
            remedy="give a line between an open and a close",
        )
    number = here.connection
    end = attrs.evolve(end, at_ms=here.at_ms, connection=number)
    before = [entry for at, entry in entries if at < line]
    after = [entry for at, entry in entries if at >= line and entry.connection != number]
    return _changed(cassette, [*before, end, *after], fault, line)


def _told(cassette: Cassette, line: int, event: Event, fault: str) -> Cassette:
    frames = _said(cassette, line, event)
    if not frames:
        raise CassetteError(
            f"the protocol has no frame for {type(event).__name__}",
            where=f"line {line}",
            remedy="choose another fault, or write the line by hand",
        )
    return _inserted(cassette, line, frames, fault)


def _said(cassette: Cassette, line: int, event: Event) -> list[Frame]:
    return _ear(cassette, line).say(event)


def _ear(cassette: Cassette, line: int) -> Ear:
    """The provider's server as it is just before a line."""
    number = _received(cassette, line).connection
    segment = next(one for one in cassette.segments if one.number == number)
    ear = Ear(segment)
    for at, entry in segment.entries:
        if at < line and isinstance(entry, Framed):
            if entry.direction == "sent":
                ear.hear(entry.frame)
            else:
                ear.told(entry.payload)
    return ear


def _inserted(cassette: Cassette, line: int, frames: list[Frame], fault: str) -> Cassette:
    return attrs.evolve(_with(cassette, line, frames), header=_noted(cassette, fault, line))


def _with(cassette: Cassette, line: int, frames: list[Frame]) -> Cassette:
    here = _received(cassette, line)
    new = [attrs.evolve(here, data=kept(frame), altered=()) for frame in frames]
    entries: list[Entry] = []
    for at, entry in cassette.numbered():
        entries += [*new, entry] if at == line else [entry]
    return attrs.evolve(cassette, entries=tuple(entries))


def _changed(cassette: Cassette, entries: Iterable[Entry], fault: str, line: int) -> Cassette:
    return Cassette(header=_noted(cassette, fault, line), entries=tuple(entries))


def _noted(cassette: Cassette, fault: str, line: int) -> Header:
    """The header, saying what was done: this is no recording any more."""
    header = cassette.header
    done = [*header.notes.get("faults", ()), f"{fault} at line {line}"]
    notes = {
        **header.notes,
        "faults": done,
        "origin": header.notes.get("origin", str(header.origin)),
    }
    return attrs.evolve(header, origin=Origin.HAND_WRITTEN, notes=notes)
