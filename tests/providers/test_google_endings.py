"""How a turn ends on the wire: its reason, its usage, and where the next message begins."""

from __future__ import annotations

import pytest

from tests.providers.google_told import AUDIO, SAYS, STARTS, content, events_of, only, parts, short
from unirt import (
    AudioDelta,
    Ending,
    ResponseDone,
    ResponseStarted,
    StreamClosed,
    StreamOpened,
    Tokens,
    TranscriptDelta,
    Usage,
    UsageReported,
)


@pytest.mark.parametrize(
    ("detail", "ending", "reason"),
    [
        (None, Ending.COMPLETE, None),
        ("TURN_COMPLETE_REASON_UNSPECIFIED", Ending.COMPLETE, None),
        ("MALFORMED_FUNCTION_CALL", Ending.FAILED, "malformed_call"),
        ("RESPONSE_REJECTED", Ending.FAILED, "model_error"),
        ("MAX_REGENERATION_REACHED", Ending.FAILED, "model_error"),
        ("BLOCKLIST", Ending.INCOMPLETE, "content_filter"),
        ("GENERATED_AUDIO_SAFETY", Ending.INCOMPLETE, "content_filter"),
        ("A_REASON_OF_TOMORROW", Ending.FAILED, "model_error"),
    ],
)
def test_the_reason_of_a_turn_s_end(detail: str | None, ending: Ending, reason: str | None) -> None:
    done = only(
        ResponseDone,
        events_of(parts(AUDIO), content(turnComplete=True, turnCompleteReason=detail)),
    )
    assert (done.ending, done.reason) == (ending, reason)
    assert done.detail == (detail if reason else None)


USAGE = {"promptTokenCount": 3, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]}
SPENT = Usage(input=Tokens(text=3))


def test_usage_beside_the_end_is_the_response_s() -> None:
    events = events_of(parts(AUDIO), {**content(turnComplete=True), "usageMetadata": USAGE})
    assert only(ResponseDone, events).usage == SPENT
    assert not [event for event in events if isinstance(event, UsageReported)]


def test_usage_that_came_before_is_the_response_s_where_the_end_brings_none() -> None:
    events = events_of(parts(AUDIO), {"usageMetadata": USAGE}, content(turnComplete=True))
    reported, done = only(UsageReported, events), only(ResponseDone, events)
    assert (reported.usage, reported.response_id) == (SPENT, done.response_id)
    assert done.usage == SPENT


def test_usage_of_a_turn_of_nothing_is_told() -> None:
    event = only(UsageReported, events_of({**content(turnComplete=True), "usageMetadata": USAGE}))
    assert (event.usage, event.response_id, event.scope) == (SPENT, None, "turn")


def test_usage_that_comes_late_is_of_the_response_that_ended() -> None:
    events = events_of(parts(AUDIO), content(turnComplete=True), {"usageMetadata": USAGE})
    done, late = only(ResponseDone, events), only(UsageReported, events)
    assert done.usage is None
    assert (late.scope, late.response_id, late.turn_id) == (
        "response",
        done.response_id,
        done.turn_id,
    )


def test_an_answer_in_progress_goes_on_in_a_new_message() -> None:
    in_progress = content(turnComplete=True, interactionStatus="IN_PROGRESS")
    end = {**content(turnComplete=True, interactionStatus="IDLE"), "usageMetadata": USAGE}
    events = events_of(parts(AUDIO), {**in_progress, "usageMetadata": USAGE}, parts(AUDIO), end)
    assert [short(event) for event in events] == [
        *STARTS,
        *SAYS,
        "StreamClosed audio*",
        "UsageReported",
        "InteractionStatus",
        *SAYS,
        "StreamClosed audio*",
        "ResponseDone",
        "InteractionStatus",
    ]
    items = [event.item_id for event in events if isinstance(event, StreamOpened)]
    assert len(set(items)) == 2
    assert only(ResponseDone, events).usage == SPENT + SPENT


def test_an_answer_in_progress_is_over_when_the_interaction_is_idle() -> None:
    events = events_of(
        parts(AUDIO),
        content(turnComplete=True, interactionStatus="IN_PROGRESS"),
        content(interactionStatus="IDLE"),
    )
    assert only(ResponseDone, events).ending is Ending.COMPLETE


def test_content_after_the_generation_is_a_new_message_and_its_transcript_trails() -> None:
    events = events_of(
        parts(AUDIO),
        content(outputTranscription={"text": "Hel"}),
        content(generationComplete=True),
        content(outputTranscription={"text": "lo"}),
        parts(AUDIO),
    )
    deltas = [event for event in events if isinstance(event, TranscriptDelta | AudioDelta)]
    first, *_, last = (event.item_id for event in deltas)
    assert [event.item_id for event in deltas] == [first, first, first, last]
    assert first != last
    assert len({event.response_id for event in deltas}) == 1


def test_words_after_a_finished_transcript_are_a_new_message() -> None:
    events = events_of(
        content(outputTranscription={"text": "Hello.", "finished": True}),
        content(outputTranscription={"text": "Again."}),
    )
    assert [e.text for e in events if isinstance(e, TranscriptDelta)] == ["Hello.", "Again."]
    assert len({e.item_id for e in events if isinstance(e, TranscriptDelta)}) == 2


def test_a_transcript_may_be_finished_by_a_frame_of_its_own() -> None:
    events = events_of(
        content(outputTranscription={}),
        content(outputTranscription={"text": " Hello."}),
        content(outputTranscription={"finished": True}),
        parts(AUDIO),
    )
    closed = only(StreamClosed, events)
    assert (closed.text, closed.synthesised) == ("Hello.", False)
    assert only(ResponseStarted, events).synthesised
