"""
The benchmark server: one process, one protocol, ``python -m tests.benchmarks.server openai``.

It says ``{"port": N}``, then takes commands from its standard input, a JSON object a line:

- ``{"do": "load", "kind": ..., ...}``: what connections opened from now on play, the fields of
  :class:`~tests.benchmarks.load.Load`. It answers with how much that is.
- ``{"do": "stats"}``: what was sent and heard since the last ``load``, and at what cost.

A client shakes hands as with the real endpoint. Its first request for an answer starts the play;
later ones are ignored. Nothing is encoded while it plays: a *drained* connection gets block after
block as fast as it reads, a *paced* one gets one event each interval, its audio stamped with the
time of the write. All paced connections hang on one wheel, spread evenly over the interval, for
real sessions do not speak in step.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol

from tests.benchmarks import google_frames, openai_frames
from tests.benchmarks.load import Block, Load, Step
from tests.benchmarks.socketry import Connection

__all__ = ["Server", "main"]

_PIECE_BYTES = 256 * 1024
"How much is written at once."
_GOLDEN = 0.618034
"Multiples of it, modulo one, spread evenly however many there are."
_LATE_SAMPLES = 200_000


class _Voice(Protocol):
    binary: bool

    def greeting(self) -> list[bytes]: ...
    def answer(self, message: dict[str, Any]) -> list[bytes]: ...
    def asks(self, message: dict[str, Any]) -> bool: ...
    def created(self, message: dict[str, Any]) -> bytes | None: ...


PROTOCOLS: dict[str, tuple[type[_Voice], Callable[[Load], list[Step]]]] = {
    "openai": (openai_frames.Voice, openai_frames.turn),
    "google": (google_frames.Voice, google_frames.turn),
}
"How each protocol shakes hands, and what a turn of it is."


class Server:
    """All connections of one protocol, and what they play."""

    def __init__(self, protocol: str) -> None:
        self.voice, self._turn = PROTOCOLS[protocol]
        self.load = Load()
        self.block = Block([], binary=self.voice.binary)
        self.pieces: list[tuple[int, int]] = []
        self.wheel = _Wheel()
        self._opened = 0
        self.set_load(Load())

    def set_load(self, load: Load) -> dict[str, Any]:
        """Choose what is played from now on; how much it is, for one connection."""
        self.load = load
        steps = self._turn(load)
        self.block = Block(steps, binary=self.voice.binary)
        self.pieces = self.block.pieces(_PIECE_BYTES)
        self.events_out = self.bytes_out = self.appends = self.audio_bytes_in = 0
        self.wheel.late.clear()
        self._cpu_s = time.process_time()
        played = load.kind in ("drain", "paced")
        turns = load.turns if played else 0
        return {
            "turns": turns,
            "wire_events": turns * len(steps),
            "wire_bytes": turns * len(self.block.data),
            "audio_events": turns * load.audio_per_turn,
            "audio_bytes": turns * load.audio_per_turn * load.chunk_bytes,
        }

    def stats(self) -> dict[str, Any]:
        """What happened since the load was chosen."""
        late = sorted(self.wheel.late)
        return {
            "cpu_s": time.process_time() - self._cpu_s,
            "events_out": self.events_out,
            "bytes_out": self.bytes_out,
            "appends": self.appends,
            "audio_bytes_in": self.audio_bytes_in,
            "late_p99_ms": late[int(len(late) * 0.99)] * 1e3 if late else 0.0,
        }

    def connection(self) -> Connection:
        """Whoever comes next."""
        self._opened += 1
        return _Client(self, self._opened)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what the lab says."""
        match command.get("do"):
            case "load":
                return self.set_load(Load.of(command))
            case "stats":
                return self.stats()
            case unknown:
                return {"error": f"the server does not know {unknown!r}"}


