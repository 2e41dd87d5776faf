"""Telemetry, seen by the real SDK: what is told, when, and what never is."""

import asyncio
import importlib.util
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import unirt
from tests.unirt.conftest import Toy
from unirt.clock import ManualClock
from unirt.telemetry import Telemetry
from unirt.telemetry.names import SECONDS

KEY = "sk-a-very-secret-key"


class Told:
    """What the SDK was told."""

    def __init__(self, *, content: bool = False) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider(metric_readers=[self.reader])
        self.telemetry = Telemetry(
            tracer_provider=self.tracers, meter_provider=self.meters, content=content
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def metrics(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def close(self) -> None:
        self.tracers.shutdown()
        self.meters.shutdown()


@asynccontextmanager
async def told(
    toy: Toy, *, content: bool = False, **arguments: Any
) -> AsyncIterator[tuple[Told, unirt.Session, ManualClock]]:
    watched, clock = Told(content=content), ManualClock(1000.0)
    await toy.greet()
    try:
        async with toy.connecting(
            telemetry=watched.telemetry, clock=clock, api_key=KEY, **arguments
        ) as session:
            yield watched, session, clock
    finally:
        watched.close()


async def until(session: unirt.Session, kind: type[unirt.Event]) -> Any:
    async for event in session:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"no {kind.__name__} came")


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def below(span: ReadableSpan, other: ReadableSpan) -> bool:
    above = other.get_span_context()
    return span.parent is not None and above is not None and span.parent.span_id == above.span_id


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


async def turn(toy: Toy, session: unirt.Session, clock: ManualClock) -> None:
    await session.send_text("my question")
    clock.advance(0.5)
    await toy.say("start", response="r1")
    await until(session, unirt.ResponseStarted)
    clock.advance(0.25)
    await toy.say("audio", response="r1", size=4800)
    await toy.say("text", response="r1", text="my answer", kind="transcript")
    await until(session, unirt.TranscriptDelta)
    clock.advance(1.0)
    await toy.say("done", response="r1", tokens=20)
    await until(session, unirt.ResponseDone)


async def test_a_session_and_its_response_are_spans(toy: Toy) -> None:
    async with told(toy, model="toy-1", temperature=0.5) as (watched, session, clock):
        await turn(toy, session, clock)
        clock.advance(2.0)
        await session.close()
        answer, whole = watched.spans

    assert [answer.name, whole.name] == ["generate_content toy-1", "realtime_session toy-1"]
    assert (answer.kind, whole.kind) == (SpanKind.CLIENT, SpanKind.CLIENT)
    assert whole.parent is None
    assert below(answer, whole)
    assert (seconds(answer), seconds(whole)) == (1.25, 3.75)
    common = {
        "gen_ai.provider.name": "toy",
        "gen_ai.request.model": "toy-1",
        "gen_ai.response.model": "toy-1-large",
        "gen_ai.conversation.id": "sess_1",
    }
    assert attributes(whole) == {"gen_ai.operation.name": "realtime_session", **common}
    assert attributes(answer) == {
        "gen_ai.operation.name": "generate_content",
        **common,
        "gen_ai.response.id": "r1",
        "gen_ai.output.type": "speech",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.time_to_first_chunk": 0.75,
        "gen_ai.usage.input_tokens": 0,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.audio.output_tokens": 20,
    }
    assert {span.status.status_code for span in (answer, whole)} == {StatusCode.UNSET}


async def test_nothing_that_was_said_is_told_unless_asked_for(toy: Toy) -> None:
    async with told(toy, instructions="my instructions") as (watched, session, clock):
        await turn(toy, session, clock)
        await toy.say("call", response="r2", call="c1", arguments='{"city": "my city"}')
        call = await until(session, unirt.ToolCall)
        await session.send_tool_result(call.call_id, "my result")
        await session.close()
        text = "".join(span.to_json() for span in watched.spans)
    assert len(watched.spans) == 4
    assert "my " not in text
    assert KEY not in text


async def test_what_was_said_is_told_where_asked_for_without_credentials(toy: Toy) -> None:
    words = f"my instructions, and {KEY}"
    async with told(toy, content=True, instructions=words) as (watched, session, clock):
        await turn(toy, session, clock)
        await toy.say("call", response="r2", call="c1", arguments='{"city": "x"}')
        call = await until(session, unirt.ToolCall)
        await session.send_tool_result(call.call_id, {"celsius": 14, "key": KEY})
        await toy.say("done", response="r2", tokens=1)
        await until(session, unirt.ResponseDone)
        await session.close()
        first, second = (s for s in watched.spans if s.name.startswith("generate_content"))
        tool, whole = watched.span("execute_tool tool"), watched.spans[-1]

    def read(span: ReadableSpan, name: str) -> Any:
        return json.loads(str(attributes(span)[f"gen_ai.{name}"]))

    asked_for = [{"role": "user", "parts": [{"type": "text", "content": "my question"}]}]
    assert read(first, "input.messages") == asked_for
    said = {"type": "text", "content": "my answer"}
    answer = {"role": "assistant", "parts": [said], "finish_reason": "stop"}
    assert read(first, "output.messages") == [answer]
    called = {"type": "tool_call", "id": "c1", "name": "tool", "arguments": '{"city": "x"}'}
    answer = {"role": "assistant", "parts": [called], "finish_reason": "tool_call"}
    assert read(second, "output.messages") == [answer]
    assert read(tool, "tool.call.arguments") == {"city": "x"}
    assert read(tool, "tool.call.result") == {"celsius": 14, "key": "***"}
    assert read(whole, "system_instructions")[0]["content"] == "my instructions, and ***"
    assert KEY not in "".join(span.to_json() for span in watched.spans)


async def test_a_tool_call_is_a_span_from_the_call_to_its_result(toy: Toy) -> None:
    async with told(toy) as (watched, session, clock):
        for number in range(4):
            await toy.say("call", response="r1", call=f"c{number}", name=f"f{number}")
            await until(session, unirt.ToolCall)
        clock.advance(2.0)
        await session.send_tool_result("c0", "half", more_follows=True)
        await session.send_tool_result("c0", "whole")
        with pytest.raises(unirt.UsageError, match="answered already"):
            await session.send_tool_result("c0", "again")
        await session.send_tool_result("c1", error="it broke")
        await toy.say("cancel", calls=["c2"])
        await until(session, unirt.ToolCallCancelled)
        clock.advance(1.0)
        await session.close()
        spans = [watched.span(f"execute_tool f{number}") for number in range(4)]
        whole = watched.spans[-1]
        points = watched.metrics()["gen_ai.execute_tool.duration"]

    assert [seconds(span) for span in spans] == [2.0, 2.0, 2.0, 3.0]
    assert {span.kind for span in spans} == {SpanKind.INTERNAL}
    assert all(below(span, whole) for span in spans)
    told_of = attributes(spans[0])
    assert told_of == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "f0",
        "gen_ai.tool.call.id": "c0",
        "gen_ai.tool.type": "function",
    }
    failed = [attributes(span).get("error.type") for span in spans]
    assert failed == [None, "tool_error", "cancelled", "unanswered"]
    assert [s.status.status_code for s in spans] == [StatusCode.UNSET, *[StatusCode.ERROR] * 3]
    assert {point.attributes["gen_ai.tool.name"]: point.sum for point in points} == {
        "f0": 2.0,
        "f1": 2.0,
        "f2": 2.0,
        "f3": 3.0,
    }


