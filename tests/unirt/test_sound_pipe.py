"""Raw audio through real pipes."""

import asyncio
import os
from collections.abc import Iterator

import pytest

import unirt
from tests.tones import judge, steady, tone
from unirt.audio import PCM16_24K, AudioFormat, Encoding
from unirt.clock import ManualClock
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.sound import PipeSink, PipeSource, WavSink, WavSource

STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")
FORMATS = [PCM16_24K, unirt.G711_ULAW, AudioFormat(channels=2, encoding=Encoding.FLOAT32)]


def audio(data: bytes, format: AudioFormat = PCM16_24K) -> AudioDelta:
    return AudioDelta(origin=Origin(provider="toy"), stream=STREAM, data=data, format=format)


class Pipe:
    """A pipe, and what closes it."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()
        self._open = {self.out, self.into}

    def close(self, fd: int) -> None:
        if fd in self._open:
            self._open.remove(fd)
            os.close(fd)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close(pipe.out)
    pipe.close(pipe.into)


async def everything(source: PipeSource | WavSource) -> bytes:
    return b"".join([piece async for piece in source])


@pytest.mark.parametrize("format", FORMATS, ids=str)
async def test_a_tone_through_a_pipe(format: AudioFormat, pipe: Pipe) -> None:
    sink = PipeSink(pipe.into, format, realtime=False)
    hearing = asyncio.create_task(everything(PipeSource(pipe.out, format)))
    sound = tone(format)
    async with sink.open(lambda ms: None):
        for start in range(0, len(sound), 1_000 * format.frame_bytes):
            sink.play(audio(sound[start : start + 1_000 * format.frame_bytes], format))
    pipe.close(pipe.into)
    heard = await hearing

    assert heard == sound
    steady(judge(heard, format), format)


async def test_pieces_are_of_whole_samples(pipe: Pipe) -> None:
    format = AudioFormat(channels=2)
    pieces = aiter(PipeSource(pipe.out, format))
    os.write(pipe.into, b"abcdef")
    assert await anext(pieces) == b"abcd"
    os.write(pipe.into, b"gh")
    assert await anext(pieces) == b"efgh"
    os.write(pipe.into, b"x")
    pipe.close(pipe.into)
    with pytest.raises(StopAsyncIteration):
        await anext(pieces)


async def test_a_wav_stream_through_a_pipe(pipe: Pipe) -> None:
    sound = tone(PCM16_24K, seconds=0.2)
    sink = WavSink(pipe.into, realtime=False)
    async with sink.open(lambda ms: None):
        sink.play(audio(sound))
    pipe.close(pipe.into)

    source = WavSource(pipe.out, realtime=False)
    assert source.format == PCM16_24K
    assert await everything(source) == sound


async def test_the_loop_goes_on_while_a_pipe_is_silent(pipe: Pipe) -> None:
    hearing = asyncio.create_task(everything(PipeSource(pipe.out)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not hearing.done()
    hearing.cancel()
    await asyncio.wait({hearing})
    assert not asyncio.get_running_loop().remove_reader(pipe.out)
    again = asyncio.create_task(everything(PipeSource(pipe.out)))  # and it can be heard again
    os.write(pipe.into, b"ab")
    pipe.close(pipe.into)
    assert await again == b"ab"


async def test_no_more_than_a_block_is_in_the_pipe_when_it_is_flushed(pipe: Pipe) -> None:
    clock, told = ManualClock(), [0.0]
    sink = PipeSink(pipe.into, clock=clock)
    async with sink.open(told.append):
        sink.play(audio(b"\1" * 48 * 1_000))
        for _ in range(20):
            await asyncio.sleep(0)
        sink.flush()
        clock.advance(1.0)
        for _ in range(20):
            await asyncio.sleep(0)
    pipe.close(pipe.into)

    assert os.read(pipe.out, 100_000) == b"\1" * 48 * 20
    assert sum(told) == 20


async def test_a_pipe_that_nobody_reads_is_lost(pipe: Pipe) -> None:
    sink = PipeSink(pipe.into, realtime=False)
    pipe.close(pipe.out)
    with pytest.raises(unirt.DeviceLost, match="Broken pipe"):
        async with sink.open(lambda ms: None):
            sink.play(audio(b"\1\1"))


async def test_a_full_pipe_does_not_keep_a_player_from_ending(pipe: Pipe) -> None:
    sink = PipeSink(pipe.into, realtime=False)

    async def use() -> None:
        async with sink.open(lambda ms: None):
            sink.play(audio(b"\1" * 1_000_000))
            for _ in range(1_000):
                await asyncio.sleep(0)
            raise ZeroDivisionError  # the application has enough

    with pytest.raises(ZeroDivisionError):
        await use()
