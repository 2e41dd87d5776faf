"""A client's settings and requests, in canonical terms: what a server tells those it works for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.audio import G711_ALAW, G711_ULAW, PCM16_24K, AudioFormat
from unirt.commands import Respond
from unirt.config import (
    Manual,
    NoiseReduction,
    ProviderTool,
    SemanticVAD,
    ServerVAD,
    SessionConfig,
    Thinking,
    Tool,
    Transcription,
    TurnDetection,
)
from unirt.wire import Wire
from unirt_openai.items import read_item

__all__ = ["read_format", "read_request", "read_session"]

_FORMATS: Mapping[str, AudioFormat] = {
    "audio/pcm": PCM16_24K,
    "audio/pcmu": G711_ULAW,
    "audio/pcma": G711_ALAW,
}
_CANONICAL = {
    "conversation",
    "input",
    "instructions",
    "max_output_tokens",
    "metadata",
    "output_modalities",
    "tool_choice",
    "tools",
}
"The fields of a ``response.create`` that :class:`~unirt.commands.Respond` has names for."


def read_format(format: Mapping[str, Any]) -> AudioFormat:
    """What the bytes of a wire format are."""
    return _FORMATS[format["type"]]


def read_session(session: Mapping[str, Any]) -> SessionConfig:
    """The canonical form of a session object that was checked; defaults are spelt out."""
    listening = session["audio"]["input"]
    speaking = session["audio"].get("output") or {}
    noise = listening["noise_reduction"]
    reasoning = session.get("reasoning") or {}
    return SessionConfig(
        model=session.get("model"),
        instructions=session.get("instructions"),
        voice=_voice(speaking.get("voice")),
        modalities=_tuple(session.get("output_modalities")),
        max_output_tokens=_limit(session.get("max_output_tokens")),
        speed=speaking.get("speed"),
        tools=_tools(session.get("tools")),
        tool_choice=_tool_choice(session.get("tool_choice")),
        parallel_tool_calls=session.get("parallel_tool_calls"),
        turn_detection=_turn_detection(listening["turn_detection"]),
        input_transcription=_transcription(listening["transcription"]),
        input_format=read_format(listening["format"]),
        output_format=read_format(speaking["format"]) if speaking else None,
        noise_reduction=NoiseReduction(noise["type"]) if noise and "type" in noise else None,
        thinking=Thinking(effort=reasoning["effort"]) if "effort" in reasoning else None,
    )


def read_request(request: Mapping[str, Any]) -> Respond:
    """
    The canonical form of a ``response.create`` that was checked.

    Raises:
        WireError: An item of its input is not one.
    """
    voice = ((request.get("audio") or {}).get("output") or {}).get("voice")
    tools = _tools(request.get("tools"))
    rest = {key: value for key, value in request.items() if key not in _CANONICAL}
    if voice is not None and list(rest["audio"]["output"]) == ["voice"]:
        del rest["audio"]
    items = None
    if "input" in request:
        items = tuple(read_item(wire) for wire in Wire(dict(request), "response").objs("input"))
    return Respond(
        instructions=request.get("instructions"),
        modalities=_tuple(request.get("output_modalities")),
        tools=None if tools is None else tuple(t for t in tools if isinstance(t, Tool)),
        tool_choice=_tool_choice(request.get("tool_choice")),
        voice=_voice(voice),
        max_output_tokens=_limit(request.get("max_output_tokens")),
        metadata=request.get("metadata"),
        in_conversation=request.get("conversation") != "none",
        input=items,
        provider_options=rest or None,
    )


def _tuple(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _limit(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _voice(value: Any) -> str | None:
    return value.get("id") if isinstance(value, dict) else value


def _tools(value: Any) -> tuple[Tool | ProviderTool, ...] | None:
    if value is None:
        return None
    return tuple(
        Tool(
            name=tool.get("name") or "",
            description=tool.get("description"),
            parameters=tool.get("parameters"),
        )
        if tool["type"] == "function"
        else ProviderTool(spec=tool)
        for tool in value
    )


def _tool_choice(value: Any) -> str | None:
    return value.get("name") if isinstance(value, dict) else value


def _turn_detection(value: Any) -> TurnDetection:
    if value is None:
        return Manual()
    if value["type"] == "semantic_vad":
        return SemanticVAD(
            eagerness=value.get("eagerness"),
            respond=value.get("create_response"),
            interrupt=value.get("interrupt_response"),
        )
    return ServerVAD(
        threshold=value.get("threshold"),
        prefix_padding_ms=value.get("prefix_padding_ms"),
        silence_ms=value.get("silence_duration_ms"),
        respond=value.get("create_response"),
        interrupt=value.get("interrupt_response"),
        idle_timeout_ms=value.get("idle_timeout_ms"),
    )


def _transcription(value: Any) -> Transcription:
    if value is None:
        return Transcription(enabled=False)
    languages = value.get("languages") or [None]
    return Transcription(
        model=value.get("model"),
        language=value.get("language") or languages[0],
        prompt=value.get("prompt"),
        vocabulary=value.get("keywords"),
    )
