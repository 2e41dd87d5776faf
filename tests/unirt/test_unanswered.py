"""What is held of the user's voice until it is answered: a little of silence, much of a turn."""

from __future__ import annotations

import pytest

from unirt.audio import PCM16_24K
from unirt.commands import EndTurn, StartTurn
from unirt.events import Origin, ResponseStarted, SpeechStarted
from unirt.session.unanswered import Unanswered

ORIGIN = Origin("toy", 0.0)
TENTH = PCM16_24K.bytes_for(100)


def heard(unanswered: Unanswered, seconds: int) -> None:
    for n in range(seconds * 10):
        unanswered.heard(bytes([n % 251]) * TENTH, PCM16_24K)


def held_ms(unanswered: Unanswered) -> float:
    return sum(piece.ms for piece in unanswered.take())


def test_of_silence_the_last_second_is_held_and_the_rest_is_no_loss() -> None:
    unanswered = Unanswered()
    heard(unanswered, 5)
    assert held_ms(unanswered) == 1_000
    assert unanswered.lost_ms == 0
    assert [piece.data[0] for piece in unanswered.take()] == list(range(40, 50))


@pytest.mark.parametrize("why", ["told", "begun", "moving"])
def test_of_what_the_user_says_half_a_minute_is_held_and_the_rest_counted(why: str) -> None:
    unanswered = Unanswered()
    heard(unanswered, 5)
    match why:
        case "told":
            unanswered.handlers[SpeechStarted](SpeechStarted(origin=ORIGIN, turn_id="t1"))
        case "begun":
            unanswered.said(StartTurn())
        case _:
            unanswered.moving = True
    heard(unanswered, 32)
    assert held_ms(unanswered) == 30_000
    assert unanswered.lost_ms == (2_000 if why == "begun" else 3_000)


def test_what_was_answered_is_not_held_any_more() -> None:
    unanswered = Unanswered()
    unanswered.handlers[SpeechStarted](SpeechStarted(origin=ORIGIN, turn_id="t1"))
    heard(unanswered, 40)
    started = ResponseStarted(origin=ORIGIN, turn_id="t1", response_id="r1")
    unanswered.handlers[ResponseStarted](started)
    assert (held_ms(unanswered), unanswered.lost_ms, unanswered.speaking) == (0, 0, False)


def test_a_turn_that_the_application_marks_is_held_until_it_ends() -> None:
    unanswered = Unanswered()
    unanswered.said(StartTurn())
    heard(unanswered, 3)
    started = ResponseStarted(origin=ORIGIN, turn_id="t1", response_id="r1")
    unanswered.handlers[ResponseStarted](started)  # of the turn before
    assert (held_ms(unanswered), unanswered.speaking) == (3_000, True)
    unanswered.said(EndTurn())
    assert (held_ms(unanswered), unanswered.speaking) == (0, False)
