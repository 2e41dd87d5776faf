"""
Records the scenario matrix from the simulators; ``--check`` only tells whether a file is stale.

Time is virtual and ids are counted, so the same code always records the same files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unirt.registry import installed, load
from unirt.simulator.exchange import Exchange, run
from unirt.simulator.script import builtin, builtin_names

FOLDER = Path(__file__).parent
AUDIO_CHARACTERS = 32
"Of base64: 24 bytes."
_AUDIO_KEYS = {"delta", "audio", "data"}


def lines(exchange: Exchange, scenario: str) -> Iterator[dict[str, Any]]:
    """The lines of one recording."""
    model = exchange.capabilities.model if exchange.capabilities is not None else None
    yield {
        "direction": "note",
        "data": {
            "origin": "simulator",
            "provider": exchange.provider,
            "model": model,
            "scenario": scenario,
        },
    }
    for direction, frame in exchange.frames:
        yield {"direction": direction, "data": _cut(json.loads(frame))}
    if exchange.closed is not None:
        code, reason = exchange.closed
        yield {"direction": "close", "data": {"code": code, "reason": reason}}


def _cut(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _cut(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_cut(entry, key) for entry in value]
    long = isinstance(value, str) and len(value) > AUDIO_CHARACTERS and " " not in value
    return value[:AUDIO_CHARACTERS] if long and key in _AUDIO_KEYS else value


def main(arguments: list[str]) -> int:
    """Write the recordings, or with ``--check`` tell which are stale."""
    stale = []
    for provider in installed():
        (FOLDER / provider).mkdir(exist_ok=True)
        for scenario in builtin_names():
            exchange = run(load(provider), builtin(scenario))
            if not exchange.frames:
                continue  # refused before anything was sent
            path = FOLDER / provider / f"{scenario}.jsonl"
            text = "".join(f"{json.dumps(line)}\n" for line in lines(exchange, scenario))
            if not path.exists() or path.read_text("utf-8") != text:
                stale.append(str(path.relative_to(FOLDER)))
                if "--check" not in arguments:
                    path.write_text(text, "utf-8")
    if "--check" in arguments and stale:
        print(f"stale: {', '.join(stale)}; run python cassettes/record.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
