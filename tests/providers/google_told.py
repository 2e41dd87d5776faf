"""Google's server messages, and what a translator tells of them, in short."""

from __future__ import annotations

import base64
from typing import Any

from unirt import ContentEvent, Event
from unirt.testing import check, translate

__all__ = [
    "AUDIO",
    "CALLS",
    "HEARS",
    "PCM",
    "SAYS",
    "STARTS",
    "WRITES",
    "content",
    "events_of",
    "only",
    "parts",
    "short",
    "told",
]

PCM = base64.b64encode(b"\x01\x00\x02\x00").decode()
AUDIO = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": PCM}}


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def parts(*many: dict[str, Any]) -> dict[str, Any]:
    return content(modelTurn={"parts": list(many)})


def short(event: Event) -> str:
    """An event in a word or three: its class, its stream's kind, whether it was synthesised."""
    name = type(event).__name__
    if isinstance(event, ContentEvent):
        whose = "user " if event.role == "user" else ""
        name += f" {whose}{event.kind}"
    return name + ("*" if event.synthesised else "")


def told(*frames: dict[str, Any]) -> list[str]:
    """What frames after ``setupComplete`` tell, shortened."""
    events = translate("google", [{"setupComplete": {}}, *frames])
    check(events)
    return [short(event) for event in events[2:]]


def events_of(*frames: dict[str, Any]) -> list[Event]:
    events = translate("google", [{"setupComplete": {}}, *frames])
    check(events)
    return events[2:]


def only(kind: type[Any], events: list[Event]) -> Any:
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, found
    return found[0]


STARTS = ["ResponseStarted*"]
SAYS = ["StreamOpened audio*", "AudioDelta audio"]
HEARS = ["StreamOpened user transcript*", "TranscriptDelta user transcript"]
CALLS = [
    "StreamOpened tool_call*",
    "ToolCallDelta tool_call*",
    "ToolCall tool_call",
    "StreamClosed tool_call*",
]
WRITES = ["StreamOpened transcript*", "TranscriptDelta transcript"]
