"""The composer: whatever a translator says, the stream is legal, and nothing is told twice."""

from collections.abc import Sized

import pytest

from tests.unirt.composing import kinds, speak
from unirt import events as ev
from unirt.composer import Composer
from unirt.events import Ending, StreamKind
from unirt.testing import check


def test_the_first_event_is_a_session_start_even_if_nobody_said_so(composer: Composer) -> None:
    composer.emit(ev.InputCleared)
    first, second = composer.events_received()

    assert isinstance(first, ev.SessionStarted)
    assert first.synthesised
    assert isinstance(second, ev.InputCleared)
    assert not second.synthesised


def test_a_refused_connection_is_only_a_close(composer: Composer) -> None:
    composer.session_closed(code=1008, reason="no", clean=False)

    events = composer.events_received()

    assert kinds(events) == ["SessionClosed"]
    check(events, complete=True)


def test_a_delta_opens_its_stream_and_both_know_the_frame(composer: Composer) -> None:
    speak(composer)
    events = composer.events_received()

    assert kinds(events) == ["SessionStarted", "ResponseStarted", "StreamOpened", "AudioDelta"]
    assert all(event.raw == {"frame": 1} for event in events)
    assert events[2].synthesised
    assert not events[3].synthesised
    assert events[3].response_id == "r1"
    assert events[3].item_id == "i1"


def test_a_response_closes_its_streams_before_it_is_done(composer: Composer) -> None:
    response = speak(composer)
    composer.text(response, StreamKind.TRANSCRIPT, "i1", 0, " Hello")
    composer.response_done("r1", ending=Ending.FAILED, reason="quota")
    events = composer.events_received()
    check(events, complete=True)

    audio, transcript = (e for e in events if isinstance(e, ev.StreamClosed))
    assert (audio.ending, audio.reason) == (Ending.FAILED, "quota")
    assert transcript.text == "Hello"
    assert isinstance(events[-1], ev.ResponseDone)


def test_done_is_told_once(composer: Composer) -> None:
    speak(composer)
    composer.response_done("r1")
    composer.response_done("r1")

    assert kinds(composer.events_received())[-2:] == ["ResponseDone", "Noted"]


def test_done_of_an_unknown_response_starts_it_first(composer: Composer) -> None:
    composer.response_done("r9")
    events = composer.events_received()
    check(events, complete=True)

    assert kinds(events) == ["SessionStarted", "ResponseStarted", "ResponseDone"]
    assert events[1].synthesised


def test_a_transcript_may_trail_behind_the_end_of_generation(composer: Composer) -> None:
    response = speak(composer)
    composer.text(response, StreamKind.TRANSCRIPT, "i1", 0, "Hel")
    composer.generation_done(response, ev.GenerationDone)
    composer.text(response, StreamKind.TRANSCRIPT, "i1", 0, "lo")
    composer.response_done("r1")
    events = composer.events_received()
    check(events, complete=True)

    assert [e.text for e in events if isinstance(e, ev.StreamClosed)] == [None, "Hello"]


def test_final_text_delivers_what_the_deltas_left_out(composer: Composer) -> None:
    response = composer.response_started("r1")
    composer.text(response, StreamKind.TEXT, "i1", 0, "one")
    composer.finish(response, StreamKind.TEXT, "i1", 0, text="one two")
    composer.finish(response, StreamKind.TEXT, "i2", 0, text="three")
    deltas = [e for e in composer.events_received() if isinstance(e, ev.TextDelta)]

    assert [(d.text, d.synthesised) for d in deltas] == [
        ("one", False),
        (" two", True),
        ("three", True),
    ]


def test_a_settled_stream_holds_its_final_text_until_it_is_known_how_it_ended(
    composer: Composer,
) -> None:
    response = composer.response_started("r1")
    composer.text(response, StreamKind.TEXT, "i1", 0, "one")
    assert composer.settle(response, StreamKind.TEXT, "i1", text="one two")
    composer.text(response, StreamKind.TEXT, "i2", 0, "tree")
    assert composer.settle(response, StreamKind.TEXT, "i2", text="three")
    assert not composer.settle(response, StreamKind.AUDIO, "i1")
    before = composer.events_received()
    assert [e.text for e in before if isinstance(e, ev.TextDelta)] == ["one", " two", "tree"]
    assert not any(isinstance(e, ev.StreamClosed) for e in before)

    composer.finish(response, StreamKind.TEXT, "i1")
    composer.response_done("r1", ending=Ending.FAILED, reason="model_error")
    closed = [e for e in composer.events_received() if isinstance(e, ev.StreamClosed)]
    assert [(e.text, e.ending) for e in closed] == [
        ("one two", Ending.COMPLETE),
        ("three", Ending.FAILED),
    ]
    assert not composer.settle(response, StreamKind.TEXT, "i1", text="late")


