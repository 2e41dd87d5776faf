"""
unirt, whole: connect, translator, session, views, history and usage, with the defaults as shipped.

``python -m tests.benchmarks.contenders.unirt NAME`` runs a variant instead: the same session with
one thing switched on or off, or read in another way, to show what that thing costs.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

import unirt
from tests.benchmarks.contender import Contender, Meter, Task, main, rss_bytes
from tests.benchmarks.microphone import APPLICATION_RATE, float_chunk, native_chunk
from unirt.connect import Connecting
from unirt.grammar import Checker
from unirt.session import Limits, Session

__all__ = ["VARIANTS", "Unirt", "Variant"]

_ENVIRON = {"OPENAI_API_KEY": "sk-benchmark-benchmark", "GOOGLE_API_KEY": "benchmark-benchmark"}
_LOOK_S = 0.005
"How often memory is looked at, in seconds."
_FLOATS = unirt.AudioFormat(rate=APPLICATION_RATE, encoding="float32")


@attrs.frozen(kw_only=True)
class Variant:
    """One way to use a session."""

    options: dict[str, Any] = attrs.field(factory=dict)
    "Further arguments of ``connect()``."
    reader: str = "kept"
    "Which view brings the audio: ``kept`` or ``folded``."
    other: bool = False
    "Whether a second task reads the other view beside it."
    checked: bool = False
    "Whether an observer checks every event against the table of legal orders."
    traced: bool = False
    "Whether every event is written to a file, which is thrown away."
    uvloop: bool = False
    "Whether the application runs on uvloop."


VARIANTS: dict[str, Variant] = {
    "unirt": Variant(),
    "unirt_fast": Variant(options={"transport": "fast"}, uvloop=True),
    "unirt_picows": Variant(options={"transport": "fast"}),
    "folded": Variant(reader="folded"),
    "both_views": Variant(other=True),
    "order_checked": Variant(checked=True),
    "traced": Variant(traced=True),
    "no_history": Variant(options={"limits": Limits(history_items=0)}),
    "audio_out": Variant(options={"audio_out": unirt.AudioFormat(rate=48_000)}),
}
"By name; what is not said is as shipped."


class Unirt(Contender):
    """A session."""

    packages = ("unirt-realtime", "websockets", "openai", "pydantic-core", "pybase64", "attrs")

    def __init__(self, name: str = "unirt", variant: Variant | None = None) -> None:
        self.name = name
        self._variant = variant or VARIANTS[name]
        self.hears = "audio_out" not in self._variant.options  # else it is other audio

    def _connect(self, task: Task, **options: Any) -> Connecting:
        return unirt.connect(
            task.protocol,
            base_url=task.url,
            environ=_ENVIRON,
            **{**self._variant.options, **options},
        )

    async def converse(self, task: Task, meter: Meter) -> None:
        with _onlookers(self._variant) as options:
            await self._converse(task, meter, options)

    async def _converse(self, task: Task, meter: Meter, options: dict[str, Any]) -> None:
        variant = self._variant
        async with self._connect(task, **options) as session:
            other = asyncio.create_task(_read_all(session, variant)) if variant.other else None
            await _ask(task, session)
            meter.start()
            if variant.reader == "folded":
                await _hear_folded(session, meter)
            else:
                await _hear(session, meter)
        if other is not None:
            await other

    async def send(self, task: Task, meter: Meter) -> None:
        options = {"audio_in": _FLOATS} if task.resample else {}
        chunk = float_chunk(task) if task.resample else native_chunk(task)
        async with self._connect(task, **options) as session:
            meter.start()
            for _ in range(task.count):
                await session.send_audio(chunk)
            while session.stats.frames_waiting:
                await asyncio.sleep(0)
            meter.stop()

    async def idle(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
        async with self._connect(task):
            await hold()

    async def do_slow(self, task: Task) -> dict[str, Any]:
        """A consumer that takes ``pause_ms`` for each event, until the server has said all."""
        pause = task.more["pause_ms"] / 1e3
        meter, taken, end = Meter(task), 0, time.monotonic() + task.seconds
        async with self._connect(task) as session:
            await _ask(task, session)
            meter.start()
            before = rss_bytes()
            peak = _Peak()
            async for _ in session:
                taken += 1
                await asyncio.sleep(pause)
                if session.stats.frames_in >= task.wire_events or time.monotonic() > end:
                    break
            meter.stop()
            stats = session.stats
            most = await peak.stop()
        return {
            **meter.cost,
            "rss_growth_mb": max(most - before, 0) / 1e6,
            "taken": taken,
            "wire_events": stats.frames_in,
            "dropped_s": stats.dropped_audio_ms / 1e3,
        }


class _Peak:
    """The most memory that the process had, looked at every few ms."""

    def __init__(self) -> None:
        self._most = 0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            self._most = max(self._most, rss_bytes())
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> int:
        """The most so far, in bytes."""
        self._task.cancel()
        await asyncio.wait({self._task})
        return max(self._most, rss_bytes())


@contextmanager
def _onlookers(variant: Variant) -> Iterator[dict[str, Any]]:
    """The arguments of ``connect()`` for what looks on at one session."""
    options: dict[str, Any] = {"observers": [Checker().feed_all]} if variant.checked else {}
    if not variant.traced:
        yield options
        return
    with tempfile.TemporaryDirectory() as folder:
        yield {**options, "trace": Path(folder, "trace.jsonl")}


async def _ask(task: Task, session: Session) -> None:
    if task.protocol == "openai":
        await session.respond()
    else:
        await session.send_text("Hello")


async def _hear(session: Session, meter: Meter) -> None:
    async for event in session:
        match event:
            case unirt.AudioDelta(data=pcm):
                meter.audio(pcm)
            case unirt.ResponseDone():
                meter.turn()
                if meter.done:
                    return


async def _hear_folded(session: Session, meter: Meter) -> None:
    async for step in session.content():
        if step.step == "delta" and isinstance(step.data, bytes):
            meter.audio(step.data)
        elif step.step == "close" and step.stream.kind == "audio":
            meter.turn()
            if meter.done:
                return


async def _read_all(session: Session, variant: Variant) -> None:
    """The view that does not bring the audio, read to the end beside the one that does."""
    view: Any = session.content() if variant.reader == "kept" else session
    async for _ in view:
        pass


def _main(name: str = "unirt") -> None:
    contender = Unirt(name)
    if VARIANTS[name].uvloop:
        import uvloop

        main(contender, run=uvloop.run)
    else:
        main(contender)


if __name__ == "__main__":
    _main(*sys.argv[1:])
