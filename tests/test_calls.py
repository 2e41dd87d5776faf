"""
The law for calls: audio beside the frames gives the stream that audio in the frames gives.

Every scenario is held twice on a virtual clock, once as over a WebSocket, once as over WebRTC:
there the server plays 20 ms every 20 ms, and what it plays comes 100 ms later than its frames.
Where no answer is cut short the two folded views are equal, byte for byte. Where one is, what was
not heard never came, for in a call nothing comes before it is heard.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from unirt import (
    AudioDelta,
    ContentDiscarded,
    Interrupted,
    PlaybackCleared,
    PlaybackStarted,
    PlaybackStopped,
    ResponseDone,
    StreamKind,
)
from unirt.registry import load
from unirt.simulator import Exchange, builtin, builtin_names, run
from unirt.testing import check, differences, fold, outline
from unirt.wire import parse_frame

OPENAI = load("openai")
SCENARIOS = [name for name in builtin_names() if builtin(name).refused is None]
CUT = {
    "barge_in_behind",
    "barge_in_generating",
    "barge_in_playing",
    "cancelled",
    "connection_lost",
    "interrupted",
    "manual_barge_in",
    "text_over_reply",
    "usage",
}
"Scenarios in which an answer is cut short, or the connection is."
WHOLE = [name for name in SCENARIOS if name not in CUT]


@cache
def held(scenario: str, *, in_a_call: bool) -> Exchange:
    return run(OPENAI, builtin(scenario), in_a_call=in_a_call)


def folded(scenario: str, *, in_a_call: bool) -> list[dict[str, Any]]:
    return outline(fold(held(scenario, in_a_call=in_a_call).events))


every_scenario = pytest.mark.parametrize("scenario", SCENARIOS)


@every_scenario
def test_every_call_is_legal_and_ends_whole(scenario: str) -> None:
    check(held(scenario, in_a_call=True).events, complete=True)


@pytest.mark.parametrize("scenario", WHOLE)
def test_the_folded_streams_are_equal_to_the_byte(scenario: str) -> None:
    assert folded(scenario, in_a_call=True) == folded(scenario, in_a_call=False)


def shortened(entries: list[dict[str, Any]], like: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    The entries, as far as they were heard and with no count of what was generated.

    What is cut short was generated so far by the moment of the cut, which is what the microphone
    and the jitter buffer make of it: two words more or less are the same.
    """
    alike = []
    for entry in entries:
        short = {**entry, "usage": None}
        key = entry["response"], entry["item"], entry["kind"]
        other = next((e for e in like if (e["response"], e["item"], e["kind"]) == key), None)
        for field in ("data", "text") if entry["role"] != "user" and other else ():
            one, two = entry[field], other[field] if other else None
            if one and two and (one.startswith(two) or two.startswith(one)):
                short[field] = min(one, two, key=len)
        alike.append(short)
    return alike


@pytest.mark.parametrize("scenario", sorted(CUT - {"barge_in_behind"}))
def test_of_what_is_cut_short_the_beginning_is_equal(scenario: str) -> None:
    here, there = folded(scenario, in_a_call=True), folded(scenario, in_a_call=False)
    assert shortened(here, there) == shortened(there, here)


def test_of_an_answer_behind_the_one_that_is_heard_no_audio_ever_came() -> None:
    """Both are told to be interrupted; only of the first something was heard."""
    events = held("barge_in_behind", in_a_call=True).events
    cut = [event for event in events if isinstance(event, Interrupted)]
    assert [event.generating for event in cut] == [False, True]
    heard = {event.response_id for event in events if isinstance(event, AudioDelta)}
    assert cut[0].response_id in heard
    assert cut[1].response_id not in heard


