"""OpenAI's server events, and what a translator tells of them."""

from __future__ import annotations

from typing import Any

import attrs

from unirt.events import Event
from unirt.testing import check, translate

__all__ = [
    "ASR",
    "CALL",
    "MCP",
    "MESSAGE",
    "OUT",
    "SPEAKING",
    "STARTED",
    "TYPED",
    "last",
    "part",
    "told",
]

STARTED = {"type": "response.created", "response": {"id": "r1", "conversation_id": "c1"}}
MESSAGE: dict[str, Any] = {
    "type": "response.output_item.added",
    "response_id": "r1",
    "output_index": 0,
    "item": {"id": "i1", "type": "message", "role": "assistant", "content": []},
}
CALL: dict[str, Any] = {
    "type": "response.output_item.added",
    "response_id": "r1",
    "item": {"id": "i2", "type": "function_call", "name": "look", "call_id": "k1", "arguments": ""},
}
MCP: dict[str, Any] = {
    "type": "response.output_item.added",
    "response_id": "r1",
    "item": {"id": "i3", "type": "mcp_call", "name": "find", "server_label": "s", "arguments": ""},
}
OUT = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
SPEAKING = {"type": "input_audio_buffer.speech_started", "audio_start_ms": 100, "item_id": "u1"}
ASR = "conversation.item.input_audio_transcription"
TYPED = {"id": "u1", "type": "message", "role": "user", "status": "completed"}


def part(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "part": {"type": "text", **fields}, **OUT}


def last(frames: list[dict[str, Any]]) -> list[Event]:
    """The events of the last frame; the whole is legal."""
    events = translate("openai", frames)
    check(events)
    return [event for event in events if event.raw is frames[-1]]


def told(event: Event) -> dict[str, Any]:
    """The fields of an event that it does not share with all events."""
    common = {"origin", "synthesised", "stream"}
    return {
        field.name: getattr(event, field.name)
        for field in attrs.fields(type(event))
        if field.name not in common
    }
