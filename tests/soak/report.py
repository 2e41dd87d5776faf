"""What a soak found: whether it is flat and whole, and the page that says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.soak.account import Ledger
from tests.soak.gauge import Reading, grown_mb
from tests.soak.long import Long
from tests.soak.many import Many
from unirt.registry import load

__all__ = ["PAGE", "complaints", "page"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "soak.md"

GROWTH_MB = 1.0
"More than this, from the third quarter to the last, is a leak: 4 kB a turn are seen."
GROWTH = 0.01
"Of many sessions: more than this share of the memory."

_SHOWN = 10


def complaints(many: Many, longs: Sequence[Long]) -> Iterator[str]:
    """What is not as it should be. That all was heard, each run made sure of by itself."""
    yield from _growth("many", many.open)
    yield from _left("many", many.before, many.closed)
    yield from _equal("many", many.open)
    for long in longs:
        yield from _growth(long.provider, long.open)
        yield from _left(long.provider, long.readings[0], long.readings[-1:])
        yield from _equal(long.provider, long.open)


def _growth(who: str, readings: Sequence[Reading]) -> Iterator[str]:
    allowed = max(GROWTH_MB, GROWTH * readings[-1].memory_mb)
    if (grown := grown_mb(readings)) > allowed:
        yield f"{who}: memory grew by {grown:.1f} MB from the third quarter to the last"


def _left(who: str, before: Reading, closed: Sequence[Reading]) -> Iterator[str]:
    for now in closed:
        for what in ("descriptors", "threads", "tasks"):
            had, has = getattr(before, what), getattr(now, what)
            if has > had:
                yield f"{who}: {has - had} {what} are left over"


def _equal(who: str, readings: Sequence[Reading]) -> Iterator[str]:
    found = {reading.descriptors for reading in readings}
    if len(found) != 1:
        yield f"{who}: from {min(found)} to {max(found)} file descriptors"


def page(many: Many, longs: Sequence[Long], machine: dict[str, Any]) -> str:
    """The page of the docs."""
    return "\n".join(_lines(many, longs, machine))


def _lines(many: Many, longs: Sequence[Long], machine: dict[str, Any]) -> Iterator[str]:
    yield "<!-- Written by python -m tests.soak. Do not edit. -->"
    yield ""
    yield "# Long and many"
    yield ""
    yield (
        "Sessions over real sockets, with simulators in the same process. Every answer is compared "
        "with what the simulator said, word by word and byte by byte, and every byte of the user's "
        "voice with what the simulator heard: what is counted below arrived, once and in order."
    )
    yield ""
    yield (
        f"Measured on {machine['date']}, with {machine['python']} on {machine['cores']} cores of "
        f"{machine['processor']}, by `python -m tests.soak`. That fails, too, where memory grows "
        f"by more than {GROWTH_MB:g} MB, or {GROWTH:.0%}, from the third quarter to the last, or "
        "where a file descriptor, a thread or a task is left over. Each part has a process of its "
        "own."
    )
    yield ""
    yield f"## {many.sessions} sessions at once"
    yield ""
    yield (
        "Half of them with each provider. In each generation all are opened, ask and speak at the "
        "same time, and are closed."
    )
    yield ""
    yield from _ledger({"together": many.ledger}, {"together": many.seconds})
    yield ""
    yield "| generation | memory, open (MB) | closed (MB) | file descriptors, open | closed |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for was, now in zip(many.open, many.closed, strict=True):
        yield (
            f"| {was.at} | {was.memory_mb:.1f} | {now.memory_mb:.1f} | {was.descriptors:,} "
            f"| {now.descriptors} |"
        )
    yield ""
    yield f"## One session, {longs[0].ledger.turns:,} turns"
    yield ""
    yield (
        "Its connections are cut in the middle of an answer, closed before one, or run out after a "
        "warning, in turn; the question is answered over the next one. An answer that was cut is "
        "told as interrupted, and what nobody had read of it is for nobody's ears. History holds "
        "1,000 items, which is 500 turns: until then it grows."
    )
    yield ""
    yield from _ledger(
        {load(long.provider).label: long.ledger for long in longs},
        {load(long.provider).label: long.seconds for long in longs},
    )
    yield ""
    shown = [_shown(long.open) for long in longs]
    turns = " | ".join(f"{reading.at:,}" for reading in shown[0])
    yield f"| memory (MB) after turn | {turns} |"
    yield f"| --- |{' ---: |' * len(shown[0])}"
    for long, readings in zip(longs, shown, strict=True):
        figures = " | ".join(f"{reading.memory_mb:.1f}" for reading in readings)
        yield f"| {load(long.provider).label} | {figures} |"
    yield ""


def _ledger(ledgers: dict[str, Ledger], seconds: dict[str, float]) -> Iterator[str]:
    yield (
        "| | turns | connections replaced | answers cut | frames received | events "
        "| audio heard (MB) | audio said (MB) | seconds |"
    )
    yield f"| --- |{' ---: |' * 8}"
    for who, ledger in ledgers.items():
        yield (
            f"| {who} | {ledger.turns:,} | {ledger.reconnects} | {ledger.interrupted} "
            f"| {ledger.frames:,} | {ledger.events:,} | {ledger.audio_in_mb:.1f} "
            f"| {ledger.audio_out_mb:.1f} | {seconds[who]:.0f} |"
        )


def _shown(readings: Sequence[Reading]) -> list[Reading]:
    every = max(1, len(readings) // _SHOWN)
    return list(readings[every - 1 :: every])
