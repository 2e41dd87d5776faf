"""What two kept streams may differ in, and what is reported when they differ in more."""

from __future__ import annotations

from typing import Any

import pytest

from unirt import (
    AudioDelta,
    Capabilities,
    ContentDiscarded,
    ControlEvent,
    Emission,
    Emits,
    Event,
    Interrupted,
    Noted,
    ResponseDone,
    ResponseStarted,
    SpeechStarted,
    Stream,
    StreamClosed,
    StreamKind,
    StreamOpened,
    TextDelta,
    UsageReported,
)
from unirt.events import Origin
from unirt.testing.kept import differences

ORIGIN = Origin(provider="toy")
KINDS = [AudioDelta, Interrupted, Noted, ResponseDone, ResponseStarted, SpeechStarted]
KINDS += [StreamClosed, StreamOpened, TextDelta, UsageReported, ContentDiscarded]


def caps(provider: str, *never: type[Event]) -> Capabilities:
    said, silent = Emits(Emission.SAID), Emits(Emission.NEVER)
    emits = {kind.__name__: silent if kind in never else said for kind in KINDS}
    return Capabilities(provider=provider, model="m", settings={}, verbs={}, emits=emits)


def control(kind: type[ControlEvent], **fields: Any) -> Event:
    return kind(origin=ORIGIN, turn_id="t", **fields)


def text(*pieces: str, response_id: str = "r") -> list[Event]:
    stream = Stream(id="s", kind=StreamKind.TEXT, turn_id="t", response_id=response_id)
    deltas = [TextDelta(origin=ORIGIN, stream=stream, text=piece) for piece in pieces]
    opened, closed = (kind(origin=ORIGIN, stream=stream) for kind in (StreamOpened, StreamClosed))
    return [opened, *deltas, closed]


def response(*inside: Event, response_id: str = "r") -> list[Event]:
    started = control(ResponseStarted, response_id=response_id)
    return [started, *inside, control(ResponseDone, response_id=response_id)]


NOTED = control(Noted, type="frame", why="told before")
SPEECH = control(SpeechStarted)
CUT = control(Interrupted, response_id="r")
SILENCED = control(Interrupted, response_id="r", generating=False)
COUNTED = control(UsageReported, scope="response")


@pytest.mark.parametrize(
    ("a", "b", "never"),
    [
        (response(*text("Hello")), response(*text("Hel", "lo")), ()),
        (response(*text("Hi")), response(*text("Hi", response_id="x"), response_id="x"), ()),
        (response(*text()), response(), ()),
        (response(NOTED, COUNTED), response(), ()),
        (response(SPEECH), response(), (SpeechStarted,)),
        (response(SPEECH), [SPEECH, *response()], ()),
        ([*response(), SILENCED], response(SILENCED), ()),
    ],
    ids=["deltas", "ids", "empty streams", "frames", "never said", "order", "playback"],
)
def test_these_are_no_differences(
    a: list[Event], b: list[Event], never: tuple[type[Event], ...]
) -> None:
    assert differences(a, b, caps("one"), caps("two", *never)) == []
    assert differences(b, a, caps("one", *never), caps("two")) == []


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (
            response(SPEECH),
            response(),
            "turn 1: SpeechStarted comes 1 times on one, 0 times on two",
        ),
        (
            response(),
            response(*text("Hi")),
            "turn 1, response 1: StreamClosed comes 0 times on one, 1 times on two",
        ),
        (
            response(CUT),
            [*response(), CUT],
            "turn 1, response 1: ['ResponseStarted', 'Interrupted', 'ResponseDone'] on one, "
            "['ResponseStarted', 'ResponseDone', 'Interrupted'] on two",
        ),
    ],
    ids=["only one says it", "only one holds it", "promised order"],
)
def test_these_are_differences(a: list[Event], b: list[Event], said: str) -> None:
    assert said in differences(a, b, caps("one"), caps("two"))
