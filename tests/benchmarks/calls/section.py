"""
The section of the results that is about calls.

One call of some seconds gives both figures: the processor time of the client's process, and how
long each mark was under way. Rounds alternate as the lab's do, each call in a new process; the last
percent of the ways is that of all rounds together, for one call has too few marks to tell it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from tests.benchmarks.experiments import SECTIONS
from tests.benchmarks.figures import quantiles
from tests.benchmarks.lab import Runs, rotated, summary
from tests.benchmarks.processes import Failed, Process, python

__all__ = ["CALLERS", "run_calls"]

CALLERS: Mapping[str, tuple[str, ...]] = {
    "floor": ("aiortc_alone",),
    "unirt": ("whole_session", "webrtc"),
    "unirt_socket": ("whole_session", "websocket"),
}
"Who calls: a module beside this one, and what it is told."

_SECONDS = 8.0
_SHARE_OF_ROUNDS = 0.4
_STARTUP_S = 60.0
_HEARD_WITHIN = 0.05
"By how much what was heard may be shorter or longer than what was said."


def run_calls(rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure: a section of the results."""
    rounds = max(1, round(rounds * _SHARE_OF_ROUNDS))
    runs = Runs({who: [] for who in CALLERS})
    ways: dict[str, list[float]] = {who: [] for who in CALLERS}
    cores = (0, 1) if (os.cpu_count() or 1) > 1 else (None, None)
    with Process("parrot", python("tests.benchmarks.calls.parrot"), core=cores[0]) as server:
        url = server.hear(_STARTUP_S)["url"]
        for number in range(rounds):
            tell(f"calls, round {number + 1} of {rounds}")
            for who in rotated(list(CALLERS), number):
                try:
                    answer = _whole(who, called(who, url, seconds=_SECONDS, core=cores[1]))
                except Failed as failure:
                    runs.skips[who] = f"failed: {failure}"
                    runs.samples[who].append(None)
                    continue
                ways[who] += answer["delays_ms"]
                runs.samples[who].append(_sample(answer))
    for who, samples in runs.samples.items():
        for sample in samples:
            if sample is not None:
                sample["ear_p99_ms"] = quantiles(ways[who], [0.99])[0]
    row = {
        "experiment": "calls",
        "title": "a call",
        "protocol": "openai",
        "x": None,
        "rounds": rounds,
        "contenders": summary(runs),
    }
    return {"title": SECTIONS["calls"].title, "experiments": [row]}


def called(who: str, url: str, *, seconds: float, core: int | None = None) -> dict[str, Any]:
    """
    What one call gave.

    Raises:
        Failed: It did not come about.
    """
    module, *arguments = CALLERS[who]
    command = python(f"tests.benchmarks.calls.{module}", *arguments)
    with Process(who, command, core=core) as caller:
        caller.hear(_STARTUP_S)
        return caller.ask({"do": "call", "url": url, "seconds": seconds})


def _whole(who: str, answer: dict[str, Any]) -> dict[str, Any]:
    """
    The answer, if it was worth something.

    Raises:
        Failed: Not all of what was said came back.
    """
    heard = answer["heard_s"]
    if abs(heard - _SECONDS) > _SECONDS * _HEARD_WITHIN or not answer["delays_ms"]:
        raise Failed(f"{who}: heard {heard:.2f} of {_SECONDS:g} s")
    return answer


def _sample(answer: Mapping[str, Any]) -> dict[str, float]:
    return {
        "share": answer["cpu_s"] / answer["wall_s"] * 100,
        "ear_p50_ms": quantiles(answer["delays_ms"], [0.5])[0],
    }
