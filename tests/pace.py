"""The pace of a simulator that nobody has to wait for."""

from __future__ import annotations

from unirt.simulator import Pace

__all__ = ["FAST"]

FAST = Pace(speed=1_000, latency_ms=0, word_ms=0)
"It answers at once, and what takes minutes to hear is said in less than a second."
