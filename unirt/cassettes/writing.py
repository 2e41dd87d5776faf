"""From a :class:`~unirt.cassettes.entries.Cassette` to bytes; equal cassettes make equal bytes."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

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
    Stalled,
)
from unirt.cassettes.order import check_order
from unirt.cassettes.reading import MARK
from unirt.cassettes.values import without_silence

__all__ = ["dumps", "line_of"]


def dumps(cassette: Cassette, where: str, *, compressed: bool = False) -> bytes:
    """
    Write a cassette.

    Args:
        cassette: What to write.
        where: What errors call it.
        compressed: Whether to compress it.

    Raises:
        CassetteError: Its lines are out of order, or it holds nothing: no reader would take it.
    """
    check_order(cassette, where)
    lines = (f"{_json(line)}\n" for line in _lines(cassette))
    data = "".join(lines).encode()
    return gzip.compress(data, mtime=0) if compressed else data


def _json(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def _lines(cassette: Cassette) -> Iterator[dict[str, Any]]:
    yield _header(cassette.header)
    for entry in cassette.entries:
        yield line_of(entry)


def _header(header: Header) -> dict[str, Any]:
    line: dict[str, Any] = {
        MARK: VERSION,
        "provider": header.provider,
        "model": header.model,
        "protocol": header.protocol,
        "origin": header.origin.value,
        "recorded_by": header.recorded_by,
        "against": header.against,
        "recorded_at": header.recorded_at,
        "scrubbed": dict(header.scrubbed),
    }
    if header.match:
        line["match"] = list(header.match)
    if header.notes:
        line["notes"] = dict(header.notes)
    return line


def line_of(entry: Entry) -> dict[str, Any]:
    """One line, as the JSON object that it is."""
    line: dict[str, Any] = {"t": _time(entry.at_ms)}
    if entry.connection != 1:
        line["c"] = entry.connection
    match entry:
        case Framed():
            _frame(line, entry)
        case Opened():
            line["open"] = _open(entry)
        case Closed():
            line["close"] = {"code": entry.code, "reason": entry.reason, "by": entry.by}
        case Stalled():
            line["stall"] = True
        case Exchanged():
            line["http"] = {"request": dict(entry.request), "response": dict(entry.response)}
        case _:
            raise TypeError(f"no line holds a {type(entry).__name__}")
    return line


def _time(ms: float) -> float | int:
    """Whole where it is."""
    return int(ms) if ms.is_integer() else ms


def _frame(line: dict[str, Any], entry: Framed) -> None:
    if isinstance(entry.data, bytes):
        line[entry.direction] = base64.b64encode(entry.data).decode()
        line["as"] = "base64"
        return
    line[entry.direction] = without_silence(entry.data, entry.altered)
    if entry.binary:
        line["as"] = "binary"
    if entry.altered:
        line["audio"] = list(map(_altered, entry.altered))


def _altered(change: Altered) -> dict[str, Any]:
    line: dict[str, Any] = {"at": list(change.at)}
    line["cut_from" if change.silence is None else "silence"] = change.size
    if change.silence:
        line["of"] = change.silence
    return line


def _open(entry: Opened) -> dict[str, Any]:
    line: dict[str, Any] = {"url": entry.url}
    if entry.provider is not None:
        line["provider"] = entry.provider
    if entry.model is not None:
        line["model"] = entry.model
    if entry.transport != "websocket":
        line["transport"] = entry.transport
    if entry.subprotocol is not None:
        line["subprotocol"] = entry.subprotocol
    if entry.failed:
        line["status"] = entry.status
    if entry.error:
        line["error"] = entry.error
    if entry.client is not None:
        line["client"] = entry.client
    return line
