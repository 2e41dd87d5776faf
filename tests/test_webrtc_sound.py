"""
Sound goes through a whole call and comes back: the tone of ``tests/test_sound.py``, in every format
that an application may have, coded, sent, played, coded and sent again by two real peers.

The codec is lossy, and a tone that went through it twice is not the tone any more: what is allowed
here is what the codec does by itself, which the first test measures without a network.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamTrack

import unirt
from tests.calling import calling, simulated
from tests.test_sound import ECHO, FORMATS
from tests.tones import AMPLITUDE, HZ, Heard, judge, tone
from tests.unirt.test_sound_caller import HERE, Page, audio, connected, connection, heard
from unirt.audio import PCM16_24K, AudioFormat, Encoding
from unirt.sound import Caller, MemorySink, MemorySource, TrackSink, TrackSource
from unirt.transports.webrtc.opus import Decoder, Encoder
from unirt.transports.webrtc.sound import FRAME_BYTES

pytestmark = pytest.mark.long

SECONDS = 0.5


def coded(sound: bytes) -> bytes:
    """What the codec makes of it."""
    encoder, decoder = Encoder(), Decoder()
    sound += bytes(-len(sound) % FRAME_BYTES + FRAME_BYTES)
    frames = (sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES))
    return b"".join(decoder.decode(bytes(encoder.encode(frame))) for frame in frames)


async def echoed(given: AudioFormat, wanted: AudioFormat) -> bytes:
    """What a sink hears of the tone over a call, with some silence before it."""
    source = MemorySource(given.silence(100) + tone(given, SECONDS), given, realtime=False)
    sink = MemorySink(wanted, realtime=False)
    async with simulated(ECHO) as simulator:
        async with calling(simulator, turn_detection="manual") as reader:
            session = reader.session
            playing = asyncio.create_task(session.playback.play(sink))
            await session.start_turn()
            await session.listen(source)
            await session.end_turn()
            await reader.many(unirt.ResponseDone)
            await session.playback.finished()
        await playing
        assert session.condition is not None
        assert session.condition.lost == 0
    return bytes(sink.audio)


def whole(heard: Heard, *formats: AudioFormat) -> None:
    """
    Judge a tone that went through the codec twice: whole, in tune, as loud, and without a click.

    Raises:
        AssertionError: It is not.
    """
    coarse = any(format.encoding in (Encoding.ULAW, Encoding.ALAW) for format in formats)
    assert abs(heard.seconds - SECONDS) < 0.005, heard
    assert abs(heard.hz - HZ) <= 1 / (SECONDS - 0.06), heard
    assert abs(heard.amplitude / AMPLITUDE - 1) < (0.03 if coarse else 0.01), heard
    assert heard.worst < (0.08 if coarse else 0.03), heard


def clicking(sound: bytes) -> bytes:
    """The same, of which a twelfth of a millisecond is missing after every 40."""
    size = 2 * FRAME_BYTES
    return b"".join(sound[at : at + size - 4] for at in range(0, len(sound), size))


def test_the_codec_alone_leaves_a_tone_whole_and_does_not_hide_a_click() -> None:
    sound = PCM16_24K.silence(100) + tone(PCM16_24K, SECONDS)
    whole(judge(coded(coded(sound)), PCM16_24K), PCM16_24K)
    with pytest.raises(AssertionError):
        whole(judge(coded(coded(clicking(sound))), PCM16_24K), PCM16_24K)


@pytest.mark.parametrize("format", FORMATS, ids=str)
async def test_a_tone_comes_back_as_the_codec_leaves_it(format: AudioFormat) -> None:
    whole(judge(await echoed(format, format), format), format)


def said(sound: bytes) -> bool:
    """Whether the tone was heard, and is over."""
    loud = np.flatnonzero(np.abs(np.frombuffer(sound, "<i2")) > 3_000)
    return len(loud) > 0 and len(sound) // 2 - loud[-1] > 4_800


async def test_a_tone_of_a_caller_and_one_for_it_are_as_the_codec_leaves_them() -> None:
    page = Page(PCM16_24K.silence(100) + tone(PCM16_24K, SECONDS))
    async with Caller(options=HERE) as caller, caller.player.open(lambda ms: None):
        await page.call(caller)
        assert await caller.arrived()
        caller.player.play(audio(tone(PCM16_24K, SECONDS)))
        whole(judge(await heard(caller, said), PCM16_24K), PCM16_24K)
        await page.until(lambda: said(page.sound))
        whole(judge(page.sound, PCM16_24K), PCM16_24K)
    await page.peer.close()


async def test_a_tone_through_tracks_is_as_the_codec_leaves_it() -> None:
    sink, back = TrackSink(), TrackSink()
    tracks: list[MediaStreamTrack] = []
    async with connection() as here, connection() as there, sink.open(lambda ms: None):
        here.addTrack(sink.track)
        there.addTrack(back.track)
        there.on("track", tracks.append)
        await connected(here, there)
        listening = asyncio.create_task(heard(TrackSource(tracks[0]), said))
        sink.play(audio(tone(PCM16_24K, SECONDS)))
        whole(judge(await listening, PCM16_24K), PCM16_24K)


async def test_a_source_and_a_sink_of_a_call_need_not_agree() -> None:
    given = AudioFormat(rate=44_100, channels=2, encoding=Encoding.FLOAT32)
    whole(judge(await echoed(given, unirt.G711_ALAW), unirt.G711_ALAW), given, unirt.G711_ALAW)


@pytest.mark.parametrize("asked", [None, unirt.PCM16_16K, AudioFormat(rate=48_000)], ids=str)
async def test_an_application_has_24_khz_unless_it_asks_for_another(
    asked: AudioFormat | None,
) -> None:
    format = asked or PCM16_24K
    async with simulated(ECHO) as simulator:
        more: dict[str, Any] = {} if asked is None else {"audio_out": asked}
        async with calling(simulator, turn_detection="manual", **more) as reader:
            await reader.session.start_turn()
            await reader.session.send_audio(tone(PCM16_24K, SECONDS), PCM16_24K)
            await reader.session.end_turn()
            await reader.many(unirt.ResponseDone)
            told = reader.of(unirt.AudioDelta)
    assert {event.format for event in told} == {format}
    whole(judge(b"".join(event.data for event in told), format), format)
