"""Playing one connection: what is matched, what is released when, and what a mismatch says."""

import base64
import json
from functools import partial
from typing import Any

import pytest

from tests.unirt.playing import (
    CREATED,
    RESPOND,
    RESPOND_LIVE,
    STALL,
    due,
    mismatch,
    player,
    said,
    sent,
)
from unirt.cassettes import Closed, Framed, Stalled
from unirt.cassettes.match import matching
from unirt.errors import ConfigurationError
from unirt.transports.tape_clock import TapeClock


def test_what_is_received_waits_for_what_was_sent_before_it() -> None:
    one = player(
        CREATED,
        sent(said("one")),
        '{"received": {"n": 1}}',
        RESPOND,
        '{"received": {"n": 2}}',
        '{"close": {"code": 1001, "reason": "bye"}}',
    )
    assert [frame["type"] for frame in due(one)] == ["session.created"]
    assert one.awaited is not None
    assert one.awaited[0] == 4
    one.sent(json.dumps(said("one")))
    assert due(one) == [{"n": 1}]
    one.sent('{"type": "response.create"}')
    assert due(one) == [{"n": 2}, Closed(code=1001, reason="bye")]
    assert one.awaited is None
    assert one.unfinished() is None


def test_what_a_frame_means_depends_on_what_came_before_it() -> None:
    started = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}
    done = {"type": "response.done", "response": {"id": "resp_1", "status": "completed"}}
    rounds = (RESPOND, json.dumps({"received": started}), json.dumps({"received": done}))
    one = player(*rounds, *rounds, STALL)
    for _ in range(2):
        one.sent(RESPOND_LIVE)  # without the event_id that was recorded
        assert len(due(one)) >= 2


def test_nothing_is_released_early_though_more_was_sent() -> None:
    one = player(RESPOND, sent(said("one")), '{"received": {}}', STALL)
    one.sent('{"type": "response.create"}')
    assert due(one) == []
    one.sent(json.dumps(said("one")))
    assert due(one) == [{}, Stalled()]


def test_in_one_go_is_released_what_is_due_and_no_more_than_is_enough() -> None:
    ones = ('{"received": "1"}', RESPOND, '{"t": 10, "received": ""}', '{"received": "22"}')
    one = player(*ones, '{"received": "3"}', sent(said("one")), '{"received": "4"}', STALL)
    clock = TapeClock()
    reached: list[float] = []

    def at_once(most: int) -> list[bytes]:
        released = []
        for payload in one.releasing(clock, most):
            reached.append(clock.now())
            released.append(payload)
        return released

    assert at_once(100) == [b"1"]
    one.sent(RESPOND_LIVE)
    assert list(one.releasing(TapeClock(1.0), 100)) == []  # it takes its time
    assert at_once(2) == [b"", b"22"]  # an empty frame counts too
    assert one.bytes_released == 4
    assert at_once(100) == [b"3"]
    one.sent(json.dumps(said("one")))
    assert at_once(100) == [b"4"]
    assert at_once(100) == []  # a stall is no frame
    assert due(one) == [Stalled(at_ms=10.0)]
    assert reached == [0.0, 0.01, 0.01, 0.01, 0.01]


@pytest.mark.parametrize("end", ["mismatch", "close"])
def test_in_one_go_nothing_is_released_after_the_end(end: str) -> None:
    one = player('{"received": "1"}', '{"received": "2"}', STALL)
    released = one.releasing(TapeClock(), 100)
    assert next(released) == b"1"
    if end == "close":
        one.close()
    else:
        mismatch(lambda: one.sent(RESPOND_LIVE))
    assert list(released) == []


def test_a_mismatch_names_the_closest_frame_and_every_field_that_differs() -> None:
    one = player(sent(said("one")), RESPOND, sent(said("two")), STALL)
    error = mismatch(lambda: one.sent(json.dumps(said("twin"))))
    assert error.where == "talk.jsonl, line 3"
    assert "item.content[0].text: 'one' was recorded, 'twin' was sent" in error.differences[0]
    assert str(error).startswith("another frame was expected (talk.jsonl, line 3): ")
    assert isinstance(error, AssertionError)

    one = player(RESPOND, sent(said("two")), STALL)
    error = mismatch(lambda: one.sent(json.dumps(said("two"))))
    assert error.differences[-1] == "the closest recorded frame, line 4, is equal to it"
    assert "type: 'response.create' was recorded" in error.differences[0]


def test_after_a_mismatch_nothing_else_is_told() -> None:
    one = player(RESPOND, RESPOND, STALL)
    first = mismatch(lambda: one.sent("{}"))
    assert mismatch(lambda: one.sent('{"type": "response.create"}')) is first
    assert one.unfinished() is first


