"""
Spans and metrics by OpenTelemetry's conventions for generative AI (the extra ``[otel]``).

The names are those of ``open-telemetry/semantic-conventions-genai`` 0.1.0 (2026-11), all of which
have the status *development*. It has none for a session of many answers yet, so the span of one is
named here, and its answers are ``generate_content``. Off unless ``connect(telemetry=...)`` or
``UNIRT_TELEMETRY`` asks for it.

A session is a span, and its children are a span for each response, from its start to its end, and
one for each tool call, from the call to its result. Nothing that was said is told, unless
``content`` asks for it, and credentials are masked even then.

This is an observer (:mod:`unirt.session.observers`), and uses nothing that another could not.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import attrs

from unirt.config import SessionConfig
from unirt.errors import ConfigurationError
from unirt.telemetry.watch import Watch
from unirt.value import Value

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["Telemetry", "Watch"]


@attrs.frozen(kw_only=True)
class Telemetry(Value):
    """What is told to OpenTelemetry, and to whom."""

    tracer_provider: TracerProvider | None = None
    "``None`` for the global one."
    meter_provider: MeterProvider | None = None
    "``None`` for the global one."
    content: bool = False
    "Whether instructions, words, and the arguments and results of tools are told too."

    def check(self) -> None:
        """
        Refuse what cannot be done, before anything is dialled.

        Raises:
            ConfigurationError: OpenTelemetry is not installed.
        """
        if find_spec("opentelemetry") is None:
            raise ConfigurationError(
                "OpenTelemetry is not installed",
                where="telemetry, or UNIRT_TELEMETRY",
                remedy="pip install 'unirt-realtime[otel]', or leave it out",
            )

    def watch(
        self,
        *,
        provider: str,
        config: SessionConfig,
        now: Callable[[], float],
        hide: Callable[[str], str] = str,
        name_of: Callable[[str], str] = str,
    ) -> Watch:
        """
        An observer of one session, whose span starts now, below the span that is current.

        Args:
            provider: The provider's registered name.
            config: What is asked for.
            now: The session's clock.
            hide: Masks credentials in a text.
            name_of: What the conventions call a provider.
        """
        from opentelemetry import metrics, trace

        return Watch(
            tracer=trace.get_tracer("unirt", tracer_provider=self.tracer_provider),
            meter=metrics.get_meter("unirt", meter_provider=self.meter_provider),
            content=self.content,
            name_of=name_of,
            provider=provider,
            config=config,
            now=now,
            hide=hide,
        )
