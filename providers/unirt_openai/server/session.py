"""
The session object as the server keeps it: how it begins, what may change, and what it means.

:data:`SESSION` and :data:`RESPONSE` say what a client may write (openai.types.realtime,
``RealtimeSessionCreateRequest`` and ``RealtimeResponseCreateParams``, SDK 3.54.0, 2026-11).
The objects that go out are the ones that were recorded from ``gpt-realtime`` and
``gpt-realtime-2.1`` (2026-11): every key is there, with null where nothing is set.

An update replaces what it names. Below ``audio`` it is merged key by key, and a turn detection of
the type that is in force keeps what the update does not name; of another type it starts from that
type's defaults. All of this was recorded, except the last, which is the sensible reading.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from unirt_openai.server.checks import (
    Check,
    Refused,
    anything,
    between,
    by_type,
    either,
    flag,
    invalid_value,
    listed,
    mapping,
    nullable,
    obj,
    one_of,
    text,
)

__all__ = ["RESPONSE", "SESSION", "TRANSCRIPTION_SESSION", "new_session", "updated_session"]

DEFAULT_MODEL = "gpt-realtime-2.1"
_INSTRUCTIONS = "You are the model behind this server. Be brief and friendly."
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh")

_PCM = {"type": "audio/pcm", "rate": 24_000}
_FORMAT = by_type({"audio/pcm": {"rate": one_of(24_000)}, "audio/pcmu": {}, "audio/pcma": {}})
_VOICE = either(str, text, obj({"id": text}, required=("id",)))
_TOKENS = either(str, one_of("inf"), between(1, 4096, whole=True))

_TURN_DETECTION = by_type(
    {
        "server_vad": {
            "threshold": between(0, 1),
            "prefix_padding_ms": between(0, 60_000, whole=True),
            "silence_duration_ms": between(0, 60_000, whole=True),
            "idle_timeout_ms": nullable(between(5_000, 30_000, whole=True)),
            "create_response": flag,
            "interrupt_response": flag,
        },
        "semantic_vad": {
            "eagerness": one_of("low", "medium", "high", "auto"),
            "create_response": flag,
            "interrupt_response": flag,
        },
    }
)
_VAD_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "server_vad": {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    },
    "semantic_vad": {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    },
}

_INPUT = obj(
    {
        "format": _FORMAT,
        "turn_detection": nullable(_TURN_DETECTION),
        "noise_reduction": nullable(
            obj({"type": one_of("near_field", "far_field"), "strength": between(0, 1)})
        ),
        "transcription": nullable(
            obj(
                {
                    "model": text,
                    "language": nullable(text),
                    "languages": nullable(listed(text)),
                    "prompt": nullable(text),
                    "keywords": nullable(listed(text)),
                    "delay": nullable(one_of(*_EFFORTS)),
                }
            )
        ),
    }
)
_TOOL = by_type(
    {
        "function": {"name": text, "description": nullable(text), "parameters": mapping()},
        "mcp": {
            "server_label": text,
            "server_url": nullable(text),
            "connector_id": nullable(text),
            "tunnel_id": nullable(text),
            "authorization": nullable(text),
            "headers": nullable(mapping(text)),
            "allowed_tools": anything,
            "require_approval": anything,
            "server_description": nullable(text),
            "allowed_callers": anything,
            "defer_loading": nullable(flag),
        },
    }
)
_TOOL_CHOICE = either(
    str,
    one_of("none", "auto", "required"),
    by_type({"function": {"name": text}, "mcp": {"server_label": text, "name": nullable(text)}}),
)


def _modalities(value: Any, path: str) -> None:
    listed(one_of("text", "audio"))(value, path)
    if len(value) != 1:
        raise invalid_value(path, str(value), ["['text']", "['audio']"])


SESSION: Mapping[str, Check] = {
    "type": one_of("realtime"),
    "model": text,
    "output_modalities": _modalities,
    "instructions": text,
    "max_output_tokens": _TOKENS,
    "tools": listed(_TOOL),
    "tool_choice": _TOOL_CHOICE,
    "parallel_tool_calls": nullable(flag),
    "reasoning": nullable(obj({"effort": one_of(*_EFFORTS)})),
    "prompt": nullable(obj({"id": text, "version": nullable(text), "variables": anything})),
    "include": nullable(listed(text)),
    "tracing": nullable(either(str, one_of("auto"), mapping())),
    "truncation": either(
        str,
        one_of("auto", "disabled"),
        by_type({"retention_ratio": {"retention_ratio": between(0, 1), "token_limits": mapping()}}),
    ),
    "audio": obj(
        {
            "input": _INPUT,
            "output": obj({"format": _FORMAT, "voice": _VOICE, "speed": between(0.25, 1.5)}),
        }
    ),
}
"What a client may write into a realtime session: the 14 fields, and what each accepts."

TRANSCRIPTION_SESSION: Mapping[str, Check] = {
    "type": one_of("transcription"),
    "audio": obj({"input": _INPUT}),
    "include": nullable(listed(text)),
}
"What a client may write into a transcription session."

RESPONSE: Mapping[str, Check] = {
    "audio": obj({"output": obj({"format": _FORMAT, "voice": _VOICE})}),
    "conversation": one_of("auto", "none"),
    "input": listed(mapping()),
    "instructions": text,
    "max_output_tokens": _TOKENS,
    "metadata": nullable(mapping(text)),
    "output_modalities": _modalities,
    "parallel_tool_calls": nullable(flag),
    "prompt": SESSION["prompt"],
    "reasoning": SESSION["reasoning"],
    "tool_choice": _TOOL_CHOICE,
    "tools": SESSION["tools"],
}
"The 12 fields of a ``response.create``."


def new_session(id: str, model: str, expires_at: int, *, transcription: bool) -> dict[str, Any]:
    """The object of ``session.created``, with the defaults of the model."""
    older = model in ("gpt-realtime", "gpt-realtime-2025-08-28")
    listening = {
        "format": dict(_PCM),
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": {
            **_VAD_DEFAULTS["server_vad"],
            "silence_duration_ms": 200 if older else 500,
        },
    }
    if transcription:
        return {
            "type": "transcription",
            "object": "realtime.transcription_session",
            "id": id,
            "expires_at": expires_at,
            "audio": {"input": listening},
            "include": None,
        }
    voice = "alloy" if older else "marin"
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": _INSTRUCTIONS,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": listening,
            "output": {"format": dict(_PCM), "voice": voice, "speed": 1.0},
        },
        "include": None,
    }


def updated_session(
    session: Mapping[str, Any], changes: Any, *, has_spoken: bool
) -> dict[str, Any]:
    """
    The session after a ``session.update``.

    Args:
        session: The one in force; it is left as it is.
        changes: The client's ``session`` object.
        has_spoken: Whether audio has gone out, after which the voice is fixed.

    Raises:
        Refused: Something in it cannot be accepted; nothing of it applies.
    """
    fields = TRANSCRIPTION_SESSION if session["type"] == "transcription" else SESSION
    obj(fields, required=("type",))(changes, "session")
    if changes.get("model", session.get("model")) != session.get("model"):
        raise invalid_value("session.model", changes["model"], [session.get("model")])
    merged = copy.deepcopy({**session, **{k: v for k, v in changes.items() if k != "audio"}})
    for side, parts in (changes.get("audio") or {}).items():
        for key, value in parts.items():
            merged["audio"][side][key] = _merged(key, merged["audio"][side].get(key), value)
    if has_spoken and _voice(merged) != _voice(session):
        raise Refused(
            "cannot_update_voice",
            "Cannot update a conversation's voice if assistant audio is present.",
            "session.audio.output.voice",
        )
    return merged


def _merged(key: str, before: Any, after: Any) -> Any:
    match key:
        case "turn_detection" if after is not None:
            same = isinstance(before, dict) and before.get("type") == after["type"]
            return {**(before if same else _VAD_DEFAULTS[after["type"]]), **after}
        case "transcription" if after is not None:
            return {"model": None, "language": None, "prompt": None, **(before or {}), **after}
        case "format" if after["type"] == "audio/pcm":
            return {**_PCM, **after}
    return copy.deepcopy(after)


def _voice(session: Mapping[str, Any]) -> Any:
    return session["audio"].get("output", {}).get("voice")
