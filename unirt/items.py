"""
Conversation items: the nouns that a history is made of.

An item is a message (of the user, the assistant or the system), a tool call, the result of one, or
something a server-side tool left behind.
The same values serve three purposes: what a provider reports (``ItemAdded``), what an application
seeds (``SeedHistory``), and what :attr:`Session.history` holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.value import Value

__all__ = [
    "AudioContent",
    "Content",
    "ImageContent",
    "Interruption",
    "Item",
    "ItemKind",
    "Role",
    "TextContent",
]


class Role(StrEnum):
    """Whose words they are."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class ItemKind(StrEnum):
    """What an item is."""

    MESSAGE = "message"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    SERVER_TOOL = "server_tool"
    "Anything a server-side tool put into the conversation: a list, a call, an approval."
    OTHER = "other"
    "A kind this version of unirt does not know; see :attr:`Item.data`."


@attrs.frozen(kw_only=True)
class TextContent(Value):
    """Written words."""

    text: str


@attrs.frozen(kw_only=True)
class AudioContent(Value):
    """Spoken words: a transcript, the audio, or both."""

    transcript: str | None = None
    """
    ``None`` while the transcript is not known.

    Of speech that was cut short: the words that were heard, by estimate; see `whole`.
    """
    whole: str | None = None
    "Of speech that was cut short: all its words. Where it is set, `transcript` is an estimate."
    start_ms: float | None = None
    "Of the user's: where in the session's input audio it begins, in ms, where told."
    duration_ms: float | None = None
    "How long the audio is, in ms, where known."
    data: bytes | None = attrs.field(default=None, repr=False)
    "The samples, in `format`; ``None`` where only the transcript is known."
    format: AudioFormat | None = None


@attrs.frozen(kw_only=True)
class ImageContent(Value):
    """A picture."""

    data: bytes | None = attrs.field(default=None, repr=False)
    "The encoded picture; ``None`` where only `url` is known."
    mime_type: str = "image/jpeg"
    url: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Interruption(Value):
    """How a message was cut short."""

    by: str = "speech"
    "``speech`` or ``client``, as in :class:`~unirt.events.Interrupted`."
    heard_ms: float | None = None
    "How much of its audio was played, in ms; ``None`` where not known, or where it has none."
    exactly: bool = False
    "``True`` where a player reported `heard_ms`; else it is an estimate from the clock."


Content = TextContent | AudioContent | ImageContent


@attrs.frozen(kw_only=True)
class Item(Value):
    """One entry of a conversation."""

    kind: ItemKind = ItemKind.MESSAGE
    id: str | None = None
    "The provider's id, or ours; ``None`` for an item that was not sent yet."
    role: Role | None = None
    "For messages; ``None`` for every other kind."
    content: tuple[Content, ...] = ()
    "For messages, in order."
    status: str | None = None
    "``in_progress``, ``completed`` or ``incomplete``; ``None`` where the provider says none."
    phase: str | None = None
    "``commentary`` for words said before the answer, ``final_answer``; ``None`` where not said."
    call_id: str | None = None
    "For tool calls and tool results."
    name: str | None = None
    "The tool's name, for tool calls, results and server-side tools."
    arguments: str | None = None
    "JSON text, for tool calls."
    output: str | None = None
    "For tool results and server-side tools."
    error: str | None = None
    "Why a tool failed, where it did."
    interruption: Interruption | None = None
    "For messages that were cut short."
    data: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    "The provider's own item, where it says more than these fields hold."

    @property
    def text(self) -> str:
        """The words of a message, written or heard, joined."""
        parts = []
        for part in self.content:
            if isinstance(part, TextContent):
                parts.append(part.text)
            elif isinstance(part, AudioContent) and part.transcript:
                parts.append(part.transcript)
        return "".join(parts)