@every_scenario
def test_the_kept_streams_differ_only_in_the_published_rows(scenario: str) -> None:
    call, socket = held(scenario, in_a_call=True), held(scenario, in_a_call=False)
    assert call.capabilities is not None
    assert socket.capabilities is not None
    found = differences(call.events, socket.events, call.capabilities, socket.capabilities)
    if scenario == "barge_in_behind":
        # The audio of an answer that was never heard is a stream that holds nothing.
        kinds = {line.partition(": ")[2].split()[0] for line in found}
        assert kinds == {"AudioDelta", "StreamOpened", "StreamClosed"}
    else:
        assert found == []


@every_scenario
def test_no_frame_of_a_call_holds_audio_and_none_truncates(scenario: str) -> None:
    frames = [parse_frame(frame) for _, frame in held(scenario, in_a_call=True).frames]
    types = {frame.get("type") for frame in frames if isinstance(frame, dict)}
    assert (
        types
        & {
            "input_audio_buffer.append",
            "response.output_audio.delta",
            "conversation.item.truncate",
        }
        == set()
    )


@every_scenario
def test_what_begins_to_play_ends(scenario: str) -> None:
    events = held(scenario, in_a_call=True).events
    began = [e.response_id for e in events if isinstance(e, PlaybackStarted)]
    ended = [e.response_id for e in events if isinstance(e, PlaybackStopped | PlaybackCleared)]
    if scenario != "connection_lost":
        assert began == ended
    assert len(began) == len(set(began))


@pytest.mark.parametrize("scenario", WHOLE)
def test_nothing_that_is_heard_is_lost(scenario: str) -> None:
    events = held(scenario, in_a_call=True).events
    assert [e for e in events if isinstance(e, ContentDiscarded)] == []


def test_an_answer_is_done_when_it_was_heard_and_not_when_it_was_generated() -> None:
    exchange = held("spoken_turn", in_a_call=True)
    done = next(event for event in exchange.events if isinstance(event, ResponseDone))
    generated = next(
        at
        for at, (_, frame) in zip(exchange.times, exchange.frames, strict=True)
        if b'"response.done"' in (frame.encode() if isinstance(frame, str) else frame)
    )
    last = max(e.received_at for e in exchange.events if isinstance(e, AudioDelta))
    assert generated < last <= done.received_at


def test_a_tool_round_does_not_wait_until_its_preamble_was_heard() -> None:
    exchange = held("tool_call_with_preamble", in_a_call=True)
    said = [
        (at, parse_frame(frame)["type"])
        for at, (direction, frame) in zip(exchange.times, exchange.frames, strict=True)
        if direction == "sent"
    ]
    stopped = next(e.received_at for e in exchange.events if isinstance(e, PlaybackStopped))
    asked = next(at for at, type_ in said if type_ == "response.create")
    assert asked < stopped


def test_what_the_application_cuts_is_cleared_at_the_provider() -> None:
    frames = [parse_frame(f) for d, f in held("interrupted", in_a_call=True).frames if d == "sent"]
    types = [frame["type"] for frame in frames]
    cancel = types.index("response.cancel")
    assert types[cancel + 1] == "output_audio_buffer.clear"


def test_what_the_user_cuts_the_provider_clears_by_itself() -> None:
    exchange = held("barge_in_generating", in_a_call=True)
    sent = [parse_frame(frame)["type"] for d, frame in exchange.frames if d == "sent"]
    assert "output_audio_buffer.clear" not in sent
    assert any(isinstance(event, PlaybackCleared) for event in exchange.events)


def test_a_cancelled_answer_is_heard_as_far_as_it_was_generated() -> None:
    events = held("cancelled", in_a_call=True).events
    audio_ms = sum(event.duration_ms for event in events if isinstance(event, AudioDelta))
    done = next(event for event in events if isinstance(event, ResponseDone))
    assert audio_ms == done.audio_ms
    assert any(isinstance(event, PlaybackStopped) for event in events)
    kinds = {e.stream.kind for e in events if isinstance(e, AudioDelta)}
    assert kinds == {StreamKind.AUDIO}
