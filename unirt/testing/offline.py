"""Translating recorded frames, without a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unirt.config import SessionConfig
from unirt.events import Event
from unirt.registry import load

__all__ = ["translate"]


def translate(provider: str, frames: Iterable[str | bytes | Mapping[str, object]]) -> list[Event]:
    """
    Translate frames as received from a provider after connecting.

    The frames may start and stop in the middle of a session: what is missing at the start is
    synthesised, what is missing at the end stays open. No time passes between them, so nothing is
    said about how much audio was heard.

    Raises:
        UnknownProvider: No such provider is installed.
    """
    translator = load(provider).new_translator(SessionConfig(), offline=True)
    translator.start(0.0)
    events: list[Event] = []
    for frame in frames:
        translator.receive(frame, 0.0)
        translator.frames_to_send()
        events += translator.events_received()
    return events
