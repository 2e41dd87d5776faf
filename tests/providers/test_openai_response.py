"""How responses end, and what is delivered of them when frames are left out."""

from __future__ import annotations

from typing import Any

import pytest

from unirt import events as ev
from unirt.events import Ending, Event, StreamKind
from unirt.testing import check, translate

STARTED = {"type": "response.created", "response": {"id": "r1", "conversation_id": "c1"}}
OUT = {"response_id": "r1", "item_id": "i1", "output_index": 0, "content_index": 0}
HALF = {"type": "response.output_text.delta", "delta": "Half a", **OUT}


def done(status: str | None = "completed", **response: Any) -> dict[str, Any]:
    return {"type": "response.done", "response": {"id": "r1", "status": status, **response}}


def heard(*frames: dict[str, Any]) -> list[Event]:
    events = translate("openai", frames)
    check(events)
    return events


def only(kind: type[Event], events: list[Event]) -> Any:
    (event,) = [event for event in events if isinstance(event, kind)]
    return event


@pytest.mark.parametrize(
    ("status", "details", "ending", "reason", "detail"),
    [
        ("completed", None, Ending.COMPLETE, None, None),
        (None, None, Ending.COMPLETE, None, None),
        (
            "cancelled",
            {"type": "cancelled", "reason": "turn_detected"},
            Ending.INTERRUPTED,
            "speech",
            "turn_detected",
        ),
        (
            "cancelled",
            {"type": "cancelled", "reason": "client_cancelled"},
            Ending.CANCELLED,
            "client",
            "client_cancelled",
        ),
        ("cancelled", None, Ending.CANCELLED, "unknown", None),
        (
            "incomplete",
            {"reason": "max_output_tokens"},
            Ending.INCOMPLETE,
            "max_output_tokens",
            "max_output_tokens",
        ),
        (
            "incomplete",
            {"reason": "content_filter"},
            Ending.INCOMPLETE,
            "content_filter",
            "content_filter",
        ),
        ("incomplete", {"reason": "bored"}, Ending.INCOMPLETE, "unknown", "bored"),
        (
            "failed",
            {"error": {"code": "rate_limit_exceeded", "message": "slow down"}},
            Ending.FAILED,
            "rate_limited",
            "rate_limit_exceeded: slow down",
        ),
        (
            "failed",
            {"error": {"type": "insufficient_quota"}},
            Ending.FAILED,
            "quota",
            "insufficient_quota",
        ),
        (
            "failed",
            {"error": {"type": "server_error"}},
            Ending.FAILED,
            "model_error",
            "server_error",
        ),
        ("failed", None, Ending.FAILED, "model_error", "failed"),
        ("evaporated", None, Ending.FAILED, "unknown", "evaporated"),
    ],
)
def test_a_response_ends(
    status: str | None,
    details: dict[str, Any] | None,
    ending: Ending,
    reason: str | None,
    detail: str | None,
) -> None:
    events = heard(STARTED, HALF, done(status, status_details=details))
    over = only(ev.ResponseDone, events)
    assert (over.ending, over.reason, over.detail) == (ending, reason, detail)
    closed = only(ev.StreamClosed, events)
    assert (closed.ending, closed.text) == (ending, "Half a")


def test_a_cancellation_by_speech_that_nothing_announced_is_told_as_an_interruption() -> None:
    events = heard(STARTED, HALF, done("cancelled", status_details={"reason": "turn_detected"}))
    interrupted = only(ev.Interrupted, events)
    assert (interrupted.by, interrupted.generating, interrupted.synthesised) == (
        "speech",
        True,
        True,
    )


def test_the_done_of_an_unknown_response_begins_it_too() -> None:
    events = heard(done())
    assert only(ev.ResponseStarted, events).synthesised
    assert not only(ev.ResponseDone, events).synthesised


def test_a_second_done_is_noted() -> None:
    events = heard(STARTED, done(), done())
    assert len([e for e in events if isinstance(e, ev.ResponseDone)]) == 1
    assert isinstance(events[-1], ev.Noted)


