"""
Earlier conversation as ``clientContent`` turns.

The Live API takes turns of the roles ``user`` and ``model`` with written parts. Function calls,
their results and recorded speech are not accepted there (seen by peers on 2.5 and 3.1, 2026-11),
and every turn must name its role (3.1 and 3.8 close with 1007 otherwise). So what is not text
becomes text, and :func:`seed_turns` says of what it degraded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pybase64

from unirt.items import AudioContent, Content, ImageContent, Item, ItemKind, Role, TextContent

__all__ = ["seed_turns"]

_ROLES = {Role.USER: "user", Role.SYSTEM: "user", Role.ASSISTANT: "model"}


def seed_turns(items: Sequence[Item]) -> tuple[list[dict[str, Any]], list[str]]:
    """
    The turns that say what the items say, and what was lost or changed on the way.

    Neighbouring items of one role become one turn.
    """
    turns: list[dict[str, Any]] = []
    losses: list[str] = []
    for i, item in enumerate(items):
        role, parts = _said(item, f"item {i}", losses)
        if not parts:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": role, "parts": parts})
    return turns, losses


def _said(item: Item, where: str, losses: list[str]) -> tuple[str, list[dict[str, Any]]]:
    name = item.name or "a tool"
    match item.kind:
        case ItemKind.MESSAGE:
            if item.role is Role.SYSTEM:
                losses.append(f"{where}: a system message became the user's")
            parts = [_part(content, where, losses) for content in item.content]
            return _ROLES[item.role or Role.USER], [part for part in parts if part is not None]
        case ItemKind.TOOL_CALL:
            losses.append(f"{where}: a tool call became text")
            return "model", [{"text": f"[called {name} with {item.arguments or '{}'}]"}]
        case ItemKind.TOOL_RESULT:
            losses.append(f"{where}: a tool result became text")
            failed = f"failed: {item.error}"
            said = failed if item.error is not None else f"returned {item.output or ''}"
            return "user", [{"text": f"[{name} {said}]"}]
        case _:
            losses.append(f"{where}: an item of kind {item.kind.value} was left out")
            return "user", []


def _part(content: Content, where: str, losses: list[str]) -> dict[str, Any] | None:
    match content:
        case TextContent(text=text):
            return {"text": text}
        case AudioContent(transcript=str(transcript)):
            losses.append(f"{where}: speech became its transcript")
            return {"text": transcript}
        case ImageContent(data=bytes(data)):
            return {
                "inlineData": {
                    "mimeType": content.mime_type,
                    "data": pybase64.b64encode(data).decode("ascii"),
                }
            }
        case AudioContent():
            losses.append(f"{where}: speech without a transcript was left out")
        case ImageContent():
            losses.append(f"{where}: a picture that is only an address was left out")
    return None
