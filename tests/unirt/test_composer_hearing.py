"""What is heard of responses: reports in any order, several responses in a row, and corrections."""

import math
from typing import Any

import pytest

from unirt import PCM16_24K, Ending, HeardCorrected, Interrupted, StreamKind, UsageError
from unirt import events as ev
from unirt.composer import Composer, Response
from unirt.testing import check


@pytest.fixture
def composer() -> Composer:
    made = Composer("toy")
    made.begin({}, 0.0)
    made.session_started()
    return made


def speak(composer: Composer, response_id: str, ms: float, item: str | None = None) -> Response:
    response = composer.response_started(response_id)
    composer.audio(response, item or f"{response_id}.item", 0, bytes(int(48 * ms)), PCM16_24K)
    return response


def told(composer: Composer, kind: type[Any]) -> list[Any]:
    events = composer.events_received()
    return [event for event in events if isinstance(event, kind)]


def played(composer: Composer, now: float) -> dict[str, float | None]:
    return {each.response_id: each.played_ms for each in composer.playbacks(now)}


def test_responses_are_played_one_after_the_other(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    speak(composer, "r2", 500)

    assert played(composer, 0.4) == {"r1": 400, "r2": 0}
    assert played(composer, 1.2) == {"r1": 1000, "r2": pytest.approx(200)}
    assert played(composer, 9.0) == {"r1": 1000, "r2": 500}


def test_all_that_is_playing_is_silenced_and_each_is_told_where_it_stopped(
    composer: Composer,
) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    speak(composer, "r2", 500)
    composer.begin({}, 0.25)

    first, second = composer.interrupt()
    cut = told(composer, Interrupted)
    assert [first.id, second.id] == ["r1", "r2"] == [each.response_id for each in cut]
    assert [(each.generating, each.heard_ms) for each in cut] == [(False, 250), (True, 0)]


def test_what_is_over_is_not_cut_with_what_runs(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    composer.begin({}, 1.5)
    speak(composer, "r2", 500)

    assert [each.id for each in composer.interrupt()] == ["r2"]


@pytest.mark.parametrize(
    ("reports", "heard_ms"),
    [
        ([200.0, 300.0], 300.0),
        ([300.0, 200.0], 300.0),  # a report that went back is an old one
        ([5_000.0], 1_000.0),  # nobody plays what was not received
        ([0.0], 0.0),
    ],
)
def test_the_greatest_report_counts_and_never_more_than_was_received(
    composer: Composer, reports: list[float], heard_ms: float
) -> None:
    """Field 6."""
    speak(composer, "r1", 1000)
    for report in reports:
        composer.playback(report, "r1")
    speak(composer, "r1", 1000)
    composer.begin({}, 5.0)
    composer.interrupt()

    (cut,) = told(composer, Interrupted)
    assert (cut.heard_ms, cut.heard_exactly) == (heard_ms, True)


@pytest.mark.parametrize("position", [-1.0, math.nan, math.inf])
def test_a_report_that_is_no_position_is_refused(composer: Composer, position: float) -> None:
    speak(composer, "r1", 100)
    with pytest.raises(UsageError, match="no position"):
        composer.playback(position)


def test_who_plays_a_response_is_through_with_those_before(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    composer.playback(980.0, "r1")
    speak(composer, "r2", 500)
    composer.playback(20.0, "r2")

    assert [each.id for each in composer.interrupt()] == ["r2"]


def test_a_report_sets_the_clock_right_for_what_follows(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    speak(composer, "r2", 1000)
    composer.begin({}, 3.0)  # by the clock alone both would be over
    composer.playback(600.0, "r1")

    assert played(composer, 3.5)["r2"] == pytest.approx(100)
    assert [each.id for each in composer.interrupt()] == ["r1", "r2"]


def test_without_an_id_a_report_is_about_the_latest_that_speaks(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    composer.response_started("r2")
    composer.playback(300.0)

    assert played(composer, 0.0) == {"r1": 300}


def test_a_report_after_the_interruption_corrects_what_was_told(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.begin({}, 0.5)
    composer.interrupt()
    (cut,) = told(composer, Interrupted)
    assert cut.heard_ms == 500
    assert composer.playback(180.0, "r1") is not None
    assert composer.playback(170.0, "r1") is None

    (corrected,) = told(composer, HeardCorrected)
    assert (corrected.response_id, corrected.heard_ms) == ("r1", 180)
    assert [(item.item_id, item.played_ms) for item in corrected.items] == [("r1.item", 180)]
    composer.response_done("r1")
    (done,) = told(composer, ev.ResponseDone)
    assert (done.ending, done.heard_ms) == (Ending.INTERRUPTED, 180)


def test_what_was_heard_does_not_grow_after_the_interruption(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.begin({}, 0.2)
    composer.interrupt()
    composer.begin({}, 5.0)
    composer.response_done("r1")

    assert told(composer, ev.ResponseDone)[0].heard_ms == 200


def test_each_item_has_its_share(composer: Composer) -> None:
    speak(composer, "r1", 300, "a")
    speak(composer, "r1", 500, "b")
    composer.playback(420.0)
    composer.interrupt()
    events = composer.events_received()
    check(events)

    closed = [e for e in events if isinstance(e, ev.StreamClosed)]
    assert [(e.item_id, e.heard_ms) for e in closed] == [("a", 300), ("b", 120)]
    (cut,) = (e for e in events if isinstance(e, Interrupted))
    assert [(i.item_id, i.received_ms, i.played_ms) for i in cut.items] == [
        ("a", 300, 300),
        ("b", 500, 120),
    ]


@pytest.mark.parametrize(
    ("reported", "complete", "head"),
    [
        (0.0, False, None),
        (150.0, False, ("a", 150)),
        (300.0, False, None),  # the one to its end, the other not at all
        (299.5, False, None),
        (420.0, False, ("b", 120)),
        (800.0, False, ("b", 500)),  # more of it was to come
        (800.0, True, None),
    ],
)
def test_the_playhead_is_in_the_middle_of_an_item(
    composer: Composer, reported: float, complete: bool, head: tuple[str, float] | None
) -> None:
    """Field 6: nothing at 0 ms, and nothing of what was heard to its end."""
    response = speak(composer, "r1", 300, "a")
    composer.finish(response, StreamKind.AUDIO, "a")
    speak(composer, "r1", 500, "b")
    if complete:
        composer.finish(response, StreamKind.AUDIO, "b")
    composer.playback(reported)
    composer.interrupt()

    assert composer.playhead(response) == head


def test_a_player_that_threw_everything_away_plays_no_more(composer: Composer) -> None:
    speak(composer, "r1", 1000)
    composer.response_done("r1")
    composer.begin({}, 0.3)
    composer.playback(300.0, "r1", flushed=True)
    (playback,) = composer.playbacks(0.9)

    assert (playback.played_ms, playback.playing, playback.flushed) == (300, False, True)
    assert composer.interrupt() == ()


def test_how_far_each_response_came_is_told_on_request(composer: Composer) -> None:
    speak(composer, "r1", 100)
    (running,) = composer.playbacks(0.0)
    assert (running.received_ms, running.playing, running.finished) == (100, True, False)
    composer.response_done("r1")
    (over,) = composer.playbacks(1.0)
    assert (over.played_ms, over.exactly, over.playing, over.finished) == (100, False, False, True)
    composer.playback(100.0)
    (reported,) = composer.playbacks(1.0)
    assert (reported.played_ms, reported.exactly, reported.flushed) == (100, True, False)


def test_without_a_clock_only_reports_count() -> None:
    composer = Composer("toy", clocked=False)
    composer.begin({}, 0.0)
    composer.session_started()
    speak(composer, "r1", 1000)
    (unknown,) = composer.playbacks(0.5)
    assert (unknown.played_ms, unknown.playing, unknown.items[0].played_ms) == (None, False, None)
    composer.playback(400.0)
    assert played(composer, 0.0) == {"r1": 400}


def test_only_the_latest_responses_are_followed(composer: Composer) -> None:
    for n in range(40):
        speak(composer, f"r{n}", 10)
        composer.response_done(f"r{n}")

    assert [each.response_id for each in composer.playbacks(0.0)] == [
        f"r{n}" for n in range(24, 40)
    ]
