"""
The lab: has contenders do the same in turn, again and again, and says how they compare.

A round has every contender once, in an order that shifts from round to round, so that whatever else
the machine is doing hits all of them alike. A ratio is taken within a round. The first round warms
up and is thrown away. The server has a core of its own, where there is one.

A sample counts only if the contender did what it was there for: it heard every byte that the server
says it played, or the server heard every chunk that it says it sent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import attrs

from tests.benchmarks.climb import climbed
from tests.benchmarks.experiments import Experiment, Section
from tests.benchmarks.figures import Spread, differences, metrics, quantiles, ratios, spread
from tests.benchmarks.microphone import RATES
from tests.benchmarks.processes import Failed, Process, python
from tests.benchmarks.roster import BOTH, FLOOR, Entry

__all__ = ["BOUNDS", "Lab", "rotated", "summary", "within_bounds"]

_SERVER_CORE, _CONTENDER_CORE = 0, 1
_STARTUP_S = 60.0
_ARRIVAL_S = 5.0
"How long what was sent may take to be heard, in seconds."
_RESAMPLER_MS = 120
"What a resampler may still hold when the last chunk was sent, in ms of audio."
_SAMPLES = 3
"How many say whether a step of a climb is held, near its end."
BOUNDS = {"lag_p99_ms": (0.0, 20.0), "share": (0.0, 95.0), "heard": (98.0, 110.0)}
"""
When a core holds its sessions: 99 of 100 turns of the loop are not later than one piece of audio is
long, the core is not used up, and what was due was heard.
"""
_DISTRIBUTION = [i / 200 for i in range(200)] + [0.999]
"The shares at which a distribution is kept."

Told = Callable[[str], None]
"Called with what is going on."


@attrs.define
class Runs:
    """What one experiment gave, contender by contender, a sample or nothing each round."""

    samples: dict[str, list[dict[str, float] | None]] = attrs.field(factory=dict)
    skips: dict[str, str] = attrs.field(factory=dict)
    latencies: dict[str, list[int]] = attrs.field(factory=dict)


class Lab:
    """
    Servers and contenders, started when they are first needed.

    Args:
        entries: Who may take part.
        rounds: How many rounds count.
        tell: Is told what is going on.
    """

    def __init__(self, entries: Mapping[str, Entry], *, rounds: int, tell: Told) -> None:
        self.rounds = rounds
        self.versions: dict[str, dict[str, str]] = {}
        self._entries = entries
        self._tell = tell
        self._servers: dict[str, tuple[Process, str]] = {}
        self._contenders: dict[str, Process] = {}
        self._cores = (os.cpu_count() or 1) > 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._contenders.values():
            process.close()
        for process, _ in self._servers.values():
            process.close()

    def section(self, section: Section) -> dict[str, Any]:
        """Run a section: its results, ready for JSON."""
        shape = {"title": section.title, "x": section.x}
        if section.climbs:
            rows, held = self._climbed(section)
            return {**shape, "experiments": rows, "held": held}
        rows = [
            self.experiment(experiment, protocol)
            for experiment in section.experiments
            for protocol in experiment.protocols
        ]
        return {**shape, "experiments": rows}

    def _climbed(self, section: Section) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """
        Have each contender climb the section's series until it can hold no more.

        Returns:
            The results, and how far each came, by protocol and contender.
        """
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        held: dict[str, dict[str, float]] = {}
        for protocol in BOTH:
            for name in self._taking_part(section.experiments[0], protocol):
                if height := self._height(section.experiments, protocol, name, rows):
                    held.setdefault(protocol, {})[name] = section.experiments[height - 1].x or 0
        return list(rows.values()), held

    def _height(
        self,
        steps: Sequence[Experiment],
        protocol: str,
        name: str,
        rows: dict[tuple[str, str], dict[str, Any]],
    ) -> int:
        """How many steps a contender holds; what was measured last of each goes into `rows`."""

        def held(step: int, samples: int) -> bool:
            row = self.experiment(steps[step], protocol, only=[name], rounds=samples)
            del row["rounds"]  # another contender may have had more of them
            known = rows.setdefault((protocol, steps[step].name), row)
            known["contenders"].update(row["contenders"])
            return within_bounds(row["contenders"][name])

        return climbed(
            len(steps),
            looks=lambda step: held(step, 1),
            holds=lambda step: held(step, _SAMPLES),
        )

    def experiment(
        self,
        experiment: Experiment,
        protocol: str,
        *,
        only: Sequence[str] | None = None,
        rounds: int | None = None,
    ) -> dict[str, Any]:
        """
        Run one experiment on one protocol: its results, ready for JSON.

        Args:
            experiment: Which.
            protocol: On which.
            only: Who takes part, if not all that are meant to.
            rounds: How many rounds count, if not as many as the experiment says.
        """
        names = self._taking_part(experiment, protocol) if only is None else list(only)
        rounds = rounds or max(1, round(self.rounds * experiment.rounds))
        runs = Runs({name: [] for name in names})
        warm_up = 0 if experiment.fresh else 1
        for number in range(rounds + warm_up):
            self._tell(f"{experiment.title}, {protocol}, round {number + 1 - warm_up} of {rounds}")
            for name in rotated(names, number):
                sample = self._sample(experiment, protocol, name, runs)
                if number >= warm_up:
                    runs.samples[name].append(sample)
            if number < warm_up:
                runs.latencies.clear()
        return {
            "experiment": experiment.name,
            "title": experiment.title,
            "protocol": protocol,
            "x": experiment.x,
            "rounds": rounds,
            "contenders": summary(runs, experiment.steps),
        }

    def _taking_part(self, experiment: Experiment, protocol: str) -> list[str]:
        own = [name for name in experiment.contenders if name in self._entries]
        if experiment.peers:
            own += [name for name in self._entries if name.startswith("peer_")]
        return [name for name in own if protocol in self._entries[name].protocols]

    def _sample(
        self, experiment: Experiment, protocol: str, name: str, runs: Runs
    ) -> dict[str, float] | None:
        """One contender, one round; ``None`` where it cannot, or could not."""
        if name in runs.skips:
            return None
        entry = self._entries[name]
        if entry.missing is not None:
            runs.skips[name] = entry.missing
            return None
        try:
            answer, load = self._measured(experiment, protocol, entry)
        except Failed as failure:
            runs.skips[name] = f"failed: {failure}"
            self._drop(name)
            return None
        if "skip" in answer:
            runs.skips[name] = answer["skip"]
            return None
        if "latencies_ns" in answer:
            runs.latencies.setdefault(name, []).extend(answer["latencies_ns"])
        return metrics(answer, load)

    def _measured(
        self, experiment: Experiment, protocol: str, entry: Entry
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        contender = self._contender(entry, fresh=experiment.fresh)
        try:
            if experiment.warm:
                self._asked(experiment, protocol, contender, turns=experiment.warm)
            answer, load = self._asked(experiment, protocol, contender)
        finally:
            if experiment.fresh:
                self._drop(entry.name)
        server, _ = self._server(protocol)
        if "skip" not in answer:
            self._check(entry, answer, load, server, protocol)
            if load["kind"] == "paced":
                load["late_p99_ms"] = server.ask({"do": "stats"})["late_p99_ms"]
        return answer, load

    def _asked(
        self, experiment: Experiment, protocol: str, contender: Process, **more: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a contender answers, and what it was to do."""
        server, url = self._server(protocol)
        played = {**experiment.load, **more}
        load = {**played, **experiment.ask, **server.ask({"do": "load", **played})}
        command = {**load, **experiment.ask, "protocol": protocol, "url": url}
        return contender.ask(command), load

    def _check(
        self,
        entry: Entry,
        answer: Mapping[str, Any],
        load: Mapping[str, Any],
        server: Process,
        protocol: str,
    ) -> None:
        if ended := answer.get("failed"):
            raise Failed(f"{entry.name}: {ended} of {load['count']} sessions ended too early")
        heard = answer.get("audio_bytes")
        if heard is not None and heard != load["audio_bytes"]:
            raise Failed(f"{entry.name}: heard {heard} of {load['audio_bytes']} bytes of audio")
        if load["do"] != "send":
            return
        due = load["count"] * load["chunk_ms"] * RATES[protocol] * 2 / 1e3
        slack = _RESAMPLER_MS * RATES[protocol] * 2 / 1e3 if load["resample"] else 0
        end = time.monotonic() + _ARRIVAL_S
        while (came := server.ask({"do": "stats"})["audio_bytes_in"]) < due - slack:
            if time.monotonic() > end:
                raise Failed(f"{entry.name}: only {came} of {due:g} bytes of audio were sent")
            time.sleep(0.01)
        if came > due:
            raise Failed(f"{entry.name}: {came} bytes of audio were sent instead of {due:g}")

    def _server(self, protocol: str) -> tuple[Process, str]:
        if protocol not in self._servers:
            process = Process(
                f"server of {protocol}",
                python("tests.benchmarks.server", protocol),
                core=_SERVER_CORE if self._cores else None,
            )
            port = process.hear(_STARTUP_S)["port"]
            self._servers[protocol] = process, f"ws://127.0.0.1:{port}"
        return self._servers[protocol]

    def _contender(self, entry: Entry, *, fresh: bool) -> Process:
        if fresh:
            self._drop(entry.name)
        if entry.name not in self._contenders:
            process = Process(
                entry.name,
                entry.command,
                core=_CONTENDER_CORE if self._cores else None,
                environ=entry.environ,
            )
            self._contenders[entry.name] = process
            self.versions[entry.name] = process.hear(_STARTUP_S)["versions"]
        return self._contenders[entry.name]

    def _drop(self, name: str) -> None:
        if process := self._contenders.pop(name, None):
            process.close()


