"""The audio of a call, without a call: which answer it belongs to, and when an answer is over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.openai_call_wire import LOUD, PIECE_MS, QUIET, Wire, kinds
from unirt import events as ev
from unirt.commands import Interrupt, SendText, SendToolResult
from unirt.config import Scheduling, ServerVAD, SessionConfig, Tool
from unirt.errors import UnsupportedSetting, UsageError
from unirt.events import Event
from unirt.grammar import check
from unirt_openai.media import EARLY_S, GAP_MS, HELD, QUIET_MS, SILENT_S, START_S, TAIL_S
from unirt_openai.translator import OpenAITranslator


def discarded_ms(events: list[Event]) -> float:
    return sum(e.duration_ms or 0 for e in events if isinstance(e, ev.ContentDiscarded))


def audio_ms(events: list[Event]) -> float:
    return sum(event.duration_ms for event in events if isinstance(event, ev.AudioDelta))


def test_silence_around_an_answer_is_none_of_it_and_silence_inside_it_is() -> None:
    wire = Wire()
    assert wire.hear(QUIET, QUIET) == []
    wire.begins()
    wire.plays("started")
    assert wire.hear(QUIET, QUIET) == []
    assert audio_ms(wire.hear(LOUD, QUIET, QUIET, LOUD)) == 4 * PIECE_MS
    wire.ends()
    wire.plays("stopped")
    assert audio_ms(wire.hear(QUIET, LOUD, QUIET, QUIET)) == 2 * PIECE_MS
    wire.hear(*[QUIET] * 20)
    assert kinds(wire.events).count("ResponseDone") == 1
    assert audio_ms(wire.events) == 6 * PIECE_MS
    check([*_started(), *wire.events])


def _started() -> list[Event]:
    return [ev.SessionStarted(origin=ev.Origin(provider="openai"))]


def test_sound_that_comes_before_its_answer_was_told_is_its_beginning() -> None:
    wire = Wire()
    wire.begins()
    assert wire.hear(LOUD, QUIET, LOUD) == []
    assert audio_ms(wire.plays("started")) == 3 * PIECE_MS


def test_sound_that_is_told_seconds_late_is_heard_all_the_same() -> None:
    """A frame that was lost is said again, and all others wait behind it."""
    wire = Wire()
    spoken = [LOUD] * 100 + [QUIET] * 40 + [LOUD] * 60
    assert wire.hear(*spoken) == []
    wire.begins()
    assert audio_ms(wire.plays("started")) == 4_000


def test_of_an_answer_that_is_told_after_it_was_heard_no_silence_is_told() -> None:
    wire = Wire()
    wire.hear(*[LOUD] * 100, *[QUIET] * 150)
    wire.begins()
    told = wire.plays("started")
    told += wire.plays("stopped")
    told += wire.hear(*[QUIET] * 30)
    assert audio_ms(told) == 2_000


def test_sound_that_belongs_to_no_answer_is_told_to_be_discarded() -> None:
    wire = Wire()
    told = wire.hear(LOUD, LOUD, *[QUIET] * int(GAP_MS / PIECE_MS), LOUD)
    assert kinds(told) == ["ContentDiscarded"]
    assert discarded_ms(told) == 2 * PIECE_MS
    wire.begins()
    assert audio_ms(wire.plays("started")) == PIECE_MS
    wire = Wire()
    told = wire.hear(LOUD, *[QUIET] * int(EARLY_S * 1000 / PIECE_MS + 2))
    assert kinds(told) == ["ContentDiscarded"]
    wire = Wire()
    told = wire.hear(*[LOUD] * int(EARLY_S * 1000 / PIECE_MS + 5))
    assert set(kinds(told)) == {"ContentDiscarded"}
    assert discarded_ms(told) <= 5 * PIECE_MS
    wire.begins()
    assert audio_ms(wire.plays("started")) == pytest.approx(EARLY_S * 1000, abs=PIECE_MS)


def test_the_audio_is_the_answers_own_stream_and_closes_with_it() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    told = wire.ends()
    assert "StreamClosed" not in [
        type(e).__name__ for e in told if getattr(e, "kind", None) == "audio"
    ]
    wire.plays("stopped")
    told = wire.hear(*[QUIET] * int(QUIET_MS / PIECE_MS))
    assert kinds(told) == ["StreamClosed", "ResponseDone"]
    (delta,) = [e for e in wire.events if isinstance(e, ev.AudioDelta)]
    assert (delta.response_id, delta.item_id) == ("r1", "i1")


def test_of_two_spoken_items_all_sound_is_the_firsts_and_that_is_noted() -> None:
    """Nothing on the wire tells which of them is heard."""
    wire = Wire()
    wire.begins()
    assert "Noted" not in kinds(wire.events)
    item = {"id": "i2", "type": "message", "role": "assistant", "content": []}
    ids = {"response_id": "r1", "item_id": "i2"}
    wire.frame("response.output_item.added", response_id="r1", output_index=1, item=item)
    told = wire.frame("response.content_part.added", **ids, content_index=0, part={"type": "audio"})
    (noted,) = [event for event in told if isinstance(event, ev.Noted)]
    assert (noted.item_id, noted.response_id) == ("i2", "r1")
    assert "which item is heard is not told" in noted.why
    wire.frame("response.output_audio_transcript.delta", **ids, content_index=0, delta="And no.")
    wire.plays("started")
    told = wire.hear(LOUD, LOUD)
    assert [e.item_id for e in told if isinstance(e, ev.AudioDelta)] == ["i1", "i1"]
    wire.frame("response.output_item.done", response_id="r1", item={**item, "status": "completed"})
    wire.ends()
    wire.plays("stopped")
    wire.wait(TAIL_S)
    words = [(e.item_id, e.text) for e in wire.events if isinstance(e, ev.TranscriptDelta)]
    assert words == [("i1", "Yes."), ("i2", "And no.")]
    check([*_started(), *wire.events])


def test_a_frame_that_waits_is_noted_and_told_when_its_time_has_come() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    assert kinds(wire.ends()) == ["Noted"]
    assert "ResponseDone" not in kinds(wire.events)
    wire.plays("stopped")
    assert kinds(wire.wait(TAIL_S)) == ["StreamClosed", "ResponseDone"]
    assert wire.events[-1].raw["type"] == "response.done"


def test_a_later_answer_waits_behind_it_in_order() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    wire.begins(2)
    assert set(kinds(wire.events[-4:])) == {"Noted"}
    told = wire.plays("stopped")
    told += wire.plays("started", 2)
    told += wire.hear(LOUD)
    assert [k for k in kinds(told) if k != "Noted"] == [
        "PlaybackStopped",
        "StreamClosed",
        "ResponseDone",
        "ResponseStarted",
        "OutputItemAdded",
        "StreamOpened",
        "StreamOpened",
        "TranscriptDelta",
        "PlaybackStarted",
        "AudioDelta",
    ]
    check([*_started(), *wire.events])


def test_the_user_who_speaks_waits_for_nothing() -> None:
    wire = Wire(SessionConfig(turn_detection=ServerVAD()))
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    wire.begins(2)
    told = wire.frame("input_audio_buffer.speech_started", item_id="u", audio_start_ms=0)
    told += wire.plays("cleared")
    cut = [event for event in told if isinstance(event, ev.Interrupted)]
    assert [(event.response_id, event.generating) for event in cut] == [("r1", False), ("r2", True)]
    assert wire.sent() == []  # the provider does all of it by itself
    late = wire.hear(LOUD)
    assert kinds(late) == ["ContentDiscarded"]
    check([*_started(), *wire.events])


def test_the_application_that_interrupts_has_the_provider_cancel_and_clear() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    told = wire.say(Interrupt())
    assert "Interrupted" in kinds(told)
    assert wire.sent() == ["response.cancel", "output_audio_buffer.clear"]


def test_what_was_generated_and_still_plays_is_only_cleared() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    told = wire.say(Interrupt())
    cut = [event for event in told if isinstance(event, ev.Interrupted)]
    assert [event.generating for event in cut] == [False]
    assert wire.sent() == ["output_audio_buffer.clear"]


def test_a_text_waits_for_no_answer_that_was_generated_and_cuts_none() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    told = wire.say(SendText(text="and then?"))
    assert "Interrupted" not in kinds(told)
    assert wire.sent() == ["conversation.item.create", "response.create"]


def test_a_result_that_waits_until_nobody_speaks_waits_for_the_provider_to_fall_silent() -> None:
    wire = Wire(SessionConfig(tools=(Tool(name="look", scheduling=Scheduling.WHEN_IDLE),)))
    wire.begins()
    item = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "look"}
    done = {**item, "arguments": "{}", "status": "completed"}
    wire.frame("response.output_item.added", response_id="r1", item={**item, "arguments": ""})
    wire.frame("response.output_item.done", response_id="r1", item=done)
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    wire.say(SendToolResult(call_id="c1", output="there"))
    wire.hear(LOUD, LOUD)
    wire.wait(1.0)  # nothing was heard for a second, and the provider still plays
    assert wire.sent() == ["conversation.item.create"]
    wire.plays("stopped")
    assert wire.sent() == ["response.create"]


def test_a_result_that_came_before_the_answer_was_generated_goes_on_when_it_is() -> None:
    wire = Wire(SessionConfig(tools=(Tool(name="look"),)))
    wire.begins()
    item = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "look"}
    done = {**item, "arguments": "{}", "status": "completed"}
    wire.frame("response.output_item.added", response_id="r1", item={**item, "arguments": ""})
    wire.frame("response.output_item.done", response_id="r1", item=done)
    wire.plays("started")
    wire.hear(LOUD)
    wire.say(SendToolResult(call_id="c1", output="there"))
    assert wire.sent() == ["conversation.item.create"]
    wire.ends()  # and it is played for a while yet
    assert wire.sent() == ["response.create"]


def test_an_answer_that_is_done_before_it_plays_waits_all_the_same() -> None:
    wire = Wire()
    wire.begins()
    wire.ends()
    wire.plays("started")
    assert audio_ms(wire.hear(LOUD, LOUD)) == 2 * PIECE_MS
    assert "ResponseDone" not in kinds(wire.events)
    wire.plays("stopped")
    assert "ResponseDone" in kinds(wire.hear(*[QUIET] * 20))


def test_an_answer_that_never_plays_is_given_up() -> None:
    wire = Wire()
    wire.begins()
    wire.ends()
    assert wire.translator.get_timer() == pytest.approx(wire.now + START_S)
    assert wire.wait(START_S - 0.1) == []
    assert kinds(wire.wait(0.2)) == ["StreamClosed", "ResponseDone"]


def test_an_answer_that_falls_silent_for_good_is_given_up() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    assert wire.wait(SILENT_S - 1) == []
    assert "ResponseDone" in kinds(wire.wait(2))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_answer_that_failed_before_it_was_heard_does_not_wait(status: str) -> None:
    wire = Wire()
    wire.begins()
    assert "ResponseDone" in kinds(wire.ends(status=status))


def test_an_answer_that_was_heard_before_it_was_done_does_not_wait() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.plays("stopped")
    wire.hear(*[QUIET] * 20)
    assert "ResponseDone" in kinds(wire.ends())


def test_more_frames_than_may_wait_do_not() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    for _ in range(HELD + 5):
        wire.frame("response.output_text.delta", response_id="r1", item_id="i1", delta="x")
    assert kinds(wire.events).count("Noted") == HELD


def test_a_connection_that_ends_tells_what_waited_before_it() -> None:
    wire = Wire()
    wire.begins()
    wire.plays("started")
    wire.hear(LOUD)
    wire.ends()
    wire.translator.receive_close(1000, "", "remote", wire.now)
    told = wire._drain()
    assert kinds(told) == ["StreamClosed", "ResponseDone", "SessionClosed"]
    assert isinstance(told[1], ev.ResponseDone)
    assert told[1].ending == "complete"
    assert wire.hear(LOUD) == []


@pytest.mark.parametrize("setting", ["input_format", "output_format"])
def test_a_format_of_the_wire_is_refused(setting: str) -> None:
    from unirt import G711_ULAW

    asked: Any = {setting: G711_ULAW}
    translator = OpenAITranslator(SessionConfig(**asked))
    with pytest.raises(UnsupportedSetting, match="audio_in= and audio_out="):
        translator.audio_beside()


def test_a_message_that_is_too_large_changes_nothing() -> None:
    tool = Tool(name="look", description="", parameters={})
    wire = Wire(SessionConfig(tools=(tool,)), largest=10_000)
    wire.begins()
    item = {
        "id": "f1",
        "type": "function_call",
        "call_id": "c1",
        "name": "look",
        "arguments": "{}",
        "status": "completed",
    }
    wire.frame("response.output_item.added", response_id="r1", item={**item, "arguments": ""})
    wire.frame("response.output_item.done", response_id="r1", item=item)
    with pytest.raises(UsageError, match="more than the peer takes") as refused:
        wire.say(SendToolResult(call_id="c1", output={"all": "x" * 12_000}))
    assert refused.value.where == "SendToolResult"
    assert wire.sent() == []
    wire.say(SendToolResult(call_id="c1", output="less"))
    assert "conversation.item.create" in wire.sent()


def test_odd_audio_and_no_audio_raise_nothing() -> None:
    wire = Wire()
    assert wire.hear(b"", b"\1", b"\1\2\3") == []
