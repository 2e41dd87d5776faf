"""
The law: one scenario, one stream, whatever the provider.

Every scenario is held in every protocol, client and server, on a virtual clock, and in every
dialect of it that the plug-ins know of: newer and older models, Vertex AI, frames that bundle what
others send apart. The folded streams must be equal; the kept streams may differ only where the
facts say so.

It holds for simulators, and for cassettes that are played through real sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial
from itertools import product
from typing import Any

import attrs
import pytest

from cassettes.record import dialled
from tests.replayed import replayed
from unirt import (
    AudioDelta,
    Emission,
    Event,
    InputPaused,
    InputResumed,
    ResponseDone,
    SessionClosed,
    SessionConfig,
    SessionUsage,
    StreamClosed,
    StreamKind,
    ToolCallCancelled,
    Unmapped,
    Usage,
)
from unirt.provider import Provider
from unirt.registry import load
from unirt.session.ledger import Ledger
from unirt.simulator import Exchange, builtin, builtin_names, run
from unirt.simulator.scenario import Say
from unirt.testing import check, fold, outline
from unirt.testing.kept import differences
from unirt_google.server import GoogleServer

OPENAI, GOOGLE = load("openai"), load("google")
BUNDLING = attrs.evolve(GOOGLE, server=partial(GoogleServer, bundle=True))

WAYS: dict[str, tuple[Provider, str]] = {
    "openai": (OPENAI, "gpt-realtime-2.1"),
    "openai-1": (OPENAI, "gpt-realtime"),
    "google": (GOOGLE, "gemini-3.8-live"),
    "google-bundling": (BUNDLING, "gemini-3.8-live"),
    "google-3.1": (BUNDLING, "gemini-3.1-flash-live-preview"),
    "google-2.5": (GOOGLE, "gemini-2.5-flash-native-audio-preview-12-2025"),
    "vertex-2.5": (GOOGLE, "publishers/google/models/gemini-live-2.5-flash-native-audio"),
    "openai-cassette": (OPENAI, OPENAI.default_model),
    "google-cassette": (GOOGLE, GOOGLE.default_model),
}
"Ways to hold a conversation: a provider and one of its models."
PLAYED = ("openai-cassette", "google-cassette")
"Those that are played from cassettes."
FIRST, *OTHERS = WAYS
HOLDING = [
    way
    for way, (provider, model) in WAYS.items()
    if provider.capabilities(model).emission("GenerationDone") is not Emission.NEVER
    and way not in PLAYED
]
"Those that tell the end of the generation apart, and so may hold the end of the turn."

REFUSED = [name for name in builtin_names() if builtin(name).refused is not None]
SCENARIOS = [name for name in builtin_names() if name not in REFUSED]

Endings = list[tuple[str, str | None]]
COMPLETE: Endings = [("complete", None)]
ENDINGS: dict[str, Endings] = {
    "barge_in_behind": [*COMPLETE, ("interrupted", "speech"), *COMPLETE],
    "barge_in_generating": [("interrupted", "speech"), *COMPLETE],
    "cancelled": [("cancelled", "client")],
    "connection_lost": [("failed", "connection_lost")],
    "failed": [("failed", "model_error")],
    "incomplete": [("incomplete", "content_filter")],
    "interrupted": [("interrupted", "client")],
    "manual_barge_in": [("interrupted", "client"), *COMPLETE, *COMPLETE],
    "session_refused": [],
    "text_over_reply": [("interrupted", "client"), *COMPLETE],
    "usage": [("cancelled", "client"), *COMPLETE],
}
"How the responses of a scenario end, where not all of them are complete."

_CONTENT = {
    "thought": "ThoughtDelta",
    "image": "ImageDelta",
    "citations": "CitationsDelta",
    "server_tool": "ServerToolResult",
}
"The event without which a kind of stream does not exist."


@cache
def held(way: str, scenario: str, hold_done: bool = False) -> Exchange:
    provider, model = WAYS[way]
    if way in PLAYED:
        return replayed(provider, scenario)
    plan = builtin(scenario)
    pace = attrs.evolve(plan.pace, hold_done=hold_done)
    return run(provider, plan, SessionConfig(model=model), pace=pace)


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """All that was held takes 300 MB, which the tests after these have no use for."""
    yield
    held.cache_clear()


def emission(exchange: Exchange, kind: str) -> Emission:
    assert exchange.capabilities is not None
    return exchange.capabilities.emission(kind)


def expressible(exchange: Exchange, other: Exchange) -> list[dict[str, Any]]:
    """The folded stream, without the kinds of streams that one of the two does not have."""
    absent = {
        kind
        for kind, event in _CONTENT.items()
        if Emission.NEVER in (emission(exchange, event), emission(other, event))
    }
    events = map(without_sound, exchange.events)
    return outline(step for step in fold(events) if step.stream.kind not in absent)


OVER_A_TOOL = ("tool_cancelled",)
"The scenarios in which the user speaks while a tool is waited for."
DEAF = [
    way
    for way, (provider, model) in WAYS.items()
    if provider.capabilities(model).emission("InputPaused") is not Emission.NEVER
]
"The ways in which nobody would hear that; see :mod:`unirt_google.gate`."


def pairs(ways: Iterable[str], scenarios: Iterable[str] = SCENARIOS) -> pytest.MarkDecorator:
    """Each way with each scenario that can be held so."""
    held_so = [
        pytest.param(way, scenario, id=f"{way}-{scenario}")
        for scenario, way in product(scenarios, ways)
        if not (way in DEAF and scenario in OVER_A_TOOL)
    ]
    return pytest.mark.parametrize(("way", "scenario"), held_so)


every_way = pytest.mark.parametrize("way", WAYS)


@pairs(WAYS)
def test_every_stream_is_legal_and_ends_whole(way: str, scenario: str) -> None:
    check(held(way, scenario).events, complete=True)


@pairs(OTHERS)
def test_the_folded_streams_are_equal(way: str, scenario: str) -> None:
    one, other = held(FIRST, scenario), held(way, scenario)
    assert expressible(one, other) == expressible(other, one)


@pairs(OTHERS)
def test_the_kept_streams_differ_only_where_the_facts_say_so(way: str, scenario: str) -> None:
    one, other = held(FIRST, scenario), held(way, scenario)
    assert one.capabilities is not None
    assert other.capabilities is not None
    assert differences(one.events, other.events, one.capabilities, other.capabilities) == []


@pytest.mark.parametrize("way", DEAF)
@pytest.mark.parametrize("scenario", OVER_A_TOOL)
def test_speech_that_a_model_would_not_take_is_told_instead(way: str, scenario: str) -> None:
    """Field 8: such a model would end the connection."""
    events = held(way, scenario).events
    check(events, complete=True)
    assert sum(isinstance(event, InputPaused) for event in events) == 1
    spoken = [event.dropped_ms for event in events if isinstance(event, InputResumed)]
    assert len(spoken) == 1
    assert spoken[0] >= 1_000
    assert not any(isinstance(event, ToolCallCancelled) for event in events)
    [closed] = (event for event in events if isinstance(event, SessionClosed))
    assert closed.by == "local"


@pairs(WAYS)
def test_responses_end_as_the_scenario_says(way: str, scenario: str) -> None:
    events = held(way, scenario).events
    ended = [(e.ending.value, e.reason) for e in events if isinstance(e, ResponseDone)]
    expected = ENDINGS.get(scenario, COMPLETE * len(builtin(scenario).replies))
    assert ended == expected
    closed = [e for e in events if isinstance(e, StreamClosed) and e.role == "assistant"]
    own = [e for e in closed if e.kind is not StreamKind.SERVER_TOOL]
    assert {(e.ending.value, e.reason) for e in own} <= {*expected}


@pairs(WAYS, [name for name in SCENARIOS if name not in ENDINGS])
def test_what_is_heard_is_what_the_scenario_says(way: str, scenario: str) -> None:
    replies, events = builtin(scenario).replies, held(way, scenario).events
    says = [[step for step in reply.steps if isinstance(step, Say)] for reply in replies]
    spoken = [" ".join(say.text for say in steps) for steps in says if steps]
    heard = [reply.heard.text for reply in replies if reply.heard is not None]
    for role, texts in (("assistant", spoken), ("user", heard)):
        assert [
            event.text
            for event in events
            if isinstance(event, StreamClosed)
            and (event.kind, event.role) == (StreamKind.TRANSCRIPT, role)
        ] == texts
    audio_ms = sum(event.duration_ms for event in events if isinstance(event, AudioDelta))
    assert audio_ms == sum(say.ms or 0.0 for steps in says for say in steps)


def used(exchange: Exchange) -> SessionUsage:
    ledger = Ledger(lambda: None)
    for event in exchange.events:
        ledger.handlers.get(type(event), lambda _: None)(event)
    ledger.settle()
    return ledger.usage


@pairs(WAYS)
def test_what_a_session_used_is_the_same_everywhere_and_nothing_is_missing(
    way: str, scenario: str
) -> None:
    """Pain 24: per response, by kind and cached, cancelled ones included."""
    exchange = held(way, scenario)
    usage = used(exchange)
    assert usage.total == used(held(FIRST, scenario)).total
    if all(ending == "complete" for ending, _ in ENDINGS.get(scenario, COMPLETE)):
        told = [reply.usage for reply in builtin(scenario).replies if reply.usage is not None]
        assert usage.total == sum(told, Usage())


@every_way
def test_a_cut_answer_is_counted_with_all_that_it_read(way: str) -> None:
    """Pain 24: cancelled responses count."""
    first, second = (reply.usage for reply in builtin("usage").replies)
    assert first is not None
    assert second is not None
    usage = used(held(way, "usage"))
    assert usage.total.input == first.input + second.input
    assert usage.total.cached == first.cached + second.cached
    assert usage.total.thinking == 7
    assert second.output.audio < usage.total.output.audio < second.output.audio + 150
    assert usage.untold == 0


@pairs(HOLDING)
def test_it_makes_no_difference_when_the_server_says_that_it_is_done(
    way: str, scenario: str
) -> None:
    when_played = held(way, scenario, hold_done=True)
    check(when_played.events, complete=True)
    assert outline(fold(when_played.events)) == outline(fold(held(way, scenario).events))


@pairs(WAYS)
def test_what_the_facts_call_never_is_never_told(way: str, scenario: str) -> None:
    exchange = held(way, scenario)
    told = {type(event).__name__ for event in exchange.events}
    assert {kind for kind in told if emission(exchange, kind) is Emission.NEVER} == set()


@pairs(PLAYED)
def test_a_cassette_tells_what_the_simulator_told_and_when(way: str, scenario: str) -> None:
    provider, _ = WAYS[way]
    simulated = run(provider, builtin(scenario), dialled(provider, scenario))

    def told(events: tuple[Event, ...]) -> list[tuple[float, Event]]:
        return [(event.received_at, without_sound(event)) for event in events]

    assert told(held(way, scenario).events) == told(simulated.events)


def without_sound(event: Event) -> Event:
    """The event with silence for its audio, as it is in the cassettes."""
    if isinstance(event, AudioDelta):
        return attrs.evolve(event, data=bytes(len(event.data)))
    return event


@pytest.mark.parametrize("scenario", REFUSED)
@every_way
def test_what_cannot_be_done_is_refused_before_anything_is_sent(way: str, scenario: str) -> None:
    exchange = held(way, scenario)
    assert exchange.refused is not None
    assert exchange.frames_sent == ()
    assert "no_such_setting" in str(exchange.refused)


def unmapped(events: tuple[Event, ...]) -> list[Any]:
    return [event.raw for event in events if isinstance(event, Unmapped)]


@every_way
def test_an_unknown_frame_is_told_with_its_data(way: str) -> None:
    assert unmapped(held(way, "unknown_event").events) == [{"type": "novelty.announced"}]


@every_way
def test_the_other_scenarios_hold_nothing_unknown(way: str) -> None:
    others = [name for name in SCENARIOS if name != "unknown_event"]
    found = {name: unmapped(held(way, name).events) for name in others}
    assert {name: frames for name, frames in found.items() if frames} == {}
