"""
The tables, in Markdown for the docs and on the terminal, from the same results.

In a page, what stands between ``<!-- benchmarks:begin NAME -->`` and ``<!-- benchmarks:end NAME
-->`` is written here; all else is left alone. A table has a line for each contender, and for each
protocol the absolute figures and the ratio to the floor, with the quartiles of the rounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from rich.markup import escape
from rich.table import Table

from tests.benchmarks.experiments import SECTIONS, Section
from tests.benchmarks.figures import METRICS
from tests.benchmarks.imports import VENDORS
from tests.benchmarks.processes import ROOT
from tests.benchmarks.roster import Entry
from tests.benchmarks.targets import Kind, Target, Verdict

__all__ = [
    "PAGE",
    "PLOTS",
    "block",
    "blocks",
    "dumped",
    "skeleton",
    "tables",
    "terminal_tables",
    "verdict_line",
    "verdict_table",
    "write",
]

PAGE = ROOT / "docs" / "topics" / "performance.md"
"Where the tables are."

Grid = tuple[list[str], list[list[str]]]
"Heads, and lines of cells."

_APART = {
    "instructions": SECTIONS["instructions"].title,
    "calls": SECTIONS["calls"].title,
    "import": "`import unirt`, over its bare dependencies",
    "import-openai": "`import unirt`, with the provider loaded",
    "import-google": "`import unirt`, with the provider loaded",
}
PLOTS: Mapping[str, tuple[str, ...]] = {
    "drained": ("ratios",),
    "paced": ("latency",),
    "capacity": ("sessions",),
    "crowd": ("crowd",),
    "length": ("length",),
    "chunks": ("chunks",),
    "anatomy": ("anatomy",),
}
"The plots of a section, by file name."

_NAMES = {"openai": "OpenAI", "google": "Gemini"}


def write(page: Path, blocks: Mapping[str, str]) -> list[str]:
    """
    Put blocks between their markers in `page`; the names of those that have no markers there.

    Raises:
        ValueError: A marker begins and does not end.
    """
    text = page.read_text(encoding="utf-8")
    homeless = []
    for name, block in blocks.items():
        begin, end = f"<!-- benchmarks:begin {name} -->", f"<!-- benchmarks:end {name} -->"
        if begin not in text:
            homeless.append(name)
            continue
        if end not in text:
            raise ValueError(f"{page.name}: {begin} has no end")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{block.strip()}\n{end}{after}"
    page.write_text(text, encoding="utf-8")
    return homeless


def skeleton() -> str:
    """A page with nothing but a place for each block."""
    parts = ["# Performance", *_places("machine", "targets")]
    for name, section in SECTIONS.items():
        parts += [f"## {section.title}", *_places(name)]
    parts += ["## After each change", *_places("bygone")]
    return "\n\n".join(parts) + "\n"


def _places(*names: str) -> list[str]:
    return [f"<!-- benchmarks:begin {n} -->\n<!-- benchmarks:end {n} -->" for n in names]


def blocks(
    results: Mapping[str, Any], verdicts: Sequence[Verdict], entries: Mapping[str, Entry]
) -> dict[str, str]:
    """Every block of the page, by name."""
    made = {"machine": _machine(results["machine"]), "targets": _markdown(verdict_table(verdicts))}
    for name, section in results["sections"].items():
        made[name] = block(SECTIONS[name], section, entries)
    return made


def block(shape: Section, section: Mapping[str, Any], entries: Mapping[str, Entry]) -> str:
    """What a page says of the results of one section: tables, footnotes, plots."""
    entries = _renamed(entries, shape.titles)
    parts = [
        part
        for title, grid in _grids(shape, section, entries)
        for part in (f"**{title}**" if title else "", _markdown(grid))
        if part
    ]
    parts += _footnotes(section, entries)
    if "vendors" in section:
        parts.append(_vendors(section["vendors"]))
    parts += [
        f"![{section['title']}](../performance/{plot}.svg)" for plot in PLOTS.get(shape.name, ())
    ]
    return "\n\n".join(parts)


def terminal_tables(
    results: Mapping[str, Any], entries: Mapping[str, Entry]
) -> Iterator[Table | str]:
    """The same tables and footnotes for a terminal."""
    for name, section in results["sections"].items():
        yield from tables(SECTIONS[name], section, entries)


def tables(
    shape: Section, section: Mapping[str, Any], entries: Mapping[str, Entry]
) -> Iterator[Table | str]:
    """The tables and footnotes of one section for a terminal."""
    entries = _renamed(entries, shape.titles)
    for title, (heads, lines) in _grids(shape, section, entries):
        table = Table(title=f"{section['title']}: {title}" if title else section["title"])
        for head, column in zip(heads, zip(*lines, strict=True), strict=False):
            table.add_column(head, justify="right" if _is_figures(column) else "left")
        for line in lines:
            table.add_row(*(escape(cell.replace("**", "")) for cell in line))
        yield table
    yield from (escape(note) for note in _footnotes(section, entries))


def verdict_table(verdicts: Sequence[Verdict]) -> Grid:
    """Each target, what was measured, and whether it is met."""
    heads = ["what", "contender", "provider", "measured", "target", "met"]
    lines = [
        [
            what(verdict.target),
            verdict.target.contender.replace("_fast", "[fast]"),
            _NAMES.get(verdict.protocol, "either"),
            _figure(verdict.target, verdict.measured),
            f"≤ {_figure(verdict.target, verdict.target.bound)}",
            "yes" if verdict.met else "**no**",
        ]
        for verdict in verdicts
    ]
    return heads, lines


def verdict_line(verdict: Verdict) -> str:
    """One verdict, for whoever reads the log."""
    target = verdict.target
    return (
        f"{target.contender} on {_NAMES.get(verdict.protocol, 'either')}: {what(target)}: "
        f"{_figure(target, verdict.measured)}, at most {_figure(target, target.bound)}"
    )


def what(target: Target) -> str:
    """What a target is about, in words."""
    places = {e.name: (s, e) for s in reversed(SECTIONS.values()) for e in s.experiments}
    name = _APART.get(target.experiment, target.experiment)
    if target.experiment in places:
        section, experiment = places[target.experiment]
        name = section.title
        if len(section.experiments) > 1:
            name += f", {experiment.title}"
    metric = METRICS[target.metric].title
    kind = "" if target.kind is Kind.VALUE else f", {target.kind}"
    return f"{name}: {metric}{kind}"


def _figure(target: Target, value: float) -> str:
    if target.kind in (Kind.RATIO, Kind.GROWTH, Kind.SLOPE):
        return f"{value:.2f}"
    return f"{value:.0f} {METRICS[target.metric].unit}"


def _grids(
    shape: Section, section: Mapping[str, Any], entries: Mapping[str, Entry]
) -> Iterator[tuple[str, Grid]]:
    """The tables of a section: one for each experiment, or one for a whole series."""
    rows = section["experiments"]
    if "held" in section:
        yield "Sessions that a core holds", _held(section["held"], entries)
    if shape.x is not None:
        for metric in shape.metrics:
            yield f"{_head(metric)}, by {shape.x}", _series(metric, rows, entries)
        return
    names = list(dict.fromkeys(row["experiment"] for row in rows))
    for experiment in names:
        these = [row for row in rows if row["experiment"] == experiment]
        title = these[0]["title"] if len(names) > 1 else ""
        yield title, _comparison(shape, these, entries)


def _renamed(entries: Mapping[str, Entry], titles: Mapping[str, str]) -> dict[str, Entry]:
    """The entries under the names that they have in one section, those of its own included."""
    own = {name: Entry(name=name, title=title, command=()) for name, title in titles.items()}
    return own | {
        name: attrs.evolve(entry, title=titles.get(name, entry.title))
        for name, entry in entries.items()
    }


def _held(held: Mapping[str, Mapping[str, float]], entries: Mapping[str, Entry]) -> Grid:
    """How far each contender came, by provider."""
    names = list(dict.fromkeys(name for found in held.values() for name in found))
    lines = [
        [_title(name, entries), *(f"{found.get(name, 0):,g}" for found in held.values())]
        for name in names
    ]
    return ["contender", *(_NAMES[protocol] for protocol in held)], lines


def _comparison(
    shape: Section, rows: Sequence[Mapping[str, Any]], entries: Mapping[str, Entry]
) -> Grid:
    """A line for each contender; for each protocol the figures, and what they are compared with."""
    columns = [
        (row, metric, kind)
        for row in rows
        for metric in _measured(shape, row)
        for kind in _kinds(shape, row, metric)
    ]
    heads = ["contender"] + [
        f"{_NAMES.get(row['protocol'], '')} {_head(metric) if kind == 'value' else kind}".strip()
        for row, metric, kind in columns
    ]
    names = list(dict.fromkeys(name for row in rows for name in row["contenders"]))
    if not shape.ordered:
        names.sort(key=lambda name: _order(rows, name, shape))
    lines = [
        [
            _title(name, entries),
            *(
                _CELLS[kind](row["contenders"].get(name, {}), metric)
                for row, metric, kind in columns
            ),
        ]
        for name in names
    ]
    return heads, lines


def _kinds(shape: Section, row: Mapping[str, Any], metric: str) -> Iterator[str]:
    """What is told of a metric: keys of :data:`_CELLS`."""
    yield "value"
    if metric in shape.ratios:
        yield "ratio"
    if any("adds" in result for result in row["contenders"].values()):
        yield "adds"


def _measured(shape: Section, row: Mapping[str, Any]) -> list[str]:
    """Those of the section's metrics that somebody has."""
    results = row["contenders"].values()
    return [m for m in shape.metrics if any(m in r.get("metrics", {}) for r in results)]


