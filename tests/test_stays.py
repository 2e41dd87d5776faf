"""
The law, of what a session does by itself: one conversation, one stream, whoever it is held with.

The session runs tools, holds limits, finds turns and changes settings, on virtual time, with each
provider's simulator; see :mod:`unirt.testing.stay`. The folded streams must be equal, the kept
streams may differ only where the facts say so, and a cassette tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import attrs
import pytest

import unirt
from cassettes.record import STAYING, stays
from docs.generate import is_fresh
from docs.stays import stays_page
from tests.replayed import stayed
from tests.spans import Spans
from unirt import (
    AppendAudio,
    AudioDelta,
    Ending,
    Event,
    Interrupted,
    LimitNear,
    LimitReached,
    ResponseDone,
    SessionClosed,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    ToolCallCancelled,
    ToolFinished,
    ToolStarted,
    UpdateSession,
    UpdateSettled,
)
from unirt.clock import Clock
from unirt.fold import Fold
from unirt.items import Role
from unirt.prices import price_session
from unirt.registry import load
from unirt.simulator import loads
from unirt.testing import check, fold
from unirt.testing.journey import Journey, Moved, Way
from unirt.testing.moved import moved_apart, moved_outlines
from unirt.testing.own import loud
from unirt.testing.stay import STAYS
from unirt.testing.travel import travel
from unirt.tools import tool

HELD: dict[tuple[str, str], tuple[Way, Journey]] = {
    (name, journey.name): (way, journey) for name, way, journey in stays()
}


@cache
def held(name: str, stay: str) -> Moved:
    return travel(*HELD[name, stay])


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    yield
    held.cache_clear()


def pairs(names: Iterable[str] = STAYS) -> pytest.MarkDecorator:
    """Each stay with everybody whom it is held with."""
    wanted = {*names}
    return pytest.mark.parametrize(
        ("name", "stay"),
        [pytest.param(*key, id="-".join(key)) for key in HELD if key[1] in wanted],
    )


def first(stay: str) -> Moved:
    """What the others are compared with."""
    return held(*next(key for key in HELD if key[1] == stay))


def told(moved: Moved, *kinds: type[Event]) -> list[type[Event]]:
    """The kinds of what was told, in order, of these."""
    return [type(event) for event in moved.events if isinstance(event, kinds)]


def limits(moved: Moved) -> list[tuple[type[Event], str, Any, Any]]:
    """What was told of limits; how much money was used is each provider's own."""
    return [
        (type(event), event.limit, None if event.limit == "cost" else event.used, event.most)
        for event in moved.events
        if isinstance(event, LimitNear | LimitReached)
    ]


every = pairs()


def test_each_is_held_with_every_provider() -> None:
    providers = {
        stay: {HELD[key][0].first.name for key in HELD if key[1] == stay} for stay in STAYS
    }
    assert all(found == {"openai", "google"} for found in providers.values())


def test_the_page_is_fresh() -> None:
    page = stays_page([(name, HELD[name, stay][1], held(name, stay)) for name, stay in HELD])
    assert is_fresh("stays.md", page), "run python docs/generate.py"


@every
def test_every_stream_is_legal_and_ends_whole(name: str, stay: str) -> None:
    moved = held(name, stay)
    check(moved.events, complete=True)
    assert len(moved.legs) == 1
    assert isinstance(moved.events[-1], SessionClosed)


@every
def test_the_folded_streams_are_equal(name: str, stay: str) -> None:
    one, other = moved_outlines(first(stay), held(name, stay))
    assert one == other
    assert held(name, stay).usage.untold == (stay == "out_of_time")


@every
def test_the_kept_streams_differ_only_where_the_facts_say_so(name: str, stay: str) -> None:
    assert moved_apart(first(stay), held(name, stay)) == []


@every
def test_what_the_session_itself_tells_is_the_same_everywhere(name: str, stay: str) -> None:
    own = (ToolStarted, ToolFinished, LimitNear, LimitReached, UpdateSettled, SessionClosed)
    moved, other = held(name, stay), first(stay)
    assert told(moved, *own) == told(other, *own)
    assert (moved.updated, moved.usage.total) == (other.updated, other.usage.total)
    assert moved.seconds == other.seconds
    assert limits(moved) == limits(other)
    assert [item.text for item in moved.history] == [item.text for item in other.history]


