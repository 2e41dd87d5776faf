"""
History: items of an earlier conversation, in the form in which a client may create them.

Some things degrade, because the protocol takes no other form. What the assistant said aloud becomes
its transcript ("it cannot populate assistant audio messages", openai 3.54.0, docstring of
``ConversationItemCreateEvent``, 2026-11). What a server-side tool left behind is left out, for only
the provider creates it. The result of a call that is not there is refused, so it becomes text. Of a
history all that is told, and goes no further; of a single item it is an error. Ids of another
session are kept where they fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Final, TypeGuard

import attrs

from unirt.audio import AudioFormat
from unirt.composer import Seeds, as_text
from unirt.errors import UsageError
from unirt.items import AudioContent, Content, ImageContent, Item, ItemKind, Role, TextContent

__all__ = ["creatable", "fitting", "with_ids"]

_ID: Final = re.compile("[A-Za-z0-9_-]{1,32}")
"""
An item's or a call's id: as long as third-party clients keep to
(github.com/pydantic/pydantic-ai, realtime/_openai_protocol.py, 2026-11), of the characters that
the provider's own are of.
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
    plain = attrs.evolve(item, status=None, phase=None, interruption=None)
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
    if _is_sound(part, role, audio_format):
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


def fitting(
    items: Sequence[Item],
    *,
    audio_format: AudioFormat,
    known_calls: Container[str],
    seeds: Seeds,
    passes: Callable[[Item], bool] = lambda item: True,
) -> list[Item]:
    """
    The items of a history in a form in which they can be created, those that have one.

    Args:
        items: In order.
        audio_format: What the provider takes the user's audio for.
        known_calls: The ids of calls that are in the conversation already.
        seeds: Is told what becomes of each.
        passes: Whether an item is small enough to be sent.
    """
    calls: set[str | None] = set()
    fitted = []
    for index, item in enumerate(items):
        if item.kind is ItemKind.TOOL_CALL:
            calls.add(item.call_id)
        fit = item
        orphan = item.kind is ItemKind.TOOL_RESULT and not (
            item.call_id in calls or (item.call_id or "") in known_calls
        )
        if orphan:
            seeds.changed(index, "the result of a call that is not there became text")
            fit = as_text(item)
        elif item.kind is ItemKind.MESSAGE and item.data is None:
            fit = _message(item, index, audio_format, seeds)
        made = creatable(fit, audio_format=audio_format, where="history")
        if made is not None and passes(made):
            fitted.append(made)
        elif made is not None:
            calls.discard(made.call_id)
            seeds.lost(index, "it is larger than a call takes in one message")
        elif item.kind is ItemKind.MESSAGE:
            seeds.lost(index, "it has no words")
        else:
            seeds.lost(index, f"only the provider creates what is of kind {item.kind.value}")
    return fitted


def _message(item: Item, index: int, audio_format: AudioFormat, seeds: Seeds) -> Item:
    """A message of those parts that can be created."""
    content: list[Content] = []
    for part in item.content:
        match part:
            case ImageContent() if item.role is not Role.USER:
                seeds.changed(index, "a picture that is not the user's was left out")
            case AudioContent(data=bytes()) if _is_sound(part, item.role, audio_format):
                content.append(part)
            case AudioContent(transcript=str(words)) if words:
                seeds.changed(index, "speech became its transcript")
                content.append(TextContent(text=words))
            case AudioContent(whole=str(words)) if words:
                seeds.changed(index, "speech that nobody heard was left out")
            case AudioContent():
                seeds.changed(index, "speech without a transcript was left out")
            case _:
                content.append(part)
    return attrs.evolve(item, content=tuple(content))


def _is_sound(part: AudioContent, role: Role | None, audio_format: AudioFormat) -> bool:
    """Whether the provider takes the audio as it is."""
    return part.data is not None and role is Role.USER and part.format in (None, audio_format)


def with_ids(
    items: Iterable[Item],
    *,
    taken: Callable[[str], bool],
    calls: Mapping[str, str],
    mint: Callable[[str], str],
) -> list[Item]:
    """
    The items with ids that this session can use, calls and their results still paired.

    Args:
        items: In order.
        taken: Whether an id is in use in this session.
        calls: The calls that are in the conversation already: what the provider calls them.
        mint: Makes an id for a noun.
    """
    used: set[str] = set()
    called = {**calls}
    named = []
    for item in items:
        id_ = item.id
        if not _fits(id_) or id_ in used or taken(id_):
            id_ = mint("item")
            while id_ in used or taken(id_):
                id_ = mint("item")
        used.add(id_)
        call_id = item.call_id
        if item.kind is ItemKind.TOOL_CALL:
            called[call_id or ""] = call_id if _fits(call_id) else mint("call")
        named.append(attrs.evolve(item, id=id_, call_id=called.get(call_id or "", call_id)))
    return named


def _fits(id_: str | None) -> TypeGuard[str]:
    return id_ is not None and _ID.fullmatch(id_) is not None
