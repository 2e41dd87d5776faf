"""
From bytes to a :class:`~unirt.cassettes.entries.Cassette`. Strict: whatever is not understood is an
error with its line, for a recording that is half read would make a test that half tests.
"""

from __future__ import annotations

import base64
import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, Literal

from pydantic_core import from_json

from unirt.cassettes.entries import (
    VERSION,
    Altered,
    Cassette,
    Closed,
    Entry,
    Exchanged,
    Framed,
    Header,
    Opened,
    Origin,
    Stalled,
)
from unirt.cassettes.order import check_order
from unirt.cassettes.values import look_up, with_silence
from unirt.errors import CassetteError
from unirt.spelling import nearest
from unirt.wire import Wire, WireError

__all__ = ["MARK", "loads"]

MARK: Final = "unirt_cassette"
"The first key of every cassette; its value is the version of the format."

_BEGIN: Final = re.compile(
    rb'\{(?:"t": ((?:0|[1-9]\d{0,8})(?:\.\d+)?), )?(?:"c": ([1-9]\d{0,8}), )?"(sent|received)": '
)
_ENDS: Final = (b', "as": "binary"}', b"}")
"Around the frame in a line without anything else."
_LATEST: Final = 1e12
"In ms: thirty years. JSON's numbers have no end."
_MOST_SOUND: Final = 1 << 28
"Bytes of one frame: more than an hour, and no message is as large."
_GZIP: Final = b"\x1f\x8b"
_HEADER: Final = frozenset(
    {
        MARK,
        "provider",
        "model",
        "protocol",
        "origin",
        "recorded_by",
        "against",
        "recorded_at",
        "scrubbed",
        "match",
        "notes",
    }
)
_FRAME: Final = frozenset({"t", "c", "sent", "received", "as", "audio"})
_OPEN: Final = frozenset(
    {"url", "provider", "model", "transport", "subprotocol", "status", "error", "client"}
)


def loads(data: bytes, where: str) -> Cassette:
    """
    Read a cassette.

    Args:
        data: The file's content, compressed or not.
        where: What errors call it.

    Raises:
        CassetteError: It is empty, truncated, too new, damaged, or something else altogether.
    """
    lines = _lines(_unpacked(data, where))
    first, _ = next(lines, (None, True))
    if first is None:
        raise CassetteError(
            "the file is empty", where=where, remedy="restore it, or record it again"
        )
    header = _header(first, where)
    entries: list[Entry] = []
    now = 0.0
    for number, (line, last) in enumerate(lines, 2):
        try:
            entry = _usual(line, now) or _entry(_decoded(line), now, line)
        except WireError as exc:
            raise CassetteError(
                str(exc).replace("$.", ""),
                where=f"{where}, line {number}",
                remedy="correct the line; docs/reference/cassettes.md says what it may hold",
            ) from None
        except ValueError as exc:
            cut = last and "EOF" in str(exc)
            raise CassetteError(
                f"{'the file is truncated: ' if cut else ''}not JSON: {exc}",
                where=f"{where}, line {number}",
                remedy="restore the file, or correct the line",
            ) from None
        now = entry.at_ms
        entries.append(entry)
    cassette = Cassette(header=header, entries=tuple(entries))
    check_order(cassette, where)
    return cassette


