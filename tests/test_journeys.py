"""
The law, of a conversation that moves: one journey, one stream, whatever way it goes.

Each journey is held by a real session, on virtual time, on every way between the providers: from
one to the other, and back to the same one, which may resume the conversation by itself, or refuse
to. The folded streams must be equal; the kept streams, and what is told of the move, may differ
only in what :mod:`unirt.testing.moved` publishes.

It holds for simulators, and for cassettes that are played through real sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import attrs
import pytest

from cassettes.record import FOLDER, UNPLAYED
from docs.generate import is_fresh
from docs.journeys import journeys_page
from tests.replayed import played
from tests.spans import Spans
from unirt import (
    AppendAudio,
    AudioDelta,
    CommitInput,
    Ending,
    EndTurn,
    Event,
    Interrupted,
    Reconnected,
    Reconnecting,
    ResponseDone,
    SessionClosed,
    SessionStarted,
    SpeechStarted,
    SpeechStopped,
    ToolCall,
    UpdateSettled,
)
from unirt.fold import Fold
from unirt.items import ItemKind
from unirt.registry import installed, load
from unirt.simulator.scenario import Speak
from unirt.testing import check, fold
from unirt.testing.journey import JOURNEYS, Move, Moved, ways
from unirt.testing.moved import moved_apart, moved_outlines
from unirt.testing.travel import travel
from unirt.update import Outcome

WAYS = ways(map(load, installed()))
PLAYED = [way for way in WAYS if (FOLDER / "journeys" / way).is_dir()]
"Those of which there are cassettes."

TOLD_AS = {name: load(name).telemetry_name or name for name in installed()}
"What OpenTelemetry calls the providers."

SPOKEN = {
    "before_a_result_is_answered": [
        "What is the weather in London?",
        "It is cloudy in London, and fourteen degrees.",
    ],
    "before_an_answer": ["Good morning.", "Good morning to you."],
    "between_own_turns": [
        "I am Ada.",
        "Pleased to meet you, Ada.",
        "What is my name?",
        "Your name is Ada.",
    ],
    "between_turns": [
        "I am Ada.",
        "Pleased to meet you, Ada.",
        "What is my name?",
        "Your name is Ada.",
    ],
    "cut_off": ["Tell me a story.", "", "A joke, then.", "Knock, knock."],
    "in_a_manual_turn": ["Turn on the lights.", "The lights are on."],
    "in_an_own_turn": ["What time is it?", "It is a quarter past nine."],
    "in_mid_answer": ["Tell me a story.", "", "As I was saying: a king."],
    "in_silence": [
        "I am Ada.",
        "Pleased to meet you, Ada.",
        "What is my name?",
        "Your name is Ada.",
    ],
    "until_an_answer_is_over": [
        "Tell me a story.",
        "Once upon a time there was a king who had a daughter.",
        "And then?",
        "The end.",
    ],
    "until_a_tool_is_answered": [
        "What is the weather in London?",
        "It is cloudy in London, and fourteen degrees.",
        "Thank you.",
        "You are welcome.",
    ],
    "while_a_tool_runs": [
        "What is the weather in London?",
        "It is cloudy in London, and fourteen degrees.",
    ],
    "while_it_is_heard": ["Tell me a story.", "", "No, a joke.", "Knock, knock."],
    "while_the_user_speaks": ["What time is it?", "It is a quarter past nine."],
}
"What the history holds in the end; empty for what was cut off, which may be held in part."


def move(journey: str) -> Move:
    """How and when it moves."""
    found = JOURNEYS[journey].move
    assert found is not None
    return found


@cache
def observed(way: str, journey: str) -> tuple[Moved, Spans]:
    """What happened, and what OpenTelemetry was told of it."""
    plan, spans = JOURNEYS[journey], Spans()
    told = {"telemetry": spans.telemetry}
    moved = travel(WAYS[way], attrs.evolve(plan, own=lambda clock: {**plan.own(clock), **told}))
    return moved, spans


def travelled(way: str, journey: str) -> Moved:
    return observed(way, journey)[0]


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    yield
    observed.cache_clear()


def test_the_page_is_fresh() -> None:
    names = {way: name for name, way in WAYS.items()}
    page = journeys_page(lambda way, journey: travelled(names[way], journey.name))
    assert is_fresh("journeys.md", page), "run python docs/generate.py"


def pairs(names: Iterable[str], journeys: Iterable[str] = JOURNEYS) -> pytest.MarkDecorator:
    """Each way with each journey that can go it."""
    return pytest.mark.parametrize(
        ("way", "journey"),
        [
            pytest.param(way, journey, id=f"{way}-{journey}")
            for journey, way in product(journeys, names)
            if WAYS[way].takes(JOURNEYS[journey])
        ],
    )


def first_key(journey: str) -> tuple[str, str]:
    """What the others are compared with: its way, and its journey."""
    return next(way for way in WAYS if WAYS[way].takes(JOURNEYS[journey])), journey


def first(journey: str) -> Moved:
    """What the others are compared with."""
    return travelled(*first_key(journey))


every = pairs(WAYS)


@every
def test_every_stream_is_legal_and_ends_whole(way: str, journey: str) -> None:
    check(travelled(way, journey).events, complete=True)


@every
def test_the_folded_streams_are_equal(way: str, journey: str) -> None:
    one, other = moved_outlines(first(journey), travelled(way, journey))
    assert one == other


@every
def test_the_kept_streams_differ_only_as_published(way: str, journey: str) -> None:
    assert moved_apart(first(journey), travelled(way, journey)) == []


@every
def test_the_fold_holds_over_the_move_at_every_event(way: str, journey: str) -> None:
    moved = travelled(way, journey)
    folding = Fold()
    steps = []
    for place, event in enumerate(moved.events, 1):
        steps += folding.step(event)
        if isinstance(event, Reconnecting | Reconnected | ResponseDone):
            assert steps == fold(moved.events[:place])
    assert list(moved.folded) == steps
    opened = [step.stream.id for step in steps if step.step == "open"]
    closed = [step.stream.id for step in steps if step.step == "close"]
    assert len({*opened}) == len(opened)
    assert sorted(opened) == sorted(closed)


@every
def test_each_span_ends_once_and_says_who_answered(way: str, journey: str) -> None:
    moved, spans = observed(way, journey)
    assert spans.open == 0
    assert spans.names.count("realtime_session") == 1
    assert spans.names[-1] == "realtime_session"
    calls = [event for event in moved.events if isinstance(event, ToolCall)]
    assert spans.names.count("execute_tool") == len(calls)
    ready = [event for event in moved.events if isinstance(event, SessionStarted)]
    expected = [
        (TOLD_AS[leg.provider], there.model, there.model, there.session_id, event.response_id)
        for leg, there in zip(moved.legs, (ready[0], ready[-1]), strict=True)
        for event in leg.events
        if isinstance(event, ResponseDone)
    ]
    names = ("provider.name", "request.model", "response.model", "conversation.id", "response.id")
    assert [
        tuple(answer.get(f"gen_ai.{name}") for name in names)
        for answer in spans.attributes("generate_content")
    ] == expected


@every
def test_what_is_measured_is_the_same_whoever_answers(way: str, journey: str) -> None:
    (moved, spans), (other, others) = observed(way, journey), observed(*first_key(journey))
    assert sorted(spans.names) == sorted(others.names)
    if not (moved.usage.untold or other.usage.untold):
        assert spans.measured() == others.measured()
    by_provider = spans.measured("gen_ai.provider.name")
    for name in {leg.provider for leg in moved.legs}:
        accounts = [one for one in moved.usage.responses if one.provider == name]
        used = sum(one.usage.output_tokens for one in accounts)
        key = "gen_ai.client.inference.usage.output_tokens", TOLD_AS[name]
        assert by_provider.get(key, 0) == used
        done = [
            event
            for leg in moved.legs
            for event in leg.events
            if leg.provider == name and isinstance(event, ResponseDone)
        ]
        assert by_provider.get(("gen_ai.client.inference.duration", TOLD_AS[name]), 0) == len(done)


@every
def test_one_session_goes_over_two_connections_and_says_so(way: str, journey: str) -> None:
    moved, plan = travelled(way, journey), WAYS[way]
    assert [leg.provider for leg in moved.legs] == [plan.first.name, plan.second.name]
    (there,) = moved.arrivals
    tried = [event for event in moved.events if isinstance(event, Reconnecting)]
    assert there.why == move(journey).why
    assert [each.attempt for each in tried] == [*range(1, there.attempts + 1)]
    assert {each.target for each in tried} == {plan.second.name}
    assert there.attempts == (1 if there.state_restored or not asked(way, journey) else 2)
    (closed,) = (event for event in moved.events if isinstance(event, SessionClosed))
    assert closed.by == "local"


def asked(way: str, journey: str) -> bool:
    """Whether there was something that the session could be resumed by, and it was refused."""
    plan, moved = WAYS[way], travelled(way, journey)
    left = moved.legs[0].events
    handed = any(type(event).__name__ == "ResumptionUpdated" for event in left)
    return plan.refuses and handed


@every
def test_a_provider_that_remembers_the_conversation_is_used(way: str, journey: str) -> None:
    plan, moved = WAYS[way], travelled(way, journey)
    handed = any(type(event).__name__ == "ResumptionUpdated" for event in moved.legs[0].events)
    (there,) = moved.arrivals
    assert there.state_restored is (plan.remembers and handed and not plan.refuses)


@every
def test_nothing_that_was_said_is_lost_or_said_twice(way: str, journey: str) -> None:
    moved = travelled(way, journey)
    said = [item.text for item in moved.history if item.kind is ItemKind.MESSAGE]
    expected = SPOKEN[journey.partition("_")[2]]
    if journey == "switch_in_mid_answer":
        expected = ["Tell me a story.", "Once upon a time there was a king who had a daughter."]
    whole = [words for words in expected if words]
    assert [words for words in said if words in whole] == whole
    story = "Once upon a time there was a king who had a daughter."
    assert all(words in whole or story.startswith(words) for words in said)


@pairs(WAYS, [name for name in JOURNEYS if name.endswith("a_tool_runs")])
def test_the_result_of_a_tool_is_known_over_the_next_connection(way: str, journey: str) -> None:
    """Field 3."""
    moved = travelled(way, journey)
    (call,) = (event for event in moved.events if isinstance(event, ToolCall))
    (there,) = moved.arrivals
    assert there.calls == (call.call_id,)
    kinds = [item.kind for item in moved.history]
    assert kinds.count(ItemKind.TOOL_CALL) == kinds.count(ItemKind.TOOL_RESULT) == 1
    assert "cloudy" in repr(moved.lines[-1].heard)


@pairs(WAYS, [name for name in JOURNEYS if move(name).why == "update"])
def test_a_change_holds_where_the_session_went_to_have_it(way: str, journey: str) -> None:
    """Field 18: what a connection cannot change, the next one has."""
    moved = travelled(way, journey)
    voice = move(journey).voice
    assert [line.server.config.voice == voice for line in moved.lines[-2:]] == [False, True]


@pairs(WAYS, ["update_until_an_answer_is_over"])
def test_a_change_that_needs_a_connection_waits_for_the_answer_that_runs(
    way: str, journey: str
) -> None:
    """Field 18: it is put off first, and told when it is in force."""
    moved = travelled(way, journey)
    assert moved.updated is not None
    assert moved.updated["voice"] is Outcome.DEFERRED
    before, after = (
        [event for event in leg.events if isinstance(event, ResponseDone)] for leg in moved.legs
    )
    assert [event.ending for event in (*before, *after)] == [Ending.COMPLETE] * 2
    (settled,) = (event for event in moved.events if isinstance(event, UpdateSettled))
    assert settled.result["voice"] is Outcome.RECONNECTED
    assert settled.received_at == before[-1].received_at


@pairs(WAYS, ["switch_until_a_tool_is_answered"])
def test_a_tool_that_is_waited_for_is_answered_where_it_was_called(way: str, journey: str) -> None:
    """Field 3: on every provider, though one ends a response at its calls and one keeps it open."""
    moved = travelled(way, journey)
    (there,) = moved.arrivals
    assert there.calls == ()
    before, after = (
        [event.ending for event in leg.events if isinstance(event, ResponseDone)]
        for leg in moved.legs
    )
    assert (before, after) == ([Ending.COMPLETE] * 2, [Ending.COMPLETE])


@pairs(WAYS, [name for name in JOURNEYS if name.endswith("result_is_answered")])
def test_the_user_does_not_wait_in_vain_for_what_a_tool_returned(way: str, journey: str) -> None:
    """Field 3: the result went out, and its connection went before anybody spoke of it."""
    moved = travelled(way, journey)
    (there,) = moved.arrivals
    assert there.calls == ()
    done = [event for event in moved.events if isinstance(event, ResponseDone)]
    assert done[-1].ending is Ending.COMPLETE
    assert done[-1] in moved.legs[1].events


@pairs(
    WAYS,
    [name for name in JOURNEYS if name.endswith(("user_speaks", "manual_turn", "an_own_turn"))],
)
def test_all_of_a_turn_is_heard_by_whoever_answers_it(way: str, journey: str) -> None:
    moved = travelled(way, journey)
    (there,) = moved.arrivals
    assert there.replayed_ms == move(journey).count * 20.0
    speech = [step.do for step in JOURNEYS[journey].scenario.actions if isinstance(step.do, Speak)]
    line = moved.lines[-1]
    assert line.server.config.input_format is not None
    pieces = [each.command for each in line.heard if isinstance(each.command, AppendAudio)]
    loud = b"".join(piece.data for piece in pieces if any(piece.data))
    assert line.server.config.input_format.duration_ms(len(loud)) >= speech[0].ms


@pairs(WAYS, [name for name in JOURNEYS if name.endswith("own_turn")])
def test_a_turn_that_is_told_to_stop_was_told_to_start(way: str, journey: str) -> None:
    """Also the one that is begun again over the next connection."""
    moved = travelled(way, journey)
    started = [event for event in moved.events if isinstance(event, SpeechStarted)]
    (stopped,) = (event for event in moved.events if isinstance(event, SpeechStopped))
    assert stopped.turn_id == started[-1].turn_id != started[0].turn_id
    assert [event.audio_ms for event in started] == [0.0, 0.0]


@pairs(WAYS, [name for name in JOURNEYS if name.endswith("own_turns")])
def test_the_session_goes_on_listening_whoever_answers(way: str, journey: str) -> None:
    """It finds the next turn, and whoever answers now is sent that turn alone."""
    moved = travelled(way, journey)
    turns = [(SpeechStarted, leg.provider) for leg in moved.legs]
    assert [(type(e), e.origin.provider) for e in moved.events if type(e) is SpeechStarted] == turns
    for leg, line in zip(moved.legs, (moved.lines[0], moved.lines[-1]), strict=True):
        answers = [event.ending for event in leg.events if isinstance(event, ResponseDone)]
        assert answers == [Ending.COMPLETE]
        assert 900 <= line.totals.audio_ms_received < 2_000
        marks = [each for each in line.commands if isinstance(each, CommitInput | EndTurn)]
        assert len(marks) == 1


@pairs(WAYS, [name for name in JOURNEYS if name.endswith("it_is_heard")])
def test_what_is_still_heard_can_be_spoken_over(way: str, journey: str) -> None:
    """Field 7: by whoever answers now."""
    moved = travelled(way, journey)
    (cut,) = (event for event in moved.events if isinstance(event, Interrupted))
    assert (cut.by, cut.generating, cut.origin.provider) == (
        "speech", False, moved.legs[0].provider,
    )  # fmt: skip
    assert cut in moved.legs[1].events
    assert cut.heard_ms is not None
    assert 3_000 <= cut.heard_ms <= 5_000


@pairs(PLAYED, [name for name in JOURNEYS if name not in UNPLAYED])
def test_a_cassette_tells_what_the_simulators_told_and_when(way: str, journey: str) -> None:
    moved = travelled(way, journey)
    told = played(way, WAYS[way], moved, JOURNEYS[journey])
    assert [(e.received_at, silent(e)) for e in told] == [
        (e.received_at, silent(e)) for e in moved.events
    ]


def silent(event: Event) -> Event:
    """The event with silence for its audio, as it is in the cassettes."""
    if isinstance(event, AudioDelta):
        return attrs.evolve(event, data=bytes(len(event.data)))
    return event
