"""
OpenTelemetry, of every scenario: each span that begins ends, and both providers give the same ones,
and the same metrics.

The scenarios are played from their cassettes, through real sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from tests.replayed import replayed
from tests.spans import Spans
from unirt import ResponseDone, ToolCall
from unirt.registry import installed, load
from unirt.simulator import Exchange, builtin, builtin_names

SCENARIOS = [name for name in builtin_names() if builtin(name).refused is None]


@cache
def told(provider: str, scenario: str) -> tuple[Exchange, Spans]:
    spans = Spans()
    return replayed(load(provider), scenario, spans.telemetry), spans


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    yield
    told.cache_clear()


every = pytest.mark.parametrize("scenario", SCENARIOS)


@every
@pytest.mark.parametrize("provider", installed())
def test_every_span_ends(provider: str, scenario: str) -> None:
    exchange, spans = told(provider, scenario)
    assert spans.names
    assert spans.open == 0
    assert spans.names[-1] == "realtime_session"
    count = Counter(spans.names)
    events = exchange.events
    assert count["realtime_session"] == 1
    assert count["generate_content"] == sum(isinstance(e, ResponseDone) for e in events)
    assert count["execute_tool"] == sum(isinstance(e, ToolCall) for e in events)
    session = spans.ended[-1].context
    assert session is not None
    assert {span.context.trace_id for span in spans.ended if span.context} == {session.trace_id}


@every
def test_both_providers_give_the_same_spans(scenario: str) -> None:
    first, *others = (told(provider, scenario)[1] for provider in installed())
    for other in others:
        assert Counter(other.names) == Counter(first.names)
        for tokens in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"):
            assert used(other, tokens) == used(first, tokens)
        assert reasons(other) == reasons(first)
        assert other.measured() == first.measured()


def used(spans: Spans, name: str) -> int:
    """In sum: some count the call of a tool with the answer that goes on."""
    return sum(answer.get(name, 0) for answer in spans.attributes("generate_content"))


def reasons(spans: Spans) -> list[tuple[str, ...]]:
    key = "gen_ai.response.finish_reasons"
    return sorted(tuple(answer.get(key, ())) for answer in spans.attributes("generate_content"))
