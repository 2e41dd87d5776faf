"""
What a session used, what it cost, how long it took and where it stops, over real sockets.

Pain 24 of the field on both providers: nothing is missing, nothing is free for being unknown.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import unirt
from unirt import Budget, Ending, Event, LimitReached, ResponseDone, SessionClosed, ToolCall
from unirt.clock import ManualClock
from unirt.registry import installed, load
from unirt.simulator import Simulator, builtin
from unirt.simulator.scenario import Pace
from unirt.simulator.voice import silence, speech
from unirt.testing import check

FAST = Pace(speed=50.0, latency_ms=1.0)
SLOW = Pace(speed=1.0, latency_ms=1.0)
SPOKEN = speech(600, unirt.PCM16_16K) + silence(900, unirt.PCM16_16K)

on_both = pytest.mark.parametrize("provider", installed())


@asynccontextmanager
async def talk(
    provider: str, scenario: str | None = None, *, pace: Pace = FAST, **arguments: Any
) -> AsyncIterator[unirt.Session]:
    plan = None if scenario is None else builtin(scenario)
    async with (
        Simulator(load(provider), plan, pace=pace) as simulator,
        unirt.connect(provider, environ=simulator.env, **arguments) as session,
    ):
        yield session


async def until(session: unirt.Session, kind: type[Event], events: list[Event]) -> Any:
    async for event in session:
        events.append(event)
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__} came")


@on_both
async def test_usage_and_cost(provider: str) -> None:
    """Pain 24."""
    events: list[Event] = []
    async with talk(provider) as session:
        await session.send_text("hello there")
        first = await until(session, ResponseDone, events)
        await session.send_audio(SPOKEN, unirt.PCM16_16K)
        second = await until(session, ResponseDone, events)
        await session.close()
        usage, cost = session.usage, session.cost

        assert usage.total == first.usage + second.usage
        (account,) = usage.responses
        assert account.provider == provider
        assert account.model is not None
        assert account.model.endswith(load(provider).default_model)
        assert (account.count, account.untold) == (2, 0)
        parts = [session.cost_of(first), session.cost_of(second)]
        told = [e for e in events if isinstance(e, unirt.UsageReported)]
        parts += [session.cost_of(e) for e in told if e.scope == "transcription"]
        amounts = [part.amount for part in parts]
        assert all(amount is not None and amount > 0 for amount in amounts)
        assert cost.amount == sum((amount or Decimal(0) for amount in amounts), Decimal(0))


@on_both
async def test_transcription_is_an_account_of_its_own_where_another_model_does_it(
    provider: str,
) -> None:
    events: list[Event] = []
    async with talk(provider) as session:
        await session.send_audio(SPOKEN, unirt.PCM16_16K)
        await until(session, ResponseDone, events)
        await session.close()
        events += [event async for event in session]
        accounts = session.usage.transcription
        apart = [e for e in events if isinstance(e, unirt.UsageReported)]
        assert sum(account.count for account in accounts) == len(apart)
        asked = session.config.input_transcription
        models = {asked.model} if asked is not None and asked.model else set()
        assert {account.model for account in accounts} == (models if apart else set())


@on_both
async def test_timings_of_a_turn_with_a_tool(provider: str) -> None:
    plan = builtin("tool_call")
    events: list[Event] = []
    async with talk(provider, "tool_call", tools=plan.session.tools) as session:
        await session.send_audio(SPOKEN, unirt.PCM16_16K)
        call = await until(session, ToolCall, events)
        await session.send_tool_result(call.call_id, {"celsius": 14})
        await until(session, unirt.AudioDelta, events)
        await until(session, ResponseDone, events)
        (turn,) = session.timings
        started = next(e for e in events if isinstance(e, unirt.ResponseStarted))
        sound = next(e for e in events if isinstance(e, unirt.AudioDelta))

        assert turn.turn_id == started.turn_id
        assert turn.response_at == started.received_at
        assert turn.audio_at == sound.received_at
        assert turn.text_at is not None
        assert turn.calls == 1
        assert turn.tool_ms > 0
        assert turn.response_to_audio_ms is not None
        assert turn.response_to_audio_ms >= turn.tool_ms
        assert session.timings.percentile("tool_ms") == turn.tool_ms
        heard = session.capabilities.emission("SpeechStopped") is not unirt.Emission.NEVER
        assert turn.ended_by == ("speech" if heard else None)
        assert (turn.first_audio_ms is not None) == heard


@on_both
async def test_timings_of_a_written_turn(provider: str) -> None:
    events: list[Event] = []
    async with talk(provider) as session:
        await session.send_text("hello")
        await until(session, ResponseDone, events)
        turn = session.timings.latest
        assert turn is not None
        assert turn.ended_by == "command"
        times = [turn.response_ms, turn.first_text_ms, turn.first_audio_ms, turn.done_ms]
        assert None not in times
        assert turn.response_ms == min(times, key=lambda ms: ms or 0.0)
        assert turn.done_ms == max(times, key=lambda ms: ms or 0.0)


NAMES = {"openai": "openai", "google": "gcp.gen_ai"}
"What OpenTelemetry's conventions call them."


@on_both
async def test_spans_and_metrics(provider: str) -> None:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider(metric_readers=[reader])
    telemetry = unirt.Telemetry(tracer_provider=tracers, meter_provider=meters)
    plan, events = builtin("tool_call"), list[Event]()
    async with talk(
        provider, "tool_call", tools=plan.session.tools, telemetry=telemetry
    ) as session:
        await session.send_audio(SPOKEN, unirt.PCM16_16K)
        call = await until(session, ToolCall, events)
        await session.send_tool_result(call.call_id, {"celsius": 14})
        await until(session, unirt.AudioDelta, events)
        await until(session, ResponseDone, events)
        used = session.usage.total
        data = reader.get_metrics_data()
    tracers.shutdown()
    meters.shutdown()

    spans = exporter.get_finished_spans()
    names = [span.name.partition(" ")[0] for span in spans]
    assert sorted(names) == [
        "execute_tool", "generate_content", "generate_content", "realtime_session"
    ]  # fmt: skip
    assert names[-1] == "realtime_session"
    attributes = [dict(span.attributes or {}) for span in spans]
    tools = [a for a in attributes if a["gen_ai.operation.name"] == "execute_tool"]
    others = [a for a in attributes if a not in tools]
    assert {a["gen_ai.tool.name"] for a in tools} == {"get_weather"}
    assert {a["gen_ai.provider.name"] for a in others} == {NAMES[provider]}
    counted = [a.get("gen_ai.usage.output_tokens", 0) for a in others]
    assert sum(map(int, map(str, counted))) == used.output_tokens
    assert "London" not in "".join(span.to_json() for span in spans)
    assert data is not None
    points = {
        metric.name: metric.data.data_points
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    read = points["gen_ai.client.inference.usage.input_tokens"]
    assert sum(getattr(point, "value", 0) for point in read) == used.input_tokens
    for name, count in (("client.inference", 2), ("execute_tool", 1)):
        took = points[f"gen_ai.{name}.duration"]
        assert sum(getattr(point, "count", 0) for point in took) == count


@on_both
async def test_a_budget_of_tokens_or_money_ends_the_session(provider: str) -> None:
    for budget in (Budget(tokens=1), Budget(cost="0.000001")):
        async with talk(provider, budget=budget) as session:
            await session.send_text("hello")
            events = [event async for event in session]
            check(events, complete=True)
            *_, reached, closed = events
            assert isinstance(reached, LimitReached)
            assert session.ended_by == reached
            assert isinstance(closed, SessionClosed)
            assert (closed.by, closed.clean) == ("local", True)
            assert closed.reason == f"limit: {reached.limit}"
            with pytest.raises(unirt.LimitReachedError):
                await session.send_text("more")


@on_both
@pytest.mark.parametrize("transport", ["websocket", "fast"])
async def test_a_session_that_ran_out_of_time_settles_what_runs(
    provider: str, transport: str
) -> None:
    clock = ManualClock()
    budget = Budget(duration=60)
    async with talk(
        provider, pace=SLOW, transport=transport, clock=clock, budget=budget
    ) as session:
        events: list[Event] = []
        await session.send_text("tell me a story")
        await until(session, unirt.AudioDelta, events)
        clock.advance_to(clock.now() + 60)
        events += [event async for event in session]
        check(events, complete=True)
    reached = next(event for event in events if isinstance(event, LimitReached))
    done = next(event for event in events if isinstance(event, ResponseDone))
    closed = next(event for event in events if isinstance(event, SessionClosed))
    assert events.index(reached) < events.index(done) < events.index(closed)
    assert (done.ending, done.reason) == (Ending.CANCELLED, "session_closed")
    assert closed.reason == "limit: duration"
    assert session.usage.untold == 1
    assert session.cost.amount is None
