"""Turns and responses, which the protocol does not name: conversations frame by frame."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.google_talk import (
    CALL,
    DONE,
    DONE_WITH_USAGE,
    FRAME,
    GENERATED,
    HISTORY,
    INTERRUPTED,
    SAYS,
    VOICE_ENDS,
    VOICE_STARTS,
    Talk,
    blocking,
    content,
    heard,
    names,
    of,
    only,
)
from unirt import (
    AppendAudio,
    CancelResponse,
    Ending,
    EndTurn,
    InputCommitted,
    InteractionStatus,
    Interrupt,
    Interrupted,
    LocalVAD,
    Manual,
    Respond,
    ResponseDone,
    ResponseStarted,
    SendText,
    SendToolResult,
    SessionClosed,
    SessionConfig,
    SpeechStarted,
    SpeechStopped,
    StartTurn,
    StreamClosed,
    TextDelta,
    TranscriptDelta,
    UsageReported,
)
from unirt.testing import check, translate
from unirt_google.translator import GoogleTranslator


@pytest.fixture
def talk() -> Talk:
    return Talk()


# The user's turns.


def test_what_the_user_writes_is_told_when_it_is_sent(talk: Talk) -> None:
    events = talk.say(SendText(text="Hello"))
    assert names(events) == ["StreamOpened*", "TextDelta*", "StreamClosed*"]
    assert only(TextDelta, events).role == "user"
    answer = only(ResponseStarted, talk.hear(SAYS))
    assert answer.turn_id == events[0].turn_id


def test_speech_opens_the_turn_that_is_answered(talk: Talk) -> None:
    talk.hear(VOICE_STARTS, heard("Hel"), heard("lo"), VOICE_ENDS, SAYS)
    started, stopped = only(SpeechStarted, talk.events), only(SpeechStopped, talk.events)
    words = of(TranscriptDelta, talk.events)
    assert [word.text for word in words] == ["Hel", "lo"]
    assert {started.item_id, stopped.item_id, *(word.item_id for word in words)} == {
        started.item_id
    }
    assert {event.turn_id for event in [started, stopped, *words]} == {
        only(ResponseStarted, talk.events).turn_id
    }


@pytest.mark.parametrize(
    "sign", [VOICE_STARTS, VOICE_ENDS, heard("Hi")], ids=["on", "off", "words"]
)
def test_what_was_spoken_is_committed_when_the_answer_begins(talk: Talk, sign: Any) -> None:
    talk.hear(sign)
    events = talk.hear(SAYS)
    assert names(events)[:2] == ["InputCommitted*", "ResponseStarted*"]
    assert events[0].turn_id == events[1].turn_id
    assert not of(InputCommitted, talk.hear(SAYS, DONE, SAYS))


def test_what_was_written_is_not_committed(talk: Talk) -> None:
    talk.say(SendText(text="Hi"))
    assert not of(InputCommitted, talk.hear(SAYS))


def test_audio_that_is_answered_without_another_sign_was_a_spoken_turn(talk: Talk) -> None:
    talk.say(AppendAudio(data=FRAME))
    first = talk.hear(SAYS, DONE)
    talk.say(AppendAudio(data=FRAME))
    second = talk.hear(SAYS)
    assert len(of(InputCommitted, talk.events)) == 2
    assert only(ResponseStarted, first).turn_id != only(ResponseStarted, second).turn_id


def test_a_late_transcript_belongs_to_the_turn_that_is_being_answered(talk: Talk) -> None:
    talk.say(AppendAudio(data=FRAME))
    talk.hear(SAYS, heard("Hel"), SAYS, heard("lo"), GENERATED)
    words = of(TranscriptDelta, talk.events)
    assert {word.turn_id for word in words} == {only(ResponseStarted, talk.events).turn_id}
    closed = [event for event in of(StreamClosed, talk.events) if event.role == "user"]
    assert [(event.text, event.synthesised) for event in closed] == [("Hello", True)]


def test_words_after_a_final_transcript_are_a_new_turn(talk: Talk) -> None:
    talk.hear(heard("Hello", finished=True), SAYS, heard("Stop"))
    first, second = of(TranscriptDelta, talk.events)
    answer = only(ResponseStarted, talk.events)
    assert first.turn_id == answer.turn_id != second.turn_id


def test_words_during_the_answer_to_a_text_are_a_new_turn(talk: Talk) -> None:
    talk.say(SendText(text="Hello"))
    talk.hear(SAYS, heard("Stop"))
    assert only(TranscriptDelta, talk.events).turn_id != only(ResponseStarted, talk.events).turn_id


def test_words_after_the_answer_are_a_new_turn(talk: Talk) -> None:
    talk.hear(heard("Hello"), SAYS, DONE, heard("More"))
    first, second = of(TranscriptDelta, talk.events)
    assert first.turn_id != second.turn_id


def test_two_stretches_of_speech_are_two_items_of_one_turn(talk: Talk) -> None:
    talk.hear(heard("One.", finished=True), heard("Two.", finished=True), SAYS)
    first, second = of(TranscriptDelta, talk.events)
    assert first.item_id != second.item_id
    assert first.turn_id == second.turn_id == only(ResponseStarted, talk.events).turn_id


def test_voice_while_the_model_speaks_opens_the_next_turn(talk: Talk) -> None:
    talk.hear(heard("Hello"), SAYS, VOICE_STARTS, INTERRUPTED, DONE, heard("Stop"), SAYS)
    first, second = of(ResponseStarted, talk.events)
    barged = only(SpeechStarted, talk.events)
    assert first.turn_id != second.turn_id == barged.turn_id
    assert of(TranscriptDelta, talk.events)[1].turn_id == barged.turn_id


@pytest.mark.parametrize("end", [GENERATED, DONE, INTERRUPTED], ids=["generated", "done", "cut"])
def test_the_transcript_is_final_when_the_answer_is_over(talk: Talk, end: Any) -> None:
    talk.hear(heard("Hello"), SAYS)
    closed = [event for event in of(StreamClosed, talk.hear(end)) if event.role == "user"]
    assert [event.text for event in closed] == ["Hello"]


def test_a_recording_that_starts_in_the_middle_has_its_late_transcript_in_the_turn() -> None:
    events = translate("google", [SAYS, heard("Hello"), GENERATED])
    check(events)
    assert only(TranscriptDelta, events).turn_id == only(ResponseStarted, events).turn_id
    assert not of(InputCommitted, events)


# Responses.


def test_an_answer_is_done_once_with_its_usage(talk: Talk) -> None:
    talk.hear(SAYS, GENERATED, DONE_WITH_USAGE)
    done = only(ResponseDone, talk.events)
    assert (done.ending, done.usage.input.other, done.synthesised) == (Ending.COMPLETE, 5, False)


def test_an_empty_turn_is_an_empty_response(talk: Talk) -> None:
    talk.say(SendText(text="..."))
    events = talk.hear(DONE_WITH_USAGE)
    assert names(events) == ["ResponseStarted*", "ResponseDone"]
    assert only(ResponseDone, events).usage.input.other == 5


@pytest.mark.parametrize(
    "wait", [{"waitingForInput": True}, {"turnCompleteReason": "NEED_MORE_INPUT"}], ids=str
)
def test_a_model_that_waits_leaves_the_turn_open(talk: Talk, wait: dict[str, Any]) -> None:
    talk.say(SendText(text="Well"))
    events = talk.hear({**content(turnComplete=True, **wait), "usageMetadata": {}})
    assert names(events) == ["UsageReported", "InteractionStatus"]
    assert only(UsageReported, events).scope == "turn"
    assert only(InteractionStatus, events).status == "waiting"
    turn = only(TextDelta, talk.events).turn_id
    assert only(ResponseStarted, talk.hear(SAYS)).turn_id == turn


def test_waiting_is_told_once(talk: Talk) -> None:
    both = content(turnComplete=True, waitingForInput=True, turnCompleteReason="NEED_MORE_INPUT")
    assert names(talk.hear(both)).count("InteractionStatus") == 1


# What waits.


def test_a_request_to_answer_waits_for_the_running_answer(talk: Talk) -> None:
    talk.hear(SAYS)
    talk.say(Respond())
    assert talk.sent == []
    talk.hear(GENERATED, DONE)
    assert talk.sent == ['{"clientContent":{"turnComplete":true}}']


def test_history_is_seeded_when_the_session_is_ready() -> None:
    translator = GoogleTranslator(SessionConfig(history=HISTORY))
    translator.start(0.0)
    translator.frames_to_send()
    assert not translator.ready
    translator.receive({"setupComplete": {}}, 0.0)
    assert translator.ready
    (frame,) = translator.frames_to_send()
    assert '"turnComplete":false' in str(frame)


# The end.


@pytest.mark.parametrize(
    ("code", "by", "clean"),
    [
        (1000, "remote", True),
        (1000, "local", True),
        (1006, "local", True),
        (1001, "remote", False),
        (1007, "remote", False),
        (None, "network", False),
    ],
)
def test_how_a_connection_ended(talk: Talk, code: int | None, by: str, clean: bool) -> None:
    talk.hear(SAYS)
    talk.translator.receive_close(code, "why", by, 1.0)
    events = talk.translator.events_received()
    check([*talk.events, *events], complete=True)
    closed = events[-1]
    assert isinstance(closed, SessionClosed)
    assert (closed.code, closed.reason, closed.by, closed.clean) == (code, "why", by, clean)
    assert of(ResponseDone, events)[0].ending is (Ending.CANCELLED if clean else Ending.FAILED)


def test_a_connection_that_was_refused_tells_only_its_end() -> None:
    translator = GoogleTranslator(SessionConfig())
    translator.start(0.0)
    translator.receive_close(1007, "Request contains an invalid argument", "remote", 0.0)
    assert names(translator.events_received()) == ["SessionClosed"]
    assert not translator.ready


def test_nothing_is_told_after_the_end(talk: Talk) -> None:
    talk.translator.receive_close(1000, "", "remote", 0.0)
    talk.translator.events_received()
    talk.translator.receive(SAYS, 0.0)
    talk.translator.receive_close(1000, "", "remote", 0.0)
    assert talk.translator.events_received() == []


def test_there_is_no_timer(talk: Talk) -> None:
    assert talk.translator.get_timer() is None
    talk.translator.handle_timer(0.0)
    assert talk.translator.events_received() == []


def test_a_manual_turn_is_a_spoken_one() -> None:
    talk = Talk(SessionConfig(turn_detection=Manual()))
    talk.say(StartTurn(), AppendAudio(data=FRAME), EndTurn())
    talk.hear(SAYS, heard("Hello"))
    assert only(InputCommitted, talk.events).turn_id == only(ResponseStarted, talk.events).turn_id
    assert only(TranscriptDelta, talk.events).turn_id == only(ResponseStarted, talk.events).turn_id


def test_text_that_asks_for_nothing_waits_for_the_running_answer(talk: Talk) -> None:
    talk.hear(SAYS)
    events = talk.say(SendText(text="By the way", respond=False))
    assert names(events) == ["StreamOpened*", "TextDelta*", "StreamClosed*"]
    assert talk.sent == []
    talk.hear(GENERATED, DONE)
    assert ['"By the way"' in str(frame) for frame in talk.sent] == [True]


def test_text_that_asks_takes_what_waited_with_it(talk: Talk) -> None:
    talk.hear(SAYS)
    talk.say(SendText(text="One", respond=False), Respond(), SendText(text="Two"))
    assert ["One" in str(talk.sent[0]), "Two" in str(talk.sent[1])] == [True, True]
    assert len(talk.sent) == 2


@pytest.mark.parametrize("command", [Interrupt(), CancelResponse()], ids=str)
def test_a_request_to_answer_is_withdrawn_by_stopping(talk: Talk, command: Any) -> None:
    talk.hear(SAYS)
    talk.say(Respond(), command)
    talk.sent.clear()
    talk.hear(INTERRUPTED, DONE)
    assert talk.sent == []


def test_a_silent_result_does_not_make_the_next_answer_its_own() -> None:
    talk = Talk(blocking(False))
    talk.hear(CALL, DONE)
    talk.say(SendToolResult(call_id="c", output="ok", respond=False), AppendAudio(data=FRAME))
    first = only(ResponseDone, talk.events)
    assert only(ResponseStarted, talk.hear(SAYS)).turn_id != first.turn_id


def test_turns_that_options_make_manual_are_manual() -> None:
    detection = {"automatic_activity_detection": {"disabled": True}}
    talk = Talk(SessionConfig(provider_options={"realtime_input_config": detection}))
    talk.say(StartTurn())
    assert talk.sent == ['{"realtimeInput":{"activityStart":{}}}']


def test_a_turn_that_the_session_heard_begin_is_speech() -> None:
    talk = Talk(SessionConfig(turn_detection=LocalVAD()))
    talk.hear(SAYS)
    events = talk.say(StartTurn(audio_ms=40.0), AppendAudio(data=FRAME), EndTurn(audio_ms=240.0))
    assert names(events)[0] == "SpeechStarted*"
    started, stopped = only(SpeechStarted, events), only(SpeechStopped, events)
    assert (started.audio_ms, stopped.audio_ms) == (40.0, 240.0)
    assert stopped.synthesised
    assert started.turn_id == stopped.turn_id
    assert started.item_id == stopped.item_id
    assert only(Interrupted, events).by == "speech"
    assert len(talk.sent) == 3
    talk.hear(INTERRUPTED, DONE, SAYS)
    assert of(ResponseStarted, talk.events)[-1].turn_id == started.turn_id
    assert only(InputCommitted, talk.events).turn_id == started.turn_id