@every
def test_the_fold_holds_at_every_event(name: str, stay: str) -> None:
    moved = held(name, stay)
    folding, steps = Fold(), []
    for place, event in enumerate(moved.events, 1):
        steps += folding.step(event)
        if not isinstance(event, AudioDelta):
            assert steps == fold(moved.events[:place])
    assert list(moved.folded) == steps


@every
def test_a_cassette_tells_what_the_simulator_told_and_when(name: str, stay: str) -> None:
    moved, spans = held(name, stay), Spans()
    again = stayed(name, HELD[name, stay][0], moved, HELD[name, stay][1], spans.telemetry)
    assert timed(again) == timed(moved.events)
    assert settled(again) == settled(moved.events)
    assert spans.open == 0
    names = spans.names
    assert names.count("realtime_session") == 1
    assert names.count("generate_content") == len(told(moved, ResponseDone))
    assert names.count("execute_tool") == len(told(moved, ToolCall))


def timed(events: Iterable[Event]) -> list[tuple[float, Event]]:
    """What was told and when; a task that is cancelled ends in its own time, and no tape waits."""
    return [(e.received_at, silent(e)) for e in events if not called_off(e)]


def settled(events: Iterable[Event]) -> list[str]:
    """The calls that were called off, of which the time does not count."""
    return [e.call_id for e in events if isinstance(e, ToolFinished) and called_off(e)]


def called_off(event: Event) -> bool:
    return isinstance(event, ToolFinished) and event.status == "cancelled"


def silent(event: Event) -> Event:
    """The event with silence for its audio, as it is in the cassettes."""
    if isinstance(event, AudioDelta):
        return attrs.evolve(event, data=bytes(len(event.data)))
    return event


# What it was about.


@pairs(["own_tools"])
def test_both_tools_ran_and_their_results_were_spoken_of_once(name: str, stay: str) -> None:
    """Field 5."""
    moved = held(name, stay)
    finished = [event for event in moved.events if isinstance(event, ToolFinished)]
    assert {event.status for event in finished} == {"completed", "failed"}
    assert len(told(moved, ResponseDone)) == 2
    assert "celsius" in repr(moved.lines[0].heard)
    assert "no clock there" in repr(moved.lines[0].heard)


ASIDE = """
[[reply]]
cue = "text"
steps = [{ call = "look", args = {} }, { say = "Let me look.", ms = 1500 }]
usage = { input_text = 60, output_text = 30, output_audio = 20 }

[[reply]]
cue = "tool_result"
steps = [{ say = "Fourteen degrees.", ms = 1200 }]
usage = { input_text = 90, output_text = 6, output_audio = 24 }

[[app]]
text = "How warm is it?"
"""
SAID_ASIDE = {
    "openai": ["Let me look.", "Fourteen degrees."],
    "vertex": ["Let me look.", "Fourteen degrees."],
    "google": ["Let me look.Fourteen degrees."],
}
"By response. Gemini stays in its own while such a tool runs: docs/howto/tools.md."


def looking(clock: Clock) -> Mapping[str, Any]:
    async def look() -> str:
        await clock.sleep_until(round(clock.now() + 0.7, 6))
        return "14"

    return {"tools": [tool(look, blocking=False)]}


@pytest.mark.parametrize("name", STAYING)
def test_a_tool_that_nobody_waits_for_is_spoken_of_afterwards(name: str) -> None:
    provider, model = STAYING[name]
    scenario = loads(ASIDE, name="aside", where="test")
    stay = Journey(name="aside", scenario=scenario, move=None, own=looking)
    moved = travel(Way(first=load(provider), second=load(provider), model=model), stay)
    check(moved.events)
    assert [item.text for item in moved.history if item.role is Role.ASSISTANT and item.text] == (
        SAID_ASIDE[name]
    )
    assert len(told(moved, ResponseDone)) == len(SAID_ASIDE[name])
    assert [event.status for event in moved.events if isinstance(event, ToolFinished)] == [
        "completed"
    ]
    assert (moved.usage.total.input.text, moved.usage.total.output.audio) == (150, 44)


