"""The control plane, part two: turns, buffers, responses, playback and items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from unirt.events.base import ControlEvent, StreamKind
from unirt.events.content import Ending
from unirt.items import Item
from unirt.playback import ItemPlayback
from unirt.usage import Usage

__all__ = [
    "ApprovalRequested",
    "ContentDiscarded",
    "DtmfReceived",
    "GenerationDone",
    "HeardCorrected",
    "InputCleared",
    "InputCommitted",
    "InputPaused",
    "InputResumed",
    "InputTimeout",
    "InteractionStatus",
    "Interrupted",
    "ItemAdded",
    "ItemDeleted",
    "ItemDone",
    "ItemRetrieved",
    "ItemTruncated",
    "OutputItemAdded",
    "OutputItemDone",
    "PlaybackCleared",
    "PlaybackStarted",
    "PlaybackStopped",
    "ResponseDone",
    "ResponseStarted",
    "ServerToolStatus",
    "SpeechStarted",
    "SpeechStopped",
    "ToolCallCancelled",
    "ToolsListed",
    "TranscriptionFailed",
]


@attrs.frozen(kw_only=True)
class SpeechStarted(ControlEvent):
    """The user began to speak. Opens a user turn where none is open."""

    audio_ms: float | None = None
    "Where in the session's input audio, in ms from its start, where told."


@attrs.frozen(kw_only=True)
class SpeechStopped(ControlEvent):
    """The user stopped speaking."""

    audio_ms: float | None = None
    "Where in the session's input audio, in ms from its start, where told."


@attrs.frozen(kw_only=True)
class InputCommitted(ControlEvent):
    """Spoken input became part of the conversation; the model may answer it."""

    previous_item_id: str | None = None


@attrs.frozen(kw_only=True)
class InputCleared(ControlEvent):
    """Audio that had not been committed was thrown away."""


@attrs.frozen(kw_only=True)
class InputPaused(ControlEvent):
    """
    The model takes no audio now, and would end the session over it: what is sent is dropped.

    Told with the first that is. :class:`InputResumed` follows, before the session is closed at the
    latest.
    """

    reason: str = "tool_call"
    "``tool_call``: the model waits for the result of a tool."
    call_ids: tuple[str, ...] = ()
    "The calls that it waits for."


@attrs.frozen(kw_only=True)
class InputResumed(ControlEvent):
    """The model takes audio again."""

    dropped_ms: float
    "How much audio was dropped since :class:`InputPaused`, in ms."
    dropped_images: int = 0
    "How many pictures; the newest of them was kept, and is sent now."


@attrs.frozen(kw_only=True)
class InputTimeout(ControlEvent):
    """The user said nothing for so long that the provider goes on by itself."""

    start_ms: float | None = None
    end_ms: float | None = None


@attrs.frozen(kw_only=True)
class DtmfReceived(ControlEvent):
    """A key was pressed on a telephone."""

    key: str
    at_unix_s: float | None = None


@attrs.frozen(kw_only=True)
class TranscriptionFailed(ControlEvent):
    """The user's words could not be transcribed. The answer is not affected."""

    message: str
    code: str | None = None


@attrs.frozen(kw_only=True)
class ResponseStarted(ControlEvent):
    """The model begins to answer. Exactly one :class:`ResponseDone` follows."""

    response_id: str
    in_conversation: bool = True
    "``False`` for a response outside the conversation; only such may overlap another."
    metadata: Mapping[str, Any] | None = None
    "What the application attached to its request, where the provider echoes it."


@attrs.frozen(kw_only=True)
class GenerationDone(ControlEvent):
    """All content of the response has been sent; its :class:`ResponseDone` is still to come."""

    response_id: str


@attrs.frozen(kw_only=True)
class Interrupted(ControlEvent):
    """
    The response was cut short: stop playing it, now.

    Told once a response, at the first sign. No content of the response follows; what still comes
    over the wire is reported as :class:`ContentDiscarded`.
    It may come after :class:`ResponseDone`: then only the playback was cut.
    """

    response_id: str
    by: str = "speech"
    "``speech`` where the user began to talk, ``client`` where the application asked for it."
    generating: bool = True
    "``False`` where the model had finished and only the playback was cut."
    heard_ms: float | None = None
    "How much of the response's audio had been played, in ms; ``None`` where not known."
    heard_exactly: bool = False
    "``True`` where a player reported `heard_ms`; else it is an estimate from the clock."
    items: tuple[ItemPlayback, ...] = ()
    "What was heard of each of its spoken items, in order, with the words, by estimate."


