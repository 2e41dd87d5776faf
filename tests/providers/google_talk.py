"""A translator of Google's in a conversation, and what comes and goes in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unirt import Event, Item, Role, SessionConfig, TextContent, Tool
from unirt.testing import check
from unirt_google.translator import GoogleTranslator

__all__ = [
    "AUDIO",
    "AUDIO_MS",
    "CALL",
    "CANCELLED",
    "DONE",
    "DONE_WITH_USAGE",
    "FRAME",
    "GENERATED",
    "HISTORY",
    "INTERRUPTED",
    "SAYS",
    "VOICE_ENDS",
    "VOICE_STARTS",
    "Talk",
    "blocking",
    "content",
    "heard",
    "names",
    "of",
    "only",
]

AUDIO = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA" * 1600}}
AUDIO_MS = 100.0
FRAME = b"\x00\x00" * 320


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


SAYS = content(modelTurn={"parts": [AUDIO]})
GENERATED = content(generationComplete=True)
DONE = content(turnComplete=True)
DONE_WITH_USAGE = {**DONE, "usageMetadata": {"promptTokenCount": 5}}
INTERRUPTED = content(interrupted=True)
VOICE_STARTS = {"voiceActivity": {"type": "ACTIVITY_START"}}
VOICE_ENDS = {"voiceActivity": {"type": "ACTIVITY_END"}}
CALL = {"toolCall": {"functionCalls": [{"id": "c", "name": "f"}]}}
CANCELLED = {"toolCallCancellation": {"ids": ["c"]}}
HISTORY = (Item(role=Role.USER, content=(TextContent(text="I am Alice."),)),)


def heard(text: str, **fields: Any) -> dict[str, Any]:
    return content(inputTranscription={"text": text, **fields})


class Talk:
    """A live session: what is fed to it is frames and commands, what it tells is kept."""

    def __init__(
        self, config: SessionConfig | None = None, ids: Callable[[str], str] | None = None
    ) -> None:
        self.translator = GoogleTranslator(config or SessionConfig(), ids=ids)
        self.now = 0.0
        self.events: list[Event] = []
        self.sent: list[str | bytes] = []
        self.translator.start(0.0)
        self.hear({"setupComplete": {}})
        self.sent.clear()

    def hear(self, *frames: dict[str, Any]) -> list[Event]:
        for frame in frames:
            self.translator.receive(frame, self.now)
        return self._drain()

    def say(self, *commands: Any) -> list[Event]:
        for command in commands:
            self.translator.send(command, self.now)
        return self._drain()

    def _drain(self) -> list[Event]:
        events = self.translator.events_received()
        self.events += events
        self.sent += self.translator.frames_to_send()
        check(self.events)
        return events


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ + ("*" if event.synthesised else "") for event in events]


def of(kind: type[Any], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def only(kind: type[Any], events: list[Event]) -> Any:
    (event,) = of(kind, events)
    return event


def blocking(yes: bool | None) -> SessionConfig:
    return SessionConfig(tools=(Tool(name="f", blocking=yes),))
