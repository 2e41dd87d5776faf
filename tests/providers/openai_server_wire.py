"""OpenAI's server, its session and both ends of its wire; and what its tests have it say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import unirt.events as ev
from unirt import PCM16_24K
from unirt.events import Event, Origin, StreamKind
from unirt.translator import Upgrade
from unirt_openai.server import OpenAIServer

__all__ = [
    "CALL",
    "CALLED",
    "CAPTION",
    "DONE",
    "ORIGIN",
    "SECOND",
    "SPOKEN",
    "STARTED",
    "VOICE",
    "Strict",
    "Wire",
    "say",
    "stream",
    "types",
    "user_text",
]

ORIGIN = Origin(provider="test")
SECOND = bytes(48_000)
Strict = Callable[[str | bytes], dict[str, Any]]


class Wire:
    """A server with its session open, and both ends of its wire; every frame is judged."""

    def __init__(self, strict: Strict, **upgrade: str) -> None:
        self.server = OpenAIServer()
        self.strict = strict
        if upgrade:
            headers = {"authorization": "Bearer sk-test"}
            request = Upgrade(path="/v1/realtime", query=upgrade, headers=headers)
            assert self.server.upgrade(request).status == 101
        self.server.start(1000.0)
        self.opening = self.take()

    def take(self) -> list[dict[str, Any]]:
        return [self.strict(frame) for frame in self.server.frames_to_send()]

    def hear(self, **event: Any) -> list[dict[str, Any]]:
        self.server.receive(json.dumps(event), 0.0)
        return self.take()

    def command(self, **event: Any) -> Any:
        self.hear(**event)
        return self.server.heard()[-1].command

    def configure(self, **session: Any) -> dict[str, Any]:
        updated, *_ = self.hear(type="session.update", session={"type": "realtime", **session})
        assert updated["type"] == "session.updated"
        return dict(updated["session"])

    def error(self, **event: Any) -> dict[str, Any]:
        [frame] = self.hear(event_id="event_mine", **event)
        assert frame["type"] == "error", frame
        assert frame["error"]["type"] == "invalid_request_error"
        assert frame["error"]["event_id"] == "event_mine"
        heard = self.server.heard()[-1]
        assert (heard.command, heard.command_id) == (None, "event_mine")
        return dict(frame["error"])

    def say(self, *events: Event) -> list[dict[str, Any]]:
        for event in events:
            self.server.send(event, 0.0)
        return self.take()


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def stream(kind: StreamKind, item_id: str = "item_a", index: int = 0, **fields: Any) -> ev.Stream:
    place = {"response_id": "resp_a", **fields}
    return ev.Stream(
        id=f"{item_id}.{index}.{kind}", kind=kind, item_id=item_id, index=index, **place
    )


def say(kind: type[Event], **fields: Any) -> Event:
    return kind(origin=ORIGIN, **fields)


def user_text(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


VOICE = stream(StreamKind.AUDIO)
CAPTION = stream(StreamKind.TRANSCRIPT)
CALL = stream(StreamKind.TOOL_CALL, "item_f", call_id="call_a", name="get_weather")
STARTED = say(ev.ResponseStarted, response_id="resp_a")
DONE = say(ev.ResponseDone, response_id="resp_a")
SPOKEN = [
    say(ev.StreamOpened, stream=CAPTION),
    say(ev.TranscriptDelta, stream=CAPTION, text="Hello"),
    say(ev.StreamOpened, stream=VOICE),
    say(ev.AudioDelta, stream=VOICE, data=SECOND, format=PCM16_24K),
]
CALLED = say(
    ev.ToolCall, stream=CALL, name="get_weather", arguments='{"city":"Oslo"}', args={"city": "Oslo"}
)
