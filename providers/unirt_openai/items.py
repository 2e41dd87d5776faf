"""
Conversation items: OpenAI's wire objects to :class:`~unirt.items.Item`, and back.

A wire item is a message of one of three roles, a function call, its output, or one of the four
things that MCP leaves behind. Two tables below say which is which; what neither knows is kept whole
in :attr:`Item.data`, so that reading and writing an item of any kind loses nothing.

Reading goes by ``type`` and ``role``, never by position or by the shape of the content; parts are
read by their ``input_``/``output_`` names and by the bare ones of the beta protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pybase64

from unirt.audio import PCM16_24K, AudioFormat
from unirt.items import AudioContent, Content, ImageContent, Item, ItemKind, Role, TextContent
from unirt.wire import Wire, decode_audio

__all__ = ["data_uri", "read_item", "write_item"]

KINDS: Mapping[str, ItemKind] = {
    "message": ItemKind.MESSAGE,
    "function_call": ItemKind.TOOL_CALL,
    "function_call_output": ItemKind.TOOL_RESULT,
    "mcp_list_tools": ItemKind.SERVER_TOOL,
    "mcp_call": ItemKind.SERVER_TOOL,
    "mcp_tool_call": ItemKind.SERVER_TOOL,
    "mcp_approval_request": ItemKind.SERVER_TOOL,
    "mcp_approval_response": ItemKind.SERVER_TOOL,
}
"Item types (openai.types.realtime.ConversationItem, SDK 3.54.0, 2026-11)."

_ROLES: Mapping[str, Role] = {role.value: role for role in Role}

_TEXT_PARTS = frozenset({"input_text", "output_text", "text"})
_AUDIO_PARTS = frozenset({"input_audio", "output_audio", "audio"})

# Named once: to look a member up in its enumeration takes Python 3.11 some 80 ns.
_MESSAGE, _OTHER = ItemKind.MESSAGE, ItemKind.OTHER
_CALLS = (ItemKind.TOOL_CALL, ItemKind.TOOL_RESULT)


def read_item(wire: Wire, *, audio_format: AudioFormat = PCM16_24K) -> Item:
    """
    Read an item.

    Args:
        wire: The wire object.
        audio_format: What its audio bytes are, where it has any.

    Raises:
        WireError: A field is not of the type that the protocol gives it.
    """
    type_ = wire.text_or("type") or ("message" if "role" in wire else "")
    kind = KINDS.get(type_, _OTHER)
    if kind is _MESSAGE:
        return _read_message(wire, audio_format)
    opaque = kind not in _CALLS
    return Item(
        kind=kind,
        id=wire.text_or("id"),
        status=wire.text_or("status"),
        phase=wire.text_or("phase"),
        call_id=wire.text_or("call_id"),
        name=wire.text_or("name"),
        arguments=_loose_text(wire, "arguments"),
        output=_loose_text(wire, "output"),
        error=_error(wire),
        data=wire.data if opaque else None,
    )


def write_item(item: Item) -> dict[str, Any]:
    """
    The wire object of an item, the exact inverse of :func:`read_item`.

    Whether a client may create such an item is not judged here.
    """
    return {key: value for key, value in _WRITERS[item.kind](item).items() if value is not _ABSENT}


def data_uri(image: ImageContent) -> str:
    """The ``image_url`` of a picture: its own URL, or its bytes as a data URI."""
    if image.data is None:
        return image.url or ""
    return f"data:{image.mime_type};base64,{pybase64.b64encode(image.data).decode('ascii')}"


# Reading.


def _read_message(wire: Wire, audio_format: AudioFormat) -> Item:
    content, whole = _read_content(wire, audio_format)
    role = wire.text_or("role")
    known = _ROLES.get(role or "")
    return Item(
        kind=_MESSAGE,
        id=wire.text_or("id"),
        role=known,
        content=content,
        status=wire.text_or("status"),
        phase=wire.text_or("phase"),
        data=None if whole and (role is None or known is not None) else wire.data,
    )


def _read_content(wire: Wire, audio_format: AudioFormat) -> tuple[tuple[Content, ...], bool]:
    """The content, and whether all of it was understood."""
    parts = wire.objs("content")
    read = [_read_part(part, audio_format) for part in parts]
    known = tuple(part for part in read if part is not None)
    return known, len(known) == len(parts)


def _read_part(part: Wire, audio_format: AudioFormat) -> Content | None:
    type_ = part.text_or("type")
    if type_ in _TEXT_PARTS:
        return TextContent(text=part.text_or("text") or "")
    if type_ in _AUDIO_PARTS:
        audio = part.text_or("audio")
        data = decode_audio(audio, f"{part.path}.audio") if audio else None
        return AudioContent(
            transcript=part.text_or("transcript"),
            data=data,
            format=None if data is None else audio_format,
        )
    if type_ == "input_image":
        return _read_image(part)
    return None


def _read_image(part: Wire) -> ImageContent:
    url = part.text_or("image_url") or ""
    head, comma, payload = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return ImageContent(url=url)
    mime_type = head.removeprefix("data:").removesuffix(";base64")
    data = decode_audio(payload, f"{part.path}.image_url")
    return ImageContent(data=data, mime_type=mime_type or "image/jpeg")


def _loose_text(wire: Wire, key: str) -> str | None:
    """Text, or the JSON text of what stands in its place."""
    value = wire.data.get(key)
    return value if value is None or type(value) is str else json.dumps(value)


def _error(wire: Wire) -> str | None:
    error = wire.data.get("error")
    if isinstance(error, dict) and isinstance(message := error.get("message"), str):
        return message
    return _loose_text(wire, "error")


# Writing.

_ABSENT: Any = object()


def _or_absent(value: Any) -> Any:
    return _ABSENT if value is None else value


def _write_message(item: Item) -> dict[str, Any]:
    if item.data is not None:
        return _write_data(item)
    role = item.role or Role.USER
    return {
        "id": _or_absent(item.id),
        "type": "message",
        "status": _or_absent(item.status),
        "role": role.value,
        "phase": _or_absent(item.phase),
        "content": [_write_part(part, role) for part in item.content],
    }


def _write_part(part: Content, role: Role) -> dict[str, Any]:
    prefix = "output" if role is Role.ASSISTANT else "input"
    match part:
        case TextContent():
            return {"type": f"{prefix}_text", "text": part.text}
        case AudioContent(data=None):
            return {"type": f"{prefix}_audio", "transcript": part.transcript}
        case AudioContent():
            audio = pybase64.b64encode(part.data or b"").decode("ascii")
            said = {} if part.transcript is None else {"transcript": part.transcript}
            return {"type": f"{prefix}_audio", "audio": audio, **said}
        case ImageContent():
            return {"type": "input_image", "image_url": data_uri(part)}


def _write_call(item: Item) -> dict[str, Any]:
    return {
        "id": _or_absent(item.id),
        "type": "function_call",
        "status": _or_absent(item.status),
        "name": item.name or "",
        "call_id": _or_absent(item.call_id),
        "arguments": item.arguments or "",
    }


def _write_result(item: Item) -> dict[str, Any]:
    failed = item.output is None and item.error is not None
    return {
        "id": _or_absent(item.id),
        "type": "function_call_output",
        "status": _or_absent(item.status),
        "call_id": _or_absent(item.call_id),
        "output": json.dumps({"error": item.error}) if failed else item.output or "",
    }


def _write_server_tool(item: Item) -> dict[str, Any]:
    if item.data is not None:
        return _write_data(item)
    error = None
    if item.error is not None:
        error = {"type": "tool_execution_error", "message": item.error}
    return {
        "id": _or_absent(item.id),
        "type": "mcp_call",
        "status": _or_absent(item.status),
        "server_label": item.name or "",
        "name": item.name or "",
        "arguments": item.arguments or "",
        "output": item.output,
        "error": error,
    }


def _write_data(item: Item) -> dict[str, Any]:
    return {**(item.data or {}), **({} if item.id is None else {"id": item.id})}


_WRITERS: Mapping[ItemKind, Callable[[Item], dict[str, Any]]] = {
    ItemKind.MESSAGE: _write_message,
    ItemKind.TOOL_CALL: _write_call,
    ItemKind.TOOL_RESULT: _write_result,
    ItemKind.SERVER_TOOL: _write_server_tool,
    ItemKind.OTHER: _write_data,
}
