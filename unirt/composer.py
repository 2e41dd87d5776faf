"""
The composer: what a translator says, made into a legal stream of events.

Providers tell the same conversation in different words and leave different things out. A translator
knows its provider's words; the composer knows what every application may rely on:

- The first event is ``SessionStarted``, the last ``SessionClosed``.
- Content belongs to streams that open once and close once; a delta for a stream that was never
  announced announces it, a delta for one that is over is told as ``ContentDiscarded``.
- A response starts once and is done once; it closes its streams before it is done, and the session
  closes its responses before it is closed.
- An interruption is told once a response, at the first sign; nothing of that response follows.
- Whatever is concluded here and not said by the provider is marked ``synthesised``.

So a translator that only speaks through a composer cannot break :mod:`unirt.grammar`.
It does no I/O and reads no clock: time comes with :meth:`Composer.begin`.

Glossary: a response is *cut* when it is interrupted while content was still to come; it is *playing*
while audio that was delivered has not had the time to be heard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.events import (
    AudioDelta,
    CitationsDelta,
    ContentDiscarded,
    ControlEvent,
    Ending,
    Event,
    ImageDelta,
    Interrupted,
    Noted,
    Origin,
    ResponseDone,
    ResponseStarted,
    ServerToolDelta,
    ServerToolResult,
    SessionClosed,
    SessionStarted,
    Stream,
    StreamClosed,
    StreamKind,
    StreamOpened,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    ToolCallCancelled,
    ToolCallDelta,
    TranscriptDelta,
    TranscriptInterim,
    TranscriptSegment,
)
from unirt.usage import Usage

__all__ = ["Call", "Composer", "Response", "counting_ids"]

_REMEMBERED = 256
"How many finished responses, turns and calls are remembered, to recognise late words about them."

_DELTAS: dict[StreamKind, type[Any]] = {
    StreamKind.TEXT: TextDelta,
    StreamKind.THOUGHT: ThoughtDelta,
    StreamKind.TRANSCRIPT: TranscriptDelta,
    StreamKind.TOOL_CALL: ToolCallDelta,
    StreamKind.SERVER_TOOL: ServerToolDelta,
}


_TRAILING = {StreamKind.TRANSCRIPT, StreamKind.CITATIONS}


def counting_ids(prefix: str = "u") -> Callable[[str], str]:
    """An id factory that counts: ``u_resp_1``, ``u_resp_2``, ``u_item_1`` …"""
    counts: dict[str, int] = {}

    def mint(noun: str) -> str:
        counts[noun] = counts.get(noun, 0) + 1
        return f"{prefix}_{noun}_{counts[noun]}"

    return mint


@attrs.define(eq=False)
class _OpenStream:
    stream: Stream
    parts: list[str] = attrs.field(factory=list)
    closed: bool = False


@attrs.define(eq=False)
class Response:
    """What is known of one response."""

    id: str
    turn_id: str
    in_conversation: bool = True
    streams: dict[tuple[str, int, StreamKind], _OpenStream] = attrs.field(factory=dict)
    generated: bool = False
    "All content was sent."
    done: bool = False
    cut: bool = False
    "Interrupted while content was still to come."
    interrupted: bool = False
    "An interruption was told, be it of the playback only. No content is delivered any more."
    interrupted_by: str = "speech"
    audio_ms: float = 0.0
    "How much audio was delivered."
    audio_items: dict[str, float] = attrs.field(factory=dict)
    "How much audio was delivered of each item, in order."
    plays_until: float = 0.0
    "When a player that began at once would be through, in seconds of the caller's clock."
    played_ms: float | None = None
    "What a player reported."
    call_ids: list[str] = attrs.field(factory=list)

    def heard_ms(self, now: float | None) -> float | None:
        """How much was heard: as reported, else estimated from the clock, else unknown."""
        if self.played_ms is not None:
            return min(self.played_ms, self.audio_ms)
        if now is None:
            return None
        return max(0.0, self.audio_ms - max(0.0, self.plays_until - now) * 1000)

    def playing(self, now: float | None) -> bool:
        """Whether audio that was delivered has not been heard yet, as far as can be known."""
        if self.audio_ms <= 0:
            return False
        heard = self.heard_ms(now)
        return heard is not None and heard < self.audio_ms


@attrs.define(eq=False)
class Call:
    """What is known of one tool call."""

    id: str
    name: str
    response_id: str
    wire_id: str | None
    "The provider's id; ``None`` where it gave none and `id` is ours."
    blocking: bool = True
    answered: bool = False
    cancelled: bool = False

    @property
    def pending(self) -> bool:
        return not (self.answered or self.cancelled)


class Composer:
    """
    Builds the events of one session.

    Args:
        provider: The provider's registered name.
        ids: Mints ids for what the provider does not name, by noun.
        parse_native: Turns a raw frame into the vendor SDK's typed object.
        clocked: Whether the times given to :meth:`begin` are real enough to estimate playback.
    """

    def __init__(
        self,
        provider: str,
        *,
        ids: Callable[[str], str] | None = None,
        parse_native: Callable[[Any], Any] | None = None,
        clocked: bool = True,
    ) -> None:
        self.provider = provider
        self.mint = ids or counting_ids()
        self.clocked = clocked
        self.started = False
        self.closed = False
        self.calls: dict[str, Call] = {}
        self._parse_native = parse_native
        self._now = 0.0
        self._origin = Origin(provider=provider)
        self._events: list[Event] = []
        self._responses: dict[str, Response] = {}
        self._active: dict[str, Response] = {}
        self._latest: Response | None = None
        self._turn: str | None = None
        self._last_turn: str | None = None
        self._turn_items: dict[str, str] = {}
        self._user: dict[tuple[str, int, StreamKind], _OpenStream] = {}

    # Feeding and draining.

    def begin(self, raw: Any, now: float) -> None:
        """Start on a frame (`raw` is its decoded JSON), or on an occasion without one (``None``)."""
        self._now = now
        self._origin = Origin(
            provider=self.provider, received_at=now, raw=raw, parse_native=self._parse_native
        )

    @property
    def pending_events(self) -> int:
        """How many events wait to be drained."""
        return len(self._events)

    def events_received(self) -> list[Event]:
        """Take the events composed since the last call."""
        events, self._events = self._events, []
        return events

    def emit(
        self, kind: type[ControlEvent], /, *, synthesised: bool = False, **fields: Any
    ) -> None:
        """Add a control event that has no order of its own."""
        self._add(kind(origin=self._origin, synthesised=synthesised, **fields))

    def noted(self, type: str, why: str, **ids: Any) -> None:
        """Add a ``Noted``: the frame was understood and changes nothing."""
        self.emit(Noted, type=type, why=why, **ids)

    def _add(self, event: Event) -> None:
        if not self.started:
            self.started = True
            if not isinstance(event, SessionStarted | SessionClosed):
                self._events.append(SessionStarted(origin=self._origin, synthesised=True))
        self._events.append(event)

    # The session.

    def session_started(self, *, synthesised: bool = False, **fields: Any) -> bool:
        """Tell that the provider is ready; ``False`` (and nothing told) where that was told."""
        if self.started:
            return False
        self.emit(SessionStarted, synthesised=synthesised, **fields)
        return True

    def session_closed(
        self, *, code: int | None, reason: str = "", by: str = "remote", clean: bool
    ) -> None:
        """End the session: everything open is closed first. Told once."""
        if self.closed:
            return
        why = "session_closed" if clean else "connection_lost"
        ending = Ending.CANCELLED if clean else Ending.FAILED
        for key in list(self._user):
            self._close(self._user[key], Ending.INCOMPLETE, reason=why)
        for response in list(self._active.values()):
            self.response_done(response.id, ending=ending, reason=why, synthesised=True)
        self.emit(
            SessionClosed,
            synthesised=code is None,
            code=code,
            reason=reason,
            by=by,
            clean=clean,
        )
        self.closed = True

    # The user's turns.

    @property
    def turn_is_open(self) -> bool:
        """Whether the user has begun a turn that no response has answered yet."""
        return self._turn is not None

    def turn(self, item_id: str | None = None) -> str:
        """The open user turn, opened where none is; `item_id` becomes a part of it."""
        if item_id is not None and (known := self._turn_items.get(item_id)) is not None:
            return known
        if self._turn is None:
            self._turn = self._last_turn = self.mint("turn")
        if item_id is not None:
            self._turn_items[item_id] = self._turn
            _forget(self._turn_items)
        return self._turn

    def knows_item(self, item_id: str) -> bool:
        """Whether the item is part of a user turn that was told of."""
        return item_id in self._turn_items

    def end_turn(self) -> None:
        """Close the user's turn; what comes next from the user is a new one."""
        self._turn = None

    # Responses.

    @property
    def active(self) -> Response | None:
        """The running response of the conversation, the latest where there are several."""
        for response in reversed(self._active.values()):
            if response.in_conversation:
                return response
        return None

    @property
    def latest(self) -> Response | None:
        """The response that began last, running or done."""
        return self._latest

    def response(self, response_id: str) -> Response | None:
        """The response of that id, while it is remembered."""
        return self._responses.get(response_id)

    def response_started(
        self,
        response_id: str | None = None,
        *,
        in_conversation: bool = True,
        metadata: Mapping[str, Any] | None = None,
        synthesised: bool = False,
    ) -> Response:
        """Start a response; where one of that id has been started, only find it."""
        if response_id is not None and (known := self._responses.get(response_id)) is not None:
            return known
        turn_id = self._turn or self._last_turn
        if turn_id is None:
            turn_id = self._last_turn = self.mint("turn")
        response = Response(
            id=response_id or self.mint("resp"), turn_id=turn_id, in_conversation=in_conversation
        )
        self._responses[response.id] = self._active[response.id] = response
        _forget(self._responses, keep=self._active)
        if in_conversation:
            self._turn = None
            self._latest = response
        self.emit(
            ResponseStarted,
            synthesised=synthesised,
            turn_id=turn_id,
            response_id=response.id,
            in_conversation=in_conversation,
            metadata=metadata,
        )
        return response

    def generation_done(self, response: Response, event: type[ControlEvent]) -> None:
        """
        Tell that all content of a response was sent: its streams close.

        Transcripts and citations may trail behind, so they stay open.
        """
        for entry in response.streams.values():
            if entry.stream.kind not in _TRAILING:
                self._close(entry, Ending.COMPLETE, synthesised=True)
        response.generated = True
        self.emit(event, turn_id=response.turn_id, response_id=response.id)

    def response_done(
        self,
        response_id: str,
        *,
        ending: Ending = Ending.COMPLETE,
        reason: str | None = None,
        detail: str | None = None,
        usage: Usage | None = None,
        synthesised: bool = False,
    ) -> None:
        """End a response. Told once; a second time is only noted."""
        response = self._responses.get(response_id)
        if response is None:
            response = self.response_started(response_id, synthesised=True)
        if response.done:
            self.noted("response", "the response was done already", response_id=response_id)
            return
        if ending is Ending.INTERRUPTED and not response.interrupted:
            self.interrupt(response, by=reason or "speech", synthesised=True)
        if response.cut and ending in (Ending.COMPLETE, Ending.CANCELLED):
            ending = Ending.INTERRUPTED
        if ending is Ending.INTERRUPTED:
            reason = response.interrupted_by
        for entry in response.streams.values():
            self._close(entry, ending, synthesised=True, reason=reason)
        response.done = response.generated = True
        self._active.pop(response_id, None)
        self.emit(
            ResponseDone,
            synthesised=synthesised,
            turn_id=response.turn_id,
            response_id=response_id,
            ending=ending,
            reason=reason,
            detail=detail,
            usage=usage,
            heard_ms=self._heard(response) if ending is Ending.INTERRUPTED else None,
        )
        response.streams.clear()

    # Interruption and playback.

    def interrupt(
        self,
        response: Response | None = None,
        *,
        by: str = "speech",
        synthesised: bool = False,
        said: bool = False,
    ) -> bool:
        """
        Cut a response short: the given one, else the running one, else the one being played.

        Returns whether an ``Interrupted`` was told. It is told once a response; where nothing runs
        and, as far as can be known, nothing plays, it is told only if the provider `said` so.
        """
        if response is None:
            response = self.active
        if response is None and self._latest is not None:
            playing = self._latest.playing(self._now if self.clocked else None)
            if playing or said:
                response = self._latest
        if response is None or response.interrupted:
            return False
        heard = self._heard(response)
        generating = not (response.generated or response.done)
        ending = Ending.INTERRUPTED if generating else Ending.COMPLETE
        for entry in response.streams.values():
            self._close(
                entry,
                ending,
                synthesised=True,
                heard_ms=heard if generating else None,
                reason=by,
            )
        response.cut = generating
        response.interrupted = True
        response.interrupted_by = by
        self.emit(
            Interrupted,
            synthesised=synthesised,
            turn_id=response.turn_id,
            response_id=response.id,
            by=by,
            generating=generating,
            heard_ms=heard,
            heard_exactly=response.played_ms is not None,
        )
        if response.played_ms is None and heard is not None:
            response.played_ms = heard
        return True

    def playback(self, played_ms: float, response_id: str | None = None) -> None:
        """Note how much of a response a player has played."""
        response = self._latest if response_id is None else self._responses.get(response_id)
        if response is not None:
            response.played_ms = played_ms

    def playhead(self, response: Response) -> tuple[str, float] | None:
        """The item that was being heard and how much of it, in ms; ``None`` where nothing was."""
        heard = self._heard(response)
        if not heard:
            return None
        for item_id, length in response.audio_items.items():
            if heard <= length:
                return item_id, heard
            heard -= length
        return None

    def _heard(self, response: Response) -> float | None:
        return response.heard_ms(self._now if self.clocked else None)

    # Content of responses.

    def open(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        synthesised: bool = True,
        **fields: Any,
    ) -> _OpenStream | None:
        """Open a stream of a response; ``None`` where its content is not delivered any more."""
        key = (item_id, index, kind)
        entry = response.streams.get(key)
        if entry is not None:
            return None if entry.closed else entry
        if response.interrupted or response.done:
            return None
        response.generated = False
        stream = Stream(
            id=f"{item_id}.{index}.{kind}",
            kind=kind,
            turn_id=response.turn_id,
            response_id=response.id,
            item_id=item_id,
            index=index,
            **fields,
        )
        entry = response.streams[key] = _OpenStream(stream)
        self._add(StreamOpened(origin=self._origin, synthesised=synthesised, stream=stream))
        return entry

    def audio(
        self, response: Response, item_id: str, index: int, data: bytes, format: AudioFormat
    ) -> None:
        """Deliver the next piece of spoken output."""
        entry = response.streams.get((item_id, index, StreamKind.AUDIO))
        ms = format.duration_ms(len(data))
        if entry is None or entry.closed:
            entry = self.open(response, StreamKind.AUDIO, item_id, index)
            if entry is None:
                self._discard(response, item_id, StreamKind.AUDIO, len(data), ms)
                return
        response.audio_ms += ms
        response.audio_items[item_id] = response.audio_items.get(item_id, 0.0) + ms
        now = self._now
        until = response.plays_until
        response.plays_until = (until if until > now else now) + ms / 1000
        self._events.append(
            AudioDelta(origin=self._origin, stream=entry.stream, data=data, format=format)
        )

    def text(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int,
        text: str,
        *,
        synthesised: bool = False,
        **fields: Any,
    ) -> None:
        """Deliver the next piece of text, transcript, thought, or arguments."""
        entry = self.open(response, kind, item_id, index)
        if entry is None:
            self._discard(response, item_id, kind, len(text))
            return
        self._text(entry, text, synthesised=synthesised, **fields)

    def image(
        self, response: Response, item_id: str, index: int, data: bytes, mime_type: str
    ) -> None:
        """Deliver a picture or another medium."""
        entry = self.open(response, StreamKind.IMAGE, item_id, index)
        if entry is None:
            self._discard(response, item_id, StreamKind.IMAGE, len(data))
            return
        self._add(
            ImageDelta(origin=self._origin, stream=entry.stream, data=data, mime_type=mime_type)
        )

    def citations(
        self, response: Response, item_id: str, index: int, data: Mapping[str, Any]
    ) -> None:
        """Deliver sources."""
        entry = self.open(response, StreamKind.CITATIONS, item_id, index)
        if entry is None:
            self._discard(response, item_id, StreamKind.CITATIONS, 0)
            return
        self._add(CitationsDelta(origin=self._origin, stream=entry.stream, data=data))

    def finish(
        self,
        response: Response,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        text: str | None = None,
        ending: Ending = Ending.COMPLETE,
        synthesised: bool = False,
    ) -> bool:
        """
        Close a stream, with its final text where the provider gives one.

        Text that the deltas left out is delivered first, so that the deltas add up to the final
        text wherever the provider's own do not contradict it.
        Returns whether it closed something.
        """
        entry = response.streams.get((item_id, index, kind))
        if entry is None and text:
            entry = self.open(response, kind, item_id, index)
        if entry is None or entry.closed:
            return False
        self._close(entry, ending, text=text, synthesised=synthesised)
        return True

    # Tools.

    def tool_call(
        self,
        response: Response,
        item_id: str,
        *,
        call_id: str | None,
        name: str,
        arguments: str,
        args: Mapping[str, Any] | None,
        blocking: bool = True,
        index: int = 0,
        synthesised: bool = False,
    ) -> Call | None:
        """
        Deliver a whole call and close its stream.

        ``None`` where it is not delivered: its response was interrupted, or the call was told.
        """
        known = self.calls.get(call_id) if call_id is not None else None
        if known is not None:
            self.noted("tool_call", "this call was told before", response_id=response.id)
            return None
        entry = response.streams.get((item_id, index, StreamKind.TOOL_CALL))
        ours = entry.stream.call_id if entry is not None else None
        id_ = call_id or ours or self.mint("call")
        if entry is None:
            entry = self.open(
                response, StreamKind.TOOL_CALL, item_id, index, call_id=id_, name=name
            )
        if entry is None or entry.closed:
            self._discard(response, item_id, StreamKind.TOOL_CALL, len(arguments))
            return None
        call = Call(
            id=entry.stream.call_id or id_,
            name=name,
            response_id=response.id,
            wire_id=call_id,
            blocking=blocking,
        )
        self.calls[call.id] = call
        response.call_ids.append(call.id)
        settled = {key: value for key, value in self.calls.items() if not value.pending}
        if len(settled) > _REMEMBERED:
            del self.calls[next(iter(settled))]
        self._complete_text(entry, arguments)
        self._add(
            ToolCall(
                origin=self._origin,
                synthesised=synthesised,
                stream=entry.stream,
                name=name,
                arguments=arguments,
                args=args,
            )
        )
        self._close(entry, Ending.COMPLETE, text=arguments, synthesised=True)
        return call

    def pending_calls(self) -> list[Call]:
        """The calls that were told and neither answered nor cancelled."""
        return [call for call in self.calls.values() if call.pending]

    def cancel_calls(self, call_ids: list[str], *, synthesised: bool = False) -> None:
        """Tell that calls need no answer any more; those that are settled are left alone."""
        cancelled = []
        for call_id in call_ids:
            call = self.calls.get(call_id)
            if call is None or call.pending:
                cancelled.append(call_id)
            if call is not None and call.pending:
                call.cancelled = True
        if not cancelled:
            self.noted("tool_call", "every call it names was settled already")
            return
        first = self.calls.get(cancelled[0])
        response = self._responses.get(first.response_id) if first is not None else None
        self.emit(
            ToolCallCancelled,
            synthesised=synthesised,
            call_ids=tuple(cancelled),
            response_id=None if response is None else response.id,
            turn_id=None if response is None else response.turn_id,
        )

    def server_tool_result(
        self,
        response: Response,
        item_id: str,
        index: int = 0,
        *,
        output: str | None = None,
        error: str | None = None,
        **fields: Any,
    ) -> None:
        """Deliver what a server-side tool returned, and close its stream."""
        entry = self.open(response, StreamKind.SERVER_TOOL, item_id, index, **fields)
        if entry is None:
            self._discard(response, item_id, StreamKind.SERVER_TOOL, len(output or error or ""))
            return
        self._add(
            ServerToolResult(origin=self._origin, stream=entry.stream, output=output, error=error)
        )
        self._close(entry, Ending.COMPLETE if error is None else Ending.FAILED, synthesised=True)

    # The user's own content.

    def user_text(
        self,
        kind: StreamKind,
        item_id: str,
        index: int,
        text: str,
        *,
        synthesised: bool = False,
        **fields: Any,
    ) -> None:
        """Deliver the next piece of what the user wrote, or of their speech's transcript."""
        entry = self._user_stream(kind, item_id, index)
        if entry is None:
            self._discard(None, item_id, kind, len(text))
            return
        self._text(entry, text, synthesised=synthesised, **fields)

    def user_interim(
        self, item_id: str, index: int, text: str, language: str | None = None
    ) -> None:
        """Deliver a guess at the words being spoken."""
        entry = self._user_stream(StreamKind.TRANSCRIPT, item_id, index)
        if entry is None:
            self._discard(None, item_id, StreamKind.TRANSCRIPT, len(text))
            return
        self._add(
            TranscriptInterim(
                origin=self._origin, stream=entry.stream, text=text, language=language
            )
        )

    def user_segment(self, item_id: str, index: int, text: str, **fields: Any) -> None:
        """Deliver one speaker's stretch of a transcript."""
        entry = self._user_stream(StreamKind.TRANSCRIPT, item_id, index)
        if entry is None:
            self._discard(None, item_id, StreamKind.TRANSCRIPT, len(text))
            return
        self._add(TranscriptSegment(origin=self._origin, stream=entry.stream, text=text, **fields))

    def user_finish(
        self,
        kind: StreamKind,
        item_id: str,
        index: int = 0,
        *,
        text: str | None = None,
        ending: Ending = Ending.COMPLETE,
        reason: str | None = None,
        synthesised: bool = False,
    ) -> bool:
        """Close a stream of the user's; ``False`` where it was closed, or never opened."""
        entry = self._user.get((item_id, index, kind))
        if entry is None and text:
            entry = self._user_stream(kind, item_id, index)
        if entry is None or entry.closed:
            return False
        self._close(entry, ending, text=text, synthesised=synthesised, reason=reason)
        return True

    def _user_stream(self, kind: StreamKind, item_id: str, index: int) -> _OpenStream | None:
        key = (item_id, index, kind)
        entry = self._user.get(key)
        if entry is not None:
            return None if entry.closed else entry
        stream = Stream(
            id=f"{item_id}.{index}.{kind}",
            kind=kind,
            role="user",
            turn_id=self.turn(item_id),
            item_id=item_id,
            index=index,
        )
        entry = self._user[key] = _OpenStream(stream)
        _forget(self._user, keep={k: v for k, v in self._user.items() if not v.closed})
        self._add(StreamOpened(origin=self._origin, synthesised=True, stream=stream))
        return entry

    # The steps that all streams share.

    def _text(
        self, entry: _OpenStream, text: str, *, synthesised: bool = False, **fields: Any
    ) -> None:
        entry.parts.append(text)
        delta = _DELTAS[entry.stream.kind]
        self._events.append(
            delta(
                origin=self._origin,
                synthesised=synthesised,
                stream=entry.stream,
                text=text,
                **fields,
            )
        )

    def _complete_text(self, entry: _OpenStream, text: str) -> None:
        so_far = "".join(entry.parts)
        if text != so_far and text.startswith(so_far):
            self._text(entry, text[len(so_far) :], synthesised=True)

    def _close(
        self,
        entry: _OpenStream,
        ending: Ending,
        *,
        text: str | None = None,
        synthesised: bool = False,
        heard_ms: float | None = None,
        reason: str | None = None,
    ) -> None:
        if entry.closed:
            return
        entry.closed = True
        kind = entry.stream.kind
        if kind in _DELTAS:
            if text is not None:
                self._complete_text(entry, text)
            else:
                text = "".join(entry.parts)
                if kind is StreamKind.TRANSCRIPT:
                    text = text.strip()
        entry.parts.clear()
        self._add(
            StreamClosed(
                origin=self._origin,
                synthesised=synthesised,
                stream=entry.stream,
                ending=ending,
                text=text,
                heard_ms=heard_ms,
                reason=None if ending is Ending.COMPLETE else reason,
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


def _forget(memory: dict[Any, Any], keep: Mapping[Any, Any] | None = None) -> None:
    """Drop the oldest entries beyond the bound, except those to keep."""
    excess = len(memory) - _REMEMBERED
    if excess <= 0:
        return
    for key in [key for key in memory if keep is None or key not in keep][:excess]:
        del memory[key]
