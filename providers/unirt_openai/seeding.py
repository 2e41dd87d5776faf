"""
History: items of an earlier conversation, in the form in which a client may create them.

Two things degrade, because the protocol takes no other form: what the assistant said aloud becomes
its transcript ("it cannot populate assistant audio messages", openai 3.54.0, docstring of
``ConversationItemCreateEvent``, 2026-11), and what a server-side tool left behind is left out, for
only the provider creates it. Ids of another session are kept where they fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from unirt.audio import AudioFormat
from unirt.errors import UsageError
from unirt.items import AudioContent, Content, ImageContent, Item, ItemKind, Role, TextContent

__all__ = ["creatable", "with_ids"]

MAX_ID = 32
"""
Characters of an item's or a call's id, as third-party clients keep to
(github.com/pydantic/pydantic-ai, realtime/_openai_protocol.py, 2026-11).
"""


def creatable(item: Item, *, audio_format: AudioFormat, where: str) -> Item | None:
    """
    The item as a client may create it; ``None`` where nothing of it can be created.

    Args:
        item: Of a history, or of the application's making.
        audio_format: What the provider takes the user's audio for.
        where: For messages.

    Raises:
        UsageError: It holds something that must not be dropped and cannot be sent.
    """
    plain = attrs.evolve(item, status=None, phase=None)
    match item.kind:
        case ItemKind.MESSAGE if item.data is None:
            parts = [_part(part, item.role, audio_format, where) for part in item.content]
            content = tuple(part for part in parts if part is not None)
            return attrs.evolve(plain, content=content) if content else None
        case ItemKind.TOOL_CALL | ItemKind.TOOL_RESULT:
            return plain
        case ItemKind.SERVER_TOOL:
            ours = (item.data or {}).get("type") == "mcp_approval_response"
            return plain if ours else None
        case _:
            return plain if item.data else None


def _part(
    part: Content, role: Role | None, audio_format: AudioFormat, where: str
) -> Content | None:
    match part:
        case TextContent():
            return part if part.text else None
        case AudioContent():
            return _audio(part, role, audio_format, where)
        case ImageContent() if role is not Role.USER:
            raise UsageError(
                f"a picture cannot be in a message of the {role or 'provider'}",
                where=where,
                remedy="put it into a message of the user, or describe it in text",
            )
        case _:
            return part


def _audio(
    part: AudioContent, role: Role | None, audio_format: AudioFormat, where: str
) -> Content | None:
    """The user's audio as it is, where the format fits; else the words."""
    if part.data is not None and role is Role.USER and part.format in (None, audio_format):
        return part
    if part.transcript:
        return TextContent(text=part.transcript)
    if part.data is None:
        return None
    raise UsageError(
        "audio without a transcript cannot be created",
        where=where,
        remedy=f"give it a transcript, or, for the user's, {audio_format}",
    )


def with_ids(
    items: Iterable[Item], *, taken: Callable[[str], bool], mint: Callable[[str], str]
) -> list[Item]:
    """
    The items with ids that this session can use, calls and their results still paired.

    Args:
        items: In order.
        taken: Whether an id is in use in this session.
        mint: Makes an id for a noun.
    """
    used: set[str] = set()
    calls: dict[str | None, str] = {}
    named = []
    for item in items:
        id_ = item.id
        if not id_ or len(id_) > MAX_ID or id_ in used or taken(id_):
            id_ = mint("item")
            while id_ in used or taken(id_):
                id_ = mint("item")
        used.add(id_)
        call_id = item.call_id
        if item.kind is ItemKind.TOOL_CALL and (not call_id or len(call_id) > MAX_ID):
            calls[call_id] = mint("call")
        named.append(attrs.evolve(item, id=id_, call_id=calls.get(call_id, call_id)))
    return named
