"""What OpenTelemetry is told: which spans began, which ended, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import unirt

__all__ = ["Point", "Spans"]


@attrs.frozen
class Point:
    """What was measured under one name, of one kind."""

    name: str
    told: Mapping[str, Any]
    "What it is told apart by."
    amount: float
    count: int
    "Of how many; 0 for a counter."


class _Begun(SpanProcessor):
    count = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.count += 1


class Spans:
    """Listens to one session; give it :attr:`telemetry`."""

    def __init__(self) -> None:
        self._exporter, self._begun = InMemorySpanExporter(), _Begun()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(self._begun)
        tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self._reader = InMemoryMetricReader()
        meters = MeterProvider(metric_readers=[self._reader], shutdown_on_exit=False)
        self.telemetry = unirt.Telemetry(tracer_provider=tracers, meter_provider=meters)

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        """The spans that ended, in that order."""
        return self._exporter.get_finished_spans()

    @property
    def open(self) -> int:
        """How many began, and have not ended."""
        return self._begun.count - len(self.ended)

    @property
    def names(self) -> list[str]:
        """What those that ended are of, in order."""
        return [span.name.partition(" ")[0] for span in self.ended]

    def attributes(self, name: str) -> list[Mapping[str, Any]]:
        """What those of one name say."""
        pairs = zip(self.names, self.ended, strict=True)
        return [dict(span.attributes or {}) for one, span in pairs if one == name]

    @property
    def points(self) -> list[Point]:
        """What was measured until now."""
        data = self._reader.get_metrics_data()
        found: list[Point] = []
        for resource in () if data is None else data.resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                for point in metric.data.data_points:
                    told = dict(point.attributes or {})
                    if isinstance(point, NumberDataPoint):
                        found.append(Point(metric.name, told, point.value, 0))
                    else:
                        found.append(Point(metric.name, told, point.sum, point.count))
        return found

    def measured(self, *by: str) -> dict[tuple[str, ...], float]:
        """
        What does not hang on who tells when: tokens, the time of tools, and how many answers.

        Args:
            by: What is told apart by, beside the metric.
        """
        found: dict[tuple[str, ...], float] = {}
        for point in self.points:
            said = point.told.get("gen_ai.operation.name")
            if said == "transcription" or point.name.endswith("to_first_chunk"):
                continue
            key = point.name, *(str(point.told.get(name)) for name in by)
            amount = point.count if said and point.count else point.amount
            found[key] = round(found.get(key, 0) + amount, 3)
        return found
