"""
Earlier conversation as ``clientContent`` turns.

The Live API takes turns of the roles ``user`` and ``model`` with written parts. Function calls,
their results and recorded speech are not accepted there (seen by peers on 2.5 and 3.1, 2026-11),
and every turn must name its role (3.1 and 3.8 close with 1007 otherwise). So what is not text
becomes text, and what becomes of each item is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pybase64

from unirt.composer import Seeds, as_text
from unirt.items import AudioContent, Content, ImageContent, Item, ItemKind, Role, TextContent

__all__ = ["seed_turns"]

_ROLES = {Role.USER: "user", Role.SYSTEM: "user", Role.ASSISTANT: "model"}

_AS_TEXT = {
    ItemKind.TOOL_CALL: "a tool call became text",
    ItemKind.TOOL_RESULT: "a tool result became text",
}


def seed_turns(items: Sequence[Item], seeds: Seeds) -> list[dict[str, Any]]:
    """
    The turns that say what the items say. Neighbouring items of one role become one turn.

    Args:
        items: In order.
        seeds: Is told what becomes of each.
    """
    turns: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        role, parts = _said(item, index, seeds)
        if not parts:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    return turns


def _said(item: Item, index: int, seeds: Seeds) -> tuple[str, list[dict[str, Any]]]:
    if item.kind in _AS_TEXT:
        seeds.changed(index, _AS_TEXT[item.kind])
        item = as_text(item)
    elif item.kind is not ItemKind.MESSAGE:
        seeds.lost(index, f"an item of kind {item.kind.value} has no form here")
        return "user", []
    if item.role is Role.SYSTEM:
        seeds.changed(index, "a system message became the user's")
    written = [_part(content, index, seeds) for content in item.content]
    parts = [part for part in written if part is not None]
    if not parts:
        seeds.lost(index, "it has no words")
    return _ROLES[item.role or Role.USER], parts


def _part(content: Content, index: int, seeds: Seeds) -> dict[str, Any] | None:
    match content:
        case TextContent(text=text):
            return {"text": text} if text else None
        case AudioContent(transcript=str(transcript)) if transcript:
            seeds.changed(index, "speech became its transcript")
            return {"text": transcript}
        case ImageContent(data=bytes(data)):
            return {
                "inlineData": {
                    "mimeType": content.mime_type,
                    "data": pybase64.b64encode(data).decode("ascii"),
                }
            }
        case AudioContent(whole=str(whole)) if whole:
            seeds.changed(index, "speech that nobody heard was left out")
        case AudioContent():
            seeds.changed(index, "speech without a transcript was left out")
        case ImageContent():
            seeds.changed(index, "a picture that is only an address was left out")
    return None
