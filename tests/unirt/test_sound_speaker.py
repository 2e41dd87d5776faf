"""A speaker: what it is given is heard, told exactly, and silent one block after a flush."""

import asyncio
import sys
from collections.abc import Callable

import pytest

import unirt
from tests.portaudio import FakePortAudio
from tests.tones import judge, steady, tone
from unirt.audio import AudioFormat
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.sound import Speaker
from unirt.sound.level import QUIET

STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")
MS = 48


def audio(data: bytes, format: AudioFormat = unirt.PCM16_24K) -> AudioDelta:
    return AudioDelta(origin=Origin(provider="toy"), stream=STREAM, data=data, format=format)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


async def test_it_opens_what_it_was_told_to(library: FakePortAudio) -> None:
    async with Speaker("headset", block_ms=10, latency=0.05).open(lambda ms: None):
        (stream,) = library.streams
        wanted = {
            "device": 2, "samplerate": 44_100, "channels": 2, "dtype": "int16", "blocksize": 441,
            "latency": 0.05,
        }  # fmt: skip
        assert stream.kind == "output"
        assert wanted.items() <= stream.options.items()
        assert stream.active
    assert stream.closed
    async with Speaker().open(lambda ms: None):
        assert library.streams[-1].options["latency"] == "low"


async def test_it_plays_what_it_is_given_and_then_silence(library: FakePortAudio) -> None:
    speaker = Speaker()
    told: list[float] = []
    async with speaker.open(told.append):
        (stream,) = library.streams
        speaker.play(audio(b"\1" * 30 * MS))
        assert speaker.waiting_ms == 30
        assert stream.play() == b"\1" * 20 * MS
        assert stream.play() == b"\1" * 10 * MS + b"\0" * 10 * MS
        assert stream.play(now=0.04) == b"\0" * 20 * MS
        await asyncio.sleep(0)
    assert stream.closed
    assert sum(told) == 30


async def test_a_block_is_told_when_it_was_heard_and_once(library: FakePortAudio) -> None:
    told: list[float] = []
    speaker = Speaker()
    async with speaker.open(told.append):
        speaker.play(audio(b"\1" * 60 * MS))
        # The device is 50 ms late: a block handed over at 0 is heard from 0.050 to 0.070.
        for now in (0.0, 0.02, 0.04, 0.06):
            library.streams[0].play(now=now, heard=now + 0.05)
        await asyncio.sleep(0)
        assert told == []
        assert speaker.sounding
        for now, whole in ((0.08, 20), (0.10, 40), (0.12, 60), (0.14, 60)):
            library.streams[0].play(now=now, heard=now + 0.05)
            await asyncio.sleep(0)
            assert sum(told) == whole
        assert not speaker.sounding


async def test_after_a_flush_the_next_block_is_silent(library: FakePortAudio) -> None:
    told: list[float] = []
    speaker = Speaker()
    async with speaker.open(told.append):
        speaker.play(audio(b"\1" * 1_000 * MS))
        for now in (0.0, 0.02, 0.04):
            library.streams[0].play(now=now, heard=now + 0.03)
        speaker.flush()
        # Of three blocks all are counted: what the device has cannot be called back.
        assert sum(told) == 60
        assert library.streams[0].play(now=0.06, heard=0.09) == b"\0" * 20 * MS
        speaker.play(audio(b"\2" * 20 * MS))
        assert library.streams[0].play(now=0.08, heard=0.11) == b"\2" * 20 * MS
        await asyncio.sleep(0)
        assert sum(told) == 60  # nothing twice, and nothing of the new one yet
        library.streams[0].play(now=0.2, heard=0.23)
        await asyncio.sleep(0)
        assert sum(told) == 80


async def test_what_it_had_when_it_was_closed_was_not_played(library: FakePortAudio) -> None:
    told: list[float] = []
    speaker = Speaker()
    async with speaker.open(told.append):
        speaker.play(audio(b"\1" * 100 * MS))
        library.streams[0].play(now=0.0, heard=0.1)
    assert told == []
    assert speaker.waiting_ms == 0


async def test_a_driver_that_tells_no_time_is_believed_to_be_prompt(
    library: FakePortAudio,
) -> None:
    told: list[float] = []
    speaker = Speaker()
    async with speaker.open(told.append):
        speaker.play(audio(b"\1" * 20 * MS))
        library.streams[0].play(now=5.0, heard=0.0)
        library.streams[0].play(now=5.02, heard=0.0)
        await asyncio.sleep(0)
        assert told == [20]


async def test_the_meter_shows_what_sounds(library: FakePortAudio) -> None:
    speaker = Speaker()
    async with speaker.open(lambda ms: None):
        assert speaker.level == QUIET
        speaker.play(audio((16_384).to_bytes(2, "little") * 480))
        library.streams[0].play()
        assert speaker.level.rms_db == pytest.approx(-6.02, abs=0.01)


async def test_what_is_beyond_the_bound_is_dropped_and_its_place_counts_as_played(
    library: FakePortAudio,
) -> None:
    told: list[float] = []
    speaker = Speaker(most_ms=40)
    async with speaker.open(told.append):
        for number in (1, 2, 3):
            speaker.play(audio(bytes([number]) * 20 * MS))
        assert speaker.dropped_ms == 20
        heard = library.streams[0].play()
        speaker.play(audio(b"\4" * 20 * MS))
        heard += library.streams[0].play() + library.streams[0].play()
        library.streams[0].play(now=1.0)
        await asyncio.sleep(0)
    assert heard == b"\1" * 20 * MS + b"\2" * 20 * MS + b"\4" * 20 * MS
    assert sum(told) == 80


async def test_an_unplugged_one_takes_no_more(library: FakePortAudio) -> None:
    speaker = Speaker()
    async with speaker.open(lambda ms: None):
        library.streams[0].unplug()
        with pytest.raises(unirt.DeviceLost, match="'Desk Speaker'"):
            speaker.play(audio(b"\1\1"))


async def test_it_takes_no_other_format_than_its_own(library: FakePortAudio) -> None:
    speaker = Speaker()
    async with speaker.open(lambda ms: None):
        with pytest.raises(unirt.AudioFormatError, match=r"plays pcm16 24000 .* given ulaw"):
            speaker.play(audio(b"\1", unirt.G711_ULAW))


async def test_it_plays_for_one_session_at_a_time(library: FakePortAudio) -> None:
    speaker = Speaker()
    async with speaker.open(lambda ms: None):
        with pytest.raises(unirt.UsageError, match="plays already"):
            async with speaker.open(lambda ms: None):
                pass
    async with speaker.open(lambda ms: None):
        assert len(library.streams) == 2


async def test_one_that_cannot_be_opened_says_why(library: FakePortAudio) -> None:
    speaker = Speaker()
    library.refuses = "Device unavailable"
    with pytest.raises(unirt.ConfigurationError, match="PortAudio refuses: Device unavailable"):
        async with speaker.open(lambda ms: None):
            pass


@pytest.mark.parametrize("chunk", [7, 960, 1_234, 48_000], ids=str)
async def test_a_tone_in_chunks_of_any_size_is_heard_as_that_tone(
    chunk: int, library: FakePortAudio
) -> None:
    speaker = Speaker()
    sound = tone(speaker.format)
    heard = b""
    async with speaker.open(lambda ms: None):
        for start in range(0, len(sound), 2 * chunk):
            speaker.play(audio(sound[start : start + 2 * chunk]))
        play: Callable[[], bytes] = library.streams[0].play
        heard = b"".join(play() for _ in range(51))

    steady(judge(heard, speaker.format), speaker.format)