def _lines(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """
    The lines, and whether each is the last.

    One after the other, so that the memory of one is there for the next: a file of sound is large,
    and memory that was never touched is slow.
    """
    start, size = 0, len(data)
    while start < size:
        end = data.find(b"\n", start)
        if end < 0:
            end = size
        line = data[start:end]
        start = end + 1
        yield line, start >= size


def _unpacked(data: bytes, where: str) -> bytes:
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        what = "the file is truncated"
    except (OSError, zlib.error) as exc:
        what = f"the file is damaged: {exc}"
    raise CassetteError(what, where=where, remedy="restore it, or record it again") from None


def _header(line: bytes, where: str) -> Header:
    place = f"{where}, line 1"
    try:
        wire = Wire(from_json(line))
    except ValueError:
        wire = Wire({})
    if MARK not in wire:
        remedy = f'its first line must be an object with "{MARK}": {VERSION}'
        if "direction" in wire:
            remedy = "turn it into one with 'unirt cassette convert'"
        elif line.startswith(codecs.BOM_UTF8):
            remedy = "save it as UTF-8 without a byte order mark"
        raise CassetteError("this is no cassette of unirt", where=place, remedy=remedy)
    version = wire.data[MARK]
    if type(version) is not int or version < 1:
        raise CassetteError(
            f"its version is {version!r}", where=place, remedy=f'write "{MARK}": {VERSION}'
        )
    if version > VERSION:
        raise CassetteError(
            f"its version is {version}, and this unirt reads up to {VERSION}",
            where=place,
            remedy="update unirt-realtime",
        )
    try:
        _only(wire, _HEADER)
        origin = wire.text("origin")
        if origin not in set(Origin):
            raise WireError("origin", f"{origin!r}, expected one of {', '.join(Origin)}")
        return Header(
            origin=Origin(origin),
            provider=wire.text_or("provider"),
            model=wire.text_or("model"),
            protocol=wire.text_or("protocol"),
            recorded_by=wire.text_or("recorded_by"),
            against=wire.text_or("against"),
            recorded_at=wire.text_or("recorded_at"),
            scrubbed=_object(wire, "scrubbed"),
            match=tuple(wire.texts("match")),
            notes=_object(wire, "notes"),
        )
    except WireError as exc:
        raise CassetteError(
            str(exc).replace("$.", ""),
            where=place,
            remedy="correct the header; docs/reference/cassettes.md says what it may hold",
        ) from None


def _object(wire: Wire, key: str) -> dict[str, Any]:
    found = wire.obj_or(key)
    return {} if found is None else found.data


def _only(wire: Wire, known: Collection[str]) -> None:
    for key in wire.data:
        if key not in known:
            raise WireError(f"{wire.path}.{key}", f"unknown, {nearest(key, known)}")


def _entry(data: Any, now: float, line: bytes) -> Entry:
    """One line; a time that is not given is that of the line above."""
    wire = Wire(data)
    at = data.get("t", now)
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at <= _LATEST:
        raise wire.wrong("t", "a time in ms")
    connection = data.get("c", 1)
    if type(connection) is not int or connection < 1:
        raise wire.wrong("c", "a connection, counted from 1")
    kinds = [key for key in data if key in _KINDS]
    if len(kinds) != 1:
        if not kinds:
            _only(wire, ("t", "c", *_KINDS))
        raise WireError("$", f"expected exactly one of {', '.join(_KINDS)}")
    if kinds[0] in ("sent", "received"):
        return _framed(wire, line, at_ms=at, connection=connection)
    return _KINDS[kinds[0]](wire, at_ms=at, connection=connection)


def _decoded(text: bytes) -> Any:
    return from_json(text, cache_strings="keys", allow_inf_nan=False)


def _usual(line: bytes, now: float) -> Framed | None:
    """
    A line that holds a frame, JSON in a text message, and nothing else; ``None`` for any other.

    Nearly all lines are such, as this version writes them, and most of what they take is their
    sound: here it is copied once, and read once. What is not exactly that goes the way of
    :func:`_entry`, which understands these lines too.
    """
    begin = _BEGIN.match(line)
    if begin is None or not line.endswith(b"}"):
        return None
    written = line[begin.end() : -1]
    try:
        data = _decoded(written)
    except ValueError:
        return None
    if type(data) is not dict and type(data) is not list:
        return None
    at, connection, direction = begin.groups()
    return Framed(
        at_ms=now if at is None else float(at),
        connection=1 if connection is None else int(connection),
        direction="sent" if direction == b"sent" else "received",
        data=data,
        written=(data, written),
    )


def _written(line: bytes, data: Any) -> tuple[Any, bytes] | None:
    """The frame as it stands in a line, where that is as this version writes lines."""
    begin = _BEGIN.match(line)
    if begin is None or not isinstance(data, dict | list):
        return None
    for tail in _ENDS:
        if line.endswith(tail):
            return data, line[begin.end() : -len(tail)]
    return None


def _framed(wire: Wire, text: bytes, **place: Any) -> Framed:
    line = wire.data
    if len(line) > 1 and not line.keys() <= _FRAME:
        _only(wire, _FRAME)
    direction: Literal["sent", "received"] = "sent" if "sent" in line else "received"
    data, how = line[direction], line.get("as")
    if how not in (None, "binary", "base64"):
        raise wire.wrong("as", "'binary' or 'base64'")
    if how == "base64":
        try:
            data = base64.b64decode(wire.text(direction), validate=True)
        except ValueError as exc:
            raise WireError(direction, f"not base64: {exc}") from None
    elif not isinstance(data, dict | list | str):
        raise wire.wrong(direction, "an object, an array or a string")
    altered = tuple(map(_altered, wire.objs("audio"))) if "audio" in line else ()
    written = None if altered else _written(text, data)
    if altered:
        for change in altered:
            try:
                found = look_up(data, change.at)
            except LookupError:
                found = None
            if type(found) is not str or (found and change.silence is not None):
                raise WireError("audio", f"no {_expected(change)} at {list(change.at)}")
        data = with_silence(data, altered)
    return Framed(
        direction=direction,
        data=data,
        binary=how is not None,
        altered=altered,
        written=written,
        **place,
    )


def _expected(change: Altered) -> str:
    return "string" if change.silence is None else "empty string"


def _altered(wire: Wire) -> Altered:
    _only(wire, ("at", "cut_from", "silence", "of"))
    at = wire.data.get("at")
    if not isinstance(at, list) or not all(type(step) in (str, int) for step in at):
        raise wire.wrong("at", "an array of keys and indices")
    if ("cut_from" in wire) is ("silence" in wire):
        raise WireError(wire.path, "expected one of cut_from, silence")
    key = "silence" if "silence" in wire else "cut_from"
    size, byte = wire.count(key), wire.count("of")
    if not 0 <= size <= _MOST_SOUND or not 0 <= byte < 256:
        raise wire.wrong(key, "a number of bytes")
    return Altered(at=tuple(at), size=size, silence=byte if key == "silence" else None)


def _opened(wire: Wire, **place: Any) -> Opened:
    _only(wire, ("t", "c", "open"))
    inner = wire.obj("open")
    _only(inner, _OPEN)
    status = inner.data.get("status", 101)
    if status is not None and type(status) is not int:
        raise inner.wrong("status", "an HTTP status or null")
    return Opened(
        url=inner.text("url"),
        provider=inner.text_or("provider"),
        model=inner.text_or("model"),
        transport=inner.text_or("transport") or "websocket",
        subprotocol=inner.text_or("subprotocol"),
        status=status,
        error=inner.text_or("error") or "",
        client=inner.text_or("client"),
        **place,
    )


def _closed(wire: Wire, **place: Any) -> Closed:
    _only(wire, ("t", "c", "close"))
    inner = wire.obj("close")
    _only(inner, ("code", "reason", "by"))
    code = inner.data.get("code")
    if code is not None and type(code) is not int:
        raise inner.wrong("code", "a close code or null")
    match inner.text_or("by") or "remote":
        case "local" | "remote" | "network" as by:
            return Closed(code=code, reason=inner.text_or("reason") or "", by=by, **place)
        case _:
            raise inner.wrong("by", "'local', 'remote' or 'network'")


def _stalled(wire: Wire, **place: Any) -> Stalled:
    _only(wire, ("t", "c", "stall"))
    if wire.data["stall"] is not True:
        raise wire.wrong("stall", "true")
    return Stalled(**place)


def _exchanged(wire: Wire, **place: Any) -> Exchanged:
    _only(wire, ("t", "http"))
    inner = wire.obj("http")
    _only(inner, ("request", "response"))
    return Exchanged(
        request=inner.obj("request").data, response=inner.obj("response").data, **place
    )


_KINDS: Final[dict[str, Callable[..., Entry]]] = {
    "sent": _framed,
    "received": _framed,
    "open": _opened,
    "close": _closed,
    "stall": _stalled,
    "http": _exchanged,
}
