"""The simulated model is interrupted: by speech, by its client, or not at all."""

from __future__ import annotations

import pytest

from tests.unirt.minded import TRANSCRIBED, Talk, long_reply
from unirt import (
    CancelResponse,
    Command,
    Ending,
    Interrupted,
    Manual,
    ResponseDone,
    SendText,
    ServerVAD,
    SessionConfig,
    SpeechStarted,
    StartTurn,
    StreamClosed,
)


def test_speech_interrupts_what_is_being_generated() -> None:
    talk = Talk(long_reply(), speed=1)
    talk.say(SendText(text="Hello"))
    talk.wait(1.0)
    talk.speak(300)
    talk.wait(10)
    talk.check()
    kinds = (SpeechStarted, StreamClosed, Interrupted, ResponseDone)
    assert talk.names(*kinds) == [
        "SpeechStarted",
        "StreamClosed",
        "StreamClosed",
        "Interrupted",
        "ResponseDone",
    ]
    (interrupted,) = talk.of(Interrupted)
    (done,) = talk.of(ResponseDone)
    assert isinstance(interrupted, Interrupted)
    assert isinstance(done, ResponseDone)
    assert (interrupted.by, interrupted.generating) == ("speech", True)
    assert interrupted.heard_ms == pytest.approx(1040)
    assert (done.ending, done.reason) == (Ending.INTERRUPTED, "speech")
    assert done.usage is not None
    assert done.usage.input_tokens == 10
    assert 20 <= done.usage.output.audio < 40


def test_speech_stops_what_is_only_being_played() -> None:
    talk = Talk(long_reply(), speed=4)
    talk.say(SendText(text="Hello"))
    talk.wait(2.0)
    talk.speak(300)
    talk.wait(10)
    talk.check()
    assert talk.names(ResponseDone, Interrupted) == ["ResponseDone", "Interrupted"]
    (interrupted,) = talk.of(Interrupted)
    assert isinstance(interrupted, Interrupted)
    assert not interrupted.generating


def test_speech_after_the_last_sound_interrupts_nothing() -> None:
    talk = Talk(long_reply(), speed=4)
    talk.say(SendText(text="Hello"))
    talk.wait(4.5)
    talk.speak(300)
    assert not talk.of(Interrupted)


def test_an_interrupted_end_that_was_held_comes_at_once() -> None:
    talk = Talk(long_reply(), speed=4, hold_done=True)
    talk.say(SendText(text="Hello"))
    talk.wait(2.0)
    talk.speak(300)
    talk.check()
    assert talk.names(Interrupted, ResponseDone) == ["Interrupted", "ResponseDone"]
    (done,) = talk.of(ResponseDone)
    assert isinstance(done, ResponseDone)
    assert done.ending is Ending.COMPLETE


def test_a_session_may_forbid_interruption() -> None:
    talk = Talk(long_reply(), config=SessionConfig(turn_detection=ServerVAD(interrupt=False)))
    talk.say(SendText(text="Hello"))
    talk.wait(0.3)
    talk.speak(300)
    talk.wait(10)
    assert not talk.of(Interrupted)


@pytest.mark.parametrize(
    ("command", "ending", "config"),
    [
        (SendText(text="And?"), Ending.INTERRUPTED, TRANSCRIBED),
        (StartTurn(), Ending.INTERRUPTED, SessionConfig(turn_detection=Manual())),
        (CancelResponse(), Ending.CANCELLED, TRANSCRIBED),
    ],
    ids=["text", "manual turn", "cancel"],
)
def test_the_client_interrupts_too(command: Command, ending: Ending, config: SessionConfig) -> None:
    talk = Talk(long_reply(), config=config, speed=1)
    talk.say(SendText(text="Hello"))
    talk.wait(0.5)
    talk.say(command)
    talk.wait(10)
    talk.check()
    done = talk.of(ResponseDone)[0]
    assert isinstance(done, ResponseDone)
    assert (done.ending, done.reason) == (ending, "client")


def test_what_was_not_begun_is_dropped_silently() -> None:
    talk = Talk(long_reply(), latency_ms=500)
    talk.say(SendText(text="Hello"))
    talk.say(CancelResponse())
    talk.wait(3)
    assert not talk.events
