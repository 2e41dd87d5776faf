"""Figures of the benchmarks, and the bounds that they are held to."""

from __future__ import annotations

import importlib.util
from io import StringIO
from typing import Any

import attrs
import pytest
from rich.console import Console

from tests.benchmarked import BOTH, row
from tests.benchmarks import report
from tests.benchmarks.climb import climbed
from tests.benchmarks.contenders.anatomy import STEPS
from tests.benchmarks.contenders.unirt import VARIANTS
from tests.benchmarks.experiments import SECTIONS, Experiment
from tests.benchmarks.figures import METRICS, metrics, quantiles, ratios, spread
from tests.benchmarks.lab import Runs, rotated, summary, within_bounds
from tests.benchmarks.roster import FLOOR, roster
from tests.benchmarks.short import held, shortened, told
from tests.benchmarks.targets import ROOM, SHORT, TARGETS, Kind, Target, judge

# Figures.


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], (3, 3, 3)), ([1.0, 2.0], (1.5, 1, 2)), ([5.0, 1.0, 3.0, 2.0, 4.0], (3, 2, 4))],
)
def test_a_spread_is_the_median_between_the_quartiles(
    values: list[float], expected: tuple[float, float, float]
) -> None:
    found = spread(values)
    assert (found.median, found.low, found.high) == expected


def test_nothing_has_no_median() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spread([])


def test_ratios_are_taken_within_a_round() -> None:
    ours = [{"us": 2.0}, {"us": 30.0}, None, {"us": 8.0}]
    floors = [{"us": 1.0}, {"us": 10.0}, {"us": 1.0}, None]
    assert ratios(ours, floors, "us") == [2.0, 3.0]


def test_quantiles_are_of_the_nearest_rank() -> None:
    assert quantiles([4, 1, 3, 2], [0.0, 0.5, 0.99]) == [1, 3, 4]
    assert quantiles([], [0.5]) == []


def test_metrics_are_per_event_of_the_wire() -> None:
    answer = {"cpu_s": 0.5, "wall_s": 1.0, "wire_events": 1_000, "minor_faults": 3, "rss_mb": 40}
    assert metrics(answer, {}) == {"us": 500, "faults": 3, "rss_mb": 40, "kevents_s": 1}


def test_rounds_begin_with_somebody_else_each_time() -> None:
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
    assert sorted(rotated(["a", "b", "c"], 1)) == ["a", "b", "c"]


def test_a_step_s_share_is_what_it_adds_within_a_round() -> None:
    runs = Runs({"a": [{"us": 1.0}, {"us": 9.0}, None], "b": [{"us": 3.0}, {"us": 9.5}, {"us": 1}]})
    found = summary(runs, {"b": "a"})
    assert "adds" not in found["a"]
    assert found["b"]["adds_to"] == "a"
    assert found["b"]["adds"]["us"] == {"median": 1.25, "low": 0.5, "high": 2.0}


def test_a_summary_tells_why_somebody_has_no_figures() -> None:
    runs = Runs({FLOOR: [{"us": 2.0}], "us": [{"us": 3.0}], "them": [None]}, {"them": "broken"})
    found = summary(runs)
    assert found["us"]["ratios"]["us"]["median"] == 1.5
    assert found["them"] == {"skip": "broken"}


@pytest.mark.parametrize(
    ("lag", "share", "heard", "within"),
    [(1, 50, 100, True), (25, 50, 100, False), (1, 99, 100, False), (1, 50, 90, False)],
)
def test_a_core_holds_its_sessions_within_bounds(
    lag: float, share: float, heard: float, within: bool
) -> None:
    values = {"lag_p99_ms": lag, "share": share, "heard": heard}
    result = {"metrics": {name: {"median": value} for name, value in values.items()}}
    assert within_bounds(result) is within
    assert not within_bounds({"skip": "it failed"})
    assert not within_bounds({**result, "failed": "and then it did not go on"})


@pytest.mark.parametrize(
    ("held", "looks", "expected", "tried"),
    [
        ("++++-", "++++-", 4, [4, 3]),
        ("++++-", "+-", 4, [1, 2, 3, 4]),  # a look that was bad luck
        ("++---", "++++-", 2, [4, 3, 2, 1]),  # looks that were good luck
        ("-----", "++-", 0, [2, 1, 0]),
        ("-----", "-", 0, [0]),
        ("+++++", "+++++", 5, [4]),
        ("+++++", "++-", 5, [2, 3, 4]),
    ],
)
def test_a_climb_ends_where_it_is_measured_well(
    held: str, looks: str, expected: int, tried: list[int]
) -> None:
    steps: list[int] = []

    def holds(step: int) -> bool:
        steps.append(step)
        return held[step] == "+"

    assert climbed(5, looks=lambda step: looks[step] == "+", holds=holds) == expected
    assert steps == tried


# Targets.


