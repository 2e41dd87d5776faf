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
    protocols: tuple[str, ...] = BOTH
    environ: Mapping[str, str] = attrs.field(factory=dict)
    note: str | None = None
    "A footnote: what it does less, or more, than unirt in the same run."
    missing: str | None = None
    "Why it cannot take part."


def _own(name: str, title: str, module: str | None = None, *arguments: str) -> Entry:
    command = (sys.executable, "-m", f"tests.benchmarks.contenders.{module or name}", *arguments)
    return Entry(name=name, title=title, command=command)


_OWN = (
    _own("raw_socket", "raw socket, bytes only"),
    _own("receive_only", "websockets, receive only"),
    _own(FLOOR, "**floor**: websockets + typed decode + PCM"),
    _own("picows_floor", "picows + typed decode + PCM"),
    _own("unirt", "**unirt**"),
    _own("unirt_fast", "**unirt[fast]**: picows, uvloop", "unirt", "unirt_fast"),
    _own("unirt_picows", "unirt over picows, without uvloop", "unirt", "unirt_picows"),
    _own("sdk", "official SDK, PCM decoded"),
    _own("folded", "folded view", "unirt", "folded"),
    _own("both_views", "both views", "unirt", "both_views"),
    _own("order_checked", "order checked by the application", "unirt", "order_checked"),
    _own("no_history", "no history", "unirt", "no_history"),
    _own("audio_out", "audio out resampled to 48 kHz", "unirt", "audio_out"),
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
