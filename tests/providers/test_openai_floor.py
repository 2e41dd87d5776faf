"""Interruptions: who is told what, when a response is cut short."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from unirt import commands as cmd
from unirt import events as ev
from unirt.config import LocalVAD, Manual, ServerVAD, Tool
from unirt.events import Ending, Event

STARTED = {"type": "response.created", "response": {"id": "r1", "conversation_id": "c1"}}
OUT = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
SPEECH = {"type": "input_audio_buffer.speech_started", "audio_start_ms": 1, "item_id": "u2"}
DONE = {"type": "response.done", "response": {"id": "r1", "status": "completed"}}
CUT: dict[str, Any] = {
    "type": "response.done",
    "response": {
        "id": "r1",
        "status": "cancelled",
        "status_details": {"type": "cancelled", "reason": "turn_detected"},
    },
}
CALL = {
    "type": "response.output_item.done",
    "response_id": "r1",
    "item": {
        "id": "i2",
        "type": "function_call",
        "status": "completed",
        "name": "look",
        "call_id": "k1",
        "arguments": "{}",
    },
}


def audio(ms: int, **ids: Any) -> dict[str, Any]:
    data = base64.b64encode(bytes(48 * ms)).decode()
    return {"type": "response.output_audio.delta", "delta": data, **OUT, **ids}


def kinds(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def test_speech_cuts_the_running_response_at_once_and_truncates_what_was_heard(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000))
    wire.now = 0.25
    events = wire.hear(SPEECH)
    assert kinds(events) == [ev.SpeechStarted, ev.StreamClosed, ev.Interrupted]
    _, closed, interrupted = events
    assert (closed.ending, closed.heard_ms) == (Ending.INTERRUPTED, 250)
    assert (interrupted.response_id, interrupted.by, interrupted.synthesised) == (
        "r1",
        "speech",
        True,
    )
    assert (interrupted.generating, interrupted.heard_ms, interrupted.heard_exactly) == (
        True,
        250,
        False,
    )
    assert wire.sent() == [
        {
            "type": "conversation.item.truncate",
            "item_id": "i1",
            "content_index": 0,
            "audio_end_ms": 250,
        }
    ]


def test_what_comes_after_the_cut_is_discarded_and_its_done_says_interrupted(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(100), SPEECH)
    events = wire.hear(audio(40), {"type": "response.output_audio.done", **OUT}, CUT)
    assert kinds(events) == [ev.ContentDiscarded, ev.Noted, ev.ResponseDone]
    discarded, _, done = events
    assert (discarded.size, discarded.duration_ms) == (1920, 40)
    assert (done.ending, done.reason) == (Ending.INTERRUPTED, "speech")


def test_speech_during_playback_cuts_only_the_playback(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000), DONE)
    wire.now = 0.4
    events = wire.hear(SPEECH)
    assert kinds(events) == [ev.SpeechStarted, ev.Interrupted]
    assert (events[1].generating, events[1].heard_ms) == (False, 400)
    assert [frame["audio_end_ms"] for frame in wire.sent()] == [400]


def test_speech_after_the_playback_is_only_speech(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000), DONE)
    wire.now = 1.5
    assert kinds(wire.hear(SPEECH)) == [ev.SpeechStarted]
    assert wire.sent() == []


def test_a_players_report_decides_where_to_truncate(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000))
    wire.now = 0.9
    assert wire.send(cmd.ReportPlayback(played_ms=120)) == []
    events = wire.hear(SPEECH)
    assert (events[-1].heard_ms, events[-1].heard_exactly) == (120, True)
    assert [frame["audio_end_ms"] for frame in wire.sent()] == [120]


def test_the_item_that_was_playing_is_truncated_at_its_own_offset(openai_wire: Any) -> None:
    wire = openai_wire()
    second = {"item_id": "i9", "content_index": 2}
    wire.hear(STARTED, audio(300), audio(500, **second))
    wire.send(cmd.ReportPlayback(played_ms=420))
    wire.hear(SPEECH)
    assert wire.sent() == [
        {
            "type": "conversation.item.truncate",
            "item_id": "i9",
            "content_index": 2,
            "audio_end_ms": 120,
        }
    ]


@pytest.mark.parametrize("before", [[STARTED], [STARTED, audio(500)]])
def test_nothing_is_truncated_at_zero(openai_wire: Any, before: list[dict[str, Any]]) -> None:
    wire = openai_wire()
    wire.hear(*before)
    assert ev.Interrupted in kinds(wire.hear(SPEECH))
    assert wire.sent() == []


def test_nothing_is_truncated_at_less_than_a_millisecond(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(500))
    wire.send(cmd.ReportPlayback(played_ms=0.4))
    events = wire.hear(SPEECH)
    assert (events[-1].heard_ms, events[-1].heard_exactly) == (0.4, True)
    assert wire.sent() == []  # it would be at 0 ms


@pytest.mark.parametrize("told", [True, False])
def test_speech_interrupts_nothing_where_it_was_configured_not_to(
    openai_wire: Any, told: bool
) -> None:
    wire = openai_wire(turn_detection=None if told else ServerVAD(interrupt=False))
    detection = {"type": "server_vad", "interrupt_response": False}
    if told:
        session = {"audio": {"input": {"turn_detection": detection}}}
        wire.hear({"type": "session.updated", "session": session})
    wire.hear(STARTED, audio(500))
    assert kinds(wire.hear(SPEECH)) == [ev.SpeechStarted]


def test_speech_cancels_the_calls_that_the_model_waits_for(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, CALL, DONE)
    events = wire.hear(SPEECH)
    assert kinds(events) == [ev.SpeechStarted, ev.Interrupted, ev.ToolCallCancelled]
    assert (events[2].call_ids, events[2].response_id) == (("k1",), "r1")
    assert wire.send(cmd.SendToolResult(call_id="k1", output="late")) == []
    assert kinds(wire.events()) == [ev.Noted]


@pytest.mark.parametrize(
    "written", [cmd.SendText(text="No."), cmd.SendImage(data=b"j", respond=True)]
)
def test_what_is_written_cancels_the_calls_that_the_model_waits_for(
    openai_wire: Any, written: cmd.Command
) -> None:
    """As the other protocol has it: whoever asks for an answer waits for no other."""
    wire = openai_wire()
    wire.hear(STARTED, CALL, DONE)
    frames = wire.send(written)
    assert [frame["type"] for frame in frames] == ["conversation.item.create", "response.create"]
    events = wire.events()
    assert kinds(events) == [ev.Interrupted, ev.ToolCallCancelled]
    assert (events[0].by, events[1].call_ids, events[1].response_id) == ("client", ("k1",), "r1")
    assert wire.send(cmd.SendToolResult(call_id="k1", output="late")) == []
    assert kinds(wire.events()) == [ev.Noted]


def test_what_asks_for_no_answer_cancels_no_call(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, CALL, DONE)
    wire.send(cmd.SendText(text="By the way.", respond=False))
    assert kinds(wire.events()) == []
    assert len(wire.send(cmd.SendToolResult(call_id="k1", output="x"))) == 2


@pytest.mark.parametrize("response_id", [None, "r1"])
def test_cancelling_an_answer_cancels_the_calls_that_it_waits_for(
    openai_wire: Any, response_id: str | None
) -> None:
    wire = openai_wire()
    wire.hear(STARTED, CALL, DONE)
    assert wire.send(cmd.CancelResponse(response_id=response_id)) == []
    (cancelled,) = wire.events()
    assert (type(cancelled), cancelled.call_ids) == (ev.ToolCallCancelled, ("k1",))
    assert wire.send(cmd.SendToolResult(call_id="k1", output="late")) == []
    wire.events()
    wire.send(cmd.CancelResponse(response_id=response_id))
    assert kinds(wire.events()) == [ev.Noted]


def test_calls_that_nobody_waits_for_go_on(openai_wire: Any) -> None:
    wire = openai_wire(tools=(Tool(name="look", blocking=False),))
    wire.hear(STARTED, CALL, DONE)
    assert kinds(wire.hear(SPEECH)) == [ev.SpeechStarted]
    wire.send(cmd.CancelResponse())
    assert kinds(wire.events()) == [ev.Noted]
    wire.send(cmd.SendText(text="And?"))
    assert kinds(wire.events()) == []
    assert len(wire.send(cmd.SendToolResult(call_id="k1", output="x"))) >= 1


def test_a_tool_round_that_was_cut_is_not_answered_behind_the_users_back(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(STARTED, CALL)
    assert len(wire.send(cmd.SendToolResult(call_id="k1", output="x"))) == 1
    wire.hear(SPEECH, CUT)
    assert wire.sent() == []


def test_the_application_interrupts_what_runs(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000))
    frames = wire.send(cmd.Interrupt(played_ms=333.9))
    assert frames == [
        {"type": "response.cancel", "response_id": "r1"},
        {
            "type": "conversation.item.truncate",
            "item_id": "i1",
            "content_index": 0,
            "audio_end_ms": 333,
        },
    ]
    interrupted = wire.events()[-1]
    assert (interrupted.by, interrupted.heard_ms, interrupted.heard_exactly) == (
        "client",
        333.9,
        True,
    )
    done = {**CUT["response"], "status_details": {"reason": "client_cancelled"}}
    (over,) = wire.hear({"type": "response.done", "response": done})
    assert (over.ending, over.reason) == (Ending.INTERRUPTED, "client")


def test_the_application_interrupts_what_plays(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000), DONE)
    frames = wire.send(cmd.Interrupt(played_ms=500))
    assert [frame["type"] for frame in frames] == ["conversation.item.truncate"]
    assert kinds(wire.events()) == [ev.Interrupted]


def test_an_interruption_of_nothing_is_noted(openai_wire: Any) -> None:
    wire = openai_wire()
    assert wire.send(cmd.Interrupt()) == []
    assert kinds(wire.events()) == [ev.Noted]


def test_a_second_interruption_sends_nothing_more(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(1000))
    wire.send(cmd.Interrupt(played_ms=100))
    assert wire.send(cmd.Interrupt(played_ms=200)) == []


def test_cancelling_is_no_interruption(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, audio(100))
    assert wire.send(cmd.CancelResponse()) == [{"type": "response.cancel", "response_id": "r1"}]
    assert wire.events() == []
    cancelled = {"id": "r1", "status": "cancelled"}
    events = wire.hear(audio(20), {"type": "response.done", "response": cancelled})
    assert isinstance(events[0], ev.AudioDelta)
    assert (events[-1].ending, events[-1].reason) == (Ending.CANCELLED, "client")


def test_cancelling_twice_sends_one_frame(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED)
    wire.send(cmd.CancelResponse())
    assert wire.send(cmd.CancelResponse(response_id="r1")) == []


@pytest.mark.parametrize("response_id", [None, "gone"])
def test_cancelling_nothing_is_noted(openai_wire: Any, response_id: str | None) -> None:
    wire = openai_wire()
    assert wire.send(cmd.CancelResponse(response_id=response_id)) == []
    assert kinds(wire.events()) == [ev.Noted]


def test_the_start_of_a_manual_turn_takes_the_floor(openai_wire: Any) -> None:
    wire = openai_wire(turn_detection=Manual())
    wire.hear(STARTED, CALL, audio(1000))
    wire.now = 0.1
    frames = wire.send(cmd.StartTurn())
    assert [frame["type"] for frame in frames] == ["response.cancel", "conversation.item.truncate"]
    assert kinds(wire.events())[-2:] == [ev.Interrupted, ev.ToolCallCancelled]


def test_playback_that_the_provider_cleared_is_an_interruption(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(STARTED, DONE)
    events = wire.hear({"type": "output_audio_buffer.cleared", "response_id": "r1"})
    assert kinds(events) == [ev.PlaybackCleared, ev.Interrupted]
    assert wire.sent() == []


def test_a_turn_that_the_session_heard_begin_is_speech_and_the_provider_is_told_to_stop(
    openai_wire: Any,
) -> None:
    wire = openai_wire(turn_detection=LocalVAD())
    wire.hear(STARTED, audio(1000))
    wire.now = 0.25
    told = wire.send(cmd.StartTurn(audio_ms=40.0))
    assert [frame["type"] for frame in told] == ["response.cancel", "conversation.item.truncate"]
    events = wire.events()
    assert kinds(events) == [ev.SpeechStarted, ev.StreamClosed, ev.Interrupted]
    started, _, interrupted = events
    assert (started.audio_ms, started.synthesised) == (40.0, True)
    assert interrupted.by == "speech"
    wire.send(cmd.AppendAudio(data=bytes(48 * 200)))
    wire.send(cmd.EndTurn(audio_ms=240.0))
    [stopped] = wire.events()
    assert (type(stopped), stopped.audio_ms, stopped.synthesised) == (ev.SpeechStopped, 240.0, True)
    assert stopped.turn_id == started.turn_id
