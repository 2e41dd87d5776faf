"""The simulated model calls tools: when it goes on, and which calls it takes back."""

from __future__ import annotations

import pytest

from tests.unirt.minded import Talk
from unirt import (
    AudioDelta,
    Respond,
    ResponseDone,
    ResponseStarted,
    SendText,
    SendToolResult,
    SessionConfig,
    Tool,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
)
from unirt.simulator.scenario import Call, Cue, Reply, Say, Wait

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