@pytest.mark.parametrize(
    ("ending", "finish", "error"),
    [
        ("complete", "stop", None),
        ("interrupted", "interrupted", None),
        ("cancelled", "cancelled", None),
        ("failed", "error", "_OTHER"),
    ],
)
async def test_how_a_response_ended(toy: Toy, ending: str, finish: str, error: str | None) -> None:
    async with told(toy) as (watched, session, _):
        await toy.say("start", response="r1")
        await toy.say("done", response="r1", ending=ending)
        await until(session, unirt.ResponseDone)
        (span,) = watched.spans
        (point,) = watched.metrics()["gen_ai.client.inference.duration"]
    assert attributes(span)["gen_ai.response.finish_reasons"] == (finish,)
    assert attributes(span).get("error.type") == error
    assert point.attributes.get("error.type") == error
    assert (span.status.status_code is StatusCode.ERROR) == (error is not None)
    assert "gen_ai.usage.input_tokens" not in attributes(span)


async def test_an_overdue_response_is_an_event_on_its_span_or_on_the_session_s(toy: Toy) -> None:
    timeouts = unirt.Timeouts(answer=10.0, silence=20.0)
    async with told(toy, timeouts=timeouts) as (watched, session, clock):
        await session.send_text("my question")
        clock.advance(10.0)
        await until(session, unirt.ResponseOverdue)
        await toy.say("start", response="r1")
        await until(session, unirt.ResponseStarted)
        for _ in range(4):
            clock.advance(5.0)
            await asyncio.sleep(0)
        await until(session, unirt.ResponseOverdue)
        await toy.say("done", response="r1")
        await until(session, unirt.ResponseDone)
        await session.close()
        answer, whole = watched.spans
    (late,), (silent,) = whole.events, answer.events
    assert late.name == silent.name == "response overdue"
    told_of = {"unirt.what": "answer", "unirt.waited": 10.0, "unirt.reconnects": False}
    assert late.attributes == told_of
    assert silent.attributes == {**told_of, "unirt.what": "silence", "unirt.waited": 20.0}
    began = whole.start_time or 0
    assert late.timestamp - began == pytest.approx(10e9)
    assert silent.timestamp - began == pytest.approx(30e9)