def test_a_done_without_an_id_ends_the_running_response() -> None:
    events = heard(STARTED, {"type": "response.done", "response": {"status": "completed"}})
    assert only(ev.ResponseDone, events).response_id == "r1"


def test_a_response_that_the_provider_dropped_ends_when_the_next_one_begins() -> None:
    frames = [STARTED, {"type": "response.created", "response": {"id": "r2"}}]
    events = heard(*frames)
    over = only(ev.ResponseDone, events)
    assert (over.response_id, over.ending, over.reason) == ("r1", Ending.CANCELLED, "unknown")
    assert over.synthesised


def test_a_response_beside_the_conversation_leaves_the_running_one_alone() -> None:
    beside = {"type": "response.created", "response": {"id": "r2", "conversation_id": None}}
    events = heard(STARTED, beside, HALF)
    assert not [e for e in events if isinstance(e, ev.ResponseDone)]
    assert only(ev.TextDelta, events).response_id == "r1"


MESSAGE = {
    "id": "i1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Half a word"}],
}
SPOKEN = {**MESSAGE, "content": [{"type": "output_audio", "transcript": "Said"}]}
CALL = {
    "id": "i2",
    "type": "function_call",
    "status": "completed",
    "name": "look",
    "call_id": "k1",
    "arguments": '{"a":1}',
}
CALL_ADDED = {
    "type": "response.output_item.added",
    "response_id": "r1",
    "item": {**CALL, "status": "in_progress", "arguments": ""},
}
CALL_DONE = {"type": "response.output_item.done", "response_id": "r1", "item": CALL}
ARGUMENTS = {
    "type": "response.function_call_arguments.done",
    "response_id": "r1",
    "item_id": "i2",
    "call_id": "k1",
    "name": "look",
    "arguments": '{"a":1}',
}


@pytest.mark.parametrize(
    ("before", "item", "kind", "text"),
    [
        ([], MESSAGE, StreamKind.TEXT, "Half a word"),
        ([HALF], MESSAGE, StreamKind.TEXT, "Half a word"),
        ([], SPOKEN, StreamKind.TRANSCRIPT, "Said"),
    ],
)
def test_words_that_no_delta_delivered_come_with_the_done(
    before: list[dict[str, Any]], item: dict[str, Any], kind: StreamKind, text: str
) -> None:
    events = heard(STARTED, *before, done(output=[item]))
    closed = only(ev.StreamClosed, events)
    assert (closed.kind, closed.text, closed.ending) == (kind, text, Ending.COMPLETE)
    deltas = [e.text for e in events if isinstance(e, ev.TextDelta | ev.TranscriptDelta)]
    assert "".join(deltas) == text


def test_words_that_were_delivered_under_another_id_are_not_delivered_again() -> None:
    unnamed = {"type": "response.output_text.delta", "delta": "Half a word", "response_id": "r1"}
    events = heard(STARTED, unnamed, done(output=[MESSAGE]))
    assert only(ev.TextDelta, events).text == "Half a word"


def test_words_of_a_failed_response_close_as_it_does() -> None:
    events = heard(STARTED, done("failed", output=[{**MESSAGE, "status": "incomplete"}]))
    closed = only(ev.StreamClosed, events)
    assert (closed.text, closed.ending) == ("Half a word", Ending.FAILED)


@pytest.mark.parametrize(
    "frames",
    [
        [CALL_ADDED, ARGUMENTS, CALL_DONE, done(output=[CALL])],
        [CALL_DONE, done()],
        [CALL_ADDED, ARGUMENTS, done()],
        [ARGUMENTS, done()],
        [done(output=[CALL])],
        [CALL_ADDED, done(output=[CALL])],
        [CALL_DONE, CALL_DONE, done(output=[CALL])],
    ],
)
def test_a_call_is_delivered_once_however_much_of_it_is_told(
    frames: list[dict[str, Any]],
) -> None:
    events = heard(STARTED, *frames)
    call = only(ev.ToolCall, events)
    assert (call.call_id, call.name, call.args) == ("k1", "look", {"a": 1})
    assert only(ev.StreamClosed, events).text == '{"a":1}'


