"""
Records the scenarios from live providers, and reports what differs from the simulators.

    python cassettes/live.py FOLDER

Every provider that has a key in the environment is asked; that costs a few cents. The cassettes go
to FOLDER and the report to the terminal: kinds of frames, their order, and their fields, but never
values, for no two conversations have the same words. What differs is what a simulator gets wrong.

The application of a scenario is that of ``unirt record``. A provider need not do what the scenario
has it do: where what its application waits for does not come, the report says so, and the next
scenario has its turn.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import unirt
from unirt.cassettes import Cassette, Framed, read
from unirt.cli.application import Application, arguments_of, in_real_time
from unirt.errors import UnirtError
from unirt.provider import Provider
from unirt.registry import installed, load
from unirt.simulator.scenario import Scenario
from unirt.simulator.script import builtin, builtin_names

__all__ = ["differences", "main", "record"]

FOLDER = Path(__file__).parent


# Recording.


async def record(
    provider: Provider,
    scenario: Scenario,
    path: Path,
    *,
    patience_ms: float = 15_000.0,
    **options: Any,
) -> str:
    """
    Hold one scenario's conversation, and write it to a cassette.

    Args:
        provider: Whom to ask.
        scenario: What its application does; the server does as it likes.
        path: The cassette.
        patience_ms: How long nothing may happen before what is waited for will never come.
        options: More for ``connect()``.

    Returns:
        Why the conversation is not all that the scenario holds; empty where it is.
    """
    with unirt.cassette(
        path, mode="rewrite", audio="silence", notes={"scenario": scenario.name}, http=False
    ):
        async with unirt.connect(provider, **arguments_of(scenario.session), **options) as session:
            application = Application(session, scenario, patience_ms=patience_ms)
            listening = asyncio.create_task(application.read())
            try:
                await in_real_time(application)
            finally:
                await session.close()
                await listening
    return application.unfinished or ("" if application.lost is None else str(application.lost))


# The report.


def differences(live: Cassette, simulated: Cassette) -> list[str]:
    """How what a provider sends differs from what its simulator does: kinds, order, fields."""
    one, other = _kinds(live), _kinds(simulated)
    found = [f"only live: {kind}" for kind in one if kind not in other]
    found += [f"only simulated: {kind}" for kind in other if kind not in one]
    common = [kind for kind in one if kind in other]
    order = [kind for kind in other if kind in one]
    if common != order:
        found.append(f"first seen live in the order {common}, simulated {order}")
    for kind in common:
        for fields, where in (
            (one[kind] - other[kind], "live"),
            (other[kind] - one[kind], "simulated"),
        ):
            found += [f"{kind}: {field} only {where}" for field in sorted(fields)]
    return found


def _kinds(cassette: Cassette) -> dict[str, set[str]]:
    """The kinds of frames that are received, in order of appearance, each with all its fields."""
    kinds: dict[str, set[str]] = {}
    for entry in cassette.entries:
        if isinstance(entry, Framed) and entry.direction == "received":
            kinds.setdefault(_kind(entry.data), set()).update(_fields(entry.data, ""))
    return kinds


def _kind(data: Any) -> str:
    """A frame's type, or what stands in for one: its keys, one of each nested level."""
    if not isinstance(data, dict):
        return "no JSON object"
    if isinstance(data.get("type"), str):
        return str(data["type"])
    return "+".join(
        f"{key}.{'+'.join(inner)}" if isinstance(inner, dict) and inner else key
        for key, inner in data.items()
    )


def _fields(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}" if path else key
            yield from _fields(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, f"{path}[]")


def _with_keys(environ: Mapping[str, str]) -> Iterator[Provider]:
    for provider in map(load, installed()):
        if any(environ.get(variable.name) for variable in provider.env if variable.required):
            yield provider


def main(arguments: list[str]) -> int:
    """Record everything that there is a key for, and report."""
    parser = ArgumentParser(
        "cassettes/live.py", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the cassettes go")
    folder, providers = parser.parse_args(arguments).folder, list(_with_keys(os.environ))
    for provider in providers:
        for name in builtin_names():
            simulated = FOLDER / provider.name / f"{name}.jsonl"
            if not simulated.exists():
                continue
            path = folder / provider.name / f"{name}.jsonl"
            try:
                told = asyncio.run(record(provider, builtin(name), path))
            except UnirtError as exc:
                told = str(exc)
            found = differences(read(path), read(simulated)) if path.exists() else []
            for line in [told, *found] if told else found:
                print(f"{provider.name} {name}: {line}", flush=True)
    if not providers:
        print("no provider has a key in the environment", file=sys.stderr)
    return 0 if providers else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
