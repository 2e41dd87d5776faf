"""
The law: one scenario, one stream, whatever the provider.

Every scenario is held in every provider's protocol, client and server, on a virtual clock. The
folded streams must be equal; the kept streams may differ only where the facts say so.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from unirt import Emission, Event, Unmapped
from unirt.registry import installed, load
from unirt.simulator import Exchange, Pace, builtin, builtin_names, run
from unirt.testing import check, fold, outline
from unirt.testing.kept import differences

PROVIDERS = [name for name in installed() if load(name).server is not None]
PAIRS = list(pairwise(PROVIDERS))
SCENARIOS = builtin_names()
CONVERSATIONS = [name for name in SCENARIOS if builtin(name).refused is None]

_CONTENT = {
    "thought": "ThoughtDelta",
    "image": "ImageDelta",
    "citations": "CitationsDelta",
    "server_tool": "ServerToolResult",
}
"The event without which a kind of stream does not exist."


@cache
def held(provider: str, scenario: str, hold_done: bool = False) -> Exchange:
    plan = builtin(scenario)
    pace = Pace(speed=plan.pace.speed, hold_done=hold_done)
    return run(load(provider), plan, pace=pace)


def expressible(exchange: Exchange, *others: Exchange) -> list[dict[str, Any]]:
    """The folded stream, without the kinds of streams that one of the providers does not have."""
    absent = {
        kind
        for kind, event in _CONTENT.items()
        for one in (exchange, *others)
        if one.capabilities is not None and one.capabilities.emission(event) is Emission.NEVER
    }
    return outline(step for step in fold(exchange.events) if step.stream.kind not in absent)


@pytest.mark.parametrize("scenario", CONVERSATIONS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_stream_is_legal_and_ends_whole(provider: str, scenario: str) -> None:
    check(held(provider, scenario).events, complete=True)


@pytest.mark.parametrize("scenario", CONVERSATIONS)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_folded_streams_are_equal(one: str, other: str, scenario: str) -> None:
    a, b = held(one, scenario), held(other, scenario)
    assert expressible(a, b) == expressible(b, a)


@pytest.mark.parametrize("scenario", CONVERSATIONS)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_kept_streams_differ_only_where_the_facts_say_so(
    one: str, other: str, scenario: str
) -> None:
    a, b = held(one, scenario), held(other, scenario)
    assert a.capabilities is not None
    assert b.capabilities is not None
    assert differences(a.events, b.events, a.capabilities, b.capabilities) == []


@pytest.mark.parametrize("scenario", CONVERSATIONS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_makes_no_difference_when_the_server_says_that_it_is_done(
    provider: str, scenario: str
) -> None:
    """Only a provider that tells the end of the generation apart may hold the end of the turn."""
    if load(provider).capabilities("").emission("GenerationDone") is Emission.NEVER:
        pytest.skip("it is done when all is generated")
    at_once, when_played = held(provider, scenario), held(provider, scenario, hold_done=True)
    check(when_played.events, complete=True)
    assert outline(fold(when_played.events)) == outline(fold(at_once.events))


@pytest.mark.parametrize("scenario", CONVERSATIONS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_facts_call_never_is_never_told(provider: str, scenario: str) -> None:
    exchange = held(provider, scenario)
    assert exchange.capabilities is not None
    told = {type(event).__name__ for event in exchange.events}
    never = {kind for kind in told if exchange.capabilities.emission(kind) is Emission.NEVER}
    assert never == set()


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if builtin(name).refused])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_cannot_be_done_is_refused_before_anything_is_sent(
    provider: str, scenario: str
) -> None:
    exchange = held(provider, scenario)
    assert exchange.refused is not None
    assert exchange.frames_sent == ()
    assert "no_such_setting" in str(exchange.refused)


def unmapped(events: tuple[Event, ...]) -> list[Any]:
    return [event.raw for event in events if isinstance(event, Unmapped)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_unknown_frame_is_told_with_its_data(provider: str) -> None:
    assert unmapped(held(provider, "unknown_event").events) == [{"type": "novelty.announced"}]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_other_scenarios_hold_nothing_unknown(provider: str) -> None:
    others = [name for name in CONVERSATIONS if name != "unknown_event"]
    assert {
        name: found for name in others if (found := unmapped(held(provider, name).events))
    } == {}
