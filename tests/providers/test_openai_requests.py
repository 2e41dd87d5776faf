"""Asking for responses: one at a time, never too early, never twice for a tool round."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from unirt import commands as cmd
from unirt import events as ev
from unirt.commands import Scheduling
from unirt.config import Manual, Tool

CREATE = {"type": "response.create"}


def started(id_: str = "r1") -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": id_, "conversation_id": "c1"}}


def done(id_: str = "r1", status: str = "completed") -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": id_, "status": status}}


def call(number: int, response_id: str = "r1") -> dict[str, Any]:
    return {
        "type": "response.output_item.done",
        "response_id": response_id,
        "item": {
            "id": f"f{number}",
            "type": "function_call",
            "status": "completed",
            "name": "look",
            "call_id": f"k{number}",
            "arguments": "{}",
        },
    }


def refused(code: str, event_id: str | None) -> dict[str, Any]:
    error = {"type": "invalid_request_error", "code": code, "message": "m", "event_id": event_id}
    return {"type": "error", "error": error}


ACTIVE = "conversation_already_has_active_response"


def answer(number: int, **fields: Any) -> cmd.SendToolResult:
    return cmd.SendToolResult(call_id=f"k{number}", output="ok", **fields)


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def test_a_request_waits_until_nothing_runs(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started())
    assert wire.send(cmd.Respond()) == []
    wire.hear(done())
    assert wire.sent() == [CREATE]


def test_a_request_waits_for_the_response_that_was_asked_for_before(openai_wire: Any) -> None:
    wire = openai_wire()
    assert wire.send(cmd.Respond()) == [CREATE]
    assert wire.send(cmd.Respond(instructions="x")) == []
    wire.hear(started())
    assert wire.sent() == []
    wire.hear(done())
    assert wire.sent() == [{**CREATE, "response": {"instructions": "x"}}]


def test_requests_that_ask_for_nothing_special_are_one(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started())
    wire.send(cmd.Respond())
    wire.send(cmd.Respond())
    wire.hear(done())
    assert wire.sent() == [CREATE]
    wire.hear(started("r2"), done("r2"))
    assert wire.sent() == []


def test_a_request_beside_the_conversation_waits_for_nothing(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started())
    beside = cmd.Respond(in_conversation=False, metadata={"k": "v"})
    assert wire.send(beside) == [
        {**CREATE, "response": {"conversation": "none", "metadata": {"k": "v"}}}
    ]


def test_text_cuts_the_running_answer_and_is_answered_after_it(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started())
    frames = wire.send(cmd.SendText(text="No, wait"))
    assert types(frames) == ["response.cancel", "conversation.item.create"]
    assert [type(e) for e in wire.events()] == [ev.Interrupted]
    wire.hear(done(status="cancelled"))
    assert wire.sent() == [CREATE]


def test_text_that_wants_no_answer_interrupts_nothing(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started())
    assert types(wire.send(cmd.SendText(text="fyi", respond=False))) == ["conversation.item.create"]
    wire.hear(done())
    assert wire.sent() == []


@pytest.mark.parametrize("named", [True, False])
def test_a_request_that_collided_is_sent_again_after_the_response_in_its_way(
    openai_wire: Any, named: bool
) -> None:
    wire = openai_wire()
    wire.translator.send(cmd.Respond(instructions="x"), wire.now)
    (frame,) = wire.translator.frames_to_send()
    event_id = frame.split('"event_id":"')[1].split('"')[0]
    wire.hear(started(), refused(ACTIVE, event_id if named else None))
    assert wire.sent() == []
    wire.hear(done())
    assert wire.sent() == [{**CREATE, "response": {"instructions": "x"}}]


def test_a_collision_with_a_response_that_was_never_seen_is_given_up_after_a_while(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.send(cmd.Respond())
    wire.hear(refused(ACTIVE, None))
    assert wire.sent() == []
    wire.now = wire.translator.get_timer()
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == [CREATE]


def test_a_request_that_the_provider_refused_does_not_block_the_next(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.translator.send(cmd.Respond(), wire.now)
    (frame,) = wire.translator.frames_to_send()
    event_id = frame.split('"event_id":"')[1].split('"')[0]
    wire.hear(refused("invalid_value", event_id))
    assert wire.send(cmd.Respond()) == [CREATE]


def test_a_request_that_nothing_answers_does_not_block_the_next_forever(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.send(cmd.Respond())
    wire.send(cmd.Respond())
    wire.now = wire.translator.get_timer()
    assert wire.now < 60
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == [CREATE]


def test_an_error_about_something_else_changes_nothing(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.send(cmd.Respond())
    wire.hear(refused("invalid_value", "other"))
    assert wire.send(cmd.Respond()) == []


def test_what_was_interrupted_before_it_began_is_cancelled_when_it_begins(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.send(cmd.Respond())
    assert wire.send(cmd.Interrupt()) == []
    wire.hear(started())
    assert wire.sent() == [{"type": "response.cancel", "response_id": "r1"}]


def test_the_start_of_a_turn_withdraws_what_was_owed(openai_wire: Any) -> None:
    wire = openai_wire(turn_detection=Manual())
    wire.hear(started())
    wire.send(cmd.Respond())
    wire.send(cmd.StartTurn())
    wire.hear(done(status="cancelled"))
    assert wire.sent() == []
    wire.send(cmd.AppendAudio(data=bytes(4800)))
    assert types(wire.send(cmd.EndTurn())) == ["input_audio_buffer.commit", "response.create"]


# Tool rounds.


def test_parallel_calls_are_answered_by_one_request(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1), call(2), done())
    assert types(wire.send(answer(2))) == ["conversation.item.create"]
    assert types(wire.send(answer(1))) == ["conversation.item.create", "response.create"]


def test_a_result_goes_at_once_and_its_request_after_the_response(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1))
    (frame,) = wire.send(answer(1))
    assert frame["item"] == {
        "id": "u_item_1",
        "type": "function_call_output",
        "call_id": "k1",
        "output": "ok",
    }
    wire.hear(call(2), done())
    assert wire.sent() == []
    assert types(wire.send(answer(2))) == ["conversation.item.create", "response.create"]


def test_a_result_that_wants_no_answer_gets_none(openai_wire: Any) -> None:
    for quiet in (answer(1, respond=False), answer(1, scheduling=Scheduling.SILENT)):
        wire = openai_wire()
        wire.hear(started(), call(1), done())
        assert types(wire.send(quiet)) == ["conversation.item.create"]


def test_one_result_that_wants_an_answer_is_enough(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1), call(2), done())
    wire.send(answer(1))
    assert types(wire.send(answer(2, respond=False))) == [
        "conversation.item.create",
        "response.create",
    ]


def test_an_urgent_result_cuts_the_response_that_runs(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1), done(), started("r2"))
    frames = wire.send(answer(1, scheduling=Scheduling.INTERRUPT))
    assert types(frames) == ["response.cancel", "conversation.item.create"]
    wire.hear(done("r2", "cancelled"))
    assert wire.sent() == [CREATE]


def test_a_late_result_waits_for_the_response_that_runs(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1), done(), started("r2"))
    frames = wire.send(answer(1, scheduling=Scheduling.WHEN_IDLE))
    assert types(frames) == ["conversation.item.create"]
    wire.hear(done("r2"))
    assert wire.sent() == [CREATE]


# Results that are to be spoken of when nobody speaks.

LATER = {"scheduling": Scheduling.WHEN_IDLE}


def audio(ms: int, response_id: str = "r2") -> dict[str, Any]:
    return {
        "type": "response.output_audio.delta",
        "response_id": response_id,
        "item_id": "m1",
        "output_index": 0,
        "content_index": 0,
        "delta": base64.b64encode(bytes(48 * ms)).decode(),
    }


def speaking(openai_wire: Any) -> Any:
    """A call was made, and the answer after it was said whole and is being played."""
    wire = openai_wire()
    wire.hear(started(), call(1), done(), started("r2"), audio(3000), done("r2"))
    assert wire.sent() == []
    return wire


def test_any_other_result_does_not_wait_until_what_was_said_is_played(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), audio(3000, "r1"), call(1), done())
    assert types(wire.send(answer(1))) == ["conversation.item.create", "response.create"]


def test_a_late_result_waits_until_what_was_said_is_played(openai_wire: Any) -> None:
    wire = speaking(openai_wire)
    began = wire.now
    assert types(wire.send(answer(1, **LATER))) == ["conversation.item.create"]
    wire.now = wire.translator.get_timer()
    assert wire.now == pytest.approx(began + 3)
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == [CREATE]
    wire.hear(started("r3"), done("r3"))
    assert wire.sent() == []


def test_a_player_says_when_a_late_result_may_be_spoken_of(openai_wire: Any) -> None:
    wire = speaking(openai_wire)
    wire.send(cmd.ReportPlayback(played_ms=1000))
    wire.send(answer(1, **LATER))
    wire.now += 4  # the player is slow: what the clock says is not true
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == []
    assert wire.send(cmd.ReportPlayback(played_ms=3000)) == [CREATE]


def test_a_player_that_falls_silent_does_not_hold_a_late_result_back_forever(
    openai_wire: Any,
) -> None:
    wire = speaking(openai_wire)
    wire.send(cmd.ReportPlayback(played_ms=1000))
    wire.send(answer(1, **LATER))
    wire.now = wire.translator.get_timer()
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == [CREATE]


def test_a_late_result_waits_for_all_that_plays_although_the_latest_response_is_silent(
    openai_wire: Any,
) -> None:
    wire = speaking(openai_wire)
    wire.hear(started("r3"), call(2, "r3"), done("r3"))
    began = wire.now
    assert types(wire.send(answer(2, **LATER))) == ["conversation.item.create"]
    assert wire.translator.get_timer() == pytest.approx(began + 3)


def test_a_late_result_does_not_wait_for_what_plays_beside_the_conversation(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1), done())
    beside = {"type": "response.created", "response": {"id": "r2", "conversation_id": None}}
    wire.hear(beside, audio(3000), done("r2"))
    assert wire.sent() == []
    assert types(wire.send(answer(1, **LATER))) == ["conversation.item.create", "response.create"]


def test_an_urgent_result_stops_all_that_plays_and_keeps_its_own_call(openai_wire: Any) -> None:
    wire = openai_wire()
    wire.hear(started(), audio(3000, "r1"), call(1), done())
    wire.hear(started("r2"), {**audio(1000), "item_id": "m2"}, done("r2"))
    assert wire.sent() == []
    wire.now += 0.5
    frames = wire.send(answer(1, scheduling=Scheduling.INTERRUPT))
    events = wire.translator.events_received()
    cut = [event for event in events if isinstance(event, ev.Interrupted)]
    assert [(event.response_id, event.heard_ms) for event in cut] == [("r1", 500), ("r2", 0)]
    assert not any(isinstance(event, ev.ToolCallCancelled) for event in events)
    assert types(frames) == [
        "conversation.item.truncate",
        "conversation.item.create",
        "response.create",
    ]


def test_a_late_result_waits_for_the_user_and_is_known_to_the_answer(openai_wire: Any) -> None:
    wire = speaking(openai_wire)
    wire.hear({"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 0})
    wire.sent()
    call_was_cancelled = wire.send(answer(1, **LATER)) == []
    assert call_was_cancelled  # a call that the model waits for needs no answer then

    wire = openai_wire(tools=(Tool(name="look", blocking=False, scheduling=Scheduling.WHEN_IDLE),))
    wire.hear(started(), call(1), done(), started("r2"), audio(3000), done("r2"))
    wire.hear({"type": "input_audio_buffer.speech_started", "item_id": "u1", "audio_start_ms": 0})
    wire.sent()
    assert types(wire.send(answer(1))) == ["conversation.item.create"]
    wire.now += 60
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == []  # the user still speaks
    wire.hear(started("r3"), done("r3"))  # the provider's own answer to the turn
    wire.now += 60
    wire.translator.handle_timer(wire.now)
    assert wire.sent() == []


def test_a_response_that_was_asked_for_before_a_late_result_does_not_speak_of_it(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1), done())
    assert wire.send(cmd.Respond()) == [CREATE]
    assert types(wire.send(answer(1, **LATER))) == ["conversation.item.create"]
    wire.hear(started("r2"), done("r2"))
    assert wire.sent() == [CREATE]


def test_an_urgent_result_stops_what_is_only_playing_any_more(openai_wire: Any) -> None:
    wire = speaking(openai_wire)
    wire.now += 1
    frames = wire.send(answer(1, scheduling=Scheduling.INTERRUPT))
    assert types(frames) == [
        "conversation.item.truncate",
        "conversation.item.create",
        "response.create",
    ]
    assert [type(event) for event in wire.events()][-1] is ev.Interrupted


def test_an_urgent_result_of_the_response_that_runs_is_not_cancelled_by_itself(
    openai_wire: Any,
) -> None:
    wire = openai_wire()
    wire.hear(started(), call(1))
    wire.events()
    frames = wire.send(answer(1, scheduling=Scheduling.INTERRUPT))
    assert types(frames) == ["response.cancel", "conversation.item.create"]
    assert [type(event) for event in wire.events()] == [ev.Interrupted]
    wire.hear(done(status="cancelled"))
    assert wire.sent() == [CREATE]


def test_a_tool_says_what_its_results_may_do(openai_wire: Any) -> None:
    wire = openai_wire(tools=(Tool(name="look", scheduling=Scheduling.SILENT),))
    wire.hear(started(), call(1), call(2), done())
    assert types(wire.send(answer(1))) == ["conversation.item.create"]
    urgent = answer(2, scheduling=Scheduling.INTERRUPT)
    assert types(wire.send(urgent)) == ["conversation.item.create", "response.create"]
