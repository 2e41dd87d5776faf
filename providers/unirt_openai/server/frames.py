"""
What a server says for each canonical event: one row an event class.

The rows of responses and their content lead to :mod:`unirt_openai.server.output`, those of the
user's side to :mod:`unirt_openai.server.input`; both keep state. The others are said here, each by
one frame. An event class without a row has no words on OpenAI's wire:

- ``SessionStarted`` was said by ``session.created`` when the connection opened, and how it ends is
  told by the socket;
- ``Interrupted`` is never said: a client learns by ``speech_started``, or did it itself;
- thoughts, pictures, citations, interim transcripts, and calls that are cancelled do not exist;
- what a translator concludes (``Noted``, ``Malformed``, ``ContentDiscarded``) nobody says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unirt import events as ev
from unirt.events import Event
from unirt_openai.items import write_item
from unirt_openai.server.input import InputSide, item_of
from unirt_openai.server.output import OutputSide
from unirt_openai.server.state import ServerState

__all__ = ["Speaker"]


class Speaker:
    """Turns canonical events into the server's frames, which queue in the state."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self.input = InputSide(state)
        self.output = OutputSide(state)
        output, input_ = self.output, self.input
        self._rows: Mapping[type[Event], Callable[[Any], None]] = {
            # Responses.
            ev.ResponseStarted: output.started,
            ev.GenerationDone: output.generation_done,
            ev.ResponseDone: output.done,
            # Content.
            ev.StreamOpened: self._opened,
            ev.AudioDelta: output.audio,
            ev.TextDelta: self._text,
            ev.TranscriptDelta: self._transcript,
            ev.TranscriptSegment: input_.segment,
            ev.ToolCallDelta: output.words,
            ev.ToolCall: output.called,
            ev.ServerToolDelta: output.words,
            ev.ServerToolResult: output.called,
            ev.StreamClosed: self._closed,
            # Items.
            ev.OutputItemAdded: lambda e: output.item_event(e, "response.output_item.added"),
            ev.OutputItemDone: lambda e: output.item_event(e, "response.output_item.done"),
            ev.ItemAdded: lambda e: output.item_event(e, "conversation.item.added"),
            ev.ItemDone: lambda e: output.item_event(e, "conversation.item.done"),
            ev.ItemRetrieved: self._retrieved,
            ev.ItemDeleted: self._deleted,
            ev.ItemTruncated: self._truncated,
            # Tools that the server runs.
            ev.ServerToolStatus: output.tool_status,
            ev.ApprovalRequested: output.approval,
            ev.ToolsListed: self._tools_listed,
            # The user's side.
            ev.SpeechStarted: input_.speech_started,
            ev.SpeechStopped: input_.speech_stopped,
            ev.InputCommitted: input_.committed,
            ev.InputCleared: self._cleared,
            ev.InputTimeout: input_.timed_out,
            ev.DtmfReceived: self._dtmf,
            ev.TranscriptionFailed: input_.transcription_failed,
            ev.UsageReported: input_.usage_reported,
            # Playback, where the transport owns it.
            ev.PlaybackStarted: lambda e: self._playback(e, "started"),
            ev.PlaybackStopped: lambda e: self._playback(e, "stopped"),
            ev.PlaybackCleared: lambda e: self._playback(e, "cleared"),
            # The session.
            ev.SessionUpdated: self._session_updated,
            ev.ConversationCreated: self._conversation_created,
            ev.RateLimitsUpdated: self._rate_limits,
            ev.ProviderError: self._error,
            ev.Unmapped: self._unmapped,
        }

    def say(self, event: Event) -> None:
        """Queue the frames of an event; none where the wire has no words for it."""
        row = self._rows.get(type(event))
        if row is not None:
            row(event)

    # Streams exist on both sides; the role tells whose they are. What a user typed is not said
    # again: the acknowledgement of their item did.

    def _opened(self, event: ev.StreamOpened) -> None:
        if event.role != "user":
            self.output.opened(event)

    def _text(self, event: ev.TextDelta) -> None:
        if event.role != "user":
            self.output.words(event)

    def _transcript(self, event: ev.TranscriptDelta) -> None:
        if event.role == "user":
            self.input.transcript(event)
        else:
            self.output.words(event)

    def _closed(self, event: ev.StreamClosed) -> None:
        if event.role != "user":
            self.output.closed(event)
        elif event.kind is ev.StreamKind.TRANSCRIPT:
            self.input.transcript_closed(event)

    # Events of one frame each.

    def _retrieved(self, event: ev.ItemRetrieved) -> None:
        self._state.say("conversation.item.retrieved", item=write_item(event.item))

    def _deleted(self, event: ev.ItemDeleted) -> None:
        item_id = item_of(self._state, event.item_id)
        self._state.conversation.remove(item_id)
        self._state.say("conversation.item.deleted", item_id=item_id)

    def _truncated(self, event: ev.ItemTruncated) -> None:
        self._state.say(
            "conversation.item.truncated",
            item_id=event.item_id or "",
            content_index=event.content_index,
            audio_end_ms=round(event.audio_end_ms),
        )

    def _tools_listed(self, event: ev.ToolsListed) -> None:
        self._state.say(
            f"mcp_list_tools.{event.status}", item_id=event.item_id or self._state.mint("item")
        )

    def _cleared(self, event: ev.InputCleared) -> None:
        self._state.buffer.size = 0
        self._state.say("input_audio_buffer.cleared")

    def _dtmf(self, event: ev.DtmfReceived) -> None:
        """The one frame of this protocol that has no ``event_id``."""
        self._state.frames.append(
            {
                "type": "input_audio_buffer.dtmf_event_received",
                "event": event.key,
                "received_at": round(event.at_unix_s or 0),
            }
        )

    def _playback(self, event: ev.ControlEvent, what: str) -> None:
        response_id = event.response_id or self._state.active or ""
        self._state.say(f"output_audio_buffer.{what}", response_id=response_id)

    def _session_updated(self, event: ev.SessionUpdated) -> None:
        self._state.say("session.updated", session=self._state.session)

    def _conversation_created(self, event: ev.ConversationCreated) -> None:
        id_ = event.conversation_id or self._state.conversation.id
        self._state.conversation.id = id_
        conversation = {"id": id_, "object": "realtime.conversation"}
        self._state.say("conversation.created", conversation=conversation)

    def _rate_limits(self, event: ev.RateLimitsUpdated) -> None:
        limits = [
            {
                "name": limit.name,
                "limit": limit.limit,
                "remaining": limit.remaining,
                "reset_seconds": None if limit.reset_ms is None else limit.reset_ms / 1000,
            }
            for limit in event.limits
        ]
        self._state.say("rate_limits.updated", rate_limits=limits)

    def _error(self, event: ev.ProviderError) -> None:
        self._state.requests.clear()
        self._state.say(
            "error",
            error={
                "type": event.type or "server_error",
                "code": event.code,
                "message": event.message,
                "param": event.param,
                "event_id": event.command_id,
            },
        )

    def _unmapped(self, event: ev.Unmapped) -> None:
        """A frame in the provider's own words, as it is; a part of one stands in a frame."""
        if isinstance(event.data, Mapping):
            whole = not event.type or event.data.get("type", event.type) == event.type
            inner = event.data if whole else {"data": event.data}
            self._state.frames.append({"type": event.type, **inner})
