"""The composer, interrupted: what is cut, what was heard, and what comes too late."""

from collections.abc import Callable

import pytest

from tests.unirt.composing import TENTH, kinds, speak
from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.composer import Composer, Response
from unirt.errors import UsageError
from unirt.events import Ending, StreamKind
from unirt.testing import check


def test_after_an_interruption_content_is_discarded_and_counted(composer: Composer) -> None:
    response = speak(composer)
    composer.events_received()
    assert composer.interrupt()
    composer.audio(response, "i1", 0, TENTH, PCM16_24K)
    composer.text(response, StreamKind.TRANSCRIPT, "i1", 0, "late")
    composer.response_done("r1")

    closed, cut, audio, text, done = composer.events_received()
    assert isinstance(closed, ev.StreamClosed)
    assert closed.ending is Ending.INTERRUPTED
    assert isinstance(cut, ev.Interrupted)
    assert cut.generating
    assert isinstance(audio, ev.ContentDiscarded)
    assert (audio.size, audio.duration_ms) == (len(TENTH), 100)
    assert isinstance(text, ev.ContentDiscarded)
    assert text.size == 4
    assert isinstance(done, ev.ResponseDone)
    assert (done.ending, done.reason) == (Ending.INTERRUPTED, "speech")


def test_an_interruption_is_told_once(composer: Composer) -> None:
    speak(composer)

    assert composer.interrupt()
    assert not composer.interrupt(said=True)


@pytest.mark.parametrize(
    ("spoken_s", "after_s", "heard_ms"),
    [(1.0, 0.3, 300.0), (1.0, 0.0, 0.0)],
)
def test_what_was_heard_is_estimated_from_the_clock(
    composer: Composer, spoken_s: float, after_s: float, heard_ms: float
) -> None:
    speak(composer, spoken_s)
    composer.begin(None, after_s)
    composer.interrupt()
    cut = composer.events_received()[-1]

    assert isinstance(cut, ev.Interrupted)
    assert cut.heard_ms == pytest.approx(heard_ms)
    assert not cut.heard_exactly


def test_a_pause_in_the_audio_is_not_counted_as_heard(composer: Composer) -> None:
    response = speak(composer, 0.1)
    composer.begin({}, 5.0)
    composer.audio(response, "i1", 0, TENTH, PCM16_24K)
    composer.begin(None, 5.05)
    composer.interrupt()
    cut = composer.events_received()[-1]

    assert isinstance(cut, ev.Interrupted)
    assert cut.heard_ms == pytest.approx(150.0)


def test_a_players_report_beats_the_estimate_and_never_exceeds_what_was_received(
    composer: Composer,
) -> None:
    speak(composer, 0.2)
    composer.playback(70.0)
    assert composer.active is not None
    assert composer.playhead(composer.active) == ("i1", 70.0)
    composer.playback(9_000.0)
    composer.interrupt()
    cut = composer.events_received()[-1]

    assert isinstance(cut, ev.Interrupted)
    assert cut.heard_ms == pytest.approx(200.0)
    assert cut.heard_exactly is True


def test_a_report_on_a_response_that_never_was_is_refused(composer: Composer) -> None:
    with pytest.raises(UsageError, match="no response 'r7'"):
        composer.playback(10.0, "r7")


def test_playback_that_is_over_cannot_be_interrupted(composer: Composer) -> None:
    speak(composer, 0.1)
    composer.response_done("r1")
    composer.begin(None, 0.05)
    assert composer.latest is not None
    assert composer.latest.playing(0.05)
    composer.begin(None, 0.2)

    assert not composer.interrupt()


def test_playback_of_a_done_response_is_interrupted_without_touching_its_content(
    composer: Composer,
) -> None:
    speak(composer, 1.0)
    composer.response_done("r1")
    composer.begin(None, 0.25)
    assert composer.interrupt()
    events = composer.events_received()
    check(events, complete=True)

    cut = events[-1]
    assert isinstance(cut, ev.Interrupted)
    assert not cut.generating
    assert cut.heard_ms == pytest.approx(250.0)


def test_without_a_clock_nothing_is_said_about_what_was_heard() -> None:
    composer = Composer("toy", clocked=False)
    composer.begin({}, 0.0)
    speak(composer, 1.0)
    composer.interrupt()
    cut = composer.events_received()[-1]

    assert isinstance(cut, ev.Interrupted)
    assert cut.heard_ms is None


def test_a_cut_response_that_calls_itself_complete_is_interrupted(composer: Composer) -> None:
    speak(composer)
    composer.interrupt(by="client")
    composer.response_done("r1", ending=Ending.COMPLETE)
    done = composer.events_received()[-1]

    assert isinstance(done, ev.ResponseDone)
    assert (done.ending, done.reason) == (Ending.INTERRUPTED, "client")


def test_an_interrupted_ending_tells_the_interruption_where_nobody_did(composer: Composer) -> None:
    speak(composer)
    composer.response_done("r1", ending=Ending.INTERRUPTED)

    assert kinds(composer.events_received())[-2:] == ["Interrupted", "ResponseDone"]


LATE: dict[str, tuple[Callable[[Composer, Response], object], StreamKind, int]] = {
    "audio": (lambda c, r: c.audio(r, "i1", 0, TENTH, PCM16_24K), StreamKind.AUDIO, len(TENTH)),
    "text": (lambda c, r: c.text(r, StreamKind.TEXT, "i1", 0, "late"), StreamKind.TEXT, 4),
    "image": (lambda c, r: c.image(r, "i1", 0, b"png", "image/png"), StreamKind.IMAGE, 3),
    "citations": (lambda c, r: c.citations(r, "i1", 0, {"a": 1}), StreamKind.CITATIONS, 0),
    "tool call": (
        lambda c, r: c.tool_call(r, "i1", call_id="c", name="f", arguments="{}", args={}),
        StreamKind.TOOL_CALL,
        2,
    ),
    "server tool": (
        lambda c, r: c.server_tool_result(r, "i1", output="found"),
        StreamKind.SERVER_TOOL,
        5,
    ),
    "server tool's error": (
        lambda c, r: c.server_tool_result(r, "i1", error="no"),
        StreamKind.SERVER_TOOL,
        2,
    ),
}


@pytest.mark.parametrize("name", LATE)
@pytest.mark.parametrize("over", ["cut", "done"])
def test_content_that_comes_too_late_is_counted_whatever_it_is(
    composer: Composer, name: str, over: str
) -> None:
    send, kind, size = LATE[name]
    response = composer.response_started("r1")
    if over == "cut":
        composer.interrupt()
    else:
        composer.response_done("r1")
    composer.events_received()
    send(composer, response)
    (late,) = composer.events_received()

    assert isinstance(late, ev.ContentDiscarded)
    assert (late.kind, late.size, late.response_id, late.turn_id) == (
        kind, size, "r1", response.turn_id,
    )  # fmt: skip


def test_heard_is_told_of_interrupted_responses_only(composer: Composer) -> None:
    speak(composer)
    composer.playback(40.0)
    composer.response_done("r1")
    done = composer.events_received()[-1]
    assert isinstance(done, ev.ResponseDone)
    assert done.heard_ms is None

    composer.audio(composer.response_started("r2"), "i2", 0, TENTH, PCM16_24K)
    composer.playback(40.0)
    composer.interrupt()
    composer.response_done("r2")
    done = composer.events_received()[-1]
    assert isinstance(done, ev.ResponseDone)
    assert done.heard_ms == 40.0
