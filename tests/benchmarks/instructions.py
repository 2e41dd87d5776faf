"""
How many instructions an event takes: a figure that no other load on the machine moves.

``valgrind --tool=cachegrind`` counts what one process executes while it translates turns from
memory, once some and once twice as many; the difference is what the turns took, without start and
imports. There is no socket in it: unirt is the whole session over a transport in memory, the floor
decodes the same frames. So the ratio is higher than where a socket is paid for by both. Only the
ratio is held to a bound, for the count itself belongs to one build of Python and its libraries.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.benchmarks.experiments import SECTIONS
from tests.benchmarks.lab import Runs, summary
from tests.benchmarks.processes import ENVIRONMENT, ROOT
from tests.benchmarks.roster import BOTH

__all__ = ["counted", "run_instructions"]

_TURNS = 10
_CHUNK_MS = 20
_COUNT = re.compile(rb"I\s+refs:\s+([\d,]+)")


def run_instructions(rounds: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """
    Count: a section of the results. One round is enough, for the next would say the same.

    Without valgrind everybody is skipped, and the results say so.
    """
    there = shutil.which("valgrind") is not None
    rows = []
    for protocol in BOTH:
        tell(f"counting instructions, {protocol}")
        runs = Runs({who: [None] for who in _WHO}, dict.fromkeys(_WHO, "valgrind is not there"))
        if there:
            runs.skips.clear()
            with ThreadPoolExecutor() as pool:
                counts = pool.map(counted, _WHO, [protocol] * len(_WHO))
                runs.samples = {
                    who: [{"instructions": count}] for who, count in zip(_WHO, counts, strict=True)
                }
        rows.append(
            {
                "experiment": "instructions",
                "title": "instructions",
                "protocol": protocol,
                "x": None,
                "rounds": 1,
                "contenders": summary(runs),
            }
        )
    return {
        "title": SECTIONS["instructions"].title,
        "experiments": rows,
    }


def counted(who: str, protocol: str) -> float:
    """The instructions of one event."""
    compiling = _child(who, protocol, 1)
    subprocess.run(compiling, cwd=ROOT, env=_environ(), check=True, capture_output=True)
    once, events = _run(who, protocol, _TURNS)
    twice, both = _run(who, protocol, 2 * _TURNS)
    return (twice - once) / (both - events)


def _run(who: str, protocol: str, turns: int) -> tuple[int, int]:
    """The instructions of a whole process, and the events in it."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command += _child(who, protocol, turns)
    done = subprocess.run(command, cwd=ROOT, env=_environ(), capture_output=True, check=True)
    found = _COUNT.search(done.stderr)
    if found is None:
        raise RuntimeError("valgrind told no count")
    return int(found[1].replace(b",", b"")), json.loads(done.stdout)["events"]


def _environ() -> dict[str, str]:
    """The same for all, so that what one process compiled the next one finds."""
    return {"PATH": os.defpath, **ENVIRONMENT}


def _child(who: str, protocol: str, turns: int) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.instructions", who, protocol, str(turns)]


def _payloads(protocol: str, turns: int) -> tuple[Any, list[bytes]]:
    """The server's side of the handshake, and all that it says after it."""
    from tests.benchmarks.load import Load, numbered
    from tests.benchmarks.server import PROTOCOLS

    voice, turn = PROTOCOLS[protocol]
    steps = turn(Load(chunk_ms=_CHUNK_MS))

    return voice(), [numbered(step.payload, n) for n in range(turns) for step in steps]


def _set_aside() -> None:
    """
    Whether a full collection of what was there before falls into the count is chance.

    So it is left out; what the events themselves leave behind is collected as ever.
    """
    gc.collect()
    gc.freeze()


def _floor(protocol: str, turns: int) -> int:
    import pybase64

    from tests.benchmarks.contenders.protocols import google_message, openai_event

    _, frames = _payloads(protocol, turns)
    _set_aside()
    heard = 0
    for frame in frames:
        if protocol == "openai":
            event = openai_event(frame)
            if event.type == "response.output_audio.delta":
                heard += len(pybase64.b64decode(event.delta, validate=True))
        elif (content := google_message(frame).serverContent) and content.modelTurn:
            for part in content.modelTurn.parts:
                if part.inlineData is not None:
                    heard += len(pybase64.b64decode(part.inlineData.data, validate=True))
    assert heard
    return len(frames)


def _unirt(protocol: str, turns: int) -> int:
    return asyncio.run(_session(protocol, turns))


async def _session(protocol: str, turns: int) -> int:
    import unirt
    from unirt.transports.memory import memory_pair

    voice, frames = _payloads(protocol, turns)
    ours, theirs = memory_pair(capacity=len(frames) + 10)

    async def shake_hands() -> None:
        for said in voice.greeting():
            await theirs.send(said)
        while True:
            for said in voice.answer(json.loads(await theirs.receive())):
                await theirs.send(said)

    answering = asyncio.create_task(shake_hands())
    left = turns
    async with unirt.connect(protocol, transport=ours, env_file=None, environ={}) as session:
        _set_aside()
        for frame in frames:
            await theirs.send(frame)
        async for event in session:
            left -= isinstance(event, unirt.ResponseDone)
            if not left:
                break
    answering.cancel()
    return len(frames)


_WHO: dict[str, Callable[[str, int], int]] = {"floor": _floor, "unirt": _unirt}

if __name__ == "__main__":
    print(json.dumps({"events": _WHO[sys.argv[1]](sys.argv[2], int(sys.argv[3]))}))
