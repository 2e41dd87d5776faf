"""
What is to be reached.

A target is a bound on one metric of one contender: its ratio to the floor in the same round, its
value above the floor's, or its value. All are medians over the rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import attrs

__all__ = ["COUNTED", "ROOM", "SHORT", "TARGETS", "Kind", "Target", "Verdict", "judge"]

ROOM: Mapping[str, float] = {
    "drained-200": 1.25,
    "drained-20": 1.25,
    "paced": 1.6,  # waking up is what a noisy machine is noisiest at
    "send-20": 1.25,
    "send-20-resampled": 1.25,
}
"By how much the short form, on a noisy machine, may miss a ratio."


class Kind(StrEnum):
    """What a bound is about."""

    RATIO = "ratio"
    "The metric over the floor's, round by round."
    ABOVE = "above the floor"
    "The metric less the floor's."
    VALUE = "value"
    "The metric itself."
    GROWTH = "growth"
    "The metric's ratio to the floor at the end of a series, over that in its middle."
    SLOPE = "slope"
    "The metric for each x at the end of a series, over that in its middle: 1 is a straight line."


@attrs.frozen(kw_only=True)
class Target:
    """One bound."""

    experiment: str
    metric: str
    bound: float
    contender: str = "unirt"
    kind: Kind = Kind.RATIO
    protocol: str | None = None
    "Which provider it is about; ``None`` for each of them."
    why: str = ""
    "Where the bound is from, if it is none of the aims the project set itself."


TARGETS: tuple[Target, ...] = (
    Target(experiment="drained-200", metric="us", bound=1.35),
    Target(experiment="drained-20", metric="us", bound=2.0),
    Target(experiment="drained-200", metric="us", bound=0.6, contender="unirt_fast"),
    Target(experiment="paced", metric="us", bound=1.25),
    Target(experiment="paced", metric="p50_us", bound=1.3),
    Target(experiment="paced", metric="p99_us", bound=1.3),
    Target(experiment="send-20", metric="chunk_us", bound=1.5),
    Target(experiment="send-20-resampled", metric="chunk_us", bound=1.2),
    Target(experiment="sessions-200", metric="share", bound=1.5),
    Target(experiment="sessions-200", metric="lag_p99_ms", bound=1.3),
    Target(experiment="idle", metric="idle_kb", bound=150, kind=Kind.ABOVE),
    Target(
        experiment="length-10000",
        metric="us",
        bound=1.15,
        kind=Kind.GROWTH,
        why="straight lines or better: an event costs the same in the last turn",
    ),
    Target(
        experiment="crowd-1000",
        metric="share",
        bound=1.0,
        kind=Kind.SLOPE,
        why="straight lines or better: one of a thousand costs no more than one of a hundred",
    ),
    Target(
        experiment="crowd-1000",
        metric="share",
        bound=1.5,
        why="beside the floor no dearer than among 200 that say as much",
    ),
    Target(
        experiment="consumer-100",
        metric="growth_mb",
        bound=60,
        kind=Kind.VALUE,
        why="two minutes of unread audio, with the frames behind it, and no more",
    ),
    *(
        Target(
            experiment="instructions",
            metric="instructions",
            bound=bound,
            protocol=protocol,
            why="what was counted last, and a twelfth more: the guard against a longer way",
        )
        for protocol, bound in (("openai", 2.14), ("google", 1.95))
    ),
    Target(
        experiment="cassettes",
        metric="frame_us",
        bound=1.5,
        why="a test must not wait for its cassette",
    ),
    Target(experiment="cassettes", metric="read_ms", bound=60, kind=Kind.VALUE),
    Target(experiment="calls", metric="share", bound=1.2, why="beside aiortc alone"),
    Target(experiment="import", metric="ms", bound=1.5),
    Target(experiment="import-openai", metric="rss_mb", bound=60, kind=Kind.VALUE),
    Target(experiment="import-google", metric="rss_mb", bound=60, kind=Kind.VALUE),
)
"All aims."

SHORT: tuple[Target, ...] = tuple(
    attrs.evolve(target, bound=target.bound * ROOM[target.experiment])
    for target in TARGETS
    if target.contender == "unirt"
    and target.experiment in ROOM
    and target.metric in ("us", "chunk_us")
)
"What the short form holds to."

COUNTED: tuple[Target, ...] = tuple(t for t in TARGETS if t.experiment == "instructions")
"What it holds to as well, where valgrind is there to count."


@attrs.frozen(kw_only=True)
class Verdict:
    """One target, and what was measured."""

    target: Target
    protocol: str
    measured: float

    @property
    def met(self) -> bool:
        """Whether the bound holds."""
        return self.measured <= self.target.bound


def judge(targets: Sequence[Target], sections: Mapping[str, Mapping[str, Any]]) -> list[Verdict]:
    """
    Hold results against targets; what was not measured is not judged.

    Args:
        targets: The bounds.
        sections: Results, as :mod:`tests.benchmarks.lab` writes them.
    """
    rows = [row for section in sections.values() for row in section["experiments"]]
    return [
        Verdict(target=target, protocol=row["protocol"], measured=measured)
        for target in targets
        for row in rows
        if row["experiment"] == target.experiment
        and target.protocol in (None, row["protocol"])
        and (measured := _measured(target, row, rows)) is not None
    ]


def _measured(
    target: Target, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> float | None:
    result = row["contenders"].get(target.contender, {})
    value = result.get("metrics", {}).get(target.metric, {}).get("median")
    ratio = result.get("ratios", {}).get(target.metric, {}).get("median")
    match target.kind:
        case Kind.RATIO:
            return None if ratio is None else float(ratio)
        case Kind.VALUE:
            return None if value is None else float(value)
        case Kind.ABOVE:
            floor = row["contenders"].get("floor", {}).get("metrics", {}).get(target.metric)
            return None if value is None or floor is None else float(value - floor["median"])
        case Kind.GROWTH:
            middle = _middle(_series(target, row, rows, "ratios"))
            return ratio / middle[1] if ratio is not None and middle and middle[1] else None
        case Kind.SLOPE:
            middle = _middle(_series(target, row, rows, "metrics"))
            if value is None or not middle or not middle[1]:
                return None
            return float(value / row["x"] / (middle[1] / middle[0]))


def _middle(series: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """What is in the middle of a series, by x."""
    return sorted(series)[len(series) // 2] if series else None


def _series(
    target: Target, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], kind: str
) -> list[tuple[float, float]]:
    """What the target's series has of its metric by x; `kind` is ``metrics`` or ``ratios``."""
    family = target.experiment.rpartition("-")[0]
    return [
        (other["x"], other["contenders"][target.contender][kind][target.metric]["median"])
        for other in rows
        if other["experiment"].rpartition("-")[0] == family
        and other["protocol"] == row["protocol"]
        and target.metric in other["contenders"].get(target.contender, {}).get(kind, {})
    ]