def _series(metric: str, rows: Sequence[Mapping[str, Any]], entries: Mapping[str, Entry]) -> Grid:
    """A line for each provider and contender, a column for each x."""
    xs = sorted({row["x"] for row in rows})
    lines = []
    for protocol in dict.fromkeys(row["protocol"] for row in rows):
        there = {row["x"]: row["contenders"] for row in rows if row["protocol"] == protocol}
        for name in dict.fromkeys(name for found in there.values() for name in found):
            cells = [_value(there.get(x, {}).get(name, {}), metric) for x in xs]
            if any(cells):
                lines.append([_NAMES.get(protocol, ""), _label(name, entries), *cells])
    return ["provider", "contender", *(f"{x:,g}" for x in xs)], lines


def _order(rows: Sequence[Mapping[str, Any]], name: str, shape: Section) -> float:
    """From cheap to dear; who was not measured comes last."""
    metric = (shape.ratios or shape.metrics)[0]
    for row in rows:
        found = row["contenders"].get(name, {}).get("metrics", {}).get(metric)
        if found is not None:
            return float(found["median"])
    return float("inf")


def _title(name: str, entries: Mapping[str, Entry]) -> str:
    return entries[name].title if name in entries else name


def _label(name: str, entries: Mapping[str, Entry]) -> str:
    """The short title, where many stand beside each other."""
    return (entries[name].label if name in entries else None) or _title(name, entries)