async def test_metrics(toy: Toy) -> None:
    async with told(toy) as (watched, session, clock):
        await turn(toy, session, clock)
        await toy.say("usage", scope="transcription", tokens=7)
        await toy.say("usage", scope="turn", tokens=3)
        await toy.say("start", response="r2")
        await toy.say("done", response="r2")
        await toy.say("usage", scope="response", response="r2", tokens=5)
        await toy.say("usage", scope="response", response="r2", tokens=5)  # is counted already
        await toy.say("note")
        await until(session, unirt.Noted)
        metrics = watched.metrics()

    assert set(metrics) == {
        "gen_ai.client.inference.duration",
        "gen_ai.client.inference.time_to_first_chunk",
        "gen_ai.client.inference.usage.output_tokens",
    }
    (waited,) = metrics["gen_ai.client.inference.time_to_first_chunk"]
    assert (waited.sum, tuple(waited.explicit_bounds)) == (0.75, SECONDS)
    (took,) = metrics["gen_ai.client.inference.duration"]
    assert (took.count, took.sum) == (2, 1.25)
    written = metrics["gen_ai.client.inference.usage.output_tokens"]
    by_operation = {p.attributes["gen_ai.operation.name"]: p.value for p in written}
    assert by_operation == {"generate_content": 20 + 3 + 5, "transcription": 7}
    for points in metrics.values():
        for point in points:
            assert "gen_ai.conversation.id" not in point.attributes  # it would never end
            assert point.attributes["gen_ai.provider.name"] == "toy"


async def test_it_is_below_the_span_that_is_current(toy: Toy) -> None:
    watched = Told()
    tracer = watched.tracers.get_tracer("application")
    await toy.greet()
    with tracer.start_as_current_span("call"):
        async with toy.connecting(telemetry=watched.telemetry):
            pass
    session, call = watched.spans
    assert below(session, call)
    watched.close()


async def test_a_session_that_was_lost_is_an_error(toy: Toy) -> None:
    async with told(toy) as (watched, session, _):
        await toy.say("start", response="r1")
        await until(session, unirt.ResponseStarted)
        toy.there.cut()
        with pytest.raises(unirt.ConnectionLost):
            await until(session, unirt.SessionExpiring)
        await session.close()
        answer, whole = watched.spans
    assert attributes(answer)["error.type"] == "connection_lost"
    assert attributes(whole)["error.type"] == "network"
    assert whole.status.status_code is StatusCode.ERROR


async def test_a_session_that_never_came_about_is_an_error(toy: Toy) -> None:
    watched = Told()

    async def refuse(*_: object) -> Any:
        raise unirt.DialError("toy", url="toy:", why="nobody there")

    with pytest.raises(unirt.DialError):
        async with toy.connecting(telemetry=watched.telemetry, transport=refuse):
            pass
    (whole,) = watched.spans
    assert attributes(whole)["error.type"] == "not_connected"
    watched.close()


async def test_nothing_is_looked_at_beyond_the_first_piece_of_a_response(toy: Toy) -> None:
    watched = Told()
    watch = watched.telemetry.watch(provider="toy", config=unirt.SessionConfig(), now=lambda: 0.0)
    assert unirt.AudioDelta not in watch._handlers
    await toy.greet()
    async with toy.connecting(observers=[watch]) as session:
        await toy.say("audio", response="r1", size=480)
        await until(session, unirt.AudioDelta)
        assert unirt.AudioDelta not in watch._handlers
    watch.close()
    assert len(watched.spans) == 2
    watched.close()


async def test_it_is_off_unless_asked_for(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def telemetry(given: bool | None, **environ: str) -> Any:
        return unirt.connect(toy.provider, telemetry=given, environ=environ).telemetry

    assert telemetry(None) is None
    assert telemetry(None, UNIRT_TELEMETRY="off") is None
    assert telemetry(None, UNIRT_TELEMETRY="on") == Telemetry()
    assert telemetry(True) == Telemetry()
    assert telemetry(False, UNIRT_TELEMETRY="on") is None

    monkeypatch.setattr("unirt.telemetry.find_spec", lambda name: None)
    with pytest.raises(unirt.ConfigurationError, match=r"\[otel\]"):
        telemetry(True)
    assert importlib.util.find_spec("opentelemetry") is not None
