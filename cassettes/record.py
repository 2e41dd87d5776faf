"""
Records the cassettes of this folder; ``--check`` only tells which are stale.

From the simulators: time is virtual and ids are counted, so the same code always records the same
files. Audio is replaced by silence of the same length, which a line says by its length alone: the
files stay small and readable, and how much was said and heard is still what it was.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from unirt.cassettes import Cassette, Closed, Entry, Framed, Header, Opened, Origin, dumps, kept
from unirt.cassettes.faults import FAULTS
from unirt.cassettes.scrub import Scrub, check_clean, scrubbed
from unirt.cassettes.secrets import Secrets
from unirt.config import SessionConfig
from unirt.errors import CassetteError
from unirt.provider import Credentials, Provider
from unirt.registry import installed, load
from unirt.simulator.exchange import Exchange, run
from unirt.simulator.script import builtin, builtin_names
from unirt.testing.journey import JOURNEYS, Journey, Moved, Way, ways
from unirt.testing.stay import STAYS, keeps
from unirt.testing.travel import travel

FOLDER = Path(__file__).parent
FAULTY = "text_turn"
"The scenario that faults happen to."
VERTEX = "projects/p/locations/us-central1/publishers/google/models/gemini-3.8-live"
STAYING = {"openai": ("openai", None), "google": ("google", None), "vertex": ("google", VERTEX)}
"With whom a conversation stays: a provider and one of its models, by name."
_ABRUPT = "a connection is left in the moment in which frames come: who plays it would miss them"
UNPLAYED = {
    "switch_before_an_answer": _ABRUPT,
    "switch_before_a_result_is_answered": _ABRUPT,
    "update_until_an_answer_is_over": "a tape does not wait for what a session tells after a move",
}
"Journeys of which there are no cassettes, and why."


def dialled(provider: Provider, scenario: str) -> SessionConfig:
    """The model of a scenario, by the name that it is dialled by."""
    model = builtin(scenario).session.model or provider.default_model
    return provider.resolve(SessionConfig(model=model), Credentials())


def recorded(exchange: Exchange, scenario: str, model: str | None) -> Cassette:
    """The cassette of one exchange with a simulator."""
    header = Header(
        origin=Origin.SIMULATOR,
        provider=exchange.provider,
        model=model,
        recorded_by="cassettes/record.py",
        against=f"the scenario {scenario!r}",
        notes={"scenario": scenario},
    )
    whole = Cassette(header=header, entries=tuple(_entries(exchange)))
    clean = scrubbed(whole, Scrub(audio="silence", ids=False), Secrets())
    check_clean(clean, Secrets(), scenario)
    return clean


def _entries(exchange: Exchange) -> Iterator[Entry]:
    yield Opened(url="simulator:")
    for (direction, frame), at in zip(exchange.frames, exchange.times, strict=True):
        yield Framed(
            direction="sent" if direction == "sent" else "received",
            data=kept(frame),
            binary=isinstance(frame, bytes),
            at_ms=at * 1000,
        )
    end = exchange.seconds * 1000
    if exchange.closed is not None:
        code, reason = exchange.closed
        yield Closed(code=code, reason=reason, by="remote", at_ms=end)
    else:
        yield Closed(code=1000, by="local", at_ms=end)


def travelled(moved: Moved, journey: str, way: str) -> Cassette:
    """The cassette of one journey between simulators."""
    header = Header(
        origin=Origin.SIMULATOR,
        recorded_by="cassettes/record.py",
        against=f"the journey {journey!r}, {way}",
        notes={"journey": journey, "way": way},
    )
    clean = scrubbed(
        Cassette(header=header, entries=moved.entries), Scrub(audio="silence", ids=False), Secrets()
    )
    check_clean(clean, Secrets(), journey)
    return clean


def stays() -> Iterator[tuple[str, Way, Journey]]:
    """Every conversation that stays, with everybody whom it can stay with."""
    for journey in STAYS.values():
        for name, (provider, model) in STAYING.items():
            if (way := keeps(load(provider), journey, model)) is not None:
                yield name, way, journey


def place(cassette: Cassette) -> int:
    """Where faults happen: at the third piece of audio that is received."""
    audible = (
        line
        for line, entry in cassette.numbered()
        if isinstance(entry, Framed) and entry.altered and entry.direction == "received"
    )
    return next(islice(audible, 2, None))


def faulty(cassette: Cassette) -> Iterator[tuple[str, Cassette]]:
    """What faults make of a good cassette, where its protocol has a frame for them."""
    for name, fault in FAULTS.items():
        with contextlib.suppress(CassetteError):
            yield name, fault(cassette, place(cassette))


def cassettes() -> Iterator[tuple[Path, bytes]]:
    """Every file, and what belongs into it."""
    for provider in map(load, installed()):
        for scenario in builtin_names():
            config = dialled(provider, scenario)
            exchange = run(provider, builtin(scenario), config)
            if exchange.frames:  # else it was refused before anything was sent
                path = FOLDER / provider.name / f"{scenario}.jsonl"
                cassette = recorded(exchange, scenario, config.model)
                yield path, dumps(cassette, str(path))
                if scenario == FAULTY:
                    for name, bad in faulty(cassette):
                        path = FOLDER / "faults" / provider.name / f"{name}.jsonl"
                        yield path, dumps(bad, str(path))
    for name, way in ways(map(load, installed())).items():
        if way.refuses or (way.stays and not way.remembers):
            continue  # the others hold all that is told then
        for journey in filter(way.takes, JOURNEYS.values()):
            if journey.name in UNPLAYED:
                continue
            path = FOLDER / "journeys" / name / f"{journey.name}.jsonl"
            yield path, dumps(travelled(travel(way, journey), journey.name, name), str(path))

    for name, way, journey in stays():
        path = FOLDER / "stays" / name / f"{journey.name}.jsonl"
        yield path, dumps(travelled(travel(way, journey), journey.name, name), str(path))


def main(arguments: list[str]) -> int:
    """Write the cassettes, or with --check tell which are stale."""
    parser = ArgumentParser("cassettes/record.py", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    stale = []
    logging.getLogger("unirt").addHandler(logging.NullHandler())
    for path, data in cassettes():
        if not path.exists() or path.read_bytes() != data:
            stale.append(str(path.relative_to(FOLDER)))
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    if check and stale:
        print(f"stale: {', '.join(stale)}; run python cassettes/record.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
