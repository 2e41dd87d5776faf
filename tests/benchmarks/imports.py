"""
What importing costs: unirt, against the modules that it imports anyway, each in a fresh process.

The dependencies are found and not listed: every module that is there after the import and is no
part of unirt, in the order in which they came. So the ratio tells what unirt itself adds. Beside
them stand the vendors' packages, which are imported by the first connection that needs them, and
not before: that is checked by loading a provider, and by having it translate a turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tests.benchmarks import google_frames, openai_frames
from tests.benchmarks.experiments import SECTIONS
from tests.benchmarks.lab import Runs, rotated, summary
from tests.benchmarks.load import Load, numbered
from tests.benchmarks.processes import ROOT, Process

__all__ = ["VENDORS", "bare", "imported", "run_imports", "vendors_after_a_turn"]

VENDORS = ("openai", "google.genai", "google.auth", "pydantic")
"Packages that must not be there before they are used."

_TIMED = """
import json, resource, time
started = time.perf_counter()
{body}
ms = (time.perf_counter() - started) * 1e3
with open("/proc/self/statm") as file:
    size = int(file.read().split()[1]) * resource.getpagesize()
print(json.dumps({{"ms": ms, "rss_mb": size / 1e6}}))
"""
_LOADED = "import unirt\nfrom unirt.registry import load\nload({name!r})\n"
_SDKS = {
    "openai": "from openai import AsyncOpenAI\nimport openai.resources.realtime\n",
    "google": "from google import genai\nimport google.genai.live\n",
}
_LISTED = """
import json, sys
before = set(sys.modules)
{body}
print(json.dumps([name for name in sys.modules if name not in before]))
"""
_TRANSLATED = """
import json, sys
from unirt.config import SessionConfig
from unirt.registry import load
provider = load({name!r})
config = SessionConfig(model=provider.default_model)
translator = provider.new_translator(config)
translator.start(0.0)
events = 0
for frame in json.load(sys.stdin):
    translator.receive(frame, 0.0)
    events += len(translator.events_received())
found = [name for name in {vendors!r} if name in sys.modules]
print(json.dumps({{"events": events, "vendors": found}}))
"""


def run_imports(rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure imports, alternating as the lab does: a section of the results."""
    rows = [_row("import", "import unirt", "", "import unirt\n", None, rounds, tell)]
    for provider in ("openai", "google"):
        body = _LOADED.format(name=provider)
        title = "import unirt, with a provider loaded"
        name = f"import-{provider}"
        rows.append(_row(name, title, provider, body, _SDKS[provider], rounds, tell))
    return {
        "title": SECTIONS["imports"].title,
        "experiments": rows,
        "vendors": {name: vendors_after_a_turn(name)["vendors"] for name in ("openai", "google")},
    }


def _row(
    name: str,
    title: str,
    protocol: str,
    body: str,
    sdk: str | None,
    rounds: int,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    bodies = {"floor": bare(body), "unirt": body}
    if sdk is not None:
        bodies["sdk"] = sdk
    runs = Runs({name: [] for name in bodies})
    for number in range(rounds + 1):
        tell(f"{title} {protocol}, round {number} of {rounds}")
        for who in rotated(list(bodies), number):
            sample = imported(bodies[who])
            if number:
                runs.samples[who].append({key: float(value) for key, value in sample.items()})
    return {
        "experiment": name,
        "title": title,
        "protocol": protocol,
        "x": None,
        "rounds": rounds,
        "contenders": summary(runs),
    }


def imported(body: str) -> dict[str, Any]:
    """The time and the memory of some imports in a fresh process."""
    code = _TIMED.format(body=body)
    with Process("import", [sys.executable, "-c", code]) as process:
        return process.hear(60)


def bare(body: str) -> str:
    """The imports behind some imports, without any module of ours."""
    code = _LISTED.format(body=body)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in json.loads(done.stdout) if not name.startswith("unirt")]
    lines = [f"try:\n    import {name}\nexcept ImportError:\n    pass" for name in names]
    return "\n".join(lines) + "\n"


def vendors_after_a_turn(provider: str) -> Mapping[str, Any]:
    """How many events a turn gives, and which vendor's packages were imported for them."""
    turn = openai_frames.turn if provider == "openai" else google_frames.turn
    load = Load(audio_per_turn=3, transcripts_per_turn=1)
    steps = [numbered(step.payload, 0).decode() for step in turn(load)]
    code = _TRANSLATED.format(name=provider, vendors=VENDORS)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        input=json.dumps(steps).encode(),
        capture_output=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