@pairs(["own_tool_called_off"])
def test_a_tool_that_was_gone_over_answers_nothing(name: str, stay: str) -> None:
    """Field 3."""
    moved = held(name, stay)
    assert len(told(moved, ToolCallCancelled)) == 1
    (finished,) = (event for event in moved.events if isinstance(event, ToolFinished))
    assert finished.status == "cancelled"
    assert "booked'" not in repr(moved.lines[0].heard)


ENDS = {
    "out_of_tokens": "tokens",
    "out_of_money": "cost",
    "out_of_time": "duration",
    "out_of_patience": "idle",
}


@pairs(ENDS)
def test_a_limit_warns_and_then_ends(name: str, stay: str) -> None:
    moved = held(name, stay)
    kinds = told(moved, LimitNear, LimitReached, SessionClosed)
    assert kinds == [LimitNear, LimitReached, SessionClosed]
    assert {limit for _, limit, _, _ in limits(moved)} == {ENDS[stay]}
    closed = moved.events[-1]
    assert isinstance(closed, SessionClosed)
    assert closed.reason == f"limit: {ENDS[stay]}"


@pairs(["out_of_time"])
def test_an_answer_that_time_ends_is_cut_there(name: str, stay: str) -> None:
    moved = held(name, stay)
    done = [event for event in moved.events if isinstance(event, ResponseDone)]
    assert [event.ending for event in done] == [Ending.COMPLETE, Ending.CANCELLED]
    assert done[-1].reason == "session_closed"
    assert moved.seconds == done[-1].received_at == 6.0
    assert [used for _, _, used, _ in limits(moved)] == [3.0, 6.0]


@pairs(["out_of_money"])
def test_money_is_counted_by_the_prices_of_whoever_answers(name: str, stay: str) -> None:
    """Field 24."""
    moved = held(name, stay)
    (reached,) = (event for event in moved.events if isinstance(event, LimitReached))
    assert reached.used == price_session(moved.usage).amount
    assert reached.used >= reached.most == Decimal("0.02")


@pairs(["limits_that_only_tell"])
def test_limits_that_only_tell_are_told_once_and_the_conversation_goes_on(
    name: str, stay: str
) -> None:
    moved = held(name, stay)
    assert [(kind, limit) for kind, limit, _, _ in limits(moved)] == [
        (LimitNear, "tokens"),
        (LimitNear, "cost"),
        (LimitReached, "tokens"),
        (LimitReached, "cost"),
        (LimitNear, "duration"),
        (LimitReached, "duration"),
        (LimitNear, "idle"),
        (LimitReached, "idle"),
    ]
    assert not moved.ended
    assert [item.text for item in moved.history][-2:] == ["Are you there?", "Yes, I am here."]


@pairs(["own_ears"])
def test_the_session_finds_both_turns_and_the_server_hears_only_them(name: str, stay: str) -> None:
    """Field 7: the second turn goes over what is still heard."""
    moved = held(name, stay)
    kinds = told(moved, SpeechStarted, SpeechStopped, Interrupted)
    assert kinds == [SpeechStarted, SpeechStopped, SpeechStarted, Interrupted, SpeechStopped]
    said = [one.what for one in moved.said if isinstance(one.what, AppendAudio)]
    sent_ms = sum(unirt.PCM16_16K.duration_ms(len(command.data)) for command in said)
    assert 0 < moved.lines[0].totals.audio_ms_received < sent_ms / 2


@pairs(["update_in_place", "update_deferred"])
def test_a_change_is_made_over_the_same_connection(name: str, stay: str) -> None:
    """Field 18: at once, or for the next answer; the one that runs is whole."""
    moved = held(name, stay)
    outcome = unirt.Outcome.APPLIED if stay == "update_in_place" else unirt.Outcome.DEFERRED
    assert moved.updated is not None
    assert moved.updated["instructions"] is outcome
    (line,) = moved.lines
    assert line.server.config.instructions == "Be brief."
    assert [type(each) for each in line.commands].count(UpdateSession) >= 1
    done = [event.ending for event in moved.events if isinstance(event, ResponseDone)]
    assert done == [Ending.COMPLETE] * 2


def test_the_detector_takes_for_speech_what_is_not_silence() -> None:
    assert loud(bytes(2048)) == 0.0
    assert loud(bytes(2044) + b"\0\0\0\x3f") == 1.0
