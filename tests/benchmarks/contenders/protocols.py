"""What the bare contenders know of the two protocols: the least that a happy path needs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pybase64

__all__ = [
    "PATHS",
    "GoogleMessage",
    "OpenAIEvent",
    "append",
    "google_message",
    "handshake",
    "openai_event",
    "trigger",
]

PATHS = {
    "openai": "/v1/realtime?model=gpt-realtime-2.1",
    "google": "/ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent",
}
"Where each protocol is on a server."

_HANDSHAKES: dict[str, tuple[str, int]] = {
    "openai": ('{"type":"session.update","session":{"type":"realtime"}}', 2),
    "google": ('{"setup":{"model":"models/gemini-3.8-live"}}', 1),
}
"What opens a session, and how many frames come before it is open."

_TRIGGERS = {
    "openai": '{"type":"response.create"}',
    "google": (
        '{"clientContent":{"turns":[{"role":"user","parts":[{"text":"Hello"}]}],'
        '"turnComplete":true}}'
    ),
}


class OpenAIEvent(msgspec.Struct):
    """What a happy path reads of an OpenAI event."""

    type: str
    delta: str = ""


class _Inline(msgspec.Struct):
    data: str


class _Part(msgspec.Struct):
    inlineData: _Inline | None = None


class _ModelTurn(msgspec.Struct):
    parts: list[_Part]


class _Content(msgspec.Struct):
    modelTurn: _ModelTurn | None = None
    turnComplete: bool = False


class GoogleMessage(msgspec.Struct):
    """What a happy path reads of a Gemini message."""

    serverContent: _Content | None = None


openai_event: Callable[[bytes], OpenAIEvent] = msgspec.json.Decoder(OpenAIEvent).decode
google_message: Callable[[bytes], GoogleMessage] = msgspec.json.Decoder(GoogleMessage).decode


def handshake(protocol: str) -> tuple[str, int]:
    """What opens a session, and how many frames come before it is open."""
    return _HANDSHAKES[protocol]


def trigger(protocol: str) -> str:
    """What asks for an answer."""
    return _TRIGGERS[protocol]


def append(protocol: str, pcm: bytes) -> str:
    """The frame that carries a piece of the user's voice."""
    sound = pybase64.b64encode_as_string(pcm)
    if protocol == "openai":
        return f'{{"type":"input_audio_buffer.append","audio":"{sound}"}}'
    return f'{{"realtimeInput":{{"audio":{{"data":"{sound}","mimeType":"audio/pcm;rate=16000"}}}}}}'
