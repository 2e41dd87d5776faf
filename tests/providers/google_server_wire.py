"""Google's server, set up, and both ends of its wire; and what its tests have it say."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import unirt.events as ev
from unirt import PCM16_24K
from unirt.events import Event, Origin, StreamKind
from unirt.usage import Tokens, Usage
from unirt_google.server import GoogleServer

__all__ = [
    "CALL",
    "CALLED",
    "CAPTION",
    "COUNTS",
    "DONE",
    "HELLO",
    "LIVE",
    "MANUAL",
    "OLDER",
    "ORIGIN",
    "PREVIEW",
    "SOUND",
    "SOUND_PART",
    "SPEECH",
    "SPOKEN",
    "STARTED",
    "THINKS",
    "TRANSCRIBED",
    "USAGE",
    "VERTEX",
    "VOICE",
    "Strict",
    "Wire",
    "content",
    "say",
    "stream",
    "turn",
]

ORIGIN = Origin(provider="test")
SOUND = bytes(4800)
LIVE = "models/gemini-3.8-live"
THINKS = "models/gemini-3.8-live-extended-thinking"
PREVIEW = "models/gemini-3.1-flash-live-preview"
OLDER = "models/gemini-2.5-flash-native-audio-latest"
VERTEX = "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash-native-audio"
MANUAL = {"automaticActivityDetection": {"disabled": True}}
TRANSCRIBED: dict[str, Any] = {"inputAudioTranscription": {}, "outputAudioTranscription": {}}
Strict = Callable[[str | bytes], dict[str, Any]]


class Wire:
    """A server and both ends of its wire; every frame is judged."""

    def __init__(self, strict: Strict, model: str = LIVE, bundle: bool = False, **setup: Any):
        self.server = GoogleServer(bundle=bundle)
        self.strict = strict
        self.server.start(0.0)
        assert self.take() == []
        [complete] = self.hear(setup={"model": model, **TRANSCRIBED, **setup})
        self.complete = complete["setupComplete"]
        self.server.heard()

    def take(self) -> list[dict[str, Any]]:
        return [self.strict(frame) for frame in self.server.frames_to_send()]

    def hear(self, **message: Any) -> list[dict[str, Any]]:
        self.server.receive(json.dumps(message), 0.0)
        return self.take()

    def commands(self, **message: Any) -> list[Any]:
        assert self.hear(**message) == []
        assert self.server.close_wanted() is None
        return [heard.command for heard in self.server.heard()]

    def closed(self, **message: Any) -> tuple[int, str]:
        assert self.hear(**message) == []
        assert [heard.command for heard in self.server.heard()] == [None]
        close = self.server.close_wanted()
        assert close is not None
        assert len(close[1].encode()) <= 123
        return close

    def say(self, *events: Event) -> list[dict[str, Any]]:
        for event in events:
            self.server.send(event, 0.0)
        return self.take()


def say(kind: type[Event], **fields: Any) -> Event:
    return kind(origin=ORIGIN, **fields)


def stream(kind: StreamKind, **fields: Any) -> ev.Stream:
    place = {"item_id": f"item_{kind}", "response_id": "resp_a", **fields}
    return ev.Stream(id=f"{place['response_id']}.{kind}", kind=kind, **place)


def turn(role: str | None, *texts: str) -> dict[str, Any]:
    content: dict[str, Any] = {"parts": [{"text": text} for text in texts]}
    return content if role is None else {"role": role, **content}


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


VOICE = stream(StreamKind.AUDIO)
CAPTION = stream(StreamKind.TRANSCRIPT)
CALL = stream(StreamKind.TOOL_CALL, call_id="call_a", name="f")
SPEECH = ev.Stream(id="speech", kind=StreamKind.TRANSCRIPT, role="user", item_id="item_u")
USAGE = Usage(input=Tokens(text=10), output=Tokens(audio=20))
COUNTS = {
    "promptTokenCount": 10,
    "responseTokenCount": 20,
    "totalTokenCount": 30,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 20}],
}
STARTED = say(ev.ResponseStarted, response_id="resp_a")
DONE = say(ev.ResponseDone, response_id="resp_a", usage=USAGE)
SPOKEN = [
    say(ev.StreamOpened, stream=CAPTION),
    say(ev.TranscriptDelta, stream=CAPTION, text="Hello"),
    say(ev.StreamOpened, stream=VOICE),
    say(ev.AudioDelta, stream=VOICE, data=SOUND, format=PCM16_24K),
]
HELLO = content(outputTranscription={"text": "Hello"})
CALLED = say(ev.ToolCall, stream=CALL, name="f", arguments='{"a":1}', args={"a": 1})
SOUND_PART = {
    "inlineData": {
        "mimeType": "audio/pcm;rate=24000",
        "data": base64.b64encode(SOUND).decode(),
    }
}
