"""
``python -m tests.fuzz.corpus``: the inputs that are kept, and how they are made anew.

They begin as what the simulators say and hear in the scenarios that come with unirt, and as the
cassettes of them, without most of the sound. What the engine found, ``python -m tests.fuzz --keep``
adds; the engine calls an input by its digest, so it never keeps the same one twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from tests.fuzz.script import COMMANDS, CONFIGS
from unirt.provider import Provider
from unirt.registry import load
from unirt.simulator.exchange import Exchange, run
from unirt.simulator.script import builtin, builtin_names

__all__ = ["FOLDER", "inputs", "seeds"]

FOLDER: Final = Path(__file__).parent / "corpus"
_CASSETTES: Final = Path(__file__).parents[2] / "cassettes"
_LONG: Final = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")
"Sound."
_ENOUGH: Final = 96
"Characters of it: an envelope has at least 64."
_LONG_ENOUGH: Final = re.compile(rb"[A-Za-z0-9+/]{%d,}" % _ENOUGH)
_LARGEST: Final = 4_000
"Bytes of an input; the engine is fast with small ones."
_ALIKE: Final = 3
"Lines in a row that differ in their sound only."


def inputs(target: str) -> list[Path]:
    """The inputs that are kept for a target, in order."""
    return sorted((FOLDER / target).iterdir())


def seeds(target: str) -> Iterator[tuple[str, bytes]]:
    """Inputs that nobody had to search for, each with a name."""
    for name in builtin_names():
        if target == "cassette":
            paths = _CASSETTES.glob(f"*/{name}.jsonl")
            yield from ((f"{path.parent.name}_{name}", _short(path.read_bytes())) for path in paths)
            continue
        exchange = run(load(target), builtin(name))
        if exchange.refused is None:
            script = _short(_script(load(target), exchange, name))
            yield name, script
            if name == "greeting":
                yield "nearly_an_envelope", _nearly(script)


def _script(provider: Provider, exchange: Exchange, scenario: str) -> bytes:
    """What was said and heard, as an input for translators."""
    settings = builtin(scenario).session
    alike = [
        number
        for number, config in enumerate(CONFIGS)
        if type(config.turn_detection) is type(settings.turn_detection)
        and bool(config.tools) == bool(settings.tools)
    ]
    lines = [b"#%d" % next(iter(alike), 0)]
    said, came, now = list(exchange.said), 0, 0.0
    kinds = [type(command) for command in COMMANDS]
    for (direction, frame), at in zip(exchange.frames, exchange.times, strict=True):
        while said and said[0].heard <= came:
            command = said.pop(0).command
            if type(command) in kinds:
                lines.append(b"!%d" % kinds.index(type(command)))
        if at - now >= 0.02:
            lines.append(b"@%d" % min(round((at - now) * 1000), 99_999))
            now = at
        data = frame if isinstance(frame, bytes) else frame.encode()
        lines.append(b">" + data if direction == "sent" else data)
        came += direction == "received"
    return b"\n".join(lines)


def _nearly(data: bytes) -> bytes:
    """
    Spoken frames that differ from the one before in one byte behind their sound.

    What is made of them is not what is known of the one before; see :mod:`unirt.envelope`.
    """
    lines = data.split(b"\n")
    place, spoken = next((n, line) for n, line in enumerate(lines) if _LONG_ENOUGH.search(line))
    spoken = json.dumps(_reordered(json.loads(spoken)), separators=(",", ":")).encode()
    found = _LONG_ENOUGH.search(spoken)
    assert found is not None
    first, last = found.end(), len(spoken) - 1
    digit = next(n for n in range(first, last) if spoken[n : n + 1] in b"0123456789")
    changed = [spoken] * 3
    for at in (first, last, digit):
        other = b"7" if spoken[at : at + 1] != b"7" else b"8"
        changed += [spoken[:at] + other + spoken[at + 1 :], spoken]
    return b"\n".join((*lines[:place], *changed))


def _reordered(value: Any) -> Any:
    """The same JSON, with the last of what else is said of a sound behind it."""
    if isinstance(value, list):
        return [_reordered(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    *entries, last = ((key, _reordered(inner)) for key, inner in value.items())
    return dict((*entries[:-1], last, *entries[-1:]) if _is_sound(last[1]) else (*entries, last))


def _is_sound(value: Any) -> bool:
    return isinstance(value, str) and _LONG_ENOUGH.fullmatch(value.encode()) is not None


def _short(data: bytes) -> bytes:
    """The same, with little sound."""
    lines = [
        _LONG.sub(lambda found: found[0][:_ENOUGH], line) for line in data.decode().split("\n")
    ]
    few = [line for key, lines in groupby(lines, _gist) for line in list(lines)[:_ALIKE]]
    while sum(map(len, few)) + len(few) > _LARGEST:
        del few[-1]
    return "\n".join(few).encode()


def _gist(line: str) -> object:
    """What lines have in common that differ in their sound, their ids and their time."""
    if line.startswith(("!0", "!1")):
        return line
    try:
        value = json.loads(line.removeprefix(">"))
    except ValueError:
        return line
    return sorted(value), value.get("type") if isinstance(value, dict) else line


def main() -> None:
    """Write the seeds of every target."""
    for target in ("google", "openai", "cassette"):
        (FOLDER / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds(target):
            (FOLDER / target / name).write_bytes(data)


if __name__ == "__main__":
    main()
