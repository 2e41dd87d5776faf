"""
The plots, as SVG: small, with text as text, and the same bytes for the same results.

A bar for each contender's ratio to the floor, the curve of many sessions, and the distribution of
the latency. Colours mean the same everywhere: the floor is grey, unirt blue, others orange.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from tests.benchmarks.lab import BOUNDS
from tests.benchmarks.report import PLOTS
from tests.benchmarks.roster import FLOOR, Entry

__all__ = ["draw"]

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "unirt",
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e5e5",
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
}
_GREY, _BLUE, _LIGHT, _ORANGE = "#8c8c8c", "#1f6fb4", "#6db3e8", "#e08a2c"
_PARTS = {
    "anatomy_transport": "#8c8c8c",
    "anatomy_transport_fast": "#8c8c8c",
    "anatomy_envelope": "#e08a2c",
    "anatomy_translator": "#0f4c81",
    "anatomy_session": "#1f6fb4",
    "unirt": "#6db3e8",
    "both_views": "#cfe4f5",
    "unirt_fast": "#8fa9c2",
}
"The colours of the steps."
_PART_TITLES = {
    "unirt": "view",
    "both_views": "content() beside it",
    "unirt_fast": "all that follows",
}
"What the last steps are called: as contenders they are named for the whole."
_ENDS = (("both_views", ""), ("unirt_fast", ", fast"))
"Where the ways through unirt end, and what is said of them beside the load."
_NAMES = {"openai": "OpenAI Realtime", "google": "Gemini Live"}


def draw(results: Mapping[str, Any], entries: Mapping[str, Entry], folder: Path) -> list[Path]:
    """Draw what there are results for; the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(_STYLE):
        for section, names in PLOTS.items():
            for name in names if section in results["sections"] else ():
                _PLOTS[name](results["sections"][section], entries)
                path = folder / f"{name}.svg"
                plt.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
                plt.close("all")
                written.append(path)
    return written


