"""Turns and responses, which the protocol does not name: conversations frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from unirt import (
    AppendAudio,
    AudioDelta,
    CancelResponse,
    ContentDiscarded,
    Ending,
    EndTurn,
    Event,
    InputCommitted,
    InteractionStatus,
    Interrupt,
    Interrupted,
    Item,
    LocalVAD,
    Manual,
    Respond,
    ResponseDone,
    ResponseStarted,
    Role,
    SendText,
    SendToolResult,
    SessionClosed,
    SessionConfig,
    SpeechStarted,
    SpeechStopped,
    StartTurn,
    StreamClosed,
    TextContent,
    TextDelta,
    Tool,
    ToolCallCancelled,
    TranscriptDelta,
    UsageReported,
)
from unirt.testing import check, translate
from unirt_google.translator import GoogleTranslator

AUDIO = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA" * 1600}}
AUDIO_MS = 100.0
FRAME = b"\x00\x00" * 320


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


SAYS = content(modelTurn={"parts": [AUDIO]})
GENERATED = content(generationComplete=True)
DONE = content(turnComplete=True)
DONE_WITH_USAGE = {**DONE, "usageMetadata": {"promptTokenCount": 5}}
INTERRUPTED = content(interrupted=True)
VOICE_STARTS = {"voiceActivity": {"type": "ACTIVITY_START"}}
VOICE_ENDS = {"voiceActivity": {"type": "ACTIVITY_END"}}
CALL = {"toolCall": {"functionCalls": [{"id": "c", "name": "f"}]}}
CANCELLED = {"toolCallCancellation": {"ids": ["c"]}}


HISTORY = (Item(role=Role.USER, content=(TextContent(text="I am Alice."),)),)


def heard(text: str, **fields: Any) -> dict[str, Any]:
    return content(inputTranscription={"text": text, **fields})


class Talk:
    """A live session: what is fed to it is frames and commands, what it tells is kept."""

    def __init__(self, config: SessionConfig | None = None) -> None:
        self.translator = GoogleTranslator(config or SessionConfig())
        self.now = 0.0
        self.events: list[Event] = []
        self.sent: list[str | bytes] = []
        self.translator.start(0.0)
        self.hear({"setupComplete": {}})
        self.sent.clear()

    def hear(self, *frames: dict[str, Any]) -> list[Event]:
        for frame in frames:
            self.translator.receive(frame, self.now)
        return self._drain()

    def say(self, *commands: Any) -> list[Event]:
        for command in commands:
            self.translator.send(command, self.now)
        return self._drain()

    def _drain(self) -> list[Event]:
        events = self.translator.events_received()
        self.events += events
        self.sent += self.translator.frames_to_send()
        check(self.events)
        return events


@pytest.fixture
def talk() -> Talk:
    return Talk()


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ + ("*" if event.synthesised else "") for event in events]


def of(kind: type[Any], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def only(kind: type[Any], events: list[Event]) -> Any:
    (event,) = of(kind, events)
    return event


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


# Tools.


def blocking(yes: bool | None) -> SessionConfig:
    return SessionConfig(tools=(Tool(name="f", blocking=yes),))


@pytest.mark.parametrize("waits", [True, False, None])
def test_the_answer_to_a_call_is_a_new_response(waits: bool | None) -> None:
    talk = Talk(blocking(waits))
    talk.say(SendText(text="Go"))
    talk.hear(CALL)
    talk.say(SendToolResult(call_id="c", output="ok"))
    events = talk.hear(SAYS, GENERATED, DONE_WITH_USAGE)
    first, second = of(ResponseDone, events)
    assert (first.synthesised, first.usage, first.ending) == (True, None, Ending.COMPLETE)
    assert (second.synthesised, second.usage is None) == (False, False)
    assert first.turn_id == second.turn_id


def test_vertex_closes_a_half_turn_and_no_response_comes_of_it(talk: Talk) -> None:
    talk.hear(CALL)
    talk.say(SendToolResult(call_id="c", output="ok"))
    events = talk.hear(GENERATED, DONE_WITH_USAGE, SAYS, GENERATED, DONE_WITH_USAGE)
    assert len(of(ResponseStarted, talk.events)) == 2
    assert [done.synthesised for done in of(ResponseDone, events)] == [False, False]
    assert len({event.turn_id for event in of(ResponseDone, events)}) == 1


def test_vertex_may_answer_a_result_with_nothing(talk: Talk) -> None:
    talk.hear(CALL)
    talk.say(SendToolResult(call_id="c", output="ok"))
    talk.hear(DONE, DONE_WITH_USAGE)
    assert len(of(ResponseDone, talk.events)) == 1
    assert len(of(UsageReported, talk.events)) == 1


def test_late_words_of_a_call_belong_to_its_response(talk: Talk) -> None:
    talk.hear(SAYS, CALL, SAYS)
    assert len({event.response_id for event in of(AudioDelta, talk.events)}) == 1
    talk.say(SendToolResult(call_id="c", output="ok"))
    talk.hear(SAYS)
    assert len(of(ResponseStarted, talk.events)) == 1, "a model that does not wait talks on"


def test_a_model_that_waits_starts_anew_after_late_words() -> None:
    talk = Talk(blocking(True))
    talk.hear(SAYS, CALL, SAYS)
    talk.say(SendToolResult(call_id="c", output="ok"))
    talk.hear(SAYS)
    assert len(of(ResponseStarted, talk.events)) == 2


def test_a_model_that_talks_on_starts_anew_after_its_generation() -> None:
    talk = Talk(blocking(False))
    talk.hear(CALL, SAYS, GENERATED)
    talk.say(SendToolResult(call_id="c", output="ok"))
    talk.hear(SAYS)
    assert len(of(ResponseStarted, talk.events)) == 2


@pytest.mark.parametrize(
    ("model", "responses"),
    [
        ("gemini-2.5-flash-native-audio-latest", 2),
        ("publishers/google/models/gemini-live-2.5-flash-native-audio", 1),
        ("gemini-3.1-flash-live-preview", 2),
        ("gemini-3.8-live", 1),
    ],
)
def test_whether_a_model_waits_is_a_fact_of_its_family_and_backend(
    model: str, responses: int
) -> None:
    talk = Talk(SessionConfig(model=model))
    talk.hear(CALL, SAYS)
    talk.say(SendToolResult(call_id="c", output="ok"))
    talk.hear(SAYS)
    assert len(of(ResponseStarted, talk.events)) == responses


def test_all_of_parallel_calls_are_answered_before_a_new_response() -> None:
    talk = Talk(blocking(True))
    talk.hear({"toolCall": {"functionCalls": [{"id": n, "name": "f"} for n in "ab"]}})
    talk.say(SendToolResult(call_id="a", output=1))
    talk.hear(SAYS)
    assert len(of(ResponseStarted, talk.events)) == 1
    talk.say(SendToolResult(call_id="b", output=2))
    talk.hear(SAYS)
    assert len(of(ResponseStarted, talk.events)) == 2


def test_a_recording_shows_no_answers_so_content_after_a_call_is_one() -> None:
    other = {"toolCall": {"functionCalls": [{"id": "d", "name": "f"}]}}
    events = translate("google", [CALL, SAYS, other, SAYS, DONE])
    check(events)
    assert len(of(ResponseStarted, events)) == 3
    assert len({event.turn_id for event in of(ResponseStarted, events)}) == 1


def test_the_user_s_voice_cancels_calls(talk: Talk) -> None:
    talk.hear(heard("Go"), CALL)
    events = talk.hear(VOICE_STARTS, {**INTERRUPTED, **CANCELLED}, DONE)
    cut, cancelled = only(Interrupted, events), only(ToolCallCancelled, events)
    assert (cut.generating, cut.by) == (False, "speech")
    assert (cancelled.call_ids, cancelled.response_id) == (("c",), cut.response_id)
    assert only(ResponseDone, events).ending is Ending.COMPLETE
    sent = len(talk.sent)
    assert names(talk.say(SendToolResult(call_id="c", output="late"))) == ["Noted"]
    assert len(talk.sent) == sent


@pytest.mark.parametrize("order", [(INTERRUPTED, CANCELLED), (CANCELLED, INTERRUPTED)], ids=str)
def test_interruption_and_cancellation_come_in_either_order(talk: Talk, order: Any) -> None:
    talk.hear(CALL, *order, DONE)
    assert len(of(ToolCallCancelled, talk.events)) == len(of(Interrupted, talk.events)) == 1


# Interruptions.


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