def within_bounds(result: Mapping[str, Any]) -> bool:
    """Whether a contender still held all its sessions: see :data:`BOUNDS`."""
    found = result.get("metrics", {})
    whole = bool(found) and "failed" not in result
    return whole and all(
        low <= found[metric]["median"] <= high for metric, (low, high) in BOUNDS.items()
    )


def rotated(names: Sequence[str], number: int) -> list[str]:
    """The order of a round: everybody once, shifted by one from round to round."""
    start = number % len(names) if names else 0
    return [*names[start:], *names[:start]]


def summary(runs: Runs, steps: Mapping[str, str] | None = None) -> dict[str, Any]:
    """
    Medians, spreads and ratios, ready for JSON.

    Args:
        runs: What was measured.
        steps: Whose difference to whom is told too.
    """
    return {name: _summary(runs, name, (steps or {}).get(name)) for name in runs.samples}


def _summary(runs: Runs, name: str, base: str | None) -> dict[str, Any]:
    samples = runs.samples[name]
    good = [sample for sample in samples if sample is not None]
    if not good:
        return {"skip": runs.skips.get(name, "nothing was measured")}
    floors = runs.samples.get(FLOOR, [None] * len(samples))
    names = list(good[0])
    result: dict[str, Any] = {
        "metrics": {metric: _shown(spread(s[metric] for s in good)) for metric in names},
        "ratios": {
            metric: _shown(spread(found))
            for metric in names
            if (found := ratios(samples, floors, metric))
        },
    }
    if base in runs.samples:
        result["adds_to"] = base
        result["adds"] = {
            metric: _shown(spread(found))
            for metric in names
            if (found := differences(samples, runs.samples[base], metric))
        }
    if name in runs.skips:
        result["failed"] = runs.skips[name]
    if delays := runs.latencies.get(name):
        result["latency_us"] = [round(delay / 1e3, 1) for delay in quantiles(delays, _DISTRIBUTION)]
    return result


def _shown(spread: Spread) -> dict[str, float]:
    return {
        "median": _rounded(spread.median),
        "low": _rounded(spread.low),
        "high": _rounded(spread.high),
    }


def _rounded(value: float) -> float:
    """Four significant digits: more are noise, and make every run another file."""
    return float(f"{value:.4g}")
