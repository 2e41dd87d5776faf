"""Timings: what follows from the moments of a turn, and percentiles over turns."""

from typing import Any

import pytest

from unirt import Timings, TurnTimings, UsageError
from unirt.timings import DURATIONS

WHOLE = TurnTimings(
    turn_id="t1",
    ended_at=10.0,
    ended_by="speech",
    response_at=10.25,
    text_at=10.5,
    audio_at=10.75,
    done_at=12.0,
    calls=1,
    tool_ms=125.0,
)


def test_durations_count_from_the_end_of_what_the_user_said() -> None:
    assert {name: getattr(WHOLE, name) for name in DURATIONS} == {
        "response_ms": 250.0,
        "first_text_ms": 500.0,
        "first_audio_ms": 750.0,
        "done_ms": 2000.0,
        "response_to_audio_ms": 500.0,
        "tool_ms": 125.0,
    }


def test_what_has_no_beginning_or_no_end_is_not_known() -> None:
    untold = TurnTimings(turn_id="t1", response_at=1.0, audio_at=1.5)
    assert (untold.response_ms, untold.first_audio_ms, untold.done_ms) == (None, None, None)
    assert untold.response_to_audio_ms == 500.0
    assert TurnTimings(turn_id="t1", ended_at=1.0, response_at=2.0).first_audio_ms is None


def turns(*waits: float | None) -> Timings:
    def turn(ms: float | None) -> TurnTimings:
        audio_at = None if ms is None else ms / 1000
        return TurnTimings(turn_id="t", ended_at=0.0, response_at=0.0, audio_at=audio_at)

    return Timings(tuple(map(turn, waits)))


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 100.0), (50, 300.0), (75, 500.0), (90, 800.0), (100, 1000.0)]
)
def test_a_percentile_is_of_the_turns_that_are_known(percent: float, expected: float) -> None:
    timings = turns(500, 100, None, 300, 1000, 200)
    assert timings.percentile("first_audio_ms", percent) == pytest.approx(expected)


def test_a_percentile_of_nothing_is_nothing() -> None:
    assert Timings().percentile("first_audio_ms") is None
    assert turns(None).percentile("first_audio_ms") is None
    assert turns(7).percentile("first_audio_ms", 99) == pytest.approx(7)


@pytest.mark.parametrize("wrong", [("first_audio", 50), ("turn_id", 50), ("done_ms", 101)])
def test_what_there_is_no_percentile_of(wrong: tuple[Any, Any]) -> None:
    with pytest.raises(UsageError):
        turns(1).percentile(*wrong)


def test_they_can_be_gone_through() -> None:
    timings = Timings((WHOLE, WHOLE))
    assert list(timings) == [WHOLE, WHOLE]
    assert len(timings) == 2
    assert timings.latest is WHOLE
    assert Timings().latest is None
