"""Interruptions: by the user, by the application, and when each is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.google_talk import (
    AUDIO_MS,
    DONE,
    DONE_WITH_USAGE,
    GENERATED,
    INTERRUPTED,
    SAYS,
    VOICE_STARTS,
    Talk,
    heard,
    names,
    of,
    only,
)
from unirt import (
    AudioDelta,
    CancelResponse,
    ContentDiscarded,
    Ending,
    Event,
    Interrupt,
    Interrupted,
    Manual,
    ResponseDone,
    ResponseStarted,
    SendText,
    SessionConfig,
    StartTurn,
)
from unirt.testing import check


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_speech_interrupts_what_is_being_said(talk: Talk) -> None:
    talk.hear(heard("Hi"), SAYS)
    events = talk.hear(INTERRUPTED, SAYS, DONE)
    cut = only(Interrupted, events)
    assert (cut.by, cut.generating, cut.synthesised) == ("speech", True, False)
    assert only(ContentDiscarded, events).duration_ms == AUDIO_MS
    done = only(ResponseDone, events)
    assert (done.ending, done.reason) == (Ending.INTERRUPTED, "speech")


def test_a_new_turn_is_answered_even_if_the_end_of_what_was_cut_never_came(talk: Talk) -> None:
    talk.hear(SAYS, INTERRUPTED, SAYS)
    talk.hear(heard("and now?"), SAYS, GENERATED, DONE)
    events = talk.events
    check(events, complete=True)

    endings = [event.ending for event in events if isinstance(event, ResponseDone)]
    assert endings == [Ending.INTERRUPTED, Ending.COMPLETE]
    assert sum(isinstance(event, AudioDelta) for event in events) == 2
    assert sum(isinstance(event, ContentDiscarded) for event in events) == 1


def test_an_interruption_of_what_is_still_playing_is_told_once(talk: Talk) -> None:
    talk.hear(SAYS, GENERATED, DONE)
    cut = only(Interrupted, talk.hear(INTERRUPTED))
    assert (cut.generating, cut.heard_ms) == (False, 0)
    assert names(talk.hear(INTERRUPTED)) == ["Noted"]


def test_the_end_of_a_turn_that_was_interrupted_while_playing_starts_nothing(talk: Talk) -> None:
    talk.hear(SAYS, DONE, VOICE_STARTS, INTERRUPTED)
    assert names(talk.hear(DONE)) == ["Noted"]
    assert names(talk.hear(SAYS))[:2] == ["InputCommitted*", "ResponseStarted*"]


def test_content_after_a_playback_was_cut_is_a_new_response(talk: Talk) -> None:
    talk.hear(SAYS, GENERATED, VOICE_STARTS, INTERRUPTED, SAYS)
    assert len(of(ResponseStarted, talk.events)) == 2
    assert only(ResponseDone, talk.events).ending is Ending.COMPLETE
    assert not of(ContentDiscarded, talk.events)


INTERRUPTING: list[tuple[str, SessionConfig, Callable[[Talk], Any]]] = [
    ("text", SessionConfig(), lambda talk: talk.say(SendText(text="Stop"))),
    ("interrupt", SessionConfig(), lambda talk: talk.say(Interrupt(played_ms=40))),
    ("turn", SessionConfig(turn_detection=Manual()), lambda talk: talk.say(StartTurn())),
]


@pytest.mark.parametrize(
    ("config", "act"), [row[1:] for row in INTERRUPTING], ids=[row[0] for row in INTERRUPTING]
)
def test_the_application_interrupts_at_once_and_is_told_so_once(
    config: SessionConfig, act: Callable[[Talk], list[Event]]
) -> None:
    talk = Talk(config)
    talk.hear(SAYS)
    cut = only(Interrupted, act(talk))
    assert (cut.by, cut.synthesised, cut.generating) == ("client", True, True)
    events = talk.hear(SAYS, INTERRUPTED, DONE)
    assert names(events)[:2] == ["ContentDiscarded", "Noted"]
    done = only(ResponseDone, events)
    assert (done.ending, done.reason) == (Ending.INTERRUPTED, "client")


def test_what_only_plays_is_interrupted_by_whoever_asked_for_something_else(talk: Talk) -> None:
    """The server says it of what it takes to be still playing."""
    talk.hear(SAYS, GENERATED, DONE)
    assert not of(Interrupted, talk.say(SendText(text="And?")))
    cut = only(Interrupted, talk.hear(INTERRUPTED))
    assert (cut.by, cut.synthesised, cut.generating) == ("client", False, False)


def test_the_next_interruption_is_the_user_s_again(talk: Talk) -> None:
    talk.hear(SAYS)
    talk.say(SendText(text="Stop"))
    talk.hear(INTERRUPTED, DONE, SAYS)
    assert only(Interrupted, talk.hear(INTERRUPTED)).by == "speech"


def test_an_interruption_tells_how_much_was_heard(talk: Talk) -> None:
    talk.hear(SAYS)
    talk.now = 0.06
    cut = only(Interrupted, talk.say(Interrupt()))
    assert (round(cut.heard_ms), cut.heard_exactly) == (60, False)
    other = Talk()
    other.hear(SAYS)
    cut = only(Interrupted, other.say(Interrupt(played_ms=40)))
    assert (cut.heard_ms, cut.heard_exactly) == (40, True)


def test_interrupting_nothing_sends_nothing(talk: Talk) -> None:
    assert names(talk.say(Interrupt(), CancelResponse())) == ["Noted", "Noted"]
    assert talk.sent == []


def test_a_cancelled_response_is_cancelled(talk: Talk) -> None:
    talk.hear(SAYS)
    assert talk.say(CancelResponse()) == []
    events = talk.hear(SAYS, INTERRUPTED, SAYS, DONE_WITH_USAGE)
    assert names(events) == [
        "AudioDelta",
        "Noted",
        "ContentDiscarded",
        "StreamClosed*",
        "ResponseDone",
    ]
    done = only(ResponseDone, events)
    assert (done.ending, done.reason, done.usage is None) == (Ending.CANCELLED, "client", False)


def test_a_response_that_was_complete_before_its_cancellation_is_complete(talk: Talk) -> None:
    talk.hear(SAYS)
    talk.say(CancelResponse())
    assert only(ResponseDone, talk.hear(GENERATED, DONE)).ending is Ending.COMPLETE
