"""The observer: one session's spans and metrics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from unirt.commands import (
    Command,
    EndTurn,
    Respond,
    SendImage,
    SendText,
    SendToolResult,
)
from unirt.config import SessionConfig
from unirt.events import (
    AudioDelta,
    ContentEvent,
    Ending,
    Event,
    Reconnected,
    ResponseDone,
    ResponseOverdue,
    ResponseStarted,
    SessionClosed,
    SessionStarted,
    SpeechStarted,
    SpeechStopped,
    StreamClosed,
    StreamKind,
    StreamOpened,
    TextDelta,
    ThoughtDelta,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
    UsageReported,
)
from unirt.telemetry.names import SECONDS, counts, finish_reason, known
from unirt.usage import Usage

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Span, Tracer

__all__ = ["Watch"]

_REMEMBERED = 64
"How many responses without usage are remembered, in case it comes late."
_FIRST = (AudioDelta, TextDelta, TranscriptDelta, ThoughtDelta, ToolCall)
"What the first chunk of a response can be."
_SAID = (StreamKind.TEXT, StreamKind.TRANSCRIPT)


@attrs.define(eq=False)
class _Answer:
    """One response while it runs."""

    span: Span
    started_at: float
    asked_at: float | None
    turn_id: str | None
    first_at: float | None = None
    called: bool = False
    parts: list[dict[str, Any]] = attrs.field(factory=list)


class Watch:
    """Watches one session; made by :meth:`Telemetry.watch`."""

    def __init__(
        self,
        *,
        tracer: Tracer,
        meter: Meter,
        content: bool,
        provider: str,
        name_of: Callable[[str], str],
        config: SessionConfig,
        now: Callable[[], float],
        hide: Callable[[str], str],
    ) -> None:
        self._tracer = tracer
        self._content = content
        self._config = config
        self._model = config.model
        self._name_of = name_of
        self._now = now
        self._hide = hide
        self._unix_ns = time.time_ns() - _ns(now())
        "What the session's clock lacks to the Unix epoch; taken once."
        self._common = known(
            {"gen_ai.provider.name": name_of(provider), "gen_ai.request.model": config.model}
        )
        self._asked_at: float | None = None
        self._answers: dict[str, _Answer] = {}
        self._calls: dict[str, tuple[Span, str, float]] = {}
        self._heard: dict[str | None, list[str]] = {}
        "What the user said, by turn."
        self._unpaid: dict[str, None] = {}
        self._tokens = {
            name: meter.create_counter(f"gen_ai.client.inference.usage.{name}", unit="{token}")
            for name in (
                "input_tokens",
                "output_tokens",
                "cache_read.input_tokens",
                "reasoning.output_tokens",
            )
        }
        self._duration, self._first_chunk, self._tool = (
            meter.create_histogram(name, unit="s", explicit_bucket_boundaries_advisory=SECONDS)
            for name in (
                "gen_ai.client.inference.duration",
                "gen_ai.client.inference.time_to_first_chunk",
                "gen_ai.execute_tool.duration",
            )
        )
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            SessionStarted: self._session_started,
            Reconnected: self._reconnected,
            SpeechStarted: self._speech_started,
            SpeechStopped: self._speech_stopped,
            ResponseStarted: self._response_started,
            StreamOpened: self._stream_opened,
            ToolCall: self._tool_called,
            ToolCallCancelled: self._calls_cancelled,
            ResponseOverdue: self._response_overdue,
            ResponseDone: self._response_done,
            UsageReported: self._usage_reported,
            SessionClosed: self._session_closed,
        }
        if content:
            self._handlers[StreamClosed] = self._stream_closed
        self._closed: SessionClosed | None = None
        self._over = False
        self._session = self._start("realtime_session", config.model, now(), None)
        if content and config.instructions:
            instructions = [{"type": "text", "content": config.instructions}]
            self._tell(self._session, {"gen_ai.system_instructions": instructions})

    # What an observer is told.

    def __call__(self, events: Sequence[Event]) -> None:
        """Events came."""
        for event in events:
            handler = self._handlers.get(type(event))
            if handler is not None:
                handler(event)

    def said(self, command: Command) -> None:
        """The application did something."""
        match command:
            case SendToolResult(more_follows=False):
                self._asked_at = self._now()
                self._answered(command.call_id, command.output, command.error)
            case EndTurn(respond=True) | SendText(respond=True) | SendImage(respond=True):
                self._asked_at = self._now()
            case Respond() if self._asked_at is None:
                self._asked_at = self._now()
            case _:
                pass

    def close(self) -> None:
        """The session is over, or never came about. Idempotent."""
        if self._over:
            return
        self._over = True
        now = self._now()
        for call_id in list(self._calls):
            self._end_call(call_id, "unanswered", now)
        closed = self._closed
        if closed is None:
            self._fail(self._session, "not_connected")
        elif not closed.clean:
            self._fail(self._session, str(closed.code or closed.by))
        self._session.end(self._ns(now))

    # The session.

    def _session_started(self, event: SessionStarted) -> None:
        told = {
            "gen_ai.conversation.id": event.session_id,
            "gen_ai.response.model": event.model,
        }
        for name in told:
            self._common.pop(name, None)  # of the connection before
        self._common |= known(told)
        self._tell(self._session, told)

    def _reconnected(self, event: Reconnected) -> None:
        """Another provider, or model, answers: spans from here on are of that."""
        self._model = event.model
        named = {
            "gen_ai.provider.name": self._name_of(event.provider),
            "gen_ai.request.model": event.model,
        }
        self._common |= known(named)
        self._session.add_event(
            "reconnected", known({**named, "unirt.why": event.why}), self._ns(event.received_at)
        )

    def _session_closed(self, event: SessionClosed) -> None:
        self._closed = event

    # Responses.

    def _speech_started(self, event: SpeechStarted) -> None:
        self._asked_at = None

    def _speech_stopped(self, event: SpeechStopped) -> None:
        self._asked_at = event.received_at

    def _response_started(self, event: ResponseStarted) -> None:
        config = self._config
        span = self._start("generate_content", self._model, event.received_at, self._session)
        modalities = config.modalities or ("audio",)
        told = {
            "gen_ai.response.id": event.response_id,
            "gen_ai.output.type": "speech" if "audio" in modalities else "text",
            "gen_ai.request.stream": True,
            "gen_ai.request.temperature": config.temperature,
            "gen_ai.request.max_tokens": config.max_output_tokens,
            "gen_ai.request.reasoning.level": config.thinking and config.thinking.effort,
        }
        self._tell(span, told)
        asked_at, self._asked_at = self._asked_at, None
        answer = _Answer(span, event.received_at, asked_at, event.turn_id)
        self._answers[event.response_id] = answer

    def _stream_opened(self, event: StreamOpened) -> None:
        if any(answer.first_at is None for answer in self._answers.values()):
            for kind in _FIRST:
                self._handlers[kind] = self._first

    def _first(self, event: ContentEvent) -> None:
        """The first piece of a response; after it no more pieces are looked at."""
        answer = self._answers.get(event.response_id or "")
        if answer is not None:
            for kind in _FIRST:
                del self._handlers[kind]
            self._handlers[ToolCall] = self._tool_called
            if answer.first_at is None:
                answer.first_at = event.received_at
        if isinstance(event, ToolCall):
            self._tool_called(event)

    def _stream_closed(self, event: StreamClosed) -> None:
        if event.kind not in _SAID or not event.text:
            return
        answer = self._answers.get(event.response_id or "")
        if answer is not None:
            answer.parts.append({"type": "text", "content": event.text})
        elif event.role == "user":
            self._heard.setdefault(event.turn_id, []).append(event.text)

    def _response_overdue(self, event: ResponseOverdue) -> None:
        """One that has begun is told on its own span, and one that has not on the session's."""
        answer = self._answers.get(event.response_id or "")
        told: dict[str, str | float | bool] = {
            "unirt.what": event.what,
            "unirt.waited": event.waited,
            "unirt.reconnects": event.reconnects,
        }
        span = self._session if answer is None else answer.span
        span.add_event("response overdue", told, self._ns(event.received_at))

    def _response_done(self, event: ResponseDone) -> None:
        answer = self._answers.pop(event.response_id, None)
        if answer is None:
            return
        finish = finish_reason(event, called=answer.called)
        told: dict[str, Any] = {"gen_ai.response.finish_reasons": (finish,)}
        measured = {"gen_ai.operation.name": "generate_content", **self._measured()}
        if event.ending is Ending.FAILED:
            measured["error.type"] = event.reason or "_OTHER"
            self._fail(answer.span, measured["error.type"])
        if answer.first_at is not None and answer.asked_at is not None:
            waited = answer.first_at - answer.asked_at
            told["gen_ai.response.time_to_first_chunk"] = waited
            self._first_chunk.record(waited, measured)
        if event.usage is not None:
            told |= counts(event.usage)
            self._count(event.usage, "generate_content", None)
        else:
            self._unpaid[event.response_id] = None
            if len(self._unpaid) > _REMEMBERED:
                del self._unpaid[next(iter(self._unpaid))]
        if self._content:
            told |= self._messages(answer, finish)
        self._tell(answer.span, told)
        self._duration.record(event.received_at - answer.started_at, measured)
        answer.span.end(self._ns(event.received_at))

    def _messages(self, answer: _Answer, finish: str) -> dict[str, Any]:
        heard = [{"type": "text", "content": text} for text in self._heard.pop(answer.turn_id, [])]
        self._heard.clear()  # what comes after its answer is told nowhere
        said = {"role": "assistant", "parts": answer.parts, "finish_reason": finish}
        asked = [{"role": "user", "parts": heard}] if heard else None
        return {"gen_ai.input.messages": asked, "gen_ai.output.messages": [said]}

    # Tools.

    def _tool_called(self, event: ToolCall) -> None:
        answer = self._answers.get(event.response_id or "")
        if answer is not None:
            answer.called = True
            part = {"type": "tool_call", "id": event.call_id, "name": event.name}
            answer.parts.append({**part, "arguments": event.arguments})
        span = self._start("execute_tool", event.name, event.received_at, self._session)
        told = {
            "gen_ai.tool.name": event.name,
            "gen_ai.tool.call.id": event.call_id,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.arguments": event.arguments if self._content else None,
        }
        self._tell(span, told)
        self._calls[event.call_id] = span, event.name, event.received_at

    def _answered(self, call_id: str, output: Any, error: str | None) -> None:
        if call_id not in self._calls:
            return
        if self._content:
            self._tell(self._calls[call_id][0], {"gen_ai.tool.call.result": error or output})
        self._end_call(call_id, None if error is None else "tool_error", self._now())

    def _calls_cancelled(self, event: ToolCallCancelled) -> None:
        for call_id in event.call_ids:
            if call_id in self._calls:
                self._end_call(call_id, "cancelled", event.received_at)

    def _end_call(self, call_id: str, failed: str | None, now: float) -> None:
        span, name, called_at = self._calls.pop(call_id)
        measured = known({"gen_ai.tool.name": name, "gen_ai.tool.type": "function"})
        if failed is not None:
            measured["error.type"] = failed
            self._fail(span, failed)
        self._tool.record(now - called_at, measured)
        span.end(self._ns(now))

    # Usage.

    def _usage_reported(self, event: UsageReported) -> None:
        if event.usage is None:
            return
        if event.scope == "transcription":
            self._count(event.usage, "transcription", event.model)
        elif event.scope == "turn" or event.response_id in self._unpaid:
            self._unpaid.pop(event.response_id or "", None)
            self._count(event.usage, "generate_content", None)

    def _count(self, usage: Usage, operation: str, model: str | None) -> None:
        measured = {"gen_ai.operation.name": operation, **self._measured()}
        if model is not None:
            measured |= {"gen_ai.request.model": model, "gen_ai.response.model": model}
        for name, count in (
            ("input_tokens", usage.input_tokens),
            ("output_tokens", usage.output_tokens),
            ("cache_read.input_tokens", usage.cached.total),
            ("reasoning.output_tokens", usage.thinking),
        ):
            if count:
                self._tokens[name].add(count, measured)

    # Spans.

    def _measured(self) -> dict[str, Any]:
        """What metrics are told apart by: nothing that is different for each session."""
        return {name: v for name, v in self._common.items() if name != "gen_ai.conversation.id"}

    def _start(self, operation: str, what: str | None, at: float, parent: Span | None) -> Span:
        from opentelemetry.trace import SpanKind, set_span_in_context

        kind = SpanKind.INTERNAL if operation == "execute_tool" else SpanKind.CLIENT
        span: Span = self._tracer.start_span(
            f"{operation} {what}" if what else operation,
            context=None if parent is None else set_span_in_context(parent),
            kind=kind,
            start_time=self._ns(at),
        )
        common = {} if operation == "execute_tool" else self._common
        self._tell(span, {"gen_ai.operation.name": operation, **common})
        return span

    def _tell(self, span: Span, told: Mapping[str, Any]) -> None:
        for name, value in known(told).items():
            span.set_attribute(name, self._plain(value))

    def _plain(self, value: Any) -> Any:
        """What an attribute can hold, without credentials."""
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, tuple):
            return [self._hide(text) for text in value]
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return self._hide(text)

    def _fail(self, span: Span, why: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        span.set_attribute("error.type", why)
        span.set_status(Status(StatusCode.ERROR))

    def _ns(self, at: float) -> int:
        return self._unix_ns + _ns(at)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