def test_every_target_is_about_something_that_is_measured() -> None:
    names = {e.name for section in SECTIONS.values() for e in section.experiments}
    names |= {"import", "import-openai", "import-google", "instructions", "cassettes", "calls"}
    for target in TARGETS:
        assert target.experiment in names
        assert target.metric in METRICS
        assert target.contender in roster()
        assert report.what(target)


def test_everybody_who_takes_part_can_be_started() -> None:
    entries = roster()
    for section in SECTIONS.values():
        for experiment in section.experiments:
            assert set(experiment.contenders) <= entries.keys()
        assert set(section.metrics) | set(section.ratios) <= METRICS.keys()
    for entry in entries.values():
        _, option, module, *arguments = entry.command
        assert option == "-m"
        assert importlib.util.find_spec(module) is not None
        assert set(arguments) <= VARIANTS.keys() | STEPS.keys()


@pytest.mark.parametrize(
    ("kind", "bound", "met"),
    [
        (Kind.RATIO, 1.5, True),
        (Kind.RATIO, 1.49, False),
        (Kind.ABOVE, 10, True),
        (Kind.ABOVE, 9, False),
        (Kind.VALUE, 30, True),
        (Kind.VALUE, 29, False),
    ],
)
def test_a_bound_holds_for_a_ratio_a_difference_or_a_value(
    kind: Kind, bound: float, met: bool
) -> None:
    target = Target(experiment="e", metric="us", bound=bound, kind=kind)
    results = {"section": {"experiments": [row("openai", "us", 30, 20, experiment="e")]}}
    (verdict,) = judge([target], results)
    assert verdict.met is met


def test_a_bound_for_one_provider_is_no_matter_of_the_other() -> None:
    target = Target(experiment="e", metric="us", bound=1, protocol="google")
    rows = [row(protocol, "us", 3, 2, experiment="e") for protocol in BOTH]
    assert [v.protocol for v in judge([target], {"s": {"experiments": rows}})] == ["google"]


def test_growth_is_the_end_of_a_series_over_its_middle() -> None:
    rows = [
        row("openai", "us", ours, 10, experiment=f"length-{turns}", x=turns)
        for turns, ours in ((1, 50), (10, 20), (100, 30))
    ]
    target = Target(experiment="length-100", metric="us", bound=1.2, kind=Kind.GROWTH)
    (verdict,) = judge([target], {"length": {"experiments": rows}})
    assert verdict.measured == pytest.approx(1.5)
    assert not verdict.met


def test_a_slope_is_what_each_costs_at_the_end_over_what_each_costs_in_the_middle() -> None:
    rows = [
        row("openai", "share", ours, 10, experiment=f"crowd-{count}", x=count)
        for count, ours in ((1, 3), (100, 20), (1_000, 100))
    ]
    target = Target(experiment="crowd-1000", metric="share", bound=0.4, kind=Kind.SLOPE)
    (verdict,) = judge([target], {"crowd": {"experiments": rows}})
    assert verdict.measured == pytest.approx(0.5)
    assert not verdict.met


def test_the_short_form_holds_to_ratios_with_room() -> None:
    full = {(t.experiment, t.metric): t.bound for t in TARGETS if t.contender == "unirt"}
    assert len(SHORT) == 5
    for target in SHORT:
        assert target.kind is Kind.RATIO
        assert target.bound == full[target.experiment, target.metric] * ROOM[target.experiment]
    assert len(shortened(target.experiment for target in SHORT)) == 5


@attrs.define
class Prepared:
    """A lab whose results are given: for each try at an experiment, the ratio."""

    tries: list[float]
    rounds: int = 4
    seen: list[tuple[str, int]] = attrs.field(factory=list)

    def experiment(self, experiment: Experiment, protocol: str) -> dict[str, Any]:
        first = all(name != protocol for name, _ in self.seen)
        self.seen.append((protocol, self.rounds))
        ratio = self.tries[0] if first else self.tries[1]
        return row(protocol, "us", ratio, 1, experiment=experiment.name)


DRAINED = [target for target in SHORT if target.experiment == "drained-200"]


@pytest.mark.parametrize(
    ("tries", "passes", "measured"),
    [
        ([1.0], True, [4, 4]),
        ([9.0, 1.0], True, [4, 8, 4, 8]),
        ([9.0, 8.0], False, [4, 8, 4, 8]),
    ],
)
def test_what_is_missed_is_measured_once_more_and_then_counts(
    tries: list[float], passes: bool, measured: list[int]
) -> None:
    lab, output = Prepared(tries), StringIO()
    verdicts, rows = held(lab, DRAINED)
    assert told(Console(file=output, width=200), DRAINED, verdicts) is passes
    assert [rounds for _, rounds in lab.seen] == measured
    assert len(rows) == 2
    assert ("MISSED unirt on OpenAI" in output.getvalue()) is not passes


def test_what_was_not_measured_is_missed() -> None:
    output = StringIO()
    assert not told(Console(file=output), DRAINED, [])
    assert "nothing was measured" in output.getvalue()
