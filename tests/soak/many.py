"""Sessions of both providers in one process, with their simulators, all talking at once."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time

import attrs

import unirt
from tests.soak.account import Ledger, Listener, Voice
from tests.soak.gauge import Reading, read, settled
from unirt.audio import PCM16_16K, PCM16_24K, AudioFormat
from unirt.registry import load
from unirt.simulator import Line, Pace, Simulator

__all__ = ["FORMATS", "Many", "run_many"]

FORMATS = {"openai": PCM16_24K, "google": PCM16_16K}
"What each takes as it is."

_PACE = Pace(speed=200.0, latency_ms=0.0)
_SPOKEN_MS = 300.0
_PIECE_MS = 20.0
_SPARE = 256
"File descriptors for all else."


@attrs.frozen(kw_only=True)
class Many:
    """What came of it."""

    sessions: int
    "At once."
    ledger: Ledger
    before: Reading
    "Before the first was opened."
    open: tuple[Reading, ...]
    "Of each generation, after its last turn."
    closed: tuple[Reading, ...]
    "Of each generation, when all its sessions and the simulators were closed."
    seconds: float


@attrs.define(eq=False)
class _Talker:
    """One user: a session, its line at the simulator, and what is compared."""

    session: unirt.Session
    line: Line
    listener: Listener
    voice: Voice
    number: int

    async def ask(self, turn: int) -> None:
        """Write something, and say something."""
        said = f"{self.number} {turn}"
        await self.session.send_text(said)
        await self.listener.answer(f"You wrote: {said}")
        self.session.playback.played(1e6)
        spoken = b""
        await self.session.start_turn()
        for _ in range(round(_SPOKEN_MS / _PIECE_MS)):
            piece = self.voice.say(_PIECE_MS)
            spoken += piece
            await self.session.send_audio(piece, self.voice.format)
        await self.session.end_turn()
        await self.listener.answer(f"I heard {_SPOKEN_MS / 1000:.1f} seconds of speech.")
        self.session.playback.played(1e6)
        self.listener.ledger.audio_out_mb += self.voice.check(spoken, [self.line]) / 1e6


async def run_many(sessions: int, generations: int, rounds: int) -> Many:
    """
    Open so many sessions, half with each provider, let all of them talk, close them; and again.

    Raises:
        AssertionError: Something was lost, doubled or changed.
    """
    _allow(2 * sessions + _SPARE)
    began = time.perf_counter()
    before = read(0)
    opened, closed = [], []
    ledger = Ledger()
    for generation in range(1, generations + 1):
        opened.append(await _generation(sessions, rounds, generation, ledger))
        closed.append(await settled(before, generation))
    return Many(
        sessions=sessions,
        ledger=ledger,
        before=before,
        open=tuple(opened),
        closed=tuple(closed),
        seconds=time.perf_counter() - began,
    )


async def _generation(sessions: int, rounds: int, number: int, ledger: Ledger) -> Reading:
    async with contextlib.AsyncExitStack() as stack:
        talkers = await _open(stack, sessions)
        for turn in range(1, rounds + 1):
            async with asyncio.TaskGroup() as group:
                for talker in talkers:
                    group.create_task(talker.ask(turn))
        reading = read(number)
        for talker in talkers:
            await talker.session.close()
            done = await talker.listener.done()
            assert done.turns == 2 * rounds
            assert done.frames == talker.line.totals.frames_sent
            ledger += done
    return reading


async def _open(stack: contextlib.AsyncExitStack, sessions: int) -> list[_Talker]:
    talkers: list[_Talker] = []
    for name, format in FORMATS.items():
        simulator = await stack.enter_async_context(Simulator(load(name), pace=_PACE))
        for _ in range(sessions // len(FORMATS)):
            talkers.append(await _talker(stack, simulator, format, len(talkers)))
    return talkers


async def _talker(
    stack: contextlib.AsyncExitStack, simulator: Simulator, format: AudioFormat, number: int
) -> _Talker:
    connecting = unirt.connect(
        simulator.provider.name,
        environ=simulator.env,
        env_file=None,
        turn_detection=unirt.Manual(),
    )
    session = await stack.enter_async_context(connecting)
    return _Talker(session, simulator.connections[-1], Listener(session), Voice(format), number)


def _allow(descriptors: int) -> None:
    """Let the process have so many files open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(descriptors, hard), hard))