def _head(metric: str) -> str:
    unit = METRICS[metric].unit
    return METRICS[metric].title + (f" ({unit})" if unit else "")


def _value(result: Mapping[str, Any], metric: str) -> str:
    found = result.get("metrics", {}).get(metric)
    return "" if found is None else f"{found['median']:,.{METRICS[metric].digits}f}"


def _ratio(result: Mapping[str, Any], metric: str) -> str:
    found = result.get("ratios", {}).get(metric)
    if found is None:
        return ""
    median, low, high = found["median"], found["low"], found["high"]
    if low == median == high == 1:
        return "1"
    digits = 2 if high < 20 else 0
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _adds(result: Mapping[str, Any], metric: str) -> str:
    found = result.get("adds", {}).get(metric)
    digits = METRICS[metric].digits + 1
    if found is None:
        return ""
    return (
        f"{found['median']:+.{digits}f} ({found['low']:+.{digits}f} to {found['high']:+.{digits}f})"
    )


_CELLS: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "value": _value,
    "ratio": _ratio,
    "adds": _adds,
}
"What is told of a metric of one contender, and how."


def _footnotes(section: Mapping[str, Any], entries: Mapping[str, Entry]) -> list[str]:
    """Why somebody has no figure, and what somebody does not do."""
    notes: dict[str, None] = {}
    for row in section["experiments"]:
        for name, result in row["contenders"].items():
            title = _title(name, entries).replace("**", "")
            said = _NAMES.get(row["protocol"], row["protocol"])
            reason = result.get("skip") or result.get("failed")
            if reason:
                notes[f"{title} on {said}: {reason}."] = None
            elif name in entries and (note := entries[name].note):
                notes[f"{title}: {note}"] = None
    return ["\n".join(f"- {note}" for note in notes)] if notes else []


def dumped(results: Mapping[str, Any]) -> str:
    """JSON with each innermost object and array on a line of its own."""
    spread = json.dumps(results, indent=1, ensure_ascii=False)
    return re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda found: " ".join(found[0].split()), spread) + "\n"


def _vendors(found: Mapping[str, Sequence[str]]) -> str:
    """Which of the vendors' packages a session needs before it connects."""
    there = sorted({name for names in found.values() for name in names})
    return (
        f"After `import unirt`, loading a provider and translating a whole turn, "
        f"`sys.modules` holds {', '.join(there) or 'none'} of {', '.join(VENDORS)}."
    )


def _machine(machine: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"Taken on {machine['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}, {machine['python']}; {packages}."
    )


def _markdown(grid: Grid) -> str:
    heads, lines = grid
    aligned = ["---:" if _is_figures(column) else "---" for column in zip(*lines, strict=True)]
    rows = (heads, aligned or ["---"] * len(heads), *lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _is_figures(column: Sequence[str]) -> bool:
    return all(cell[:1].isdigit() or cell[:1] in ("", "≤", "+", "-") for cell in column)