def test_more_than_was_recorded_is_a_mismatch() -> None:
    one = player(RESPOND, STALL)
    one.sent('{"type": "response.create"}')
    error = mismatch(lambda: one.sent('{"type": "response.create"}'))
    assert error.what == "more was sent than was recorded"


@pytest.mark.parametrize(
    ("acts", "what", "line"),
    [
        (0, "3 recorded frames were left over; the first was sent", 3),
        (1, "2 recorded frames were left over; the first was received", 4),
        (2, "the recorded close, by remote, did not come about", 6),
    ],
)
def test_what_is_left_over_is_a_mismatch(acts: int, what: str, line: int) -> None:
    one = player(RESPOND, '{"received": {}}', '{"received": {}}', '{"close": {}}')
    if acts:
        one.sent('{"type": "response.create"}')
    for _ in range(2 if acts == 2 else 0):
        one.release()
    error = one.unfinished()
    assert error is not None
    assert what in error.what
    assert error.where == f"talk.jsonl, line {line}"


def test_a_recorded_close_by_the_client_must_come_from_the_client() -> None:
    one = player('{"close": {"by": "local", "code": 1000}}')
    assert one.due is None
    assert one.awaited is not None
    assert "by local" in str(one.unfinished())
    one.close()
    assert one.unfinished() is None


# Matchers.


def test_commands_are_compared_by_what_they_mean() -> None:
    spelt = '{"sent": {"type": "response.create", "response": {"output_modalities": ["text"]}}}'
    live = {"response": {"output_modalities": ["text"]}, "type": "response.create",
            "event_id": "other"}  # fmt: skip
    for rule in ("command", "ids"):
        one = player(spelt, STALL, match=rule)
        if rule == "ids":
            assert "event_id: nothing was recorded" in str(mismatch(partial(one.sent, _(live))))
        else:
            one.sent(json.dumps(live))


def _(frame: Any) -> str:
    return json.dumps(frame)


@pytest.mark.parametrize(("end", "same"), [(46, True), (51, True), (296, True), (297, False)])
def test_where_playback_was_cut_is_a_measurement(end: int, same: bool) -> None:
    cut = {"type": "conversation.item.truncate", "item_id": "item_1", "content_index": 0}
    part = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
    item = {"id": "item_1", "type": "message", "role": "assistant", "content": []}
    half_a_second = base64.b64encode(bytes(24_000)).decode()
    spoken = (
        {"type": "session.created", "session": {"id": "sess_1"}},
        {"type": "response.created", "response": {"id": "resp_1", "output": []}},
        {"type": "response.output_item.added", **part, "item": item},
        {"type": "response.output_audio.delta", **part, "delta": half_a_second},
    )
    received = [json.dumps({"received": frame}) for frame in spoken]
    for rule in ("command", "ids"):
        one = player(*received, sent({**cut, "audio_end_ms": 46}), STALL, match=rule)
        live = partial(one.sent, _({**cut, "audio_end_ms": end}))
        if end == 46 or (same and rule == "command"):
            live()
        else:
            assert "audio_end_ms: 46 was recorded" in str(mismatch(live))


def test_commands_that_mean_something_else_do_not_match() -> None:
    one = player(RESPOND, STALL)
    error = mismatch(lambda: one.sent('{"type": "response.create", "response": {"voice": "ash"}}'))
    assert any(line.startswith("response: nothing was recorded") for line in error.differences)


def test_a_configuration_is_compared_by_what_it_makes_of_the_session() -> None:
    spoken = {"setup": {"model": "models/gemini-3.8-live"}}
    same = {"setup": {"model": "models/gemini-3.8-live", "generationConfig": {}}}
    other = {"setup": {"model": "models/gemini-3.8-live", "generationConfig": {"temperature": 1}}}
    player(sent(spoken), STALL, provider="google").sent(json.dumps(same))
    mismatch(lambda: player(sent(spoken), STALL, provider="google").sent(json.dumps(other)))


def test_ids_that_the_client_makes_up_may_differ_and_come_back_as_the_client_knows_them() -> None:
    one = player(
        sent(said("one", "item_a")),
        '{"received": {"item": {"id": "item_a"}, "previous_item_id": "item_0"}}',
        sent({"type": "conversation.item.delete", "item_id": "item_a"}),
        '{"received": {"item_id": "item_a"}}',
        STALL,
        match="ids",
    )
    one.sent(json.dumps(said("one", "item_live")))
    assert due(one) == [{"item": {"id": "item_live"}, "previous_item_id": "item_0"}]
    one.sent(json.dumps({"type": "conversation.item.delete", "item_id": "item_live"}))
    assert due(one) == [{"item_id": "item_live"}, Stalled()]


