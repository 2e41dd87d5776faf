"""
The fold: one content stream, in which control has become the state of the content.

Some protocols separate control from content, others do not. The canonical events keep the
separation; :class:`Fold` takes it away again, and knows no provider while doing so. It is a pure,
incremental function of the kept events: no clock, no randomness, constant memory a stream.

The rules
---------
1. A stream opens when its first content comes. One that never holds any is not shown.
2. Deltas pass through, byte for byte.
3. A stream that completed closes when its response is done, because only then its usage is known.
   Tool calls close at once, for they are to be acted on; so do the user's own streams, and all
   that was interrupted, for it is to be silenced.
4. ``ResponseDone`` closes what is left with its ending, reason and usage.
   The usage of a response that asked for tools is carried to the response that goes on after them:
   a tool round is one exchange, and some providers count it as one.
5. An ending that no stream can carry gives one closed stream of kind ``none``: a response that
   failed or stayed empty, one whose streams all closed before its usage was known, a playback that
   was cut after its response was done, calls that were cancelled.
6. The end of the session closes everything; an unclean one is kept in :attr:`Fold.error`, which
   whoever runs the fold raises.

What is dropped, and only in the kept view to be seen: voice activity, input buffers and their
commits, the provider's bookkeeping of items, provider-side playback, interim guesses and speaker
segments of transcripts, usage of transcription, rate limits, resumption handles, notices,
errors that did not end the session, what the session tells of itself, and content that came too
late. So there is no way back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from unirt.audio import AudioFormat
from unirt.errors import ConnectionLost
from unirt.events import (
    AudioDelta,
    CitationsDelta,
    ContentEvent,
    Ending,
    Event,
    ImageDelta,
    Interrupted,
    ResponseDone,
    ResponseStarted,
    ServerToolDelta,
    ServerToolResult,
    SessionClosed,
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
)
from unirt.usage import Usage
from unirt.value import Value

__all__ = ["ContentStep", "Fold", "fold"]


@attrs.frozen(kw_only=True)
class ContentStep(Value):
    """One step of one stream of the folded view."""

    step: Literal["open", "delta", "close"]
    stream: Stream
    data: bytes | str | Mapping[str, Any] | None = attrs.field(
        default=None, repr=lambda d: f"<{len(d)} bytes>" if isinstance(d, bytes) else repr(d)
    )
    "For deltas: audio and image bytes, text, or an object of citations."
    format: AudioFormat | None = None
    "For deltas of audio."
    mime_type: str | None = None
    "For deltas of images."
    text: str | None = None
    "For closes: the whole text of a text stream, the arguments of a call."
    output: str | None = None
    "For closes of server-side tools: what the tool returned."
    ending: Ending | None = None
    "For closes: how it ended."
    reason: str | None = None
    "For closes: why, where it did not end complete."
    heard_ms: float | None = None
    "For interrupted closes: how much of the response was heard, in ms, where known."
    usage: Usage | None = None
    "For closes: the usage of the whole response, the same on each of its streams."
    call_ids: tuple[str, ...] = ()
    "For cancelled calls: which."
    event: Event | None = attrs.field(default=None, repr=False, eq=False)
    "The kept event behind this step."


@attrs.define(eq=False)
class _Shown:
    stream: Stream
    response_id: str | None
    opened: bool = False
    output: str | None = None
    error: str | None = None
    held: StreamClosed | None = None


@attrs.define(eq=False)
class _Answer:
    in_conversation: bool = True
    called: bool = False
    shown: bool = False


class Fold:
    """The fold of one session; feed it every kept event, in order."""

    def __init__(self) -> None:
        self.error: ConnectionLost | None = None
        "Why the session ended, where it ended uncleanly."
        self._streams: dict[str, _Shown] = {}
        self._answers: dict[str, _Answer] = {}
        self._carried: Usage | None = None
        self._notices = 0

    def step(self, event: Event) -> list[ContentStep]:
        """What the event means for the content: no step, one, or several."""
        if isinstance(event, ContentEvent):
            return self._content(event)
        match event:
            case ResponseStarted():
                self._answers[event.response_id] = _Answer(event.in_conversation)
            case ResponseDone():
                return self._done(event)
            case Interrupted() if not event.generating:
                return self._notice(
                    event, Ending.INTERRUPTED, reason=event.by, heard_ms=event.heard_ms
                )
            case ToolCallCancelled():
                return self._notice(event, Ending.CANCELLED, call_ids=event.call_ids)
            case SessionClosed():
                return self._closed(event)
            case _:
                pass
        return []

    def _content(self, event: ContentEvent) -> list[ContentStep]:
        stream = event.stream
        if isinstance(event, StreamOpened):
            self._streams[stream.id] = _Shown(stream, stream.response_id)
            return []
        shown = self._streams.get(stream.id)
        if shown is None:
            shown = self._streams[stream.id] = _Shown(stream, stream.response_id)
        match event:
            case AudioDelta():
                return self._grow(shown, event, data=event.data, format=event.format)
            case (
                TextDelta()
                | TranscriptDelta()
                | ThoughtDelta()
                | ToolCallDelta()
                | ServerToolDelta()
            ):
                return self._grow(shown, event, data=event.text)
            case ImageDelta():
                return self._grow(shown, event, data=event.data, mime_type=event.mime_type)
            case CitationsDelta():
                return self._grow(shown, event, data=event.data)
            case ServerToolResult():
                shown.output, shown.error = event.output, event.error
                return self._open(shown, event)
            case ToolCall():
                answer = self._answers.get(stream.response_id or "")
                if answer is not None:
                    answer.called = True
                return self._open(shown, event)
            case StreamClosed():
                return self._stream_closed(shown, event)
            case _:
                return []

    def _open(self, shown: _Shown, event: Event) -> list[ContentStep]:
        if shown.opened:
            return []
        shown.opened = True
        answer = self._answers.get(shown.response_id or "")
        if answer is not None:
            answer.shown = True
        return [ContentStep(step="open", stream=shown.stream, event=event)]

    def _grow(self, shown: _Shown, event: Event, **fields: Any) -> list[ContentStep]:
        delta = ContentStep(step="delta", stream=shown.stream, event=event, **fields)
        return [delta] if shown.opened else [*self._open(shown, event), delta]

    def _stream_closed(self, shown: _Shown, event: StreamClosed) -> list[ContentStep]:
        if not shown.opened and not event.text:
            del self._streams[shown.stream.id]
            return []
        steps = self._open(shown, event)
        waits = (
            shown.response_id in self._answers
            and shown.stream.kind is not StreamKind.TOOL_CALL
            and event.ending is not Ending.INTERRUPTED
        )
        if waits:
            shown.held = event
            return steps
        return [*steps, self._close(shown, event, None)]

    def _close(self, shown: _Shown, closed: StreamClosed, usage: Usage | None) -> ContentStep:
        self._streams.pop(shown.stream.id, None)
        return ContentStep(
            step="close",
            stream=shown.stream,
            text=closed.text,
            output=shown.output,
            ending=closed.ending,
            reason=shown.error or closed.reason,
            heard_ms=closed.heard_ms,
            usage=usage,
            event=closed,
        )

    def _done(self, event: ResponseDone) -> list[ContentStep]:
        answer = self._answers.pop(event.response_id, _Answer())
        usage = event.usage
        if answer.in_conversation:
            if self._carried is not None:
                usage = self._carried if usage is None else self._carried + usage
            self._carried = usage if answer.called else None
            usage = None if answer.called else usage
        held = [
            shown
            for shown in self._streams.values()
            if shown.response_id == event.response_id and shown.held is not None
        ]
        steps = [self._close(s, s.held, usage) for s in held if s.held is not None]
        untold = not answer.shown or (usage is not None and not steps)
        if steps or not (untold or event.ending in (Ending.FAILED, Ending.INCOMPLETE)):
            return steps
        return self._notice(
            event, event.ending, reason=event.reason, heard_ms=event.heard_ms, usage=usage
        )

    def _notice(self, event: Event, ending: Ending, **fields: Any) -> list[ContentStep]:
        self._notices += 1
        stream = Stream(
            id=f"none.{self._notices}",
            kind=StreamKind.NONE,
            turn_id=event.turn_id,
            response_id=event.response_id,
        )
        return [
            ContentStep(step="open", stream=stream, event=event),
            ContentStep(step="close", stream=stream, ending=ending, event=event, **fields),
        ]

    def _closed(self, event: SessionClosed) -> list[ContentStep]:
        if not event.clean:
            self.error = ConnectionLost(
                event.provider, code=event.code, reason=event.reason, by=event.by
            )
        usage, self._carried = self._carried, None
        if usage is None:
            return []
        return self._notice(event, Ending.CANCELLED, reason="session_closed", usage=usage)


def fold(events: Iterable[Event]) -> list[ContentStep]:
    """The whole folded view of a list of kept events."""
    folding = Fold()
    return [step for event in events for step in folding.step(event)]
