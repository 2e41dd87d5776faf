"""
The legal order of events, written once.

A session is three nouns, each with its own little machine, and all of them are in
:data:`TRANSITIONS`: a row is a state, a cell is "this event leads there", an empty row is an end.
What is not in the table is illegal. The diagram in the docs is generated from it.

**The session** begins with ``SessionStarted`` and ends with ``SessionClosed``. A connection that
was refused has only the latter. Where the session moves to another connection it is moving from
``Reconnecting`` to ``Reconnected``: everything is closed before the former, and between the two
the provider tells again that it is ready. From its beginning to its end every control event that
the other two machines do not name is legal at any time: buffers, limits, errors and items have no
order of their own, because the protocols give them none (acknowledgements overtake each other,
quotas come before or after the response that used them). So are the events that a session tells of
itself.

**A response** starts once and is done once. Between the two its content flows. ``GenerationDone``
says that the content is complete although the response is not done, and content may yet follow it:
a transcript that trails behind, or, on models that think in the background, a second helping.
``Interrupted`` ends the flow: nothing but ``ResponseDone`` may follow. It may also come when the
response is done, and then it is about the playback only; it is told once either way. Responses may
overlap, each named by its id; within one conversation the providers run one at a time.

**A stream** opens, grows and closes, each step named by the stream. What it may grow by depends on
its kind (:data:`PAYLOADS`). A tool call is delivered whole before its stream closes, and nothing
follows it. A stream of a response opens and closes while the response runs. The user's own
streams belong to no response: a transcript comes when the provider has it, and names its turn.

Two rules bind the machines: when a response is done all its streams are closed, and when the
session is closed everything is.

A name is one thing's from the beginning of a session to its end, whoever answers: the streams of
an item are of one response, or all of the user, and a call is told once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from unirt import events as ev
from unirt.errors import IllegalStream
from unirt.events import ContentEvent, Event, StreamKind

__all__ = ["PAYLOADS", "REMEMBERED", "TRANSITIONS", "Checker", "Noun", "State", "check"]

REMEMBERED = 1_024
"Of each kind, how many a checker knows after their end; an older one's id is new again."

V = TypeVar("V")


class Noun(StrEnum):
    """What the grammar is about."""

    SESSION = "session"
    RESPONSE = "response"
    STREAM = "stream"


class State(StrEnum):
    """Where a noun is."""

    ABSENT = "absent"
    OPEN = "open"
    GENERATED = "generated"
    "A response whose content was all sent."
    CUT = "cut"
    "A response that was interrupted and is not done."
    CALLED = "called"
    "A stream that delivered its tool call."
    DONE = "done"
    MOVING = "moving"
    "A session between two connections."
    OVER = "over"
    "Done, and nothing is to be told of it any more."


GROWTH: frozenset[type[Event]] = frozenset(
    {
        ev.AudioDelta,
        ev.TextDelta,
        ev.TranscriptDelta,
        ev.TranscriptInterim,
        ev.TranscriptSegment,
        ev.ThoughtDelta,
        ev.ImageDelta,
        ev.ToolCallDelta,
        ev.ServerToolDelta,
        ev.ServerToolResult,
        ev.CitationsDelta,
    }
)
"The events by which streams grow."

_FLOW = dict.fromkeys(GROWTH | {ev.ToolCall, ev.StreamOpened, ev.StreamClosed}, State.OPEN)
_TRAIL = dict.fromkeys(GROWTH | {ev.StreamClosed}, State.GENERATED)

TRANSITIONS: Mapping[Noun, Mapping[State, Mapping[type[Event], State]]] = {
    Noun.SESSION: {
        State.ABSENT: {ev.SessionStarted: State.OPEN, ev.SessionClosed: State.OVER},
        State.OPEN: {ev.Reconnecting: State.MOVING, ev.SessionClosed: State.OVER},
        State.MOVING: {
            ev.SessionStarted: State.MOVING,
            ev.Reconnecting: State.MOVING,
            ev.Reconnected: State.OPEN,
            ev.SessionClosed: State.OVER,
        },
        State.OVER: {},
    },
    Noun.RESPONSE: {
        State.ABSENT: {ev.ResponseStarted: State.OPEN},
        State.OPEN: {
            **_FLOW,
            ev.GenerationDone: State.GENERATED,
            ev.Interrupted: State.CUT,
            ev.ResponseDone: State.DONE,
        },
        State.GENERATED: {
            **_TRAIL,
            ev.StreamOpened: State.OPEN,
            ev.GenerationDone: State.GENERATED,
            ev.Interrupted: State.CUT,
            ev.ResponseDone: State.DONE,
        },
        State.CUT: {ev.ResponseDone: State.OVER},
        State.DONE: {ev.Interrupted: State.OVER},
        State.OVER: {},
    },
    Noun.STREAM: {
        State.ABSENT: {ev.StreamOpened: State.OPEN},
        State.OPEN: {
            **dict.fromkeys(GROWTH, State.OPEN),
            ev.ToolCall: State.CALLED,
            ev.StreamClosed: State.OVER,
        },
        State.CALLED: {ev.StreamClosed: State.OVER},
        State.OVER: {},
    },
}
"State by state, which event leads where."

PAYLOADS: Mapping[StreamKind, frozenset[type[Event]]] = {
    StreamKind.AUDIO: frozenset({ev.AudioDelta}),
    StreamKind.TRANSCRIPT: frozenset(
        {ev.TranscriptDelta, ev.TranscriptInterim, ev.TranscriptSegment}
    ),
    StreamKind.TEXT: frozenset({ev.TextDelta}),
    StreamKind.THOUGHT: frozenset({ev.ThoughtDelta}),
    StreamKind.TOOL_CALL: frozenset({ev.ToolCallDelta, ev.ToolCall}),
    StreamKind.SERVER_TOOL: frozenset({ev.ServerToolDelta, ev.ServerToolResult}),
    StreamKind.IMAGE: frozenset({ev.ImageDelta}),
    StreamKind.CITATIONS: frozenset({ev.CitationsDelta}),
    StreamKind.NONE: frozenset(),
}
"What a stream of a kind may hold."

_ENDS = (State.DONE, State.OVER)
"The states in which a response or a stream is not open any more."

_ALIVE = (State.OPEN, State.MOVING)
"The states in which a session may tell what has no order of its own."

_RESPONSE_EVENTS = frozenset(
    event for row in TRANSITIONS[Noun.RESPONSE].values() for event in row if event not in _FLOW
)


class Checker:
    """
    Follows one session's events and raises at the first that is illegal.

    It may follow a session for as long as that lasts: what it holds is bounded, and what an event
    costs does not grow. ``unirt.connect(observers=[Checker().feed_all])`` has a session followed.
    """

    def __init__(self) -> None:
        self._index = -1
        self._session = State.ABSENT
        self._responses: dict[str, State] = {}
        "Those that are not done."
        self._streams: dict[str, tuple[State, str | None]] = {}
        "Those that are open, each with its response."
        self._past_responses: OrderedDict[str, State] = OrderedDict()
        self._past_streams: OrderedDict[str, State] = OrderedDict()
        self._items: OrderedDict[str, str | None] = OrderedDict()
        "Whose they are: the response; ``None`` for the user."
        self._calls: OrderedDict[str, None] = OrderedDict()

    def feed_all(self, events: Iterable[Event]) -> None:
        """
        Check the next events.

        Raises:
            IllegalStream: At the first that is not legal here.
        """
        for event in events:
            self.feed(event)

    def feed(self, event: Event) -> None:
        """
        Check the next event.

        Raises:
            IllegalStream: It is not legal here.
        """
        self._index += 1
        kind = type(event)
        self._feed_session(event, kind)
        if isinstance(event, ContentEvent):
            self._feed_stream(event, kind)
            if event.response_id is not None:
                self._feed_response(event, kind, event.response_id)
        elif kind in _RESPONSE_EVENTS:
            if event.response_id is None:
                raise self._illegal(event, "it names no response")
            self._feed_response(event, kind, event.response_id)

    def finish(self) -> None:
        """
        Check that nothing was left open.

        Raises:
            IllegalStream: A response or a stream is.
        """
        self._index += 1
        left = self._open_streams() + self._open_responses()
        if left:
            raise IllegalStream(f"left open at the end: {', '.join(left)}", index=self._index)

    def _feed_session(self, event: Event, kind: type[Event]) -> None:
        row = TRANSITIONS[Noun.SESSION][self._session]
        if kind in row:
            self._session = row[kind]
        elif kind in (ev.SessionStarted, ev.Reconnected) or self._session not in _ALIVE:
            raise self._illegal(event, f"the session is {self._session}")
        if kind in (ev.SessionClosed, ev.Reconnecting):
            left = self._open_streams() + self._open_responses()
            if left:
                raise self._illegal(event, f"still open: {', '.join(left)}")

    def _feed_response(self, event: Event, kind: type[Event], response_id: str) -> None:
        past = self._past_responses
        state = self._responses.get(response_id) or past.get(response_id, State.ABSENT)
        row = TRANSITIONS[Noun.RESPONSE][state]
        if kind not in row:
            raise self._illegal(event, f"the response {response_id!r} is {state}")
        if kind is ev.ResponseDone and (left := self._open_streams(response_id)):
            raise self._illegal(event, f"still open: {', '.join(left)}")
        state = row[kind]
        if state in _ENDS:
            self._responses.pop(response_id, None)
            _remember(past, response_id, state)
        else:
            self._responses[response_id] = state

    def _feed_stream(self, event: ContentEvent, kind: type[Event]) -> None:
        stream = event.stream
        past = self._past_streams
        state, _ = self._streams.get(stream.id) or (past.get(stream.id, State.ABSENT), None)
        row = TRANSITIONS[Noun.STREAM][state]
        if kind not in row:
            raise self._illegal(event, f"the stream {stream.id!r} is {state}")
        if kind not in PAYLOADS[stream.kind] and kind not in (ev.StreamOpened, ev.StreamClosed):
            raise self._illegal(event, f"a stream of kind {stream.kind} cannot hold it")
        if kind is ev.StreamOpened and stream.item_id is not None:
            if self._items.get(stream.item_id, stream.response_id) != stream.response_id:
                raise self._illegal(event, f"the item {stream.item_id!r} is somebody else's")
            _remember(self._items, stream.item_id, stream.response_id)
        elif kind is ev.ToolCall and stream.call_id is not None:
            if stream.call_id in self._calls:
                raise self._illegal(event, f"the call {stream.call_id!r} was told before")
            _remember(self._calls, stream.call_id, None)
        state = row[kind]
        if state in _ENDS:
            self._streams.pop(stream.id, None)
            _remember(past, stream.id, state)
        else:
            self._streams[stream.id] = state, stream.response_id

    def _open_streams(self, response_id: str | None = None) -> list[str]:
        return [
            f"stream {id_!r}"
            for id_, (_, owner) in self._streams.items()
            if response_id is None or owner == response_id
        ]

    def _open_responses(self) -> list[str]:
        return [f"response {id_!r}" for id_ in self._responses]

    def _illegal(self, event: Event, what: str) -> IllegalStream:
        return IllegalStream(what, index=self._index, event=event)


def _remember(past: OrderedDict[str, V], id_: str, value: V) -> None:
    past[id_] = value
    if len(past) > REMEMBERED:
        past.popitem(last=False)


def check(events: Iterable[Event], complete: bool = False) -> None:
    """
    Check a whole stream of events; with `complete`, also that nothing was left open.

    Raises:
        IllegalStream: At the first illegal event.
    """
    checker = Checker()
    checker.feed_all(events)
    if complete:
        checker.finish()
