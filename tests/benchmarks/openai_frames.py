"""
The OpenAI Realtime protocol, as the benchmark server speaks it.

Field by field what the endpoint sends (openai 3.54.0, ``openai.types.realtime``; public recordings
of 2026): the handshake, the acknowledgements that clients wait for, and one turn as a block.
"""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.load import NUMBER, PREVIOUS, Load, Step, interleaved, sounds, words

__all__ = ["Voice", "turn"]

_MODEL = "gpt-realtime-2.1"
_FORMAT = {"type": "audio/pcm", "rate": 24000}
_SESSION: dict[str, Any] = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_E6U0txeBenchmark00001",
    "model": _MODEL,
    "output_modalities": ["audio"],
    "instructions": "You are a helpful, witty, and friendly AI.",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 1793217648,
    "audio": {
        "input": {
            "format": _FORMAT,
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": _FORMAT, "voice": "alloy", "speed": 1.0},
    },
    "include": None,
}

_RESPONSE = f"resp_E6U0benchmark{NUMBER}"
_ITEM = f"item_E6U0benchmark{NUMBER}"
_PREVIOUS_ITEM = f"item_E6U0benchmark{PREVIOUS}"
_PART: dict[str, Any] = {
    "response_id": _RESPONSE,
    "item_id": _ITEM,
    "output_index": 0,
    "content_index": 0,
}


class Voice:
    """One connection's side of the handshake."""

    binary = False

    def __init__(self) -> None:
        self._session = _SESSION
        self._told = 0

    def greeting(self) -> list[bytes]:
        """What is said before anything is asked."""
        return [self._encoded("session.created", session=self._session)]

    def answer(self, message: dict[str, Any]) -> list[bytes]:
        """What a message is acknowledged with."""
        match message.get("type"):
            case "session.update":
                self._session = _merged(self._session, message.get("session") or {})
                return [self._encoded("session.updated", session=self._session)]
            case "conversation.item.create":
                given = {"id": f"item_E6U0user{self._told:012d}", **(message.get("item") or {})}
                item = {**given, "object": "realtime.item", "status": "completed"}
                kinds = ("conversation.item.added", "conversation.item.done")
                return [self._encoded(kind, previous_item_id=None, item=item) for kind in kinds]
            case "input_audio_buffer.clear":
                return [self._encoded("input_audio_buffer.cleared")]
            case _:
                return []

    @staticmethod
    def asks(message: dict[str, Any]) -> bool:
        """Whether a message asks for an answer."""
        return message.get("type") == "response.create"

    @staticmethod
    def created(message: dict[str, Any]) -> bytes | None:
        """The first event of the first turn where the request has metadata to be given back."""
        metadata = (message.get("response") or {}).get("metadata")
        if not metadata:
            return None
        return _created(metadata).replace(NUMBER.encode(), b"%08d" % 0)

    def _encoded(self, type: str, **fields: Any) -> bytes:
        self._told += 1
        return _json({"type": type, "event_id": f"event_E6U0hand{self._told:011d}", **fields})


def turn(load: Load) -> list[Step]:
    """The events of one turn; with 70 pieces of audio and 20 of transcript they are 101."""
    pieces = words(load)
    count = iter(range(10_000))

    def step(type: str, *, audio: str | None = None, **fields: Any) -> Step:
        event = {"type": type, "event_id": f"event_E6U{next(count):010d}{NUMBER}", **fields}
        return Step(_json(event), audio)

    return [
        Step(_created(None)),
        step("response.output_item.added", **_output(_item("in_progress", []))),
        step("conversation.item.added", **_placed(_item("in_progress", []))),
        step("response.content_part.added", **_PART, part={"type": "audio", "transcript": ""}),
        *interleaved(
            [step("response.output_audio.delta", audio=s, **_PART, delta=s) for s in sounds(load)],
            [
                step(
                    "response.output_audio_transcript.delta",
                    **_PART,
                    delta=piece,
                    obfuscation="x" * (16 - len(piece)),
                )
                for piece in pieces
            ],
        ),
        *_ending(step, "".join(pieces), load),
    ]


def _ending(step: Any, transcript: str, load: Load) -> list[Step]:
    item = _item("completed", [{"type": "output_audio", "transcript": transcript}])
    limit = {"name": "tokens", "limit": 15000000, "remaining": 14999715, "reset_seconds": 0.001}
    return [
        step("response.output_audio.done", **_PART),
        step("response.output_audio_transcript.done", **_PART, transcript=transcript),
        step(
            "response.content_part.done",
            **_PART,
            part={"type": "audio", "transcript": transcript},
        ),
        step("conversation.item.done", **_placed(item)),
        step("response.output_item.done", **_output(item)),
        step("response.done", response=_response("completed", [item], _usage(load), None)),
        step("rate_limits.updated", rate_limits=[limit]),
    ]


def _created(metadata: dict[str, str] | None) -> bytes:
    response = _response("in_progress", [], None, metadata)
    event_id = f"event_E6UC000000000{NUMBER}"
    return _json({"type": "response.created", "event_id": event_id, "response": response})


def _response(
    status: str,
    output: list[dict[str, Any]],
    usage: dict[str, Any] | None,
    metadata: dict[str, str] | None,
) -> dict[str, Any]:
    return {
        "object": "realtime.response",
        "id": _RESPONSE,
        "status": status,
        "status_details": None,
        "output": output,
        "conversation_id": "conv_E6U0tQE9YCxDzNHVI8JCO",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": _FORMAT, "voice": "alloy"}},
        "usage": usage,
        "metadata": metadata,
    }


def _item(status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": _ITEM,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _output(item: dict[str, Any]) -> dict[str, Any]:
    return {"response_id": _RESPONSE, "output_index": 0, "item": item}


def _placed(item: dict[str, Any]) -> dict[str, Any]:
    return {"previous_item_id": _PREVIOUS_ITEM, "item": item}


def _usage(load: Load) -> dict[str, Any]:
    """Tokens at 50 ms of audio each."""
    text = load.transcripts_per_turn
    audio = int(load.audio_per_turn * load.chunk_ms / 50)
    cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    return {
        "total_tokens": 16 + text + audio,
        "input_tokens": 16,
        "output_tokens": text + audio,
        "input_token_details": {
            "text_tokens": 16,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": 0,
            "cached_tokens_details": cached,
        },
        "output_token_details": {"text_tokens": text, "audio_tokens": audio},
    }


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The session as it is after an update: objects merge, everything else is replaced."""
    merged = dict(old)
    for key, value in new.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[key] = _merged(known, value)
        else:
            merged[key] = value
    return merged


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
