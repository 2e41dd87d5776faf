"""The simulated model: when it answers, what it says, and how it is interrupted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from unirt import (
    PCM16_24K,
    AppendAudio,
    AudioDelta,
    CancelResponse,
    ClearInput,
    Command,
    CommitInput,
    CreateItem,
    Ending,
    EndTurn,
    Event,
    GenerationDone,
    InputCommitted,
    Interrupted,
    Item,
    Manual,
    Respond,
    ResponseDone,
    ResponseStarted,
    Role,
    SendText,
    SendToolResult,
    ServerVAD,
    SessionConfig,
    SessionExpiring,
    SessionStarted,
    SpeechStarted,
    SpeechStopped,
    StartTurn,
    StreamClosed,
    TextContent,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
    Transcription,
)
from unirt.events import Origin
from unirt.simulator.brain import Brain
from unirt.simulator.scenario import (
    Call,
    Close,
    Cue,
    Error,
    GoAway,
    Pace,
    Reply,
    Say,
    Scenario,
    Wait,
    When,
)
from unirt.simulator.scenario import Heard as Understood
from unirt.simulator.voice import silence, speech
from unirt.testing import check
from unirt.translator import Frame, Heard, Upgrade, Verdict
from unirt.usage import Tokens, Usage

TRANSCRIBED = SessionConfig(input_transcription=Transcription())


class Ear:
    """A server side without a protocol: it keeps what it is told."""

    ready = True

    def __init__(self, config: SessionConfig) -> None:
        self.config = config
        self.told: list[tuple[float, Event]] = []

    def upgrade(self, request: Upgrade) -> Verdict:
        return Verdict()

    def start(self, now: float) -> None:
        pass

    def receive(self, frame: Frame, now: float) -> None:
        pass

    def send(self, event: Event, now: float) -> None:
        self.told.append((now, event))

    def heard(self) -> list[Heard]:
        return []

    def frames_to_send(self) -> list[Frame]:
        return []

    def close_wanted(self) -> tuple[int, str] | None:
        return None


class Talk:
    """One conversation with a brain, on a clock of its own."""

    def __init__(self, *replies: Reply, config: SessionConfig = TRANSCRIBED, **pace: Any) -> None:
        counts: dict[str, int] = {}

        def mint(noun: str) -> str:
            counts[noun] = counts.get(noun, 0) + 1
            return f"{noun}_{counts[noun]}"

        self.ear = Ear(config)
        scenario = Scenario(name="talk", replies=replies)
        pace.setdefault("latency_ms", 0)
        self.brain = Brain("toy", self.ear, scenario=scenario, mint=mint, pace=Pace(**pace))
        self.now = 0.0

    def say(self, command: Command) -> None:
        self.brain.hear(Heard(command=command, type=""), self.now)

    def speak(self, ms: float) -> None:
        """The user speaks, in real time."""
        self._append(speech(ms, PCM16_24K))

    def be_silent(self, ms: float) -> None:
        self._append(silence(ms, PCM16_24K))

    def _append(self, sound: bytes) -> None:
        for start in range(0, len(sound), 960):
            self.say(AppendAudio(data=sound[start : start + 960]))
            self.wait(0.02)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (timer := self.brain.get_timer()) is not None and timer <= end:
            self.now = timer
            self.brain.handle_timer(timer)
        self.now = end

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.ear.told]

    def of(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kinds)]

    def names(self, *kinds: type[Event]) -> list[str]:
        return [type(event).__name__ for event in self.of(*kinds)]

    def check(self, complete: bool = True) -> None:
        start = SessionStarted(origin=Origin(provider="toy"))
        check([start, *self.events], complete=complete)


def long_reply(cue: Cue = Cue.TEXT) -> Reply:
    usage = Usage(input=Tokens(text=10), output=Tokens(text=20, audio=100))
    return Reply(cue=cue, steps=(Say(text="one two three four", ms=4000),), usage=usage)


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


CALLS = Reply(cue=Cue.TEXT, steps=(Call(name="a", args={"x": 1}), Call(name="b")))
AFTER = Reply(cue=Cue.TOOL_RESULT, steps=(Say(text="Both.", ms=100),))


def call_ids(talk: Talk) -> list[str]:
    return [event.call_id for event in talk.events if isinstance(event, ToolCall)]


@pytest.mark.parametrize("native", [True, False], ids=["answers by itself", "is asked to answer"])
def test_the_model_goes_on_when_all_calls_are_answered(native: bool) -> None:
    talk = Talk(CALLS, AFTER)
    talk.say(SendText(text="Go"))
    talk.wait(1)
    first, second = call_ids(talk)
    talk.say(SendToolResult(call_id=first, output="1", respond=native))
    talk.wait(1)
    assert len(talk.of(ResponseStarted)) == 1
    talk.say(SendToolResult(call_id=second, output="2", respond=native))
    if not native:
        talk.say(Respond())
    talk.wait(1)
    talk.check()
    assert len(talk.of(ResponseStarted)) == 2
    assert talk.of(AudioDelta)


def test_results_that_come_early_are_answered_once_and_late() -> None:
    slow = Reply(cue=Cue.TEXT, steps=(Call(name="a"), Wait(ms=500), Call(name="b")))
    talk = Talk(slow, AFTER)
    talk.say(SendText(text="Go"))
    talk.say(SendToolResult(call_id=call_ids(talk)[0], output="1"))
    talk.wait(1)
    assert talk.names(ResponseStarted, ResponseDone) == ["ResponseStarted", "ResponseDone"]
    talk.say(SendToolResult(call_id=call_ids(talk)[1], output="2"))
    talk.wait(1)
    talk.check()
    assert len(talk.of(ResponseStarted)) == 2


def test_speech_cancels_calls_that_wait() -> None:
    talk = Talk(CALLS, AFTER)
    talk.say(SendText(text="Go"))
    talk.wait(1)
    talk.speak(300)
    talk.check()
    (cancelled,) = talk.of(ToolCallCancelled)
    assert isinstance(cancelled, ToolCallCancelled)
    assert list(cancelled.call_ids) == call_ids(talk)
    talk.say(SendToolResult(call_id=cancelled.call_ids[0], output="late"))
    talk.wait(1)
    assert len(talk.of(ResponseStarted)) == 1


def test_a_tool_that_reports_in_pieces_is_answered_with_the_last() -> None:
    talk = Talk(Reply(cue=Cue.TEXT, steps=(Call(name="a"),)), AFTER)
    talk.say(SendText(text="Go"))
    (call_id,) = call_ids(talk)
    talk.say(SendToolResult(call_id=call_id, output="some", more_follows=True))
    talk.wait(1)
    assert len(talk.of(ResponseStarted)) == 1
    talk.say(SendToolResult(call_id=call_id, output="all"))
    talk.wait(1)
    assert len(talk.of(ResponseStarted)) == 2


def test_calls_that_the_model_does_not_wait_for_outlive_an_interruption() -> None:
    tools = (Tool(name="a", blocking=False), Tool(name="b", blocking=True))
    talk = Talk(CALLS, AFTER, config=SessionConfig(tools=tools))
    talk.say(SendText(text="Go"))
    talk.wait(1)
    aside, waited_for = call_ids(talk)
    talk.speak(300)
    (cancelled,) = talk.of(ToolCallCancelled)
    assert isinstance(cancelled, ToolCallCancelled)
    assert cancelled.call_ids == (waited_for,)
    talk.say(SendToolResult(call_id=aside, output="done"))
    talk.wait(1)
    talk.check()
    assert len(talk.of(ResponseStarted)) == 2


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


def test_without_a_script_it_calls_a_tool_that_the_user_names() -> None:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}, "x": {}},
        "required": ["city", "unit"],
    }
    talk = Talk(config=SessionConfig(tools=(Tool(name="Weather", parameters=parameters),)))
    talk.say(SendText(text="the weather, please"))
    talk.wait(5)
    (call,) = (event for event in talk.events if isinstance(event, ToolCall))
    assert (call.name, call.args) == ("Weather", {"city": "example", "unit": "C"})
    talk.say(SendToolResult(call_id=call.call_id, output="rain"))
    talk.wait(5)
    talk.check()
    words = (event for event in talk.events if isinstance(event, TranscriptDelta))
    assert "".join(word.text for word in words) == "The tool returned: rain"


def test_new_settings_apply_to_the_input_that_follows() -> None:
    talk = Talk()
    talk.be_silent(1000)
    talk.ear.config = SessionConfig(turn_detection=ServerVAD(prefix_padding_ms=0))
    talk.speak(300)
    (started,) = talk.of(SpeechStarted)
    assert isinstance(started, SpeechStarted)
    assert started.audio_ms == 1000
