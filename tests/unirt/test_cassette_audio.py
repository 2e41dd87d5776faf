"""Audio that a client sends in a replay: what of it counts, and where it may be."""

import base64
import json
from functools import partial

import pytest

from tests.unirt.playing import (
    RESPOND,
    RESPOND_LIVE,
    STALL,
    append,
    due,
    mismatch,
    player,
    said,
    sent,
)
from unirt.cassettes import Stalled


def test_by_default_audio_counts() -> None:
    one = player(sent(append(b"aabb")), STALL)
    one.sent(json.dumps(append(b"aabb")))
    mismatch(lambda: player(sent(append(b"aabb")), STALL).sent(json.dumps(append(b"aabc"))))


CHUNKS = (
    sent(append(b"a" * 40)),
    '{"received": {"n": 1}}',
    sent(append(b"b" * 40)),
    '{"received": {"n": 2}}',
    RESPOND,
    '{"received": {"n": 3}}',
    STALL,
)


def test_runs_of_audio_match_however_they_are_cut() -> None:
    one = player(*CHUNKS, match="audio")
    for size, expected in ((30, []), (10, [{"n": 1}]), (38, []), (2, [{"n": 2}])):
        one.sent(json.dumps(append(b"x" * size)))
        assert due(one) == expected
    one.sent(RESPOND_LIVE)
    assert due(one) == [{"n": 3}, Stalled()]


def test_the_amount_of_audio_counts_where_it_is_not_left_open() -> None:
    one = player(*CHUNKS, match="audio")
    one.sent(json.dumps(append(b"x" * 78)))
    assert "78 of 80 bytes" in mismatch(lambda: one.sent(RESPOND_LIVE)).what

    one = player(*CHUNKS, match="audio")
    one.sent(json.dumps(append(b"x" * 80)))
    error = mismatch(lambda: one.sent(json.dumps(append(b"xx"))))
    assert error.what == "more audio was sent than the recorded 80 bytes"


@pytest.mark.parametrize("amount", [20, 80, 200])
def test_with_the_microphone_open_the_amount_does_not_count(amount: int) -> None:
    one = player(*CHUNKS, match="microphone")
    one.sent(json.dumps(append(b"x" * amount)))
    one.sent(RESPOND_LIVE)
    assert due(one) == [{"n": 1}, {"n": 2}, {"n": 3}, Stalled()]
    assert one.unfinished() is None


@pytest.mark.parametrize("before", [(), (sent(append(b"a")),)], ids=["none", "some"])
def test_with_the_microphone_open_audio_may_be_where_none_was_recorded(
    before: tuple[str, ...],
) -> None:
    one = player(*before, RESPOND, '{"received": {"n": 1}}', sent(said("one")), STALL,
                 match="microphone")  # fmt: skip
    sound = json.dumps(append(b"xy"))
    for frame in (sound, RESPOND_LIVE, sound, sound, json.dumps(said("one")), sound):
        one.sent(frame)
    assert one.unfinished() is not None  # what came back is left
    assert due(one) == [{"n": 1}, Stalled()]
    assert one.unfinished() is None

    for match in ("command", "audio"):
        one = player(RESPOND, STALL, match=match)
        mismatch(lambda one=one: one.sent(sound))  # type: ignore[misc]  # of this round


def test_an_error_about_audio_says_how_its_amount_may_differ() -> None:
    sound = json.dumps(append(b"ab"))
    hint = "use the matcher 'microphone'"
    for match in ("command", "audio"):
        one = player(sent(append(b"ab")), STALL, match=match)
        left = one.unfinished()
        assert left is not None
        assert hint in str(left)
        one.sent(sound)
        assert hint in str(mismatch(partial(one.sent, sound)))
    one = player(RESPOND, STALL)
    left = one.unfinished()
    assert left is not None
    assert hint not in str(left)
    assert hint not in str(mismatch(partial(one.sent, json.dumps(said("one")))))


def test_in_a_run_of_audio_the_client_is_waited_for_piece_by_piece() -> None:
    lines = [json.dumps({"t": 20 * at, "sent": append(b"a" * 40)}) for at in range(3)]
    one = player(*lines, '{"t": 90, "sent": {"type": "response.create"}}', STALL, match="audio")
    found = []
    for _ in range(4):
        assert one.awaited is not None
        found.append((one.awaited[0], one.awaited[1].at_ms))
        one.sent(json.dumps(append(b"x" * 40)) if len(found) < 4 else RESPOND_LIVE)
    assert found == [(3, 0), (4, 20), (5, 40), (6, 90)]


CALL = {"id": "call-1", "name": "look_up", "args": {}}
RESULT = {"id": "call-1", "name": "look_up", "response": {"output": "Friday"}}


def test_audio_is_known_after_the_result_of_a_tool_that_the_provider_asked_for() -> None:
    audio = base64.b64encode(b"ab").decode()
    spoken = {"realtimeInput": {"audio": {"data": audio, "mimeType": "audio/pcm;rate=16000"}}}
    setup = {"setup": {"model": "models/gemini-3.8-live"}}
    one = player(
        sent(setup),
        '{"received": {"setupComplete": {}}}',
        json.dumps({"received": {"toolCall": {"functionCalls": [CALL]}}}),
        sent({"toolResponse": {"functionResponses": [RESULT]}}),
        sent(spoken),
        STALL,
        match="audio",
        provider="google",
    )
    one.sent(json.dumps(setup))
    due(one)
    one.sent(json.dumps({"toolResponse": {"functionResponses": [RESULT]}}))
    other = {"data": base64.b64encode(b"xy").decode(), "mimeType": "audio/pcm;rate=16000"}
    one.sent(json.dumps({"realtimeInput": {"audio": other}}))
    assert one.unfinished() is None


def test_audio_that_was_silenced_or_cut_is_compared_by_its_amount() -> None:
    silent = {"sent": {**append(b""), "event_id": "e4"}, "audio": [{"at": ["audio"], "silence": 4}]}
    cut = {"sent": append(b"ab"), "audio": [{"at": ["audio"], "cut_from": 4}]}
    for line in (silent, cut):
        player(json.dumps(line), STALL).sent(json.dumps(append(b"abcd")))
        one = player(json.dumps(line), STALL)
        mismatch(partial(one.sent, json.dumps(append(b"abcdef"))))
