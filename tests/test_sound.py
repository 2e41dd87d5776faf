"""
Sound goes through a whole session and comes back as it was: a tone of 1 kHz, in every format that
an application may have, to a simulator of each provider that says again what it heard.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import unirt
from tests.tones import judge, steady, tone
from unirt.audio import AudioFormat, Encoding
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads
from unirt.sound import MemorySink, MemorySource

PROVIDERS = ("openai", "google")
RATES = (8_000, 16_000, 24_000, 44_100, 48_000)
FORMATS = [
    AudioFormat(rate=rate, channels=channels, encoding=encoding)
    for rate in RATES
    for channels in (1, 2)
    for encoding in (Encoding.PCM16, Encoding.FLOAT32)
] + [
    unirt.G711_ULAW,
    unirt.G711_ALAW,
    AudioFormat(rate=16_000, channels=2, encoding=Encoding.ULAW),
]
ECHO = loads(
    """
    [pace]
    speed = 50
    chunk_ms = 37  # no multiple of any block
    latency_ms = 0

    [[reply]]
    cue = "speech"
    steps = [{ say = "You said:", echo = true }]

    [[reply]]
    cue = "turn"
    steps = [{ say = "You said:", echo = true }]
    """
)


async def echoed(provider: str, given: AudioFormat, wanted: AudioFormat, **settings: Any) -> bytes:
    """What a sink hears of a second of the tone, with half a second of silence before it."""
    source = MemorySource(given.silence(500) + tone(given), given, realtime=False, silence_ms=1_000)
    sink = MemorySink(wanted, realtime=False)
    manual = settings.get("turn_detection") == "manual"
    async with (
        Simulator(load(provider), ECHO) as simulator,
        unirt.connect(provider, environ=simulator.env, env_file=None, **settings) as session,
    ):
        events = aiter(session)  # before the player's view, so that nothing is missed
        playing = asyncio.create_task(session.playback.play(sink))
        if manual:
            await session.start_turn()
        await session.listen(source)
        if manual:
            await session.end_turn()
        async for event in events:
            if isinstance(event, unirt.ResponseDone):
                break
        await session.playback.finished()
        (response,) = session.playback.responses
        assert response.exactly
        assert response.finished
        assert response.played_ms == pytest.approx(response.received_ms, abs=0.5)
        assert sink.format.duration_ms(len(sink.audio)) == pytest.approx(
            response.received_ms, abs=0.5
        )
    await playing
    return bytes(sink.audio)


@pytest.mark.parametrize("format", FORMATS, ids=str)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_tone_comes_back_as_it_was(provider: str, format: AudioFormat) -> None:
    heard = judge(await echoed(provider, format, format), format)

    steady(heard, format)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_source_and_a_sink_need_not_agree(provider: str) -> None:
    given = AudioFormat(rate=44_100, channels=2, encoding=Encoding.FLOAT32)
    heard = judge(await echoed(provider, given, unirt.G711_ALAW), unirt.G711_ALAW)

    steady(heard, given, unirt.G711_ALAW)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_session_converts_twice_where_two_ask(provider: str) -> None:
    wanted = AudioFormat(rate=48_000)
    audio = await echoed(provider, unirt.PCM16_16K, wanted, audio_out=unirt.PCM16_16K)

    steady(judge(audio, wanted), unirt.PCM16_16K)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_turn_that_the_application_ends_is_whole(provider: str) -> None:
    audio = await echoed(provider, unirt.PCM16_16K, unirt.PCM16_24K, turn_detection="manual")

    steady(judge(audio, unirt.PCM16_24K), unirt.PCM16_16K)
    assert unirt.PCM16_24K.duration_ms(len(audio)) == pytest.approx(2_500, abs=1)


@pytest.mark.parametrize("format", [unirt.G711_ULAW, unirt.G711_ALAW], ids=str)
async def test_g711_may_be_on_the_wire(format: AudioFormat) -> None:
    audio = await echoed("openai", format, format, input_format=format, output_format=format)

    steady(judge(audio, format), format)