def test_the_providers_final_wording_wins_over_the_deltas(composer: Composer) -> None:
    composer.user_text(StreamKind.TRANSCRIPT, "u1", 0, " Hullo")
    composer.user_finish(StreamKind.TRANSCRIPT, "u1", text="Hello")
    events = composer.events_received()

    assert [e.text for e in events if isinstance(e, ev.TranscriptDelta)] == [" Hullo"]
    closed = events[-1]
    assert isinstance(closed, ev.StreamClosed)
    assert closed.text == "Hello"


def test_a_late_transcript_belongs_to_the_turn_it_was_spoken_in(composer: Composer) -> None:
    turn = composer.turn("u1")
    composer.response_started("r1")
    composer.turn("u2")
    composer.user_finish(StreamKind.TRANSCRIPT, "u1", text="late")
    closed = composer.events_received()[-1]

    assert closed.turn_id == turn


def test_a_response_answers_the_open_turn_and_closes_it(composer: Composer) -> None:
    first = composer.turn("u1")
    assert composer.response_started("r1").turn_id == first
    assert not composer.turn_is_open
    assert composer.response_started("r2").turn_id == first
    second = composer.turn("u2")

    assert composer.response_started("r3").turn_id == second != first


@pytest.mark.parametrize(
    ("clean", "ending", "reason"),
    [(True, Ending.CANCELLED, "session_closed"), (False, Ending.FAILED, "connection_lost")],
)
def test_the_end_of_the_session_closes_everything(
    composer: Composer, clean: bool, ending: Ending, reason: str
) -> None:
    composer.user_text(StreamKind.TRANSCRIPT, "u1", 0, "half a sen")
    speak(composer)
    composer.session_closed(code=None if not clean else 1000, clean=clean)
    composer.session_closed(code=1000, clean=True)
    events = composer.events_received()
    check(events, complete=True)

    done = next(e for e in events if isinstance(e, ev.ResponseDone))
    assert (done.ending, done.reason, done.synthesised) == (ending, reason, True)
    assert kinds(events).count("SessionClosed") == 1


def test_memory_is_bounded_over_a_long_session(composer: Composer) -> None:
    for n in range(2_000):
        composer.turn(f"u{n}")
        composer.user_finish(StreamKind.TRANSCRIPT, f"u{n}", text="hello")
        response = composer.response_started(f"r{n}")
        call = composer.tool_call(
            response, f"i{n}", call_id=f"c{n}", name="f", arguments="{}", args={}
        )
        assert call is not None
        call.answered = True
        composer.response_done(f"r{n}")
        composer.events_received()

    held: list[Sized] = [composer.calls, composer._responses, composer._turn_items, composer._user]
    assert max(len(memory) for memory in held) < 300


def test_a_users_words_after_the_final_ones_are_counted(composer: Composer) -> None:
    composer.user_finish(StreamKind.TRANSCRIPT, "u1", text="all of it")
    composer.events_received()
    assert not composer.user_finish(StreamKind.TRANSCRIPT, "u1", text="again")
    composer.user_text(StreamKind.TRANSCRIPT, "u1", 0, "more")
    composer.user_interim("u1", 0, "guess")
    composer.user_segment("u1", 0, "piece")
    late = composer.events_received()

    assert [(e.size, e.response_id) for e in late if isinstance(e, ev.ContentDiscarded)] == [
        (4, None), (5, None), (5, None),
    ]  # fmt: skip


def test_guesses_and_segments_belong_to_the_transcripts_stream(composer: Composer) -> None:
    composer.user_interim("u1", 0, "hel", "en")
    composer.user_segment("u1", 0, "hello", speaker="A")
    opened, guess, segment = composer.events_received()[1:]

    assert isinstance(opened, ev.StreamOpened)
    assert isinstance(guess, ev.TranscriptInterim)
    assert guess.language == "en"
    assert isinstance(segment, ev.TranscriptSegment)
    assert segment.speaker == "A"
    assert guess.stream is segment.stream is opened.stream
    assert composer.knows_item("u1")
    assert not composer.knows_item("u2")


def test_a_stream_of_the_user_that_never_opened_is_not_closed(composer: Composer) -> None:
    assert not composer.user_finish(StreamKind.TRANSCRIPT, "u1")
    assert composer.events_received() == []


def test_the_end_of_generation_closes_the_sound_at_once(composer: Composer) -> None:
    response = speak(composer)
    composer.events_received()
    composer.generation_done(response, ev.GenerationDone)
    closed, done = composer.events_received()

    assert isinstance(closed, ev.StreamClosed)
    assert (closed.ending, closed.synthesised) == (Ending.COMPLETE, True)
    assert isinstance(done, ev.GenerationDone)
    assert not done.synthesised


@pytest.mark.parametrize(("code", "synthesised"), [(1000, False), (None, True)])
def test_a_close_without_a_frame_is_concluded(
    composer: Composer, code: int | None, synthesised: bool
) -> None:
    assert not composer.closed
    composer.session_closed(code=code, clean=True)
    last = composer.events_received()[-1]

    assert composer.closed
    assert (isinstance(last, ev.SessionClosed), last.synthesised) == (True, synthesised)
