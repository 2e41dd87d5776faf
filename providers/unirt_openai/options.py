"""
``provider_options`` of OpenAI: every field of the session object, by OpenAI's own names.

The classes below are the table: they type what an application writes, and :func:`check_options`
walks them to refuse a name that no field has, or a value of the wrong type, before anything is
sent. Field names and types are those of the SDK's ``RealtimeSessionCreateRequest`` and
``RealtimeResponseCreateParams`` (openai 3.54.0, 2026-11). Objects whose keys are the application's
own (metadata, variables, headers, schemas) are mappings of anything.

What a canonical setting decides for unirt as well (formats, the model, whether a response belongs
to the conversation) is refused here, in :data:`REFUSED_SESSION` and :data:`REFUSED_RESPONSE`, with
the name of that setting.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, TypedDict

from unirt.errors import UnsupportedSetting

__all__ = ["ResponseOptions", "SessionOptions", "check_options", "merge_options"]

Effort = Literal["minimal", "low", "medium", "high", "xhigh"]


class NoiseReduction(TypedDict, total=False):
    """``audio.input.noise_reduction``."""

    type: str
    strength: float


class Transcription(TypedDict, total=False):
    """``audio.input.transcription``."""

    model: str
    language: str
    languages: Sequence[str]
    prompt: str
    keywords: Sequence[str]
    delay: Effort


class TurnDetection(TypedDict, total=False):
    """``audio.input.turn_detection``, of either kind."""

    type: str
    threshold: float
    prefix_padding_ms: int
    silence_duration_ms: int
    idle_timeout_ms: int | None
    eagerness: str
    create_response: bool
    interrupt_response: bool


class AudioFormatObject(TypedDict, total=False):
    """``audio.*.format``."""

    type: str
    rate: int


class AudioInput(TypedDict, total=False):
    """``audio.input``."""

    format: AudioFormatObject
    noise_reduction: NoiseReduction | None
    transcription: Transcription | None
    turn_detection: TurnDetection | None


class Voice(TypedDict, total=False):
    """A custom voice."""

    id: str


class AudioOutput(TypedDict, total=False):
    """``audio.output``."""

    format: AudioFormatObject
    voice: str | Voice
    speed: float


class Audio(TypedDict, total=False):
    """``audio``."""

    input: AudioInput
    output: AudioOutput


class ResponseAudioOutput(TypedDict, total=False):
    """``audio.output`` of one response."""

    format: AudioFormatObject
    voice: str | Voice


class ResponseAudio(TypedDict, total=False):
    """``audio`` of one response."""

    output: ResponseAudioOutput


class Prompt(TypedDict, total=False):
    """``prompt``: a stored template."""

    id: str
    version: str
    variables: Mapping[str, Any] | None


class Reasoning(TypedDict, total=False):
    """``reasoning``."""

    effort: Effort


class ToolChoice(TypedDict, total=False):
    """``tool_choice``, where it names one tool."""

    type: str
    name: str | None
    server_label: str


class ToolFilter(TypedDict, total=False):
    """Which tools of an MCP server are meant."""

    read_only: bool
    tool_names: Sequence[str]


class ApprovalFilter(TypedDict, total=False):
    """``require_approval`` by tool."""

    always: ToolFilter
    never: ToolFilter


class FunctionTool(TypedDict, total=False):
    """A function of the application's."""

    type: str
    name: str
    description: str
    parameters: Mapping[str, Any]


class McpTool(TypedDict, total=False):
    """A server whose tools OpenAI calls."""

    type: str
    server_label: str
    server_url: str
    server_description: str
    connector_id: str
    tunnel_id: str
    authorization: str
    headers: Mapping[str, str] | None
    allowed_callers: Sequence[str] | None
    allowed_tools: Sequence[str] | ToolFilter | None
    require_approval: str | ApprovalFilter | None
    defer_loading: bool


class Tracing(TypedDict, total=False):
    """``tracing``."""

    workflow_name: str
    group_id: str
    metadata: Mapping[str, Any]


class TokenLimits(TypedDict, total=False):
    """``truncation.token_limits``."""

    post_instructions: int


class Truncation(TypedDict, total=False):
    """``truncation`` by ratio."""

    type: str
    retention_ratio: float
    token_limits: TokenLimits


