"""A microphone: what it hears comes through in order, and no more is held than the bound."""

import asyncio
import sys
from collections.abc import AsyncGenerator

import pytest

import unirt
from tests.portaudio import FakePortAudio
from tests.tones import judge, steady, tone
from unirt.sound import Microphone
from unirt.sound.level import QUIET

BLOCK = 24_000 * 2 // 50


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def block(number: int) -> bytes:
    return number.to_bytes(2, "little") * (BLOCK // 2)


async def opened(microphone: Microphone, library: FakePortAudio) -> AsyncGenerator[bytes]:
    """Its iterator, open: with one block heard and read."""
    pieces = aiter(microphone)
    first = asyncio.ensure_future(anext(pieces))
    while not library.streams:
        await asyncio.sleep(0)
    library.streams[-1].hear(block(0))
    assert await first == block(0)
    return pieces


async def test_it_opens_what_it_was_told_to(library: FakePortAudio) -> None:
    microphone = Microphone("headset", block_ms=10, latency=0.05)
    pieces = aiter(microphone)
    first = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    (stream,) = library.streams
    stream.hear(b"\1\0\2\0")

    assert await first == b"\1\0\2\0"
    wanted = {
        "device": 2, "samplerate": 44_100, "channels": 2, "dtype": "int16", "blocksize": 441,
        "latency": 0.05,
    }  # fmt: skip
    assert wanted.items() <= stream.options.items()
    assert stream.active
    await pieces.aclose()
    assert stream.closed


async def test_blocks_come_in_order(library: FakePortAudio) -> None:
    pieces = await opened(Microphone(), library)
    assert library.streams[0].options["latency"] == "low"
    for number in range(1, 6):
        library.streams[0].hear(block(number))

    assert [await anext(pieces) for _ in range(5)] == [block(n) for n in range(1, 6)]
    await pieces.aclose()


async def test_what_nobody_reads_goes_oldest_first_and_is_counted(library: FakePortAudio) -> None:
    microphone = Microphone(most_ms=100)
    pieces = await opened(microphone, library)
    for number in range(1, 10):
        library.streams[0].hear(block(number))
    await asyncio.sleep(0)

    assert microphone.dropped_ms == 80
    assert [await anext(pieces) for _ in range(5)] == [block(n) for n in range(5, 10)]
    await pieces.aclose()


async def test_the_meter_shows_the_latest_block(library: FakePortAudio) -> None:
    microphone = Microphone()
    assert microphone.level == QUIET
    pieces = await opened(microphone, library)
    library.streams[0].hear((16_384).to_bytes(2, "little") * 480)
    await anext(pieces)

    assert microphone.level.peak_db == pytest.approx(-6.02, abs=0.01)
    await pieces.aclose()
    assert microphone.level == QUIET


async def test_overflows_are_counted(library: FakePortAudio) -> None:
    microphone = Microphone()
    pieces = await opened(microphone, library)
    library.streams[0].hear(block(1), status="input overflow")
    await anext(pieces)

    assert microphone.overflows == 1
    await pieces.aclose()


async def test_an_unplugged_one_says_so_after_what_it_heard(library: FakePortAudio) -> None:
    pieces = await opened(Microphone(), library)
    library.streams[0].hear(block(1))
    library.streams[0].unplug()

    assert await anext(pieces) == block(1)
    with pytest.raises(unirt.DeviceLost, match="'Desk Microphone' ended: the device stopped"):
        await anext(pieces)
    assert library.streams[0].closed


async def test_one_that_cannot_be_opened_says_why(library: FakePortAudio) -> None:
    microphone = Microphone()
    library.refuses = "Device unavailable"
    with pytest.raises(unirt.ConfigurationError, match="PortAudio refuses: Device unavailable"):
        await anext(aiter(microphone))


async def test_a_tone_that_it_hears_is_that_tone(library: FakePortAudio) -> None:
    microphone = Microphone(most_ms=2_000)
    pieces = await opened(microphone, library)
    sound = tone(microphone.format)
    for start in range(0, len(sound), BLOCK):
        library.streams[0].hear(sound[start : start + BLOCK])
    heard = b"".join([await anext(pieces) for _ in range(50)])

    steady(judge(heard, microphone.format), microphone.format)
    await pieces.aclose()
