"""
What every contender does: it reads what to do from its standard input, and answers on its output.

A contender is a program that talks to the benchmark server through one client library. It says who
it is, then takes commands, a JSON object a line, and answers each with one. This module is all that
they share. It imports nothing but the standard library, so that it also runs in the virtual
environment of a library that is compared; there it is ``contender``, with this folder on the path.

What is measured is the same for all of them: the processor time of the whole process from just
after the request for an answer until the last answer is complete, while every piece of audio is
handed over as decoded PCM. That it was handed over is checked: the bytes are counted.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

__all__ = ["Contender", "Meter", "Skip", "Task", "TimedMeter", "main", "rss_bytes"]

Runner = Callable[[Coroutine[Any, Any, dict[str, Any]]], dict[str, Any]]

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROBE_S = 0.01
"How long the probe of the event loop sleeps, in seconds."
_OPENING = 25
"How many sessions are opened at once."
_SETTLE_S = 0.5
"How long the sessions run before they are measured, in seconds."
_CLOSING_S = 20.0
"How long many sessions may take to close, in seconds."


class Skip(Exception):
    """The contender cannot do what it was asked to; its text says why."""


@dataclass(frozen=True)
class Task:
    """One command: where to connect, and what will be played there."""

    do: str
    protocol: str
    "``openai`` or ``google``."
    url: str
    "``ws://127.0.0.1:PORT``, without a path."
    turns: int = 0
    audio_events: int = 0
    audio_bytes: int = 0
    wire_events: int = 0
    chunk_ms: float = 0.0
    count: int = 0
    "How many chunks to send, or sessions to open."
    seconds: float = 0.0
    "How long to measure many sessions, in seconds."
    resample: bool = False
    "Send what the application has, 48 kHz float32, instead of what the wire wants."
    more: dict[str, Any] = field(default_factory=dict)
    "What else the command said."

    @classmethod
    def of(cls, command: dict[str, Any]) -> Task:
        """Read a command; what this version does not know is in `more`."""
        known = {name: command[name] for name in cls.__dataclass_fields__ if name in command}
        more = {name: value for name, value in command.items() if name not in known}
        return cls(**{**known, "more": more})


class Meter:
    """
    What one session heard, and what it cost.

    Call :meth:`start` just after the answer was asked for, :meth:`audio` with each piece of decoded
    PCM, and :meth:`turn` with each completed answer; the last one stops the clock. A library that
    does not tell when an answer is complete checks :attr:`heard_all`, and calls :meth:`stop`.
    """

    def __init__(self, task: Task) -> None:
        self.turns_left = task.turns
        self.audio_events = 0
        self.audio_bytes = 0
        self.started = asyncio.Event()
        self.finished = asyncio.Event()
        self.done = False
        "Whether the last answer is complete: stop reading."
        self._expected = task.audio_bytes
        self._before = self._after = _Usage()

    def start(self) -> None:
        """The answer was asked for just now."""
        self._before = _Usage.now()
        self.started.set()

    def audio(self, pcm: bytes | bytearray | memoryview) -> None:
        """The application has this piece of PCM16."""
        self.audio_events += 1
        self.audio_bytes += len(pcm)

    def turn(self) -> None:
        """An answer is complete."""
        self.turns_left -= 1
        if self.turns_left == 0:
            self.stop()

    @property
    def heard_all(self) -> bool:
        """Whether all audio that was to come has come."""
        return self.audio_bytes >= self._expected

    def stop(self) -> None:
        """The last answer is complete, or the last chunk is sent."""
        if not self.done:
            self._after = _Usage.now()
            self.done = True
            self.finished.set()

    @property
    def cost(self) -> dict[str, Any]:
        """What was measured between start and stop."""
        return self._after.since(self._before)


class TimedMeter(Meter):
    """One that also knows how late each piece is, where the load is paced."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.latencies_ns: list[int] = []
        "How long each piece of audio was under way, in ns."

    def audio(self, pcm: bytes | bytearray | memoryview) -> None:
        now = time.monotonic_ns()
        self.audio_events += 1
        self.audio_bytes += len(pcm)
        self.latencies_ns.append(now - int.from_bytes(pcm[:8], "little"))


