"""The composer: whatever a translator says, the stream is legal, and nothing is told twice."""

from collections.abc import Callable, Sized
from typing import Any

import pytest

from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.composer import Composer, Response
from unirt.errors import UsageError
from unirt.events import Ending, StreamKind
from unirt.testing import check

TENTH = b"\x01\x00" * 2_400  # 100 ms


@pytest.fixture
def composer() -> Composer:
    made = Composer("toy")
    made.begin({"frame": 1}, 0.0)
    return made


def kinds(events: list[ev.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def speak(composer: Composer, seconds: float = 0.1) -> Response:
    response = composer.response_started("r1")
    for _ in range(round(seconds * 10)):
        composer.audio(response, "i1", 0, TENTH, PCM16_24K)
    return response


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


def call(composer: Composer, call_id: str | None, item: str = "i2") -> Any:
    response = composer.response_started("r1")
    return composer.tool_call(
        response, item, call_id=call_id, name="f", arguments='{"a":1}', args={"a": 1}
    )


def test_a_call_is_whole_then_closed(composer: Composer) -> None:
    call(composer, "c1")
    opened, delta, whole, closed = composer.events_received()[2:]

    assert isinstance(opened, ev.StreamOpened)
    assert isinstance(delta, ev.ToolCallDelta)
    assert isinstance(whole, ev.ToolCall)
    assert (whole.call_id, whole.name, whole.args) == ("c1", "f", {"a": 1})
    assert isinstance(closed, ev.StreamClosed)
    assert closed.text == '{"a":1}'


def test_one_call_id_runs_once(composer: Composer) -> None:
    assert call(composer, "c1") is not None
    assert call(composer, "c1", item="i3") is None
    assert kinds(composer.events_received()).count("ToolCall") == 1


def test_an_invented_call_id_is_known_as_invented(composer: Composer) -> None:
    made = call(composer, None)

    assert made.id
    assert made.wire_id is None


def test_cancelled_calls_are_told_once_and_answered_ones_never(composer: Composer) -> None:
    call(composer, "c1")
    call(composer, "c2", item="i3").answered = True
    composer.events_received()
    composer.cancel_calls(["c1", "c2"])
    composer.cancel_calls(["c1"])
    told, noted = composer.events_received()

    assert isinstance(told, ev.ToolCallCancelled)
    assert told.call_ids == ("c1",)
    assert isinstance(noted, ev.Noted)
    assert composer.pending_calls() == []


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


@pytest.mark.parametrize(
    ("result", "ending"),
    [({"output": "found"}, Ending.COMPLETE), ({"error": "no"}, Ending.FAILED)],
)
def test_a_server_side_tool_closes_with_its_result(
    composer: Composer, result: dict[str, Any], ending: Ending
) -> None:
    response = composer.response_started("r1")
    composer.server_tool_result(response, "i1", name="search", **result)
    told, closed = composer.events_received()[-2:]

    assert isinstance(told, ev.ServerToolResult)
    assert (told.output, told.error) == (result.get("output"), result.get("error"))
    assert isinstance(closed, ev.StreamClosed)
    assert (closed.ending, closed.synthesised) == (ending, True)


def test_a_call_keeps_the_id_that_its_stream_was_opened_with(composer: Composer) -> None:
    response = composer.response_started("r1")
    composer.open(response, StreamKind.TOOL_CALL, "i1", call_id="mine", name="f")
    made = composer.tool_call(response, "i1", call_id=None, name="f", arguments="{}", args={})

    assert made is not None
    assert (made.id, made.wire_id) == ("mine", None)
    whole = composer.events_received()[-2]
    assert isinstance(whole, ev.ToolCall)
    assert whole.call_id == "mine"


def test_what_is_told_twice_is_noted(composer: Composer) -> None:
    call(composer, "c1")
    call(composer, "c1", item="i3")
    assert kinds(composer.events_received())[-1] == "Noted"


@pytest.mark.parametrize(("code", "synthesised"), [(1000, False), (None, True)])
def test_a_close_without_a_frame_is_concluded(
    composer: Composer, code: int | None, synthesised: bool
) -> None:
    assert not composer.closed
    composer.session_closed(code=code, clean=True)
    last = composer.events_received()[-1]

    assert composer.closed
    assert (isinstance(last, ev.SessionClosed), last.synthesised) == (True, synthesised)


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


def test_cancelled_calls_know_what_they_belonged_to(composer: Composer) -> None:
    call(composer, "c1")
    composer.cancel_calls(["c1", "nobody's"])
    told = composer.events_received()[-1]

    assert isinstance(told, ev.ToolCallCancelled)
    assert (told.call_ids, told.response_id) == (("c1", "nobody's"), "r1")
    composer.cancel_calls(["elsewhere"])
    assert composer.events_received()[-1].response_id is None
