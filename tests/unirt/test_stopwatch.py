"""The stopwatch: moments of turns, at no cost for audio beyond the first piece."""

from typing import Any

import pytest

from unirt import Timings, TurnTimings
from unirt import commands as cmd
from unirt import events as ev
from unirt.audio import PCM16_24K
from unirt.composer import Composer
from unirt.events import StreamKind
from unirt.session.limits import Limits
from unirt.session.state import State
from unirt.session.stopwatch import KEPT

SOUND = bytes(480)


class Watched:
    """A session's state that is fed what a composer tells, at times that are said."""

    def __init__(self) -> None:
        self.composer = Composer("toy")
        self.state = State(Limits(), (), lambda: "m")
        self.at(0.0)
        self.composer.session_started()

    def at(self, now: float) -> Composer:
        self.feed()
        self.composer.begin(None, now)
        return self.composer

    def feed(self) -> None:
        self.state.feed(self.composer.events_received())

    @property
    def timings(self) -> Timings:
        self.feed()
        return self.state.stopwatch.timings

    @property
    def turn(self) -> TurnTimings:
        latest = self.timings.latest
        assert latest is not None
        return latest

    def says(self, command: Any, now: float) -> None:
        self.feed()
        self.state.said(command, now)

    def speaks(self, start: float, stop: float | None, item: str = "u1") -> None:
        turn = self.at(start).turn(item)
        self.composer.emit(ev.SpeechStarted, turn_id=turn, item_id=item)
        if stop is not None:
            self.at(stop).emit(ev.SpeechStopped, turn_id=turn, item_id=item)

    def answers(self, response: str, now: float, *, done: float | None = None) -> None:
        """Start, words and sound a tenth of a second apart each."""
        started = self.at(now).response_started(response)
        self.at(now + 0.1).text(started, StreamKind.TRANSCRIPT, response, 0, "Hi")
        for piece in range(3):
            self.at(now + 0.2 + piece / 10).audio(started, response, 0, SOUND, PCM16_24K)
        if done is not None:
            self.at(done).response_done(response)

    @property
    def hears_audio(self) -> bool:
        self.feed()
        return ev.AudioDelta in self.state._handlers


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_spoken_turn_from_the_end_of_speech(watched: Watched) -> None:
    watched.speaks(1.0, 2.0)
    watched.answers("r1", 2.5, done=4.0)

    turn = watched.turn
    assert (turn.ended_at, turn.ended_by) == (2.0, "speech")
    assert (turn.response_at, turn.text_at, turn.audio_at, turn.done_at) == (2.5, 2.6, 2.7, 4.0)
    assert turn.first_audio_ms == pytest.approx(700)


def test_nothing_is_done_for_audio_beyond_the_first_piece(watched: Watched) -> None:
    assert not watched.hears_audio
    response = watched.at(1.0).response_started("r1")
    watched.composer.open(response, StreamKind.AUDIO, "i", 0)
    assert watched.hears_audio

    watched.at(1.5).audio(response, "i", 0, SOUND, PCM16_24K)
    assert not watched.hears_audio
    watched.at(2.0).audio(response, "j", 0, SOUND, PCM16_24K)  # another stream of the turn
    assert not watched.hears_audio
    assert watched.turn.audio_at == 1.5


@pytest.mark.parametrize(
    "command",
    [cmd.EndTurn(), cmd.SendText(text="Hi"), cmd.Respond(), cmd.SendImage(data=b"", respond=True)],
    ids=lambda command: type(command).__name__,
)
def test_a_turn_that_the_application_ends(watched: Watched, command: cmd.Command) -> None:
    watched.says(command, 3.0)
    watched.answers("r1", 3.5)

    assert (watched.turn.ended_at, watched.turn.ended_by) == (3.0, "command")
    assert watched.turn.response_ms == pytest.approx(500)


@pytest.mark.parametrize(
    "command",
    [cmd.EndTurn(respond=False), cmd.SendText(text="Hi", respond=False), cmd.AppendAudio(data=b"")],
)
def test_what_asks_for_no_answer_ends_no_turn(watched: Watched, command: cmd.Command) -> None:
    watched.says(command, 3.0)
    watched.answers("r1", 3.5)
    assert watched.turn.ended_at is None


def test_asking_for_the_answer_does_not_move_the_end_of_the_turn(watched: Watched) -> None:
    watched.speaks(1.0, 2.0)
    watched.says(cmd.Respond(), 2.4)
    watched.answers("r1", 2.5)
    assert watched.turn.ended_at == 2.0