@attrs.frozen(kw_only=True)
class HeardCorrected(ControlEvent):
    """
    A player told, after a response was interrupted, how much of it had been heard.

    It replaces what :class:`Interrupted` said, and what another of these said before.
    """

    response_id: str
    heard_ms: float
    items: tuple[ItemPlayback, ...] = ()
    "As in :class:`Interrupted`."


@attrs.frozen(kw_only=True)
class ContentDiscarded(ControlEvent):
    """Content that came too late to be delivered, after its response was interrupted."""

    kind: StreamKind
    size: int
    "Bytes of audio or media, characters of text."
    duration_ms: float | None = None
    "For audio."


@attrs.frozen(kw_only=True)
class ResponseDone(ControlEvent):
    """A response is over, however it ended. All its streams have been closed before."""

    response_id: str
    ending: Ending = Ending.COMPLETE
    reason: str | None = None
    """
    Why it did not end complete, in one vocabulary for all providers: ``speech``, ``client``,
    ``max_output_tokens``, ``content_filter``, ``malformed_call``, ``rate_limited``, ``quota``,
    ``model_error``, ``connection_lost``, ``session_closed``, ``needs_input``, ``unknown``.
    """
    detail: str | None = None
    "The provider's own words or code for it."
    usage: Usage | None = None
    "``None`` where the provider told none."
    heard_ms: float | None = None
    "For interrupted responses, as in :class:`Interrupted`."
    audio_ms: float | None = None
    "How much audio of it was delivered, in ms; ``None`` where it had none."


@attrs.frozen(kw_only=True)
class InteractionStatus(ControlEvent):
    """
    What the provider says of the interaction as a whole.

    `status` is ``in_progress`` (more of the answer follows by itself), ``idle``, ``waiting`` (the
    model keeps silent and leaves the floor to the user), or the provider's own word.
    """

    status: str


@attrs.frozen(kw_only=True)
class PlaybackStarted(ControlEvent):
    """The provider began to play the response (where it owns the playback, as over WebRTC)."""


@attrs.frozen(kw_only=True)
class PlaybackStopped(ControlEvent):
    """The provider finished playing the response."""


@attrs.frozen(kw_only=True)
class PlaybackCleared(ControlEvent):
    """The provider threw away what it had not played yet."""


@attrs.frozen(kw_only=True)
class ItemAdded(ControlEvent):
    """An item entered the conversation."""

    item: Item
    previous_item_id: str | None = None
    "The item before it; trust this one for the order."


@attrs.frozen(kw_only=True)
class ItemDone(ControlEvent):
    """An item of the conversation is final."""

    item: Item
    previous_item_id: str | None = None


@attrs.frozen(kw_only=True)
class ItemRetrieved(ControlEvent):
    """The provider read an item back, with its processed audio."""

    item: Item


@attrs.frozen(kw_only=True)
class ItemDeleted(ControlEvent):
    """An item left the conversation."""


@attrs.frozen(kw_only=True)
class ItemTruncated(ControlEvent):
    """The provider cut an item's audio, and forgot its transcript."""

    audio_end_ms: float
    content_index: int = 0


@attrs.frozen(kw_only=True)
class OutputItemAdded(ControlEvent):
    """The response began an item; content of it follows."""

    item: Item
    output_index: int = 0


@attrs.frozen(kw_only=True)
class OutputItemDone(ControlEvent):
    """The response finished an item."""

    item: Item
    output_index: int = 0


@attrs.frozen(kw_only=True)
class ToolCallCancelled(ControlEvent):
    """Calls that need no answer any more: stop their tools, and send no result."""

    call_ids: tuple[str, ...]


@attrs.frozen(kw_only=True)
class ServerToolStatus(ControlEvent):
    """A server-side tool's progress: ``in_progress``, ``completed`` or ``failed``."""

    status: str


@attrs.frozen(kw_only=True)
class ToolsListed(ControlEvent):
    """The provider is reading, or has read, the tools of a server that it will call itself."""

    status: str
    "``in_progress``, ``completed`` or ``failed``."
    server: str | None = None


@attrs.frozen(kw_only=True)
class ApprovalRequested(ControlEvent):
    """The provider wants a yes or a no before it runs a server-side tool."""

    approval_id: str
    server: str | None = None
    name: str | None = None
    arguments: str | None = None