def _ratio_bars(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """One panel a protocol: who costs how many times the floor, from cheap to dear."""
    rows = [row for row in section["experiments"] if row["experiment"] == "drained-200"]
    most = max(len(row["contenders"]) for row in rows)
    figure, panels = plt.subplots(1, len(rows), figsize=(9, 1.1 + 0.28 * most), squeeze=False)
    figure.suptitle("CPU an event, drained, 200 ms chunks; the floor is 1")
    for panel, row in zip(panels[0], rows, strict=True):
        found = {
            name: result["ratios"]["us"]
            for name, result in row["contenders"].items()
            if "us" in result.get("ratios", {})
        }
        names = sorted(found, key=lambda name: -found[name]["median"])
        values = [found[name]["median"] for name in names]
        errors = [
            [found[name]["median"] - found[name]["low"] for name in names],
            [found[name]["high"] - found[name]["median"] for name in names],
        ]
        panel.barh(
            [_title(name, entries) for name in names],
            values,
            xerr=errors,
            color=[_colour(name) for name in names],
            error_kw={"elinewidth": 0.8, "ecolor": "#444444"},
        )
        for i, value in enumerate(values):
            panel.annotate(
                f"{value:.2f}", (value, i), xytext=(6, 0), textcoords="offset points", va="center"
            )
        panel.axvline(1.0, color=_GREY, linewidth=0.8)
        panel.set_xlim(right=max(values) * 1.15)
        panel.set_title(_NAMES[row["protocol"]])
        panel.grid(visible=False, axis="y")


def _sessions(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """Share of a core, and lateness of the loop, against the number of sessions."""
    protocols = list(dict.fromkeys(row["protocol"] for row in section["experiments"]))
    _, panels = plt.subplots(2, len(protocols), figsize=(9, 5), sharex="col", squeeze=False)
    for column, protocol in enumerate(protocols):
        rows = [row for row in section["experiments"] if row["protocol"] == protocol]
        rows.sort(key=lambda row: row["x"])
        _curves(panels[0][column], rows, "share", entries)
        _curves(panels[1][column], rows, "lag_p99_ms", entries)
        panels[0][column].set_title(_NAMES[protocol])
        panels[1][column].set_yscale("log")
        panels[1][column].axhline(BOUNDS["lag_p99_ms"][1], color="#444444", linewidth=0.8)
        panels[1][column].set_xlabel("sessions at 50 events/s")
    panels[0][0].set_ylabel("% of a core")
    panels[1][0].set_ylabel("loop lag p99, ms")
    panels[0][0].legend(frameon=False)


def _curves(
    panel: Axes, rows: Sequence[Mapping[str, Any]], metric: str, entries: Mapping[str, Entry]
) -> None:
    for name in dict.fromkeys(name for row in rows for name in row["contenders"]):
        points = [
            (row["x"], row["contenders"][name]["metrics"][metric]["median"])
            for row in rows
            if metric in row["contenders"].get(name, {}).get("metrics", {})
        ]
        panel.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=_colour(name),
            marker="o",
            markersize=3,
            linewidth=1.4,
            label=_title(name, entries),
        )


def _latency(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """How many of 100 pieces of audio were there after how long."""
    rows = [row for row in section["experiments"] if row["experiment"] == "paced"]
    _, panels = plt.subplots(1, len(rows), figsize=(9, 3.4), sharey=True, squeeze=False)
    for panel, row in zip(panels[0], rows, strict=True):
        for name, result in row["contenders"].items():
            if delays := result.get("latency_us"):
                shares = [100 * i / (len(delays) - 1) for i in range(len(delays))]
                panel.plot(
                    delays,
                    shares,
                    color=_colour(name),
                    linestyle="-" if _shown_bold(name) else ":",
                    linewidth=1.4,
                    label=_title(name, entries),
                )
        panel.set_xscale("log")
        panel.set_xlabel("one-way latency, us")
        panel.set_title(_NAMES[row["protocol"]])
    panels[0][0].set_ylabel("% delivered")
    panels[0][-1].legend(frameon=False, fontsize=7)


def _growth(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """Cost of an event against the length of the session, or of a chunk."""
    _series(section, entries, "us", "CPU an event, us")
    for panel in plt.gcf().axes:
        panel.set_xscale("log")


def _crowd(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """Share of a core against the number of sessions, which are far from filling it."""
    _series(section, entries, "share", "% of a core")
    for panel in plt.gcf().axes:
        panel.set_xlim(left=0)


def _series(
    section: Mapping[str, Any], entries: Mapping[str, Entry], metric: str, title: str
) -> None:
    """A metric against the x of a section's series, a panel a protocol."""
    protocols = list(dict.fromkeys(row["protocol"] for row in section["experiments"]))
    _, panels = plt.subplots(1, len(protocols), figsize=(9, 3), sharey=True, squeeze=False)
    for panel, protocol in zip(panels[0], protocols, strict=True):
        rows = [row for row in section["experiments"] if row["protocol"] == protocol]
        rows.sort(key=lambda row: row["x"])
        _curves(panel, rows, metric, entries)
        panel.set_ylim(bottom=0)
        panel.set_xlabel(section.get("x") or "")
        panel.set_title(_NAMES[protocol])
        panel.legend(frameon=False)
    panels[0][0].set_ylabel(title)


def _anatomy(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """A bar for each load and transport, its parts what each step adds; the floor is a line."""
    protocols = list(dict.fromkeys(row["protocol"] for row in section["experiments"]))
    figure, panels = plt.subplots(1, len(protocols), figsize=(9, 3.2), sharey=True, squeeze=False)
    for panel, protocol in zip(panels[0], protocols, strict=True):
        rows = [row for row in section["experiments"] if row["protocol"] == protocol]
        bars = [(row, *end) for row in rows for end in _ENDS]
        for place, (row, last, _) in enumerate(bars):
            _stacked(panel, place, row["contenders"], last, entries)
        loads = [row["title"].removesuffix(" chunks") + what for row, _, what in bars]
        panel.set_yticks(range(len(bars)), loads)
        panel.set_xlabel("CPU an event, us; the line is the floor, the figure unirt as a whole")
        panel.set_title(_NAMES[protocol])
        panel.grid(visible=False, axis="y")
    panels[0][0].invert_yaxis()
    parts = [panel.get_legend_handles_labels() for panel in panels[0]]
    named = {label: handle for part in parts for handle, label in zip(*part, strict=True)}
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=4, frameon=False)


def _stacked(
    panel: Axes,
    place: int,
    contenders: Mapping[str, Any],
    last: str,
    entries: Mapping[str, Entry],
) -> None:
    """One bar: the steps that lead to `last`."""
    left = 0.0
    for name, value in _parts(contenders, last):
        label = _PART_TITLES.get(name) or _title(name, entries)
        panel.barh(place, value, left=left, color=_PARTS.get(name, _BLUE), label=label)
        left += value
        if name.startswith("unirt"):
            panel.text(left, place, f" {left:.1f}", va="center")
    floor = contenders.get(FLOOR, {}).get("metrics", {}).get("us")
    if floor is not None:
        panel.vlines(floor["median"], place - 0.45, place + 0.45, color="#444444")


def _parts(contenders: Mapping[str, Any], last: str) -> list[tuple[str, float]]:
    """The steps that lead to `last`, from the first one, and what each adds, in us."""
    steps: list[tuple[str, float]] = []
    name: str | None = last
    while name is not None:
        result = contenders.get(name, {})
        if "metrics" not in result:  # it was not measured, or what it adds to was not
            return []
        step = result.get("adds", {}).get("us") or result["metrics"]["us"]
        steps.append((name, max(step["median"], 0.0)))
        name = result.get("adds_to")
    return steps[::-1]


def _colour(name: str) -> str:
    if name in (FLOOR, "receive_only", "picows_floor", "raw_socket"):
        return _GREY
    if name == "unirt":
        return _BLUE
    return _LIGHT if name.startswith("unirt") else _ORANGE


def _shown_bold(name: str) -> bool:
    return name in (FLOOR, "unirt", "unirt_fast", "sdk")


def _title(name: str, entries: Mapping[str, Entry]) -> str:
    if name not in entries:
        return name
    return (entries[name].label or entries[name].title).replace("**", "")


_PLOTS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Entry]], None]] = {
    "ratios": _ratio_bars,
    "sessions": _sessions,
    "latency": _latency,
    "crowd": _crowd,
    "length": _growth,
    "chunks": _growth,
    "anatomy": _anatomy,
}
"How each of :data:`tests.benchmarks.report.PLOTS` is drawn."
