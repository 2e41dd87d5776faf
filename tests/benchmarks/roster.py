"""Who takes part: each contender's process, what it is, and what it can play."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import attrs

__all__ = ["BOTH", "FLOOR", "Entry", "roster"]

BOTH = ("openai", "google")
FLOOR = "floor"
"The one that all others are measured against."


@attrs.frozen(kw_only=True)
class Entry:
    """One contender, as the lab knows it."""

    name: str
    title: str
    "As in the tables."
    command: tuple[str, ...]
    label: str | None = None
    "As in the plots, where that is shorter."
    protocols: tuple[str, ...] = BOTH
    environ: Mapping[str, str] = attrs.field(factory=dict)
    note: str | None = None
    "A footnote: what it does less, or more, than unirt in the same run."
    missing: str | None = None
    "Why it cannot take part."


def _own(name: str, title: str, module: str, *arguments: str, label: str | None = None) -> Entry:
    command = (sys.executable, "-m", f"tests.benchmarks.contenders.{module}", *arguments)
    return Entry(name=name, title=title, command=command, label=label)


def _step(name: str, title: str, label: str, note: str | None = None) -> Entry:
    """unirt cut off somewhere: see :data:`tests.benchmarks.contenders.anatomy.STEPS`."""
    return attrs.evolve(_own(name, title, "anatomy", name, label=label), note=note)


def _variant(name: str, title: str, label: str | None = None) -> Entry:
    """unirt with something switched: see :data:`tests.benchmarks.contenders.unirt.VARIANTS`."""
    return _own(name, title, "unirt", name, label=label)


_OWN = (
    _own("raw_socket", "raw socket, bytes only", "raw_socket"),
    _own("receive_only", "websockets, receive only", "receive_only", label="receive only"),
    _own(FLOOR, "**floor**: websockets + typed decode + PCM", "floor", label="floor"),
    _own("picows_floor", "picows + typed decode + PCM", "picows_floor", label="picows floor"),
    _variant("unirt", "**unirt**"),
    _variant("unirt_fast", "**unirt[fast]**: picows, uvloop", label="unirt[fast]"),
    _variant("unirt_picows", "unirt over picows, without uvloop"),
    _own("sdk", "official SDK, PCM decoded", "sdk", label="official SDK"),
    _variant("folded", "folded view"),
    _variant("both_views", "both views"),
    _variant("order_checked", "order checked by an observer"),
    _variant("traced", "traced to a file"),
    _variant("no_history", "no history"),
    _variant("audio_out", "audio out resampled to 48 kHz"),
    _step("anatomy_transport", "unirt's transport alone", "transport"),
    _step("anatomy_json", "transport, JSON", "JSON"),
    _step("anatomy_pcm", "transport, JSON, PCM", "PCM"),
    _step(
        "anatomy_envelope",
        "transport, envelopes",
        "reading",
        "it takes the place of the two beside the way, and its difference is to the socket alone; "
        "an envelope decodes while it opens, so the two cannot be told apart.",
    ),
    _step("anatomy_translator", "transport, translator", "composing"),
    _step(
        "anatomy_session",
        "session without a view",
        "session",
        "with it comes what surrounds the translator: the outbox and the timer are looked after, "
        "and events are counted.",
    ),
    _step("anatomy_transport_fast", "unirt's fast transport alone", "transport"),
)


def roster(*, peers: bool = False, cache: str | None = None) -> dict[str, Entry]:
    """
    Everybody, by name.

    Args:
        peers: Also the libraries of others, in virtual environments that are built where needed.
        cache: The folder of these environments.
    """
    entries = {entry.name: entry for entry in _OWN}
    if peers:
        registry: Any = import_module("tests.benchmarks.peers.registry")
        for entry in registry.entries(cache):
            entries[entry.name] = entry
    return entries
