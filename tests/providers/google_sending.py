"""A translator of Google's that is ready, and the frames of what it is given to send."""

from __future__ import annotations

import base64
import json
from typing import Any

from unirt import Command, Item, Manual, Role, SessionConfig, TextContent
from unirt_google.translator import GoogleTranslator

__all__ = [
    "B64",
    "MANUAL",
    "OLD",
    "PCM",
    "SAYS",
    "VERTEX",
    "client_content",
    "frames",
    "message",
    "opened",
    "said",
]

PCM = b"\x01\x00\x02\x00"
B64 = base64.b64encode(PCM).decode()
MANUAL = SessionConfig(turn_detection=Manual())
SAYS = {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": B64}}]}}}
VERTEX = "projects/p/locations/l/publishers/google/models/gemini-3.8-live"
OLD = "gemini-2.5-flash-native-audio-latest"


def opened(config: SessionConfig | None = None) -> GoogleTranslator:
    """A translator whose session is ready."""
    translator = GoogleTranslator(config or SessionConfig())
    translator.start(0.0)
    translator.receive({"setupComplete": {}}, 0.0)
    translator.frames_to_send()
    translator.events_received()
    return translator


def frames(translator: GoogleTranslator, *commands: Command) -> list[Any]:
    for command in commands:
        translator.send(command, 0.0)
    return [json.loads(frame) for frame in translator.frames_to_send()]


def said(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text} for text in texts]}


def client_content(*turns: Any, complete: bool) -> dict[str, Any]:
    return {"clientContent": {"turns": list(turns), "turnComplete": complete}}


def message(role: Role, text: str) -> Item:
    return Item(role=role, content=(TextContent(text=text),))
