"""What OpenTelemetry is told: which spans began, and which ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import unirt

__all__ = ["Spans"]


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
        self.telemetry = unirt.Telemetry(tracer_provider=tracers)

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
