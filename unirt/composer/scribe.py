"""The scribe: writes events down, and keeps the steps that all streams share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unirt.composer.records import OpenStream, Response
from unirt.events import (
    ContentDiscarded,
    ControlEvent,
    Ending,
    Event,
    Noted,
    Origin,
    ServerToolDelta,
    SessionClosed,
    SessionStarted,
    StreamClosed,
    StreamKind,
    TextDelta,
    ThoughtDelta,
    ToolCallDelta,
    TranscriptDelta,
)
from unirt.events.base import Source, Unread
from unirt.ids import counting_ids, names_of

__all__ = ["DELTAS", "Scribe"]

DELTAS: dict[StreamKind, type[Any]] = {
    StreamKind.TEXT: TextDelta,
    StreamKind.THOUGHT: ThoughtDelta,
    StreamKind.TRANSCRIPT: TranscriptDelta,
    StreamKind.TOOL_CALL: ToolCallDelta,
    StreamKind.SERVER_TOOL: ServerToolDelta,
}

# Named once: to look a member up in its enumeration takes Python 3.11 some 80 ns.
_AUDIO, _TRANSCRIPT, _COMPLETE = StreamKind.AUDIO, StreamKind.TRANSCRIPT, Ending.COMPLETE


class Scribe:
    """
    Args:
        provider: The provider's registered name.
        ids: Mints ids for what the provider does not name, by noun.
        parse_native: Turns a raw frame into the vendor SDK's typed object.
        clocked: Whether the times given to :meth:`begin` are real enough to estimate playback.
        goes_on: Whether the server remembers the connection before this one.
    """

    def __init__(
        self,
        provider: str,
        *,
        ids: Callable[[str], str] | None = None,
        parse_native: Callable[[Any], Any] | None = None,
        clocked: bool = True,
        goes_on: bool = False,
    ) -> None:
        self.provider = provider
        self.ids = ids or counting_ids()
        "Mints ids of what nobody but the provider hears of, frames most of all."
        self.named = names_of(self.ids, goes_on=goes_on)
        "The session's name of what the provider calls so, see :mod:`unirt.ids`."
        self.clocked = clocked
        self.started = False
        self._source = Source(provider, parse_native)
        self._now = 0.0
        self._raw: Any = None
        self._begun: Origin | Unread | None = None
        "The occasion, or what it told that knows it; ``None`` until somebody asks."
        self._events: list[Event] = []
        self._before = 0
        "How many of them were told before the occasion."
        self._prepare()

    def _prepare(self) -> None:
        """Set up what a chapter remembers; each calls the one below it."""

    def begin(self, raw: Any, now: float) -> None:
        """Start on a frame, by its decoded JSON, or on an occasion without one (``None``)."""
        self._now = now
        self._raw = raw
        self._begun = None
        self._before = len(self._events)

    @property
    def _origin(self) -> Origin:
        """Where what is told now comes from."""
        begun = self._begun
        if begun is None:
            source = self._source
            begun = self._begun = Origin(self.provider, self._now, self._raw, source.parse_native)
        return begun.origin if isinstance(begun, Unread) else begun

    def mint(self, noun: str) -> str:
        """An id for what the provider does not name; it names nothing else in the session."""
        return self.named(self.ids(noun))

    @property
    def silent(self) -> bool:
        """Whether nothing was told on the occasion that was begun last."""
        return len(self._events) == self._before

    @property
    def pending_events(self) -> int:
        """How many events wait to be drained."""
        return len(self._events)

    def events_received(self) -> list[Event]:
        """Take the events composed since the last call."""
        events = self._events
        self._events = []
        return events

    def emit(
        self, kind: type[ControlEvent], /, *, synthesised: bool = False, **fields: Any
    ) -> None:
        """Add a control event that has no order of its own."""
        event = kind(origin=self._origin, synthesised=synthesised, **fields)
        if self.started:
            self._events.append(event)
        else:
            self._add(event)

    def noted(self, type: str, why: str, **ids: Any) -> None:
        """Add a ``Noted``: the frame was understood and changes nothing."""
        self.emit(Noted, type=type, why=why, **ids)

    def _add(self, event: Event) -> None:
        if not self.started:
            self.started = True
            if not isinstance(event, SessionStarted | SessionClosed):
                self._events.append(SessionStarted(origin=self._origin, synthesised=True))
        self._events.append(event)

    def _text(
        self, entry: OpenStream, text: str, *, synthesised: bool = False, **fields: Any
    ) -> None:
        entry.parts.append(text)
        delta = DELTAS[entry.stream.kind]
        self._events.append(
            delta(self._origin, entry.stream, text, synthesised=synthesised, **fields)
        )

    def _complete_text(self, entry: OpenStream, text: str) -> None:
        so_far = "".join(entry.parts)
        if text != so_far and text.startswith(so_far):
            self._text(entry, text[len(so_far) :], synthesised=True)

    def _close(
        self,
        entry: OpenStream,
        ending: Ending,
        *,
        text: str | None = None,
        synthesised: bool = False,
        heard_ms: float | None = None,
        reason: str | None = None,
    ) -> None:
        if entry.closed:
            return
        kind = entry.stream.kind
        kept = None
        if kind in DELTAS:
            text = entry.final if text is None else text
            if text is not None:
                self._complete_text(entry, text)
                said = text
            else:
                said = "".join(entry.parts)
                text = said.strip() if kind is _TRANSCRIPT else said
            if kind is _TRANSCRIPT and entry.stream.role != "user":
                kept = said
        entry.end(kept)
        self._add(
            StreamClosed(
                origin=self._origin,
                synthesised=synthesised,
                stream=entry.stream,
                ending=ending,
                text=text,
                duration_ms=entry.audio_ms if kind is _AUDIO else None,
                heard_ms=heard_ms,
                reason=None if ending is _COMPLETE else reason,
            )
        )

    def _discard(
        self,
        response: Response | None,
        item_id: str,
        kind: StreamKind,
        size: int,
        duration_ms: float | None = None,
    ) -> None:
        self.emit(
            ContentDiscarded,
            response_id=None if response is None else response.id,
            turn_id=None if response is None else response.turn_id,
            item_id=item_id,
            kind=kind,
            size=size,
            duration_ms=duration_ms,
        )
