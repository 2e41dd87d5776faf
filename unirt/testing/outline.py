"""What two folded views are compared by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from unirt.events import StreamKind
from unirt.fold import ContentStep

__all__ = ["outline"]

_KINDS = list(StreamKind)


def outline(steps: Iterable[ContentStep]) -> list[dict[str, Any]]:
    """
    A folded view, turn by turn, as plain data that is equal wherever the conversation was.

    Ids are renamed by first appearance and the deltas of a stream are merged. Within a turn the
    user's streams come first, then the responses in order; the streams of one item stand side by
    side in time, so they are listed by kind; endings without a stream come last.

    Each entry has: ``turn``, ``response``, ``item``, ``kind``, ``role``, ``name``, ``call``,
    ``data``, ``text``, ``output``, ``ending``, ``reason``, ``heard_ms``, ``usage``, ``calls``.
    A stream that is still open has ``ending`` ``None``.
    """
    entries: dict[str, dict[str, Any]] = {}
    for step in steps:
        stream = step.stream
        entry = entries.setdefault(
            stream.id,
            {
                "turn": stream.turn_id,
                "response": stream.response_id,
                "item": stream.item_id,
                "kind": stream.kind.value,
                "role": stream.role,
                "name": stream.name,
                "call": stream.call_id,
                "data": None,
                "text": None,
                "output": None,
                "ending": None,
                "reason": None,
                "heard_ms": None,
                "usage": None,
                "calls": (),
            },
        )
        if step.step == "delta":
            entry["data"] = _merge(entry["data"], step.data)
        elif step.step == "close":
            entry.update(
                text=step.text,
                output=step.output,
                ending=None if step.ending is None else step.ending.value,
                reason=step.reason,
                heard_ms=step.heard_ms,
                usage=None if step.usage is None else attrs.asdict(step.usage),
                calls=step.call_ids,
            )
    return _renamed(_ordered(list(entries.values())))


def _merge(so_far: Any, data: Any) -> Any:
    if so_far is None:
        return data
    if isinstance(data, bytes | str):
        return so_far + data
    return [*so_far, data] if isinstance(so_far, list) else [so_far, data]


def _ordered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    turns = _first_seen(entries, "turn")
    responses = _first_seen(entries, "response")
    items = _first_seen(entries, "item")

    def place(entry: dict[str, Any]) -> tuple[Any, ...]:
        return (
            turns[entry["turn"]],
            entry["role"] != "user",
            responses[entry["response"]],
            entry["kind"] == StreamKind.NONE,
            items[entry["item"]],
            _KINDS.index(StreamKind(entry["kind"])),
        )

    return sorted(entries, key=place)


def _first_seen(entries: list[dict[str, Any]], key: str) -> dict[Any, int]:
    order: dict[Any, int] = {}
    for entry in entries:
        order.setdefault(entry[key], len(order))
    return order


def _renamed(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names: dict[str, dict[Any, str | None]] = {
        key: {None: None} for key in ("turn", "response", "item", "call")
    }
    for entry in entries:
        for key, known in names.items():
            entry[key] = known.setdefault(entry[key], f"{key}{len(known)}")
    for entry in entries:
        calls = names["call"]
        entry["calls"] = [calls.setdefault(id_, f"call{len(calls)}") for id_ in entry["calls"]]
    return entries
