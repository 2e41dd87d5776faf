"""What the page shows, as JSON: the timeline with everything in words, and its sound."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import attrs

from unirt.cli.show import describe_command, details, merged
from unirt.events import Event
from unirt.timeline import Lane, RowKind, Run, Timeline, Turn, runs
from unirt.timeline.sound import mixdown, peaks
from unirt.usage import Usage

__all__ = ["shown"]

_RATE = 16_000
"Of the sound in the page, in Hz: good speech, a third smaller."
_PLAYABLE_MS = 10 * 60_000.0
"A longer cassette is shown and not played: its sound would make a page of more than 50 MB."
_PEAKS_A_SECOND = 100
_MOST_PEAKS = 60_000
_LONG = 600
"Characters of a text inside a frame; of a longer one the start is shown."

_MARKED = (
    "SpeechStarted",
    "SpeechStopped",
    "Interrupted",
    "ItemTruncated",
    "ToolCall",
    "ProviderError",
    "Malformed",
    "Unmapped",
    "SessionExpiring",
    "SessionClosed",
)
"Events that are marked beneath the lanes."


def shown(seen: Timeline, name: str) -> dict[str, Any]:
    """Everything the page needs."""
    groups = list(runs(seen.rows))
    frames = [row for row in seen.rows if row.kind in (RowKind.SENT, RowKind.RECEIVED)]
    sent = sum(row.kind is RowKind.SENT for row in frames)
    return {
        "name": name,
        "origin": seen.header.origin,
        "end": round(seen.end_ms, 3),
        "facts": _facts(seen),
        "counts": {"sent": sent, "received": len(frames) - sent},
        "warnings": list(seen.warnings),
        "several": len(seen.connections) > 1,
        "lanes": [_lane(lane, seen.end_ms) for lane in seen.lanes],
        "turns": [_turn(turn) for turn in seen.turns],
        "tools": [
            {
                "c": tool.connection,
                "name": tool.name,
                "args": tool.arguments,
                "from": tool.called_ms,
                "to": tool.answered_ms,
                "cancelled": tool.cancelled,
            }
            for tool in seen.tools
        ],
        "marks": list(_marks(groups)),
        "rows": [_row(group) for group in groups],
        "usage": _usage(seen.usage),
    }


def _facts(seen: Timeline) -> list[list[str]]:
    header = seen.header
    lines = {
        "provider": header.provider or "",
        "model": header.model or "",
        "recorded against": header.against or "",
        "recorded at": header.recorded_at or "",
        "recorded by": header.recorded_by or "",
        "taken out": ", ".join(f"{what}: {how}" for what, how in header.scrubbed.items()),
        "notes": json.dumps(dict(header.notes), ensure_ascii=False) if header.notes else "",
    }
    if len(seen.connections) > 1:
        lines["connections"] = ", ".join(
            f"{number}: {provider or 'unknown'} {model or ''}".strip()
            for number, provider, model in seen.connections
        )
    return [[label, text] for label, text in lines.items() if text]


def _lane(lane: Lane, end_ms: float) -> dict[str, Any]:
    width = max(1, min(_MOST_PEAKS, int(end_ms / 1000 * _PEAKS_A_SECOND)))
    playable = lane.audible and end_ms <= _PLAYABLE_MS
    return {
        "c": lane.connection,
        "role": lane.role,
        "format": str(lane.pieces[0].format),
        "audible": lane.audible,
        "peaks": _packed(bytes(peaks(lane, end_ms, width))),
        "unheard": _packed(bytes(peaks(lane, end_ms, width, heard=False))),
        "spans": _spans(lane),
        "ms": sum(piece.heard_ms for piece in lane.pieces),
        "pcm": _packed(mixdown(lane, end_ms, _RATE)) if playable else None,
        "rate": _RATE,
    }


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _spans(lane: Lane) -> list[list[float]]:
    """From when to when there is audio, and until when it was heard; touching pieces are one."""
    spans: list[list[float]] = []
    owner: str | None = None
    for piece in lane.pieces:
        heard = piece.start_ms + piece.heard_ms
        joins = spans and owner == piece.response_id and piece.start_ms - spans[-1][1] < 1
        if spans and joins:
            if spans[-1][2] >= spans[-1][1] - 0.01:
                spans[-1][2] = heard
            spans[-1][1] = piece.end_ms
        else:
            spans.append([piece.start_ms, piece.end_ms, heard])
        owner = piece.response_id
    for span, after in pairwise(spans):
        span[1] = max(span[2], min(span[1], after[0]))  # what was not heard gives way
    return [[round(edge, 2) for edge in span] for span in spans]


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "c": turn.connection,
        "user": turn.user_text,
        "model": turn.text,
        "asked": turn.asked_ms,
        "by": turn.asked_by,
        "started": turn.started_ms,
        "audio": turn.first_audio_ms,
        "text": turn.first_text_ms,
        "done": turn.done_ms,
        "latency": turn.latency_ms,
        "ending": None if turn.ending is None else turn.ending.value,
        "reason": turn.reason,
        "heard": turn.heard_ms,
        "ms": turn.audio_ms,
        "usage": _usage(turn.usage),
    }


def _usage(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    return {"in": usage.input_tokens, "out": usage.output_tokens, "cached": usage.cached.total}


def _marks(groups: list[Run]) -> Iterable[dict[str, Any]]:
    for index, group in enumerate(groups):
        for row in group.rows:
            for event in row.events:
                if type(event).__name__ in _MARKED:
                    yield {
                        "t": row.at_ms,
                        "name": type(event).__name__,
                        "words": details(event),
                        "row": index,
                    }


def _row(group: Run) -> dict[str, Any]:
    first, last = group.first, group.rows[-1]
    return {
        "line": first.line,
        "last": last.line,
        "t": round(first.at_ms, 3),
        "until": round(last.at_ms, 3),
        "c": first.connection,
        "kind": first.kind.value,
        "name": first.name,
        "many": len(group.rows),
        "size": group.size,
        "ms": group.audio_ms,
        "note": first.note,
        "data": None if first.data is None else json.dumps(_short(first.data), indent=2,
                                                           ensure_ascii=False),
        "means": [*_commands(group), *_events(group)],
    }  # fmt: skip


def _commands(group: Run) -> Iterable[dict[str, Any]]:
    if len(group.rows) > 1:
        commands = [type(command).__name__ for row in group.rows for command in row.commands]
        if commands:
            yield {"plane": "command", "name": commands[0], "words": f"in {len(commands)} pieces"}
        return
    for command in group.first.commands:
        _, name, *words = describe_command(command).split(" ", 2)
        yield {"plane": "command", "name": name, "words": " ".join(words)}


def _events(group: Run) -> Iterable[dict[str, Any]]:
    if len(group.rows) > 1:
        for line in merged(event for row in group.rows for event in row.events):
            _, name, *words = line.split(" ", 2)
            yield {"plane": "content", "name": name.rstrip("*"), "words": " ".join(words)}
        return
    for event in group.first.events:
        yield {
            "plane": event.plane.value,
            "name": type(event).__name__,
            "words": details(event),
            "concluded": event.synthesised,
            "more": json.dumps(_short(_fields(event)), indent=2, ensure_ascii=False, default=str),
        }


def _fields(event: Event) -> dict[str, Any]:
    """What an event holds that its author would show."""
    return {
        field.name: getattr(event, field.name)
        for field in attrs.fields(type(event))
        if field.repr
        and field.name != "origin"
        and getattr(event, field.name) not in (None, (), "")
    }


def _short(value: Any) -> Any:
    """The value with its long texts, which are sound mostly, cut."""
    if isinstance(value, str):
        return value if len(value) <= _LONG else f"{value[:60]}… ({len(value):,} characters)"
    if isinstance(value, bytes):
        return f"({len(value):,} bytes) {value[:24].hex(' ')}"
    if isinstance(value, dict):
        return {str(key): _short(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_short(inner) for inner in value]
    if attrs.has(type(value)):
        return {f.name: _short(getattr(value, f.name)) for f in attrs.fields(type(value)) if f.repr}
    return value if value is None or isinstance(value, bool | int | float) else str(value)
