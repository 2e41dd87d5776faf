"""The pages of what each frame of a provider becomes, and which recordings hold it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from unirt.events import Event
from unirt.registry import load
from unirt.simulator.exchange import run
from unirt.simulator.script import builtin, builtin_names
from unirt_google.inbound import FIELDS
from unirt_google.parts import PARTS
from unirt_openai.inbound import HANDLERS

__all__ = ["mapping_google_page", "mapping_openai_page"]


def mapping_openai_page() -> Iterator[str]:
    yield "# Mapping: OpenAI Realtime\n"
    yield "The server events, from the table in `providers/unirt_openai/inbound`.\n"
    yield from _mapping("openai", {name: row.gives for name, row in HANDLERS.items()})


def mapping_google_page() -> Iterator[str]:
    yield "# Mapping: Gemini Live\n"
    yield "The fields of a server message, from the tables in `providers/unirt_google/inbound.py`"
    yield "and `parts.py`, in the order in which a frame that has several is read.\n"
    table = {name: row.gives for name, row in FIELDS.items() if name != _MODEL_TURN}
    table |= {f"{_MODEL_TURN}.parts[].{name}": row.gives for name, row in PARTS.items()}
    yield from _mapping("google", table)


_MODEL_TURN = "serverContent.modelTurn"


def _mapping(provider: str, table: Mapping[str, tuple[type[Event], ...]]) -> Iterator[str]:
    yield "A frame that changes nothing may always become a `Noted`, a malformed one a `Malformed`."
    yield "*Concluded* lists what the scenarios showed it to bring along that it does not say."
    yield "Every row is tested with hand-written frames in `tests/providers`; the last column names"
    yield f"the recordings in `cassettes/{provider}` that hold it, one for each"
    yield "[scenario](scenarios.md).\n"
    yield "| on the wire | says | plane | concluded | recorded in |"
    yield "|---|---|---|---|---|"
    seen = _observed(provider)
    for name, gives in table.items():
        concluded, scenarios = seen.get(name, (set(), {}))
        planes = ", ".join(dict.fromkeys(str(kind.plane) for kind in gives))
        says = ", ".join(f"`{kind.__name__}`" for kind in gives)
        more = ", ".join(f"`{kind}`" for kind in sorted(concluded))
        yield f"| `{name}` | {says} | {planes} | {more} | {_few(list(scenarios))} |"


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _observed(provider: str) -> dict[str, tuple[set[str], dict[str, None]]]:
    """By wire name: the events it brought along unsaid, and the scenarios it came in."""
    seen: dict[str, tuple[set[str], dict[str, None]]] = {}
    for scenario_name in builtin_names():
        made = run(load(provider), builtin(scenario_name))
        for frame in made.frames_received:
            for name in _wire_names(json.loads(frame)):
                seen.setdefault(name, (set(), {}))[1][scenario_name] = None
        for event in made.events:
            if event.synthesised and event.raw is not None:
                for name in _wire_names(event.raw):
                    seen.setdefault(name, (set(), {}))[0].add(type(event).__name__)
    return seen


def _wire_names(frame: dict[str, Any]) -> Iterator[str]:
    if "type" in frame:
        yield frame["type"]
        return
    for name, value in frame.items():
        if name != "serverContent":
            yield name
            continue
        for key, inner in value.items():
            if f"serverContent.{key}" != _MODEL_TURN:
                yield f"serverContent.{key}"
                continue
            for part in inner.get("parts", ()):
                yield from (f"{_MODEL_TURN}.parts[].{kind}" for kind in part)
