"""
The canonical commands: what an application says to a provider.

A translator turns each into wire frames or refuses it before anything is sent; which of the two is
a fact in the provider's :class:`~unirt.capabilities.Capabilities`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from unirt.config import Scheduling, SessionConfig, Tool
from unirt.items import Item
from unirt.value import Value

__all__ = [
    "AppendAudio",
    "ApproveServerTool",
    "CancelResponse",
    "ClearInput",
    "ClearPlayback",
    "Command",
    "CommitInput",
    "CreateItem",
    "DeleteItem",
    "EndTurn",
    "Interrupt",
    "ReportPlayback",
    "Respond",
    "RetrieveItem",
    "Scheduling",
    "SeedHistory",
    "SendImage",
    "SendRaw",
    "SendText",
    "SendToolResult",
    "StartTurn",
    "TruncateItem",
    "UpdateSession",
]


@attrs.frozen(kw_only=True)
class UpdateSession(Value):
    """Change the configuration of a running session."""

    changes: SessionConfig
    "Only the fields that are not ``None`` change."


@attrs.frozen(kw_only=True)
class AppendAudio(Value):
    """The next piece of the user's voice, in the session's input format."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")


@attrs.frozen(kw_only=True)
class SendText(Value):
    """Something the user wrote."""

    text: str
    respond: bool = True
    "Whether the model shall answer now. An answer that is running is interrupted by it."


@attrs.frozen(kw_only=True)
class SendImage(Value):
    """A picture, or one frame of a video, that the user shows."""

    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    mime_type: str = "image/jpeg"
    respond: bool = False


@attrs.frozen(kw_only=True)
class StartTurn(Value):
    """The user begins to speak (manual turn detection). Interrupts a running response."""

    audio_ms: float | None = None
    "Where in the input audio, where the session detected it: it is told as ``SpeechStarted``."


@attrs.frozen(kw_only=True)
class EndTurn(Value):
    """The user is done speaking (manual turn detection): commit what was said, and answer it."""

    respond: bool = True
    audio_ms: float | None = None
    "As in :class:`StartTurn`: it is told as ``SpeechStopped``."


@attrs.frozen(kw_only=True)
class CommitInput(Value):
    """Make the audio so far part of the conversation, without asking for an answer."""


@attrs.frozen(kw_only=True)
class ClearInput(Value):
    """Throw away audio that has not been committed."""


@attrs.frozen(kw_only=True)
class Respond(Value):
    """Answer now."""

    instructions: str | None = None
    modalities: tuple[str, ...] | None = None
    tools: tuple[Tool, ...] | None = None
    tool_choice: str | None = None
    voice: str | None = None
    max_output_tokens: int | None = None
    metadata: Mapping[str, str] | None = None
    in_conversation: bool = True
    "``False``: beside the conversation, leaving no trace in it."
    input: tuple[Item, ...] | None = None
    "What to answer instead of the conversation."
    provider_options: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    "May hold credentials, so it is never shown."


@attrs.frozen(kw_only=True)
class CancelResponse(Value):
    """Stop generating."""

    response_id: str | None = None
    "``None`` for the one that is running."


@attrs.frozen(kw_only=True)
class Interrupt(Value):
    """Stop generating and playing, and let the model know how much was heard."""

    played_ms: float | None = None
    "How much of the response was played; ``None`` to use what was reported or estimated."
    response_id: str | None = None
    "What `played_ms` is about; ``None`` for the latest with audio."
    by: str = "client"
    "Who interrupts, as in ``Interrupted``: ``speech`` where the user was heard to begin."


@attrs.frozen(kw_only=True)
class TruncateItem(Value):
    """Cut an item's audio to what was heard."""

    item_id: str
    audio_end_ms: int
    content_index: int = 0


@attrs.frozen(kw_only=True)
class ReportPlayback(Value):
    """Tell the session how much of a response has been played. Sends nothing."""

    played_ms: float
    response_id: str | None = None
    "``None`` for the latest with audio."
    flushed: bool = False
    "Whether the player threw the rest away: it plays no more of it."


@attrs.frozen(kw_only=True)
class ClearPlayback(Value):
    """Throw away what the provider has not played yet (where it owns the playback)."""


@attrs.frozen(kw_only=True)
class SendToolResult(Value):
    """The result of a tool call."""

    call_id: str
    output: Any = None
    "JSON-serialisable; a string goes as it is."
    error: str | None = None
    "Why the tool failed, instead of `output`."
    scheduling: Scheduling | None = None
    "``None`` for the one of the tool."
    more_follows: bool = False
    "For tools that report in several pieces."
    respond: bool = True
    "Whether the model shall go on once all its calls are answered."


@attrs.frozen(kw_only=True)
class SeedHistory(Value):
    """
    Put earlier conversation before what follows. Triggers no response.

    A translator tells what became of it with :class:`~unirt.events.HistorySeeded`, at once.
    """

    items: tuple[Item, ...]


@attrs.frozen(kw_only=True)
class CreateItem(Value):
    """Add one item to the conversation."""

    item: Item
    previous_item_id: str | None = None
    "``None`` appends; ``root`` puts it first."


@attrs.frozen(kw_only=True)
class DeleteItem(Value):
    """Remove an item from the conversation."""

    item_id: str


@attrs.frozen(kw_only=True)
class RetrieveItem(Value):
    """Ask for an item as the provider holds it, with its processed audio."""

    item_id: str


@attrs.frozen(kw_only=True)
class ApproveServerTool(Value):
    """Allow or forbid a server-side tool call."""

    approval_id: str
    approve: bool
    reason: str | None = None


@attrs.frozen(kw_only=True)
class SendRaw(Value):
    """A frame in the provider's own words, sent untouched."""

    frame: Mapping[str, Any] | str | bytes = attrs.field(repr=False)


Command = (
    UpdateSession
    | AppendAudio
    | SendText
    | SendImage
    | StartTurn
    | EndTurn
    | CommitInput
    | ClearInput
    | Respond
    | CancelResponse
    | Interrupt
    | TruncateItem
    | ReportPlayback
    | ClearPlayback
    | SendToolResult
    | SeedHistory
    | CreateItem
    | DeleteItem
    | RetrieveItem
    | ApproveServerTool
    | SendRaw
)
"Everything an application can say."
