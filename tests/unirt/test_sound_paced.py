"""Pace: nothing moves before its time, what was cut is not heard, and what was heard is told."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import unirt
from unirt.audio import G711_ALAW, PCM16_16K, PCM16_24K
from unirt.clock import ManualClock
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.sound import MemorySink, MemorySource, PacedPlayer

STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")
MS = 48


def audio(data: bytes) -> AudioDelta:
    return AudioDelta(origin=Origin(provider="toy"), stream=STREAM, data=data, format=PCM16_24K)


async def turns() -> None:
    """Let everybody do what is due."""
    for _ in range(10):
        await asyncio.sleep(0)


async def until(clock: ManualClock, ms: int) -> None:
    """Move on, 5 ms at a time."""
    while round(clock.now() * 1000) < ms:
        await turns()
        clock.advance_to(round(clock.now() * 1000 + 5) / 1000)
    await turns()


# Sources.


@pytest.fixture
async def reading() -> AsyncIterator[Callable[[MemorySource], list[bytes]]]:
    tasks = []

    def read(source: MemorySource) -> list[bytes]:
        pieces: list[bytes] = []

        async def run() -> None:
            nonlocal pieces
            async for piece in source:
                pieces += [piece]

        tasks.append(asyncio.create_task(run()))
        return pieces

    yield read
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_source_is_as_slow_as_its_sound(reading: Any) -> None:
    clock = ManualClock()
    pieces = reading(MemorySource(b"\1" * 100 * MS, clock=clock))
    for ms, count in ((0, 1), (15, 1), (20, 2), (40, 3), (80, 5), (500, 5)):
        await until(clock, ms)
        assert len(pieces) == count
    assert b"".join(pieces) == b"\1" * 100 * MS


async def test_a_delay_is_made_up_for_but_not_a_long_one(reading: Any) -> None:
    clock = ManualClock()
    pieces = reading(MemorySource(b"\1" * 10_000 * MS, clock=clock))
    await until(clock, 100)
    clock.advance(0.1)
    await turns()
    assert len(pieces) == 11
    clock.advance(5.0)
    await turns()
    assert len(pieces) <= 11 + 12


async def test_silence_follows_for_as_long_as_is_asked(reading: Any) -> None:
    source = MemorySource(b"\1" * 25, G711_ALAW, realtime=False, silence_ms=30)
    assert b"".join([piece async for piece in source]) == b"\1" * 25 + b"\xd5" * 240

    clock = ManualClock()
    pieces = reading(MemorySource(b"", PCM16_16K, silence_ms=math.inf, clock=clock))
    await until(clock, 2_010)
    assert len(pieces) == 101


def test_what_is_no_whole_samples_is_refused() -> None:
    with pytest.raises(unirt.AudioFormatError, match="whole number"):
        MemorySource(b"\0\0\0")


# Players.


async def test_a_player_hands_on_and_tells_block_by_block() -> None:
    clock, told = ManualClock(), [0.0]
    sink = MemorySink(clock=clock)
    async with sink.open(told.append):
        sink.play(audio(b"\1" * 50 * MS))
        for ms, handed_on, said in ((0, 20, 0), (15, 20, 0), (20, 40, 20), (40, 50, 40)):
            await until(clock, ms)
            assert (len(sink.audio), sum(told)) == (handed_on * MS, said)
        assert sink.sounding
        await until(clock, 50)
        assert (sum(told), sink.sounding) == (50, False)


async def test_a_flush_is_heard_with_the_next_block() -> None:
    clock, told = ManualClock(), [0.0]
    sink = MemorySink(clock=clock)
    async with sink.open(told.append):
        sink.play(audio(b"\1" * 1_000 * MS))
        await until(clock, 70)
        sink.flush()
        assert sum(told) == 80  # the fourth block had been handed on
        assert (sink.sounding, sink.waiting_ms) == (False, 0)
        sink.play(audio(b"\2" * 20 * MS))
        await until(clock, 200)

    assert sink.audio == b"\1" * 80 * MS + b"\2" * 20 * MS
    assert sum(told) == 100


async def test_a_gap_is_no_debt() -> None:
    clock = ManualClock()
    sink = MemorySink(clock=clock)
    async with sink.open(lambda ms: None):
        await until(clock, 300)
        sink.play(audio(b"\1" * 100 * MS))
        await until(clock, 340)
        assert len(sink.audio) == 60 * MS


async def test_what_was_received_before_it_began_to_play_is_not_hurried() -> None:
    clock = ManualClock(5.0)
    sink = MemorySink()
    sink.keep_time(clock)
    async with sink.open(lambda ms: None):
        sink.play(audio(bytes(100 * MS)))  # of the beginning of time
        await turns()
        assert len(sink.audio) == 20 * MS


async def test_a_player_may_fill_what_is_silent() -> None:
    clock, told = ManualClock(), [0.0]
    sink = MemorySink(fill=True, clock=clock)
    async with sink.open(told.append):
        await until(clock, 30)
        sink.play(audio(b"\1" * 30 * MS))
        await until(clock, 100)

    assert sink.audio == b"\0" * 40 * MS + b"\1" * 30 * MS + b"\0" * 50 * MS
    assert sum(told) == 30


async def test_one_without_a_clock_plays_all_at_once_and_to_the_end() -> None:
    told = [0.0]
    sink = MemorySink(realtime=False)
    async with sink.open(told.append):
        sink.play(audio(b"\1" * 100_000 * MS))
        await turns()
        sink.play(audio(b"\2" * MS))
    assert len(sink.audio) == 100_001 * MS
    assert sum(told) == 100_001


async def test_what_was_not_played_when_it_ends_is_not() -> None:
    clock, told = ManualClock(), [0.0]
    sink = MemorySink(clock=clock)
    async with sink.open(told.append):
        sink.play(audio(b"\1" * 1_000 * MS))
        await until(clock, 45)
    assert sum(told) == 40
    assert sink.waiting_ms == 0


async def test_memory_keeps_no_more_than_it_is_told_to() -> None:
    sink = MemorySink(keep_ms=40, realtime=False)
    async with sink.open(lambda ms: None):
        sink.play(audio(b"\1" * 60 * MS + b"\2" * 20 * MS))
    assert sink.audio == b"\1" * 20 * MS + b"\2" * 20 * MS
    assert sink.forgotten_ms == 40


class Broken(PacedPlayer):
    """It takes nothing."""

    async def _write(self, block: bytes) -> None:
        raise unirt.DeviceLost("a pipe", "nobody reads it")


@pytest.mark.parametrize("again", [True, False], ids=["at the next piece", "at the end"])
@pytest.mark.parametrize("realtime", [True, False])
async def test_what_breaks_a_player_is_raised(realtime: bool, again: bool) -> None:
    broken = Broken(PCM16_24K, realtime=realtime)

    async def use() -> None:
        async with broken.open(lambda ms: None):
            broken.play(audio(b"\1\1"))
            await turns()
            if again:
                broken.play(audio(b"\1\1"))
                raise AssertionError("it took that")

    with pytest.raises(unirt.DeviceLost, match="'a pipe' ended: nobody reads it"):
        await use()


async def test_a_player_whose_task_somebody_cancelled_says_so() -> None:
    sink = MemorySink(clock=ManualClock())

    async def play() -> None:
        async with sink.open(lambda _: None):
            await turns()
            (task,) = (task for task in asyncio.all_tasks() if task.get_name() == "unirt-player")
            task.cancel()
            await turns()
            with pytest.raises(RuntimeError, match="not by the player"):
                sink.play(audio(bytes(960)))

    with pytest.raises(RuntimeError, match="not by the player"):
        await play()
