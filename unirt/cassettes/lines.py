"""
Import of the older format of recordings: ``{"direction": ..., "data": ...}`` a line.

Other projects keep such lines too. They hold no time and one connection, and often not its end.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from unirt.cassettes.entries import Cassette, Closed, Entry, Framed, Header, Opened, Origin, Stalled
from unirt.errors import CassetteError
from unirt.wire import Wire, WireError

__all__ = ["from_lines"]


def from_lines(
    data: bytes,
    where: str,
    *,
    provider: str | None = None,
    model: str | None = None,
    origin: Origin = Origin.IMPORTED,
) -> Cassette:
    """
    The cassette that a recording in lines of ``direction`` and ``data`` amounts to.

    Args:
        data: The file's content.
        where: What errors call it.
        provider: Whose frames they are, where no ``note`` line says so.
        model: Likewise.
        origin: Who said what the far end says.

    Raises:
        CassetteError: A line is something else.
    """
    notes: dict[str, Any] = {}
    entries: list[Entry] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            wire = Wire(from_json(line, allow_inf_nan=False))
            if wire.text("direction") == "note":
                notes |= wire.obj("data").data
            else:
                entries.append(_entry(wire))
        except ValueError as exc:
            raise CassetteError(
                f"this is no line of a recording: {exc}",
                where=f"{where}, line {number}",
                remedy='each line must be like {"direction": "received", "data": {...}}',
            ) from None
    if not entries:
        raise CassetteError("it holds no frame", where=where, remedy="name another file")
    if not isinstance(entries[-1], Closed):
        entries.append(Stalled())
    return Cassette(
        header=Header(
            origin=origin,
            provider=provider or notes.pop("provider", None),
            model=model or notes.pop("model", None),
            notes=notes,
        ),
        entries=(Opened(url="unknown:"), *entries),
    )


def _entry(wire: Wire) -> Entry:
    match wire.text("direction"):
        case "sent" | "received" as direction:
            data = wire.data.get("data")
            if not isinstance(data, dict | list | str):
                raise wire.wrong("data", "a frame")
            return Framed(direction=direction, data=data)
        case "close":
            inner = wire.obj_or("data") or Wire({})
            code = inner.count("code", -1)
            return Closed(code=None if code < 0 else code, reason=inner.text_or("reason") or "")
        case other:
            raise WireError("direction", f"{other!r}, expected sent, received, close or note")
