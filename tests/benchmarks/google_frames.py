"""
The Gemini Live protocol, as the benchmark server speaks it.

Field by field what the endpoint sends (google-genai 3.4.0, ``google.genai.types``; public
recordings of 2026), in binary frames, as the endpoint does: the handshake, and one turn as a block.
Nothing in it has an identifier, so one turn is like the other.
"""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.load import Load, Step, interleaved, sounds, words

__all__ = ["Voice", "turn"]


class Voice:
    """One connection's side of the handshake."""

    binary = True

    def greeting(self) -> list[bytes]:
        """What is said before anything is asked: nothing."""
        return []

    def answer(self, message: dict[str, Any]) -> list[bytes]:
        """What a message is acknowledged with."""
        return [_json({"setupComplete": {}})] if "setup" in message else []

    @staticmethod
    def asks(message: dict[str, Any]) -> bool:
        """Whether a message asks for an answer; both spellings are on the wire."""
        content = message.get("clientContent") or message.get("client_content")
        if content is not None:
            return bool(content.get("turnComplete") or content.get("turn_complete"))
        said = message.get("realtimeInput") or message.get("realtime_input") or {}
        return "text" in said

    @staticmethod
    def created(message: dict[str, Any]) -> bytes | None:
        """The first event is the same whatever was asked."""
        return None


def turn(load: Load) -> list[Step]:
    """The events of one turn; with 70 pieces of audio and 20 of transcript they are 92."""
    return [
        *interleaved(
            [_audio(sound) for sound in sounds(load)],
            [_content(outputTranscription={"text": piece}) for piece in words(load)],
        ),
        _content(generationComplete=True),
        _ended(load),
    ]


def _audio(sound: str) -> Step:
    data = {"mimeType": "audio/pcm;rate=24000", "data": sound}
    payload = {"serverContent": {"modelTurn": {"parts": [{"inlineData": data}]}}}
    return Step(_json(payload), sound)


def _content(**fields: Any) -> Step:
    return Step(_json({"serverContent": fields}))


def _ended(load: Load) -> Step:
    """The end of the turn, with tokens at 40 ms of audio each."""
    spoken = int(load.audio_per_turn * load.chunk_ms / 40)
    usage = {
        "promptTokenCount": 1131,
        "responseTokenCount": spoken,
        "totalTokenCount": 1131 + spoken,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1131}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": spoken}],
    }
    return Step(_json({"serverContent": {"turnComplete": True}, "usageMetadata": usage}))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
