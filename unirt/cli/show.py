"""One line for an event or a step, the same in every command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from unirt import commands as cmd
from unirt import events as ev
from unirt.commands import Command
from unirt.events import ContentEvent, Event, Plane

__all__ = ["describe", "describe_command", "describe_step", "details", "merged"]

_PLANE = {Plane.CONTROL: "·", Plane.CONTENT: "▸"}
_SKIPPED = {"origin", "synthesised", "stream", "turn_id", "item_id", "response_id", "format"}
_LONG = 60
_DELTAS = (
    ev.AudioDelta,
    ev.TextDelta,
    ev.TranscriptDelta,
    ev.ThoughtDelta,
    ev.ToolCallDelta,
    ev.ServerToolDelta,
)


def describe(event: Event) -> str:
    """``▸ AudioDelta`` and what it holds; a star marks what was synthesised."""
    star = "*" if event.synthesised else ""
    return f"{_PLANE[event.plane]} {type(event).__name__}{star} {details(event)}".rstrip()


def details(event: Event) -> str:
    """What an event holds, in a few words."""
    match event:
        case ev.AudioDelta():
            return f"{event.duration_ms:.0f} ms"
        case ev.StreamOpened():
            return f"{event.role} {event.kind}"
        case ev.StreamClosed():
            return f"{event.role} {event.kind}: {event.ending}"
        case ev.ToolCall():
            return f"{event.name}({event.arguments})"
        case ev.ResponseDone():
            return f"{event.ending}{_told(event.reason)}"
        case ev.Interrupted():
            heard = "" if event.heard_ms is None else f" after {event.heard_ms:.0f} ms"
            return f"by {event.by}{heard}"
        case (
            ev.TextDelta()
            | ev.TranscriptDelta()
            | ev.ThoughtDelta()
            | ev.ToolCallDelta()
            | ev.ServerToolDelta()
        ):
            return f"{event.role} {event.text!r}"
        case ev.ItemAdded() | ev.ItemDone() | ev.OutputItemAdded() | ev.OutputItemDone():
            return f"{event.item.role or event.item.kind}"
    return _shorten(", ".join(_fields(event)))


def describe_command(command: Command) -> str:
    """``» SendText`` and what it holds."""
    match command:
        case cmd.AppendAudio(data=data):
            what = f"{len(data)} bytes"
        case cmd.SendText(text=text):
            what = repr(_shorten(text))
        case cmd.CreateItem(item=item):
            what = f"{item.role or item.kind} {_shorten(item.text or '')!r}"
        case cmd.SendToolResult(call_id=call_id, output=output):
            what = f"{call_id}: {_shorten(str(output))}"
        case cmd.SendImage(data=data, mime_type=mime_type):
            what = f"{mime_type}, {len(data)} bytes"
        case _:
            what = _shorten(", ".join(_fields(command)))
    return f"» {type(command).__name__} {what}".rstrip()


def _fields(event: Event | Command) -> Iterator[str]:
    for field in attrs.fields(type(event)):
        value = getattr(event, field.name)
        if field.name in _SKIPPED or not field.repr or value in (None, (), "", field.default):
            continue
        yield f"{value:g}" if isinstance(value, float) else f"{value}"


def merged(events: Iterable[Event]) -> Iterator[str]:
    """The lines for events; deltas with nothing else between them share a line a stream."""
    run: dict[str, list[ContentEvent]] = {}
    for event in events:
        if isinstance(event, _DELTAS):
            run.setdefault(event.stream.id, []).append(event)
            continue
        yield from _flush(run)
        yield describe(event)
    yield from _flush(run)


def _flush(run: dict[str, list[ContentEvent]]) -> Iterator[str]:
    for deltas in run.values():
        first = deltas[0]
        pieces = f" in {len(deltas)} pieces" if len(deltas) > 1 else ""
        if isinstance(first, ev.AudioDelta):
            ms = sum(d.duration_ms for d in deltas if isinstance(d, ev.AudioDelta))
            yield f"▸ AudioDelta {ms:.0f} ms{pieces}"
        else:
            text = "".join(getattr(d, "text", "") for d in deltas)
            yield f"▸ {type(first).__name__} {first.role} {_shorten(text)!r}{pieces}"
    run.clear()


def describe_step(entry: dict[str, Any]) -> str:
    """One folded stream, as :func:`unirt.testing.outline` lists it."""
    kind = entry["kind"]
    what = entry["text"] or entry["name"] or ""
    if entry["kind"] == "audio":
        what = f"{len(entry['data'] or b'')} bytes"
    elif entry["name"] and entry["text"]:
        what = f"{entry['name']}({entry['text']})"
    heard = "" if entry["heard_ms"] is None else f" at {entry['heard_ms']:.0f} ms"
    usage = entry["usage"]
    tokens = "" if usage is None else f", {sum(usage['output'].values())} tokens out"
    how = f"{entry['ending'] or 'open'}{_told(entry['reason'])}{heard}{tokens}"
    return f"{entry['turn']} {entry['role']} {kind} {_shorten(what)!r}: {how}"


def _told(reason: str | None) -> str:
    return "" if reason is None else f" ({reason})"


def _shorten(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
