"""Figures out of samples: medians, spreads, and ratios against the floor of the same round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

__all__ = ["METRICS", "Metric", "Spread", "differences", "metrics", "quantiles", "ratios", "spread"]

Sample = dict[str, float]
"One contender, one round: metric by name."


@attrs.frozen(kw_only=True)
class Metric:
    """One thing that is measured."""

    name: str
    title: str
    "As the head of a column."
    unit: str
    digits: int = 1


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="us", title="CPU an event", unit="us"),
        Metric(name="chunk_us", title="CPU a chunk", unit="us"),
        Metric(name="p50_us", title="latency p50", unit="us", digits=0),
        Metric(name="p99_us", title="latency p99", unit="us", digits=0),
        Metric(name="share", title="share of a core", unit="%"),
        Metric(name="lag_p99_ms", title="loop lag p99", unit="ms", digits=2),
        Metric(name="lag_max_ms", title="longest lag", unit="ms", digits=0),
        Metric(name="heard", title="heard in time", unit="%", digits=0),
        Metric(name="idle_kb", title="idle session", unit="kB", digits=0),
        Metric(name="active_kb", title="active session", unit="kB", digits=0),
        Metric(name="growth_mb", title="memory gained", unit="MB"),
        Metric(name="dropped_s", title="audio dropped", unit="s", digits=0),
        Metric(name="rss_mb", title="memory", unit="MB", digits=0),
        Metric(name="faults", title="page faults per 1,000 events", unit="", digits=1),
        Metric(name="ms", title="import", unit="ms", digits=0),
        Metric(name="late_p99_ms", title="server late p99", unit="ms", digits=2),
        Metric(name="instructions", title="instructions an event", unit="", digits=0),
        Metric(name="frame_us", title="CPU a frame", unit="us", digits=1),
        Metric(name="read_ms", title="reading the file", unit="ms", digits=1),
        Metric(name="read_gz_ms", title="compressed", unit="ms", digits=1),
        Metric(name="ear_p50_ms", title="mouth to ear p50", unit="ms", digits=0),
        Metric(name="ear_p99_ms", title="mouth to ear p99", unit="ms", digits=0),
        Metric(name="kevents_s", title="rate", unit="1,000 events/s", digits=0),
    )
}
"All metrics, in the order of their columns."


@attrs.frozen(kw_only=True)
class Spread:
    """A median, and the quartiles around it."""

    median: float
    low: float
    high: float
    count: int


def spread(values: Iterable[float]) -> Spread:
    """
    Median and quartiles; of fewer than three values, the extremes.

    Raises:
        ValueError: There are none.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is nothing to take the median of")
    if len(ordered) < 3:
        low, high = ordered[0], ordered[-1]
    else:
        low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return Spread(median=statistics.median(ordered), low=low, high=high, count=len(ordered))


def ratios(
    samples: Sequence[Sample | None], floors: Sequence[Sample | None], metric: str
) -> list[float]:
    """
    A metric over the floor's, round by round.

    A round in which either is missing, or the floor is nothing, has no ratio.
    """
    return [value / base for value, base in _pairs(samples, floors, metric) if base]


def differences(
    samples: Sequence[Sample | None], bases: Sequence[Sample | None], metric: str
) -> list[float]:
    """A metric less another contender's, round by round; without one of them there is none."""
    return [value - base for value, base in _pairs(samples, bases, metric)]


def _pairs(
    samples: Sequence[Sample | None], others: Sequence[Sample | None], metric: str
) -> Iterator[tuple[float, float]]:
    for sample, other in zip(samples, others, strict=True):
        if sample is not None and other is not None and metric in sample and metric in other:
            yield sample[metric], other[metric]


def quantiles(values: Sequence[float], shares: Iterable[float]) -> list[float]:
    """The values below which these shares of all values are (nearest rank)."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return [ordered[min(int(share * len(ordered)), last)] for share in shares] if ordered else []


def metrics(answer: Mapping[str, Any], load: Mapping[str, Any]) -> Sample:
    """
    What one answer of a contender says.

    Args:
        answer: What the contender measured.
        load: What the server said it would play, and the command.
    """
    return {
        name: float(value)
        for name, read in _READERS.items()
        if (value := read(answer, load)) is not None
    }


_Reader = Callable[[Mapping[str, Any], Mapping[str, Any]], float | None]


def _per(divisor: str, scale: float, of: str = "cpu_s") -> _Reader:
    def read(answer: Mapping[str, Any], load: Mapping[str, Any]) -> float | None:
        return answer[of] / answer[divisor] * scale if answer.get(divisor) else None

    return read


def _copy(name: str, scale: float = 1.0) -> _Reader:
    def read(answer: Mapping[str, Any], load: Mapping[str, Any]) -> float | None:
        return answer[name] * scale if answer.get(name) is not None else None

    return read


def _latency(share: float) -> _Reader:
    def read(answer: Mapping[str, Any], load: Mapping[str, Any]) -> float | None:
        delays = answer.get("latencies_ns")
        return quantiles(delays, [share])[0] / 1e3 if delays else None

    return read


def _share(answer: Mapping[str, Any], load: Mapping[str, Any]) -> float | None:
    """The share of a core, where the pace is the server's."""
    return answer["cpu_s"] / answer["wall_s"] * 100 if "lag_p99_ms" in answer else None


def _heard(answer: Mapping[str, Any], load: Mapping[str, Any]) -> float | None:
    """How much of what was due was heard."""
    if "lag_p99_ms" not in answer:
        return None
    share = load["audio_events"] / load["wire_events"]
    due = answer["wall_s"] / load["interval_ms"] * 1e3 * share * load["count"]
    return float(answer["audio_events"] / due * 100)


_READERS: dict[str, _Reader] = {
    "us": _per("wire_events", 1e6),
    "chunk_us": _per("chunks", 1e6),
    "p50_us": _latency(0.50),
    "p99_us": _latency(0.99),
    "share": _share,
    "lag_p99_ms": _copy("lag_p99_ms"),
    "lag_max_ms": _copy("lag_max_ms"),
    "heard": _heard,
    "late_p99_ms": lambda answer, load: load.get("late_p99_ms"),
    "idle_kb": _copy("bytes_per_session", 1e-3),
    "active_kb": _copy("rss_per_session_kb"),
    "growth_mb": _copy("rss_growth_mb"),
    "dropped_s": _copy("dropped_s"),
    "rss_mb": _copy("rss_mb"),
    "faults": _per("wire_events", 1e3, of="minor_faults"),
    "ms": _copy("ms"),
    "kevents_s": lambda answer, load: (
        answer["wire_events"] / answer["wall_s"] / 1e3 if answer.get("wire_events") else None
    ),
}