def test_where_nothing_told_the_end_only_the_answer_is_timed(watched: Watched) -> None:
    watched.speaks(1.0, None)
    watched.answers("r1", 2.5)
    assert watched.turn.first_audio_ms is None
    assert watched.turn.response_to_audio_ms == pytest.approx(200)


def test_a_user_who_goes_on_speaking_is_not_done(watched: Watched) -> None:
    watched.speaks(1.0, 2.0)
    watched.speaks(2.1, 3.0)
    watched.answers("r1", 3.5)
    assert watched.turn.ended_at == 3.0


def test_an_end_of_speech_that_is_told_late_is_not_the_next_turn_s(watched: Watched) -> None:
    watched.speaks(1.0, None)
    turn = watched.composer.turn("u1")
    watched.answers("r1", 1.5, done=2.0)
    watched.at(2.1).emit(ev.SpeechStopped, turn_id=turn, item_id="u1")
    watched.at(2.5).turn("u2")
    watched.answers("r2", 3.0)

    assert [turn.ended_at for turn in watched.timings] == [None, None]


def call(watched: Watched, response: str, call_id: str, now: float) -> None:
    started = watched.at(now).response_started(response)
    watched.composer.tool_call(
        started, call_id + ".i", call_id=call_id, name="f", arguments="{}", args={}
    )


def test_tool_time_is_a_part_of_the_turn_and_calls_side_by_side_count_once(
    watched: Watched,
) -> None:
    watched.says(cmd.SendText(text="Weather?"), 0.5)
    call(watched, "r1", "c1", 1.0)
    call(watched, "r1", "c2", 1.5)
    watched.at(1.6).response_done("r1")
    watched.says(cmd.SendToolResult(call_id="c1", output=1), 2.0)
    watched.says(cmd.SendToolResult(call_id="c2", output=1, more_follows=True), 2.5)
    watched.says(cmd.SendToolResult(call_id="c2", output=2), 3.0)
    watched.says(cmd.SendToolResult(call_id="c2", output=3), 9.0)
    watched.answers("r2", 3.25, done=5.0)

    (turn,) = watched.timings
    assert turn.calls == 2
    assert turn.tool_ms == pytest.approx(2000)
    assert turn.response_ms == pytest.approx(500)
    assert turn.first_audio_ms == pytest.approx(2950)
    assert turn.done_ms == pytest.approx(4500)


def test_a_cancelled_call_takes_no_more_time(watched: Watched) -> None:
    call(watched, "r1", "c1", 1.0)
    watched.at(1.25).cancel_calls(["c1"])
    assert watched.turn.tool_ms == pytest.approx(250)


def test_an_interruption_is_the_turn_s(watched: Watched) -> None:
    watched.answers("r1", 1.0)
    watched.at(2.0).interrupt()
    watched.composer.response_done("r1")
    assert (watched.turn.interrupted, watched.turn.done_at) == (True, 2.0)


def test_a_turn_is_not_done_while_a_response_runs(watched: Watched) -> None:
    watched.answers("r1", 1.0)
    assert watched.turn.done_at is None
    assert watched.turn.done_ms is None


def test_what_is_outside_the_conversation_is_no_turn(watched: Watched) -> None:
    response = watched.at(1.0).response_started("r1", in_conversation=False)
    watched.composer.audio(response, "i", 0, SOUND, PCM16_24K)
    watched.composer.response_done("r1")
    assert len(watched.timings) == 0
    assert not watched.hears_audio


def test_the_words_of_the_user_are_not_the_answer(watched: Watched) -> None:
    response = watched.at(1.0).response_started("r1")
    watched.composer.open(response, StreamKind.TRANSCRIPT, "i", 0)
    watched.at(2.0).user_text(StreamKind.TRANSCRIPT, "u9", 0, "Hello")
    assert watched.turn.text_at is None
    watched.at(3.0).text(response, StreamKind.TRANSCRIPT, "i", 0, "Hi")
    assert watched.turn.text_at == 3.0


def test_only_the_latest_turns_are_kept(watched: Watched) -> None:
    for number in range(KEPT + 5):
        watched.composer.turn(f"u{number}")
        call(watched, f"r{number}", f"c{number}", float(number))
        watched.composer.response_done(f"r{number}")
    assert len(watched.timings) == KEPT
    assert watched.timings.turns[0].response_at == 5.0
    assert len(watched.state.stopwatch._calls) == KEPT