def test_one_id_does_not_stand_for_two() -> None:
    twice = (sent(said("one", "item_a")), sent(said("two", "item_b")))
    one = player(*twice, STALL, match="ids")
    one.sent(json.dumps(said("one", "item_x")))
    frame = {**said("two", "item_x"), "event_id": "e_other"}
    assert "item.id: 'item_b' was recorded, 'item_a' was sent" in str(
        mismatch(lambda: one.sent(json.dumps(frame)))
    )


def test_what_the_far_end_named_must_come_back_by_that_name() -> None:
    one = player(
        '{"received": {"item": {"id": "item_s"}}}',
        sent({"type": "conversation.item.delete", "item_id": "item_s"}),
        STALL,
    )
    due(one)
    error = mismatch(lambda: one.sent('{"type": "conversation.item.delete", "item_id": "item_t"}'))
    assert "'item_s' was recorded, 'item_t' was sent" in str(error)


def test_what_a_tool_returns_is_compared_as_it_is() -> None:
    def result(order: str, id_: str = "call_1") -> dict[str, Any]:
        response = {"output": {"order_id": order}}
        return {"toolResponse": {"functionResponses": [{"id": id_, "response": response}]}}

    player(sent(result("A1")), STALL, provider="google").sent(json.dumps(result("A1", "call_9")))
    error = mismatch(
        lambda: player(sent(result("A1")), STALL, provider="google").sent(json.dumps(result("A2")))
    )
    assert "order_id: 'A1' was recorded, 'A2' was sent" in str(error)


def test_a_voice_is_no_id() -> None:
    one = player(sent({"type": "x", "voice": {"id": "v1"}}), STALL, match="ids")
    mismatch(lambda: one.sent('{"type": "x", "voice": {"id": "v2"}}'))


def test_exact_is_exact() -> None:
    one = player(RESPOND, STALL, match="exact")
    mismatch(lambda: one.sent('{"type": "response.create", "event_id": "e2"}'))
    player(RESPOND, STALL, match="exact").sent('{"event_id": "e1", "type": "response.create"}')


@pytest.mark.parametrize(("hung_up_ms", "missed"), [(200, False), (400, True)])
def test_what_came_just_before_the_client_hung_up_may_be_left_over(
    hung_up_ms: int, missed: bool
) -> None:
    one = player(
        json.dumps({"t": 0, "sent": {"type": "response.create"}}),
        '{"t": 100, "received": {"n": 1}}',
        json.dumps({"t": hung_up_ms, "close": {"code": 1000, "by": "local"}}),
    )
    left = one.unfinished()
    assert left is not None
    assert left.what.startswith("2 recorded frames")
    one.sent(RESPOND_LIVE)
    assert one.unfinished() is not None
    one.close()
    assert (one.unfinished() is not None) is missed


def test_functions_must_agree_too() -> None:
    def short(recorded: Any, live: Any) -> bool:
        return len(live) == 1

    player(RESPOND, STALL, match=("command", short)).sent(RESPOND_LIVE)
    one = player(RESPOND, STALL, match=("command", short))
    mismatch(lambda: one.sent('{"type": "response.create", "event_id": "e1"}'))


def test_what_is_no_json_is_compared_as_it_is() -> None:
    one = player('{"sent": "hello"}', '{"sent": "AP8=", "as": "base64"}', STALL, provider=None)
    one.sent("hello")
    one.sent(b"\x00\xff")
    assert one.unfinished() is None
    mismatch(lambda: player('{"sent": "hello"}', STALL, provider=None).sent("hallo"))


def test_what_the_rules_leave_out_is_not_compared() -> None:
    one = player(RESPOND, STALL)
    one._prepare = lambda frame: None if frame == {"ping": 1} else frame
    one.sent('{"ping": 1}')
    one.sent(RESPOND_LIVE)


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        (("comand",), "there is no matcher 'comand'"),
        (("ids", "exact"), "'ids' and 'exact' exclude each other"),
        (("audio", "microphone"), "'audio' and 'microphone' exclude each other"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(rules: tuple[str, ...], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        matching(rules)


def test_frames_come_as_they_were() -> None:
    one = player('{"received": "text"}', '{"received": {"a": "ü"}, "as": "binary"}', STALL)
    frames = [one.release(), one.release()]
    assert [entry.frame for entry in frames if isinstance(entry, Framed)] == [
        "text",
        '{"a": "ü"}'.encode(),
    ]
    frame = Framed(direction="received", data={"a": 1}, binary=True)
    assert (frame.frame, Framed(direction="sent", data={"a": 1}).frame) == (b'{"a":1}', '{"a":1}')
