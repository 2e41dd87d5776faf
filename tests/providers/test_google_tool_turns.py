"""Turns with tools in them: whose answer it is, of models that wait and of those that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.providers.google_talk import (
    CALL,
    CANCELLED,
    DONE,
    DONE_WITH_USAGE,
    GENERATED,
    INTERRUPTED,
    SAYS,
    VOICE_STARTS,
    Talk,
    blocking,
    heard,
    names,
    of,
    only,
)
from unirt import (
    AudioDelta,
    Ending,
    Interrupted,
    Noted,
    ResponseDone,
    ResponseStarted,
    SendText,
    SendToolResult,
    SessionConfig,
    ToolCall,
    ToolCallCancelled,
    UsageError,
    UsageReported,
)
from unirt.ids import counting_ids
from unirt.testing import check, translate
from unirt_google.options import resumed


@pytest.fixture
def talk() -> Talk:
    return Talk()


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


def test_a_call_that_is_named_like_one_of_another_connection_is_another() -> None:
    ids = counting_ids()
    before = Talk(blocking(True), ids)
    assert only(ToolCall, before.hear(CALL)).call_id == "c"
    talk = Talk(blocking(True), ids)
    call = only(ToolCall, talk.hear(CALL))
    assert call.call_id == "c@2"
    with pytest.raises(UsageError, match="no call"):
        talk.say(SendToolResult(call_id="c", output="late"))
    talk.say(SendToolResult(call_id="c@2", output="ok"))
    (answer,) = json.loads(talk.sent[-1])["toolResponse"]["functionResponses"]
    assert (answer["id"], answer["response"]) == ("c", {"output": "ok"})


def test_a_call_that_a_resumed_connection_asks_again_is_the_same_and_runs_once() -> None:
    ids = counting_ids()
    Talk(blocking(True), ids).hear(CALL)
    again = Talk(resumed(blocking(True), "h"), ids).hear(CALL)
    assert only(Noted, again).why == "this call was told before"
    assert not [event for event in again if isinstance(event, ToolCall)]


@pytest.mark.parametrize(("told", "cancelled"), [(True, "c@2"), (False, "c")])
def test_a_cancellation_is_of_the_call_here_or_of_one_that_is_remembered(
    told: bool, cancelled: str
) -> None:
    ids = counting_ids()
    Talk(blocking(True), ids).hear(CALL)
    talk = Talk(blocking(True), ids)
    if told:
        talk.hear(CALL)
    assert only(ToolCallCancelled, talk.hear(CANCELLED)).call_ids == (cancelled,)
