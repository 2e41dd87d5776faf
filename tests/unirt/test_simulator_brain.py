"""The simulated model: when it answers, and what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unirt.minded import Talk, long_reply
from unirt import (
    AudioDelta,
    ClearInput,
    CommitInput,
    CreateItem,
    EndTurn,
    GenerationDone,
    InputCommitted,
    Item,
    Manual,
    Respond,
    ResponseDone,
    ResponseStarted,
    Role,
    SendText,
    ServerVAD,
    SessionConfig,
    SessionExpiring,
    SpeechStarted,
    SpeechStopped,
    TextContent,
    TextDelta,
    ToolCall,
    TranscriptDelta,
    Transcription,
)
from unirt.simulator.scenario import Call, Close, Cue, Error, GoAway, Reply, Say, Wait, When
from unirt.simulator.scenario import Heard as Understood


def test_words_lead_the_sound_that_holds_them_and_come_faster_than_real_time() -> None:
    talk = Talk(long_reply(), speed=4, chunk_ms=1000)
    talk.say(SendText(text="Hello"))
    talk.wait(10)
    talk.check()
    at = [(now, type(e)) for now, e in talk.ear.told if isinstance(e, AudioDelta | TranscriptDelta)]
    assert at == [
        (when, kind) for when in (0.0, 0.25, 0.5, 0.75) for kind in (TranscriptDelta, AudioDelta)
    ]
    deltas = [e for e in talk.events if isinstance(e, TranscriptDelta)]
    assert "".join(delta.text for delta in deltas) == "one two three four"
    assert sum(e.duration_ms for e in talk.events if isinstance(e, AudioDelta)) == 4000


def test_the_end_may_wait_until_everything_could_have_been_heard() -> None:
    talk = Talk(long_reply(), speed=4, hold_done=True)
    talk.say(SendText(text="Hello"))
    talk.wait(10)
    times = {type(event): now for now, event in talk.ear.told}
    assert times[GenerationDone] == pytest.approx(1.0)
    assert times[ResponseDone] == pytest.approx(4.0)


def test_the_end_of_a_spoken_turn_is_heard_and_answered() -> None:
    heard = Understood(text="What is it?")
    talk = Talk(Reply(cue=Cue.SPEECH, heard=heard, steps=(Say(text="Nothing.", ms=300),)))
    talk.be_silent(1000)
    talk.speak(800)
    talk.be_silent(700)
    talk.wait(3)
    talk.check()
    started, stopped, committed = talk.of(SpeechStarted, SpeechStopped, InputCommitted)
    assert isinstance(started, SpeechStarted)
    assert isinstance(stopped, SpeechStopped)
    assert (started.audio_ms, stopped.audio_ms) == (700, 2300)
    assert started.item_id == stopped.item_id == committed.item_id
    answer = talk.of(ResponseStarted)[0]
    assert answer.turn_id == started.turn_id
    words = [e for e in talk.of(TranscriptDelta) if e.item_id == started.item_id]
    assert [word.text for word in words if isinstance(word, TranscriptDelta)] == [
        "What",
        " is",
        " it?",
    ]


@pytest.mark.parametrize(
    ("when", "order"),
    [
        (When.BEFORE, ["user", "started", "assistant", "assistant", "done"]),
        (When.DURING, ["started", "assistant", "user", "assistant", "done"]),
        (When.AFTER, ["started", "assistant", "assistant", "user", "done"]),
    ],
)
def test_the_users_transcript_comes_when_the_reply_says(when: When, order: list[str]) -> None:
    reply = Reply(
        cue=Cue.TURN,
        heard=Understood(text="Hey", when=when),
        steps=(Say(text="Yes please", ms=200),),
    )
    config = SessionConfig(input_transcription=Transcription(), turn_detection=Manual())
    talk = Talk(reply, config=config)
    talk.say(EndTurn())
    talk.wait(3)
    talk.check()
    found = []
    for event in talk.events:
        match event:
            case TranscriptDelta():
                found.append(event.role)
            case ResponseStarted():
                found.append("started")
            case ResponseDone():
                found.append("done")
            case _:
                pass
    assert found == order


def test_nothing_is_transcribed_that_was_not_asked_for() -> None:
    config = SessionConfig(turn_detection=Manual(), output_transcription=False)
    reply = Reply(cue=Cue.TURN, heard=Understood(text="Hey"), steps=(Say(text="Yes", ms=200),))
    talk = Talk(reply, config=config)
    talk.say(EndTurn())
    talk.wait(3)
    assert talk.of(AudioDelta)
    assert not talk.of(TranscriptDelta)


def test_a_session_of_text_gets_text() -> None:
    talk = Talk(long_reply(), config=SessionConfig(modalities=("text",)))
    talk.say(SendText(text="Hello"))
    talk.wait(3)
    talk.check()
    assert "".join(e.text for e in talk.events if isinstance(e, TextDelta)) == "one two three four"
    assert not talk.of(AudioDelta)


def test_words_wait_for_the_request_to_answer_them() -> None:
    talk = Talk(long_reply())
    talk.say(SendText(text="Hello", respond=False))
    talk.wait(1)
    assert not talk.of(ResponseStarted)
    talk.say(Respond(metadata={"key": "value"}))
    talk.wait(5)
    (started,) = talk.of(ResponseStarted)
    assert isinstance(started, ResponseStarted)
    assert started.metadata == {"key": "value"}


def test_a_commit_and_a_request_are_a_manual_turn() -> None:
    config = SessionConfig(turn_detection=Manual())
    calls = Reply(cue=Cue.TURN, steps=(Call(name="a"),))
    talk = Talk(long_reply(Cue.RESPOND), calls, config=config)
    talk.speak(300)
    talk.say(CommitInput())
    talk.say(Respond())
    talk.wait(5)
    assert talk.names(ToolCall, AudioDelta) == ["ToolCall"]


def test_clearing_the_input_forgets_the_speech_and_not_the_time() -> None:
    talk = Talk()
    talk.speak(1000)
    talk.say(ClearInput())
    assert not talk.brain.listening
    talk.speak(300)
    started = talk.of(SpeechStarted)[-1]
    assert isinstance(started, SpeechStarted)
    assert started.audio_ms == 1000


def test_the_start_of_a_session_can_be_scripted_once() -> None:
    talk = Talk(Reply(cue=Cue.START, steps=(Error(message="oops"), Close(code=1008))))
    talk.brain.wake(0.0)
    talk.brain.wake(0.0)
    talk.wait(1)
    assert [type(event).__name__ for event in talk.events] == ["ProviderError"]
    assert talk.brain.hangup == Close(code=1008)


def test_what_is_scripted_for_the_session_goes_on_beside_the_conversation() -> None:
    warning = Reply(cue=Cue.START, steps=(Wait(ms=500), GoAway(time_left_ms=1000), Wait(ms=1000)))
    talk = Talk(warning, long_reply(), speed=2)
    talk.brain.wake(0.0)
    assert talk.brain.expecting
    assert not talk.brain.speaking
    talk.say(SendText(text="Hello"))
    talk.wait(10)
    talk.check()
    assert not talk.brain.expecting
    assert talk.names(ResponseStarted, SessionExpiring, ResponseDone) == [
        "ResponseStarted",
        "SessionExpiring",
        "ResponseDone",
    ]


def test_a_reply_at_the_start_that_says_something_is_a_response() -> None:
    talk = Talk(Reply(cue=Cue.START, steps=(Say(text="Welcome.", ms=300),)))
    talk.brain.wake(0.0)
    talk.wait(3)
    talk.check()
    assert talk.of(ResponseStarted, AudioDelta)


def test_an_item_of_the_users_is_what_a_request_answers() -> None:
    calls = Reply(cue=Cue.TEXT, steps=(Call(name="a"),))
    talk = Talk(calls)
    words = (TextContent(text="Hello"), TextContent(text="there"))
    talk.say(CreateItem(item=Item(role=Role.USER, content=words)))
    talk.say(Respond())
    talk.wait(3)
    assert talk.names(ToolCall) == ["ToolCall"]


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda talk: talk.say(SendText(text="Hi")), "You wrote: Hi"),
        (lambda talk: (talk.speak(1000), talk.be_silent(600)), "I heard 1.5 seconds of speech."),
        (lambda talk: talk.say(Respond()), "I am here, and I am a simulator."),
    ],
    ids=["text", "speech", "nothing"],
)
def test_without_a_script_it_makes_something_up(act: Callable[[Talk], None], said: str) -> None:
    talk = Talk()
    act(talk)
    talk.wait(10)
    talk.check()
    words = (e for e in talk.events if isinstance(e, TranscriptDelta) and e.role == "assistant")
    assert "".join(word.text for word in words) == said


def test_new_settings_apply_to_the_input_that_follows() -> None:
    talk = Talk()
    talk.be_silent(1000)
    talk.ear.config = SessionConfig(turn_detection=ServerVAD(prefix_padding_ms=0))
    talk.speak(300)
    (started,) = talk.of(SpeechStarted)
    assert isinstance(started, SpeechStarted)
    assert started.audio_ms == 1000
