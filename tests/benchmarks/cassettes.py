"""
What a replay costs: a cassette of 2,700 frames that are received, played through a whole session.

The floor decodes the same frames and builds the same events, with no session around it: the
translator alone. What is measured is the processor time from the moment the client asks until the
last answer is done, and what reading the file takes, compressed and not.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import unirt
from tests.benchmarks.experiments import SECTIONS
from tests.benchmarks.lab import Runs, summary
from tests.benchmarks.load import Load, numbered
from tests.benchmarks.roster import BOTH
from tests.benchmarks.server import PROTOCOLS
from unirt.cassettes import (
    Cassette,
    Closed,
    Entry,
    Framed,
    Header,
    Opened,
    Origin,
    kept,
    read,
    write,
)
from unirt.config import SessionConfig
from unirt.registry import load

__all__ = ["FRAMES", "recording", "run_cassettes"]

FRAMES = 2_700
"A spoken answer of some minutes."
_WARM = 2
"Rounds that do not count."
_MORE = 4
"Rounds for each that is asked for: they are short, and what they are to show is near its bound."


def run_cassettes(rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure: a section of the results."""
    rows = []
    rounds *= _MORE
    with tempfile.TemporaryDirectory() as folder:
        for protocol in BOTH:
            tell(f"playing cassettes, {protocol}")
            path = Path(folder) / f"{protocol}.jsonl"
            cassette, turns = recording(protocol)
            write(path, cassette)
            write(f"{path}.gz", cassette)
            samples: dict[str, list[dict[str, float] | None]] = {"floor": [], "unirt": []}
            for _ in range(rounds + _WARM):
                samples["floor"].append({"frame_us": translated(read(path), protocol)})
                reading = {"read_ms": _reading(path), "read_gz_ms": _reading(Path(f"{path}.gz"))}
                samples["unirt"].append({"frame_us": played(path, turns), **reading})
            runs = Runs({who: found[_WARM:] for who, found in samples.items()})
            rows.append(
                {
                    "experiment": "cassettes",
                    "title": "cassettes",
                    "protocol": protocol,
                    "x": None,
                    "rounds": rounds,
                    "contenders": summary(runs),
                }
            )
    return {"title": SECTIONS["cassettes"].title, "experiments": rows}


def recording(protocol: str) -> tuple[Cassette, int]:
    """A cassette of so many frames that are received, and how many turns they are."""
    voice, turn = PROTOCOLS[protocol]
    greeting, asked = _handshake(voice(), protocol)
    frames: list[bytes] = []
    turns = 0
    steps = turn(Load())
    while len(frames) < FRAMES:
        frames += (numbered(step.payload, turns) for step in steps)
        turns += 1
    entries: list[Entry] = [Opened(url="wss://host/"), *greeting]
    entries += asked
    entries += (
        Framed(direction="received", data=kept(frame), at_ms=10.0 * n)
        for n, frame in enumerate(frames, 1)
    )
    entries.append(Closed(code=1000, by="local", at_ms=10.0 * (len(frames) + 1)))
    header = Header(origin=Origin.HAND_WRITTEN, provider=protocol)
    return Cassette(header=header, entries=tuple(entries)), turns


def _handshake(voice: Any, protocol: str) -> tuple[list[Entry], list[Entry]]:
    """What both sides say until the session is ready, and what the client asks."""
    translator = load(protocol).new_translator(SessionConfig())
    translator.start(0.0)
    entries: list[Entry] = []

    def received(frames: list[bytes]) -> None:
        for frame in frames:
            entries.append(Framed(direction="received", data=kept(frame)))
            translator.receive(frame, 0.0)

    def sent() -> list[Entry]:
        said = [Framed(direction="sent", data=kept(frame)) for frame in translator.frames_to_send()]
        return list[Entry](said)

    received(voice.greeting())
    while not translator.ready:
        said = sent()
        entries.extend(said)
        for frame in said:
            assert isinstance(frame, Framed)
            received(voice.answer(frame.data))
    translator.send(unirt.SendText(text="Tell me."), 0.0)
    return entries, sent()


def translated(cassette: Cassette, protocol: str) -> float:
    """The time of a frame in the translator alone, in microseconds."""
    frames = [
        entry.payload
        for entry in cassette.entries
        if isinstance(entry, Framed) and entry.direction == "received"
    ]
    translator = load(protocol).new_translator(SessionConfig(), offline=True)
    translator.start(0.0)
    began = time.process_time()
    events = 0
    for frame in frames:
        translator.receive(frame, 0.0)
        events += len(translator.events_received())
        translator.frames_to_send()
    took = time.process_time() - began
    assert events > len(frames)
    return took * 1e6 / len(frames)


def played(path: Path, turns: int) -> float:
    """The time of a frame in a session that is played, in microseconds."""
    return asyncio.run(_played(path, turns))


async def _played(path: Path, turns: int) -> float:
    with unirt.cassette(path, http=False):
        async with unirt.connect(env_file=None, environ={}) as session:
            began = time.process_time()
            await session.send_text("Tell me.")
            left, done = turns, unirt.ResponseDone
            async for event in session:
                if type(event) is done:
                    left -= 1
                    if not left:
                        break
            took = time.process_time() - began
            frames = session.stats.frames_in
    return took * 1e6 / frames


def _reading(path: Path) -> float:
    began = time.process_time()
    cassette = read(path)
    took = time.process_time() - began
    assert len(cassette.entries) > FRAMES
    return took * 1e3


if __name__ == "__main__":
    print(json.dumps(run_cassettes(5, print), indent=1))