class _Client(Connection):
    """One client and its play."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__()
        self._server = server
        self._load = server.load
        self._block = server.block
        self._pieces = server.pieces
        self._voice = server.voice()
        self._number = number
        self._playing: asyncio.Task[None] | None = None
        self._first: bytes | None = None
        "What is played instead of the first event, where the request is to be given back in it."
        self._asked = False

    def opened(self) -> None:
        for payload in self._voice.greeting():
            self.say(payload, binary=self._voice.binary)

    def closed(self) -> None:
        if self._playing is not None:
            self._playing.cancel()

    def heard(self, payload: bytes) -> None:
        if size := _audio_bytes(payload):
            self._server.appends += 1
            self._server.audio_bytes_in += size
            return
        message = json.loads(payload)
        for answer in self._voice.answer(message):
            self.say(answer, binary=self._voice.binary)
        if self._voice.asks(message) and not self._asked:
            self._asked = True
            self._first = self._voice.created(message)
            self._play()

    def _play(self) -> None:
        if self._load.kind == "drain":
            self._playing = asyncio.create_task(self._drain())
        elif self._load.kind == "paced":
            events = len(self._block.spans)
            phase = self._number * _GOLDEN % 1.0
            self._server.wheel.add(
                self._step, events * self._load.turns, self._load.interval_ms / 1e3, phase
            )

    async def _drain(self) -> None:
        for number in range(self._load.turns):
            frames = self._block.turn(number)
            for start, end in self._pieces:
                begin = start
                if start == 0 and number == 0 and self._first is not None:
                    self.say(self._first, binary=self._voice.binary)
                    begin = self._block.spans[0].end
                self._sent(frames[begin:end])
                await self.drained()
            self._server.events_out += len(self._block.spans)

    def _step(self, index: int) -> bool:
        """Send one event; whether there is still somebody to send it to."""
        if not self.open:
            return False
        number, place = divmod(index, len(self._block.spans))
        if index == 0 and self._first is not None:
            self.say(self._first, binary=self._voice.binary)
        else:
            self._sent(self._block.event(place, number, time.monotonic_ns()))
        self._server.events_out += 1
        return True

    def _sent(self, frames: bytes) -> None:
        self.write(frames)
        self._server.bytes_out += len(frames)


class _Wheel:
    """Calls many steps, each at its own regular times, with one timer."""

    def __init__(self) -> None:
        self.late: list[float] = []
        "By how much calls were late, in seconds."
        self._due: list[tuple[float, int, int, int, float, Callable[[int], bool]]] = []
        self._added = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, step: Callable[[int], bool], count: int, every: float, phase: float) -> None:
        """Call `step` with 0, 1, 2 ... each `every` seconds, at most `count` times."""
        self._added += 1
        first = time.monotonic() + every * phase
        heappush(self._due, (first, self._added, 0, count, every, step))
        self._wind()

    def _wind(self) -> None:
        """Set the timer for what is due next; the loop's time is ``time.monotonic``."""
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._due[0][0], self._turn) if self._due else None

    def _turn(self) -> None:
        due, now = self._due, time.monotonic()
        while due and due[0][0] <= now:
            when, key, index, count, every, step = heappop(due)
            if len(self.late) < _LATE_SAMPLES:
                self.late.append(time.monotonic() - when)
            if step(index) and index + 1 < count:
                heappush(due, (when + every, key, index + 1, count, every, step))
        self._wind()


def _audio_bytes(payload: bytes) -> int:
    """
    How much audio a message appends; 0 where it is another message.

    The base64 is measured and not decoded, for the sender's sake.
    """
    ends = payload[:80] + payload[-80:]
    if b"input_audio_buffer.append" in ends:
        key = b'"audio":'
    elif b'"realtime' in ends and b"audio" in ends:
        key = b'"data":'
    else:
        return 0
    at = payload.find(key)
    start = payload.find(b'"', at + len(key)) + 1
    end = payload.find(b'"', start)
    if at < 0 or end < 0:
        return 0
    return (end - start) * 3 // 4 - payload[start:end].count(b"=")


async def _serve(protocol: str) -> None:
    loop = asyncio.get_running_loop()
    server = Server(protocol)
    listening = await loop.create_server(server.connection, "127.0.0.1", 0, backlog=1024)
    print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with listening:
        while line := await commands.readline():
            print(json.dumps(server.answer(json.loads(line))), flush=True)


def main() -> None:
    """Serve until the standard input ends."""
    asyncio.run(_serve(sys.argv[1]))


if __name__ == "__main__":
    main()