@pytest.mark.parametrize(
    "frames",
    [
        [CALL_ADDED, ARGUMENTS, done("cancelled")],
        [CALL_ADDED, ARGUMENTS, done("failed", output=[CALL])],
        [
            CALL_ADDED,
            {**CALL_DONE, "item": {**CALL, "status": "incomplete", "arguments": '{"a'}},
            done("incomplete"),
        ],
    ],
)
def test_a_call_of_a_response_that_broke_off_is_never_acted_on(
    frames: list[dict[str, Any]],
) -> None:
    assert not [e for e in heard(STARTED, *frames) if isinstance(e, ev.ToolCall)]


@pytest.mark.parametrize(
    ("arguments", "args"), [("{}", {}), ("[1]", None), ("{", None), ("", None), ("null", None)]
)
def test_arguments_that_are_no_object_come_as_text_only(
    arguments: str, args: dict[str, Any] | None
) -> None:
    item = {**CALL, "arguments": arguments}
    call = only(ev.ToolCall, heard(STARTED, {**CALL_DONE, "item": item}))
    assert (call.arguments, call.args) == (arguments, args)


def test_a_call_without_an_id_gets_one_of_ours() -> None:
    item = {key: value for key, value in CALL.items() if key != "call_id"}
    call = only(ev.ToolCall, heard(STARTED, {**CALL_DONE, "item": item}))
    assert call.call_id == "u_call_1"


def test_items_that_interleave_keep_their_streams_apart() -> None:
    text = {"type": "response.output_text.delta", "response_id": "r1", "item_id": "i1"}
    arguments = {
        "type": "response.function_call_arguments.delta",
        "response_id": "r1",
        "item_id": "i2",
        "call_id": "k1",
    }
    events = heard(
        STARTED,
        {**text, "delta": "One "},
        CALL_ADDED,
        {**arguments, "delta": '{"a"'},
        {**text, "delta": "moment"},
        {**arguments, "delta": ":1}"},
        CALL_DONE,
        {"type": "response.output_text.done", "text": "One moment", **OUT},
        done(),
    )
    closed = {e.kind: e.text for e in events if isinstance(e, ev.StreamClosed)}
    assert closed == {StreamKind.TOOL_CALL: '{"a":1}', StreamKind.TEXT: "One moment"}


def test_a_server_side_call_that_was_cut_closes_incomplete() -> None:
    item = {"id": "m1", "type": "mcp_call", "name": "find", "status": "incomplete"}
    events = heard(
        STARTED, {"type": "response.output_item.done", "response_id": "r1", "item": item}, done()
    )
    assert not [e for e in events if isinstance(e, ev.ServerToolResult)]


def test_a_server_side_calls_result_comes_with_the_done_where_its_item_never_did() -> None:
    item = {"id": "m1", "type": "mcp_call", "name": "find", "arguments": "{}", "output": "x"}
    events = heard(STARTED, done(output=[item]))
    assert only(ev.ServerToolResult, events).output == "x"
    assert only(ev.ServerToolDelta, events).text == "{}"


def test_an_approval_is_asked_for_once() -> None:
    item = {"id": "q1", "type": "mcp_approval_request", "server_label": "s", "name": "rm"}
    added = {"type": "response.output_item.added", "response_id": "r1", "item": item}
    events = heard(
        STARTED,
        added,
        {"type": "conversation.item.done", "item": item},
        {**added, "type": "response.output_item.done"},
    )
    asked = only(ev.ApprovalRequested, events)
    assert (asked.approval_id, asked.response_id) == ("q1", "r1")


def test_content_that_comes_after_the_done_is_told_as_discarded() -> None:
    events = heard(STARTED, done(), HALF)
    late = only(ev.ContentDiscarded, events)
    assert (late.kind, late.size, late.response_id) == (StreamKind.TEXT, 6, "r1")


def test_usage_of_a_cancelled_response_is_told() -> None:
    usage = {"input_tokens": 5, "output_tokens": 0, "total_tokens": 5}
    events = heard(STARTED, done("cancelled", usage=usage))
    assert only(ev.ResponseDone, events).usage.total_tokens == 5