class SessionOptions(TypedDict, total=False):
    """``provider_options`` of a session."""

    audio: Audio
    include: Sequence[str]
    instructions: str
    max_output_tokens: int | Literal["inf"]
    output_modalities: Sequence[str]
    parallel_tool_calls: bool
    prompt: Prompt | None
    reasoning: Reasoning
    tool_choice: str | ToolChoice
    tools: Sequence[FunctionTool | McpTool]
    tracing: Literal["auto"] | Tracing | None
    truncation: Literal["auto", "disabled"] | Truncation


class ResponseOptions(TypedDict, total=False):
    """``provider_options`` of one response."""

    audio: ResponseAudio
    input: Sequence[Mapping[str, Any]]
    instructions: str
    max_output_tokens: int | Literal["inf"]
    metadata: Mapping[str, str] | None
    output_modalities: Sequence[str]
    parallel_tool_calls: bool
    prompt: Prompt | None
    reasoning: Reasoning
    tool_choice: str | ToolChoice
    tools: Sequence[FunctionTool | McpTool]


_READ_ONLY = ("the provider sets it", "leave it out")

REFUSED_SESSION: Mapping[str, tuple[str, str]] = {
    "id": _READ_ONLY,
    "object": _READ_ONLY,
    "expires_at": _READ_ONLY,
    "type": ("unirt speaks realtime sessions only", "leave it out"),
    "model": ("a session keeps the model that it was opened with", "use model="),
    "audio.input.format": ("unirt must know what it sends", "use input_format="),
    "audio.output.format": ("unirt must know what it hears", "use output_format="),
}
"Paths that :class:`SessionOptions` may not set: why, and what to do instead."

REFUSED_RESPONSE: Mapping[str, tuple[str, str]] = {
    "conversation": ("unirt must know whether responses may overlap", "use in_conversation="),
}
"The same for :class:`ResponseOptions`."


def check_options(
    options: Mapping[str, Any],
    table: type[SessionOptions] | type[ResponseOptions],
    *,
    provider: str,
    model: str,
) -> None:
    """
    Refuse options that no field of the wire object takes.

    Raises:
        UnsupportedSetting: Names the option, and says what to do instead.
    """
    refused = REFUSED_SESSION if table is SessionOptions else REFUSED_RESPONSE

    def refuse(path: str, why: str, remedy: str) -> UnsupportedSetting:
        where = f"provider_options[{path!r}]"
        return UnsupportedSetting(where, provider=provider, model=model, why=why, remedy=remedy)

    def walk(value: Any, hints: tuple[Any, ...], path: str) -> None:
        if path in refused:
            raise refuse(path, *refused[path])
        objects = [hint for hint in hints if typing.is_typeddict(hint)]
        if objects and isinstance(value, Mapping):
            for key, inner in value.items():
                below = f"{path}.{key}" if path else str(key)
                found = [fields[key] for h in objects if key in (fields := _fields(h))]
                if not found and below not in refused:
                    names = sorted({name for hint in objects for name in _fields(hint)})
                    raise refuse(below, "no such field", f"use one of {', '.join(names)}")
                walk(inner, tuple(h for hint in found for h in _members(hint)), below)
            return
        lists = [hint for hint in hints if typing.get_origin(hint) is Sequence]
        if lists and isinstance(value, Sequence) and not isinstance(value, str | bytes):
            entries = tuple(h for hint in lists for h in _members(typing.get_args(hint)[0]))
            for i, entry in enumerate(value):
                walk(entry, entries, f"{path}[{i}]")
            return
        if not any(_is(value, hint) for hint in hints):
            wanted = " or ".join(_name(hint) for hint in hints)
            raise refuse(path, f"{type(value).__name__} is not what it takes", f"give {wanted}")

    walk(options, (table,), "")


def merge_options(base: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `options` laid over it, object by object."""
    merged = dict(base)
    for key, value in options.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge_options(below, value)
        else:
            merged[key] = value
    return merged


@cache
def _fields(table: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(table)


def _members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a type: those of a union, else itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(member for arg in typing.get_args(hint) for member in _members(arg))
    return (hint,)


def _is(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is Literal:
        return value in typing.get_args(hint)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(hint, type) and not typing.is_typeddict(hint) and isinstance(value, hint)


def _name(hint: Any) -> str:
    if hint is type(None):
        return "None"
    if typing.get_origin(hint) is Literal:
        return " or ".join(repr(value) for value in typing.get_args(hint))
    if typing.is_typeddict(hint) or typing.get_origin(hint) is Mapping:
        return "a mapping"
    if typing.get_origin(hint) is Sequence:
        return "a sequence"
    return str(getattr(hint, "__name__", hint))