@dataclass(frozen=True)
class _Usage:
    """What the process has used up to now."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    minor_faults: int = 0
    major_faults: int = 0

    @classmethod
    def now(cls) -> _Usage:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.process_time(), time.perf_counter(), used.ru_minflt, used.ru_majflt)

    def since(self, before: _Usage) -> dict[str, Any]:
        return {
            "cpu_s": self.cpu_s - before.cpu_s,
            "wall_s": self.wall_s - before.wall_s,
            "minor_faults": self.minor_faults - before.minor_faults,
            "major_faults": self.major_faults - before.major_faults,
        }


def rss_bytes() -> int:
    """The memory of this process that is in RAM now, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES


class Contender:
    """
    One client library; a subclass implements what it can.

    What is not implemented is answered with a reason, and the table says so.
    """

    name = "nobody"
    packages: tuple[str, ...] = ()
    "The distributions whose versions are reported."
    hears = True
    "Whether it takes the audio out of the frames; a mere receiver does not."

    async def converse(self, task: Task, meter: Meter) -> None:
        """
        Connect, shake hands, ask for an answer, and hear all that is played, then close.

        `meter` is started just after the request, and stopped by the last answer.
        """
        raise Skip(f"{self.name} is not made to hear")

    async def send(self, task: Task, meter: Meter) -> None:
        """
        Connect, and send ``task.count`` chunks of ``task.chunk_ms`` as fast as the library takes
        them. `meter` is started before the first, and stopped when all are with the socket.
        """
        raise Skip(f"{self.name} is not made to send")

    async def idle(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
        """Connect, shake hands, wait for ``hold()``, and close."""
        raise Skip(f"{self.name} is not made to wait")

    # What the commands do; a subclass seldom needs to change it.

    async def do_drain(self, task: Task) -> dict[str, Any]:
        """One session, as fast as it goes."""
        return await self._heard(task, Meter(task))

    async def do_paced(self, task: Task) -> dict[str, Any]:
        """One session at the pace of the server, with the latency of each piece of audio."""
        meter = TimedMeter(task)
        return {**await self._heard(task, meter), "latencies_ns": meter.latencies_ns}

    async def _heard(self, task: Task, meter: Meter) -> dict[str, Any]:
        gc.collect()
        await self.converse(task, meter)
        if not meter.done:
            raise RuntimeError(f"{meter.turns_left} answers are missing")
        return {
            **meter.cost,
            "audio_events": meter.audio_events,
            "audio_bytes": meter.audio_bytes if self.hears else None,
            "wire_events": task.wire_events,
            "rss_mb": rss_bytes() / 1e6,
        }

    async def do_send(self, task: Task) -> dict[str, Any]:
        """Many chunks of the user's voice."""
        gc.collect()
        meter = Meter(task)
        await self.send(task, meter)
        return {**meter.cost, "chunks": task.count, "rss_mb": rss_bytes() / 1e6}

    async def do_sessions(self, task: Task) -> dict[str, Any]:
        """Many sessions at once: what they cost while all of them run, and how late the loop is."""
        gc.collect()
        meters = [Meter(task) for _ in range(task.count)]
        before = rss_bytes()
        gate = asyncio.Semaphore(_OPENING)
        running = [asyncio.create_task(self._one(task, meter, gate)) for meter in meters]
        try:
            await _all_started(meters, running)
            await asyncio.sleep(_SETTLE_S)
            result = await _measured(meters, task.seconds)
            result["rss_per_session_kb"] = (rss_bytes() - before) / task.count / 1e3
            result["failed"] = sum(session.done() for session in running)
            return result
        finally:
            await _cancelled(running)

    async def _one(self, task: Task, meter: Meter, gate: asyncio.Semaphore) -> None:
        async with gate:
            session = asyncio.create_task(self.converse(task, meter))
            started = asyncio.create_task(meter.started.wait())
            try:
                await asyncio.wait({session, started}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                await _cancelled([session])
                raise
            finally:
                started.cancel()
        try:
            await session
        except asyncio.CancelledError:
            await _cancelled([session])
            raise

    async def do_idle(self, task: Task) -> dict[str, Any]:
        """Many sessions that do nothing: what each holds."""
        ready, enough = 0, asyncio.Event()
        gate = asyncio.Semaphore(_OPENING)

        async def one() -> None:
            nonlocal ready

            async def hold() -> None:
                nonlocal ready
                ready += 1
                gate.release()
                await enough.wait()

            await gate.acquire()
            await self.idle(task, hold)

        await self._warm_idle(task)
        gc.collect()
        before = rss_bytes()
        sessions = [asyncio.create_task(one()) for _ in range(task.count)]
        try:
            while ready < task.count:
                _raise_first(sessions)
                await asyncio.sleep(_PROBE_S)
            gc.collect()
            used = rss_bytes() - before
        finally:
            enough.set()
            await _settled(sessions)
        return {"bytes_per_session": used / task.count, "rss_before_mb": before / 1e6}

    async def _warm_idle(self, task: Task) -> None:
        """One session before the count, for what a first one loads."""

        async def leave() -> None:
            return

        await self.idle(task, leave)


async def _all_started(meters: Iterable[Meter], running: list[asyncio.Task[None]]) -> None:
    for meter in meters:
        while not meter.started.is_set():
            _raise_first(running)
            await asyncio.sleep(_PROBE_S)


def _raise_first(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and (failure := task.exception()):
            raise failure


async def _measured(meters: list[Meter], seconds: float) -> dict[str, Any]:
    """Share of a core, and lateness of the loop, during `seconds`."""
    heard = sum(meter.audio_events for meter in meters)
    lags: list[float] = []
    loop = asyncio.get_running_loop()
    before = _Usage.now()
    end = loop.time() + seconds
    while (asleep := loop.time()) < end:
        await asyncio.sleep(_PROBE_S)
        lags.append(loop.time() - asleep - _PROBE_S)
    cost = _Usage.now().since(before)
    heard = sum(meter.audio_events for meter in meters) - heard
    return {
        **cost,
        "audio_events": heard,
        "lag_p50_ms": _quantile(lags, 0.50) * 1e3,
        "lag_p99_ms": _quantile(lags, 0.99) * 1e3,
        "lag_max_ms": _quantile(lags, 1.0) * 1e3,
        "rss_mb": rss_bytes() / 1e6,
    }


def _quantile(values: list[float], share: float) -> float:
    """The value below which `share` of them are; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await _settled(tasks)


async def _settled(tasks: list[asyncio.Task[None]]) -> None:
    """Wait until they are over; what they raise no longer matters."""
    if tasks:
        await asyncio.wait(tasks, timeout=_CLOSING_S)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()


def main(contender: Contender, run: Runner = asyncio.run) -> None:
    """
    Say hello, then answer commands until the input ends.

    Args:
        contender: Who it is.
        run: What runs a command to its end: ``asyncio.run``, or that of another event loop.
    """
    answers = _private_output()
    versions = {name: _version(name) for name in contender.packages}
    versions["python"] = sys.version.split()[0]
    _say(answers, {"hello": contender.name, "versions": versions})
    for line in sys.stdin:
        _say(answers, _answer(contender, json.loads(line), run))


def _answer(contender: Contender, command: dict[str, Any], run: Runner) -> dict[str, Any]:
    task = Task.of({"protocol": "", "url": "", **command})
    handler: Callable[[Task], Coroutine[Any, Any, dict[str, Any]]] | None
    handler = getattr(contender, f"do_{task.do}", None)
    if handler is None:
        return {"skip": f"{contender.name} does not know {task.do!r}"}
    try:
        return run(handler(task))
    except Skip as skip:
        return {"skip": str(skip)}
    except Exception as exc:
        return {"error": f"{type(exc).__name__}: {exc}"}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _private_output() -> TextIO:
    """Standard output for the answers alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _say(output: TextIO, answer: dict[str, Any]) -> None:
    output.write(json.dumps(answer) + "\n")
    output.flush()
