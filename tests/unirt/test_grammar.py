"""The grammar: what is in the table is legal, what is not is not."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from unirt import events as ev
from unirt.errors import IllegalStream
from unirt.events import ContentEvent, ControlEvent, Event, Origin, Stream, StreamKind
from unirt.grammar import PAYLOADS, REMEMBERED, TRANSITIONS, Checker, Noun, State
from unirt.testing import check

ORIGIN = Origin(provider="toy")
AUDIO = Stream(id="s1", kind=StreamKind.AUDIO, response_id="r1")
CALL = Stream(id="s2", kind=StreamKind.TOOL_CALL, response_id="r1", call_id="c", name="f")
SAID = Stream(id="s3", kind=StreamKind.TRANSCRIPT, role="user")


def control(kind: type[ControlEvent], **fields: Any) -> Event:
    return kind(origin=ORIGIN, **fields)


def content(kind: type[ContentEvent], stream: Stream, **fields: Any) -> Event:
    return kind(origin=ORIGIN, stream=stream, **fields)


OF_R1 = Stream(id="s4", kind=StreamKind.TEXT, response_id="r1", item_id="i1")
OF_R2 = Stream(id="s5", kind=StreamKind.AUDIO, response_id="r2", item_id="i1")
SAME_CALL = Stream(id="s6", kind=StreamKind.TOOL_CALL, response_id="r1", call_id="c", name="f")

START = control(ev.SessionStarted)
AGAIN = control(ev.ResponseStarted, response_id="r2")
END = control(ev.SessionClosed)
BEGIN = control(ev.ResponseStarted, response_id="r1")
DONE = control(ev.ResponseDone, response_id="r1")
CUT = control(ev.Interrupted, response_id="r1")
GENERATED = control(ev.GenerationDone, response_id="r1")
OPEN = content(ev.StreamOpened, AUDIO)
SOUND = content(ev.AudioDelta, AUDIO, data=b"")
CLOSE = content(ev.StreamClosed, AUDIO)
CALL_OPEN = content(ev.StreamOpened, CALL)
CALLED = content(ev.ToolCall, CALL, name="f", arguments="{}")
CALL_CLOSE = content(ev.StreamClosed, CALL)
USER_OPEN = content(ev.StreamOpened, SAID)
USER_TEXT = content(ev.TranscriptDelta, SAID, text="hi")
USER_CLOSE = content(ev.StreamClosed, SAID)

LEGAL = {
    "a refused connection": [END],
    "a session without a word": [START, END],
    "a spoken answer": [START, BEGIN, OPEN, SOUND, CLOSE, DONE, END],
    "an answer cut while it is made": [START, BEGIN, OPEN, CLOSE, CUT, DONE],
    "a playback cut after the answer": [START, BEGIN, OPEN, CLOSE, DONE, CUT],
    "a second helping": [START, BEGIN, OPEN, CLOSE, GENERATED, CALL_OPEN, CALL_CLOSE, DONE],
    "a tool call": [START, BEGIN, CALL_OPEN, CALLED, CALL_CLOSE, DONE],
    "a transcript that comes late": [START, BEGIN, USER_OPEN, DONE, USER_TEXT, USER_CLOSE],
}

ILLEGAL = {
    "content before the session": ([BEGIN], "the session is absent"),
    "a second start": ([START, START], "the session is open"),
    "words after the close": ([START, END, BEGIN], "the session is over"),
    "a stream of no response": ([START, OPEN], "'r1' is absent"),
    "a delta of no stream": ([START, BEGIN, SOUND], "'s1' is absent"),
    "a delta after the close": ([START, BEGIN, OPEN, CLOSE, SOUND], "'s1' is over"),
    "a stream opened twice": ([START, BEGIN, OPEN, OPEN], "'s1' is open"),
    "done with an open stream": ([START, BEGIN, OPEN, DONE], "still open: stream 's1'"),
    "closed with an open response": ([START, BEGIN, END], "still open: response 'r1'"),
    "closed with an open transcript": ([START, USER_OPEN, END], "still open: stream 's3'"),
    "content after an interruption": ([START, BEGIN, CUT, OPEN], "'r1' is cut"),
    "an interruption told twice": ([START, BEGIN, CUT, DONE, CUT], "'r1' is over"),
    "an answer done twice": ([START, BEGIN, DONE, DONE], "'r1' is done"),
    "arguments after the call": (
        [START, BEGIN, CALL_OPEN, CALLED, content(ev.ToolCallDelta, CALL, text="x")],
        "'s2' is called",
    ),
    "an item of two responses": (
        [START, BEGIN, content(ev.StreamOpened, OF_R1), AGAIN, content(ev.StreamOpened, OF_R2)],
        "the item 'i1' is somebody else's",
    ),
    "a call that is told twice": (
        [
            START,
            BEGIN,
            CALL_OPEN,
            CALLED,
            CALL_CLOSE,
            content(ev.StreamOpened, SAME_CALL),
            content(ev.ToolCall, SAME_CALL, name="f", arguments="{}"),
        ],
        "the call 'c' was told before",
    ),
    "text in an audio stream": (
        [START, BEGIN, OPEN, content(ev.TextDelta, AUDIO, text="x")],
        "a stream of kind audio cannot hold it",
    ),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal(name: str) -> None:
    check(LEGAL[name])


@pytest.mark.parametrize("name", ILLEGAL)
def test_illegal(name: str) -> None:
    events, what = ILLEGAL[name]
    with pytest.raises(IllegalStream) as caught:
        check(events)
    assert what in str(caught.value)
    assert caught.value.index == len(events) - 1


@pytest.mark.parametrize(
    ("events", "left"),
    [([START, BEGIN], "response 'r1'"), ([START, USER_OPEN], "stream 's3'")],
)
def test_complete_also_wants_nothing_left_open(events: list[Event], left: str) -> None:
    check(events)
    with pytest.raises(IllegalStream, match=left):
        check(events, complete=True)


def turns(first: int, count: int) -> Iterator[Event]:
    """Whole answers, one after the other."""
    for n in range(first, first + count):
        stream = Stream(id=f"stream {n}", kind=StreamKind.AUDIO, response_id=f"response {n}")
        yield control(ev.ResponseStarted, response_id=f"response {n}")
        yield content(ev.StreamOpened, stream)
        yield content(ev.AudioDelta, stream, data=b"")
        yield content(ev.StreamClosed, stream)
        yield control(ev.ResponseDone, response_id=f"response {n}")


def test_a_checker_that_follows_a_long_session_holds_no_more_than_a_short_one() -> None:
    checker = Checker()
    checker.feed(START)
    checker.feed_all(turns(0, 2 * REMEMBERED))
    tracemalloc.start()
    try:
        checker.feed_all(turns(2 * REMEMBERED, REMEMBERED))
        once, _ = tracemalloc.get_traced_memory()
        checker.feed_all(turns(3 * REMEMBERED, 2 * REMEMBERED))
        thrice, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert thrice < 1.2 * once
    checker.finish()


@pytest.mark.parametrize(
    ("event", "what"),
    [
        (content(ev.StreamOpened, Stream(id="stream 9", kind=StreamKind.AUDIO)), "is over"),
        (control(ev.ResponseStarted, response_id="response 9"), "is done"),
    ],
)
def test_an_id_is_not_used_twice(event: Event, what: str) -> None:
    checker = Checker()
    checker.feed_all([START, *turns(0, 10)])
    checker.feed_all(turns(10, REMEMBERED - 1))

    with pytest.raises(IllegalStream, match=what):
        checker.feed(event)


def test_every_content_event_has_a_place_in_the_table() -> None:
    placed = {event for row in TRANSITIONS[Noun.STREAM].values() for event in row}
    every = {getattr(ev, name) for name in ev.__all__}
    content_events = {e for e in every if isinstance(e, type) and issubclass(e, ContentEvent)} - {
        ContentEvent
    }

    assert content_events == placed
    assert content_events - {ev.StreamOpened, ev.StreamClosed} == frozenset().union(
        *PAYLOADS.values()
    )


def test_every_state_that_is_reached_has_a_row() -> None:
    for noun, rows in TRANSITIONS.items():
        reached = {state for row in rows.values() for state in row.values()}
        assert reached | {State.ABSENT} == set(rows), noun
