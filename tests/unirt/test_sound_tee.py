"""Two players at once."""

import pytest

import unirt
from unirt.audio import PCM16_16K, PCM16_24K
from unirt.events import AudioDelta, Origin, Stream, StreamKind
from unirt.sound import MemorySink, Tee

STREAM = Stream(id="s", kind=StreamKind.AUDIO, item_id="i", index=0, response_id="r", turn_id="t")


def audio(data: bytes) -> AudioDelta:
    return AudioDelta(origin=Origin(provider="toy"), stream=STREAM, data=data, format=PCM16_24K)


async def test_both_play_and_the_first_tells() -> None:
    heard, other = MemorySink(realtime=False), MemorySink(realtime=False)
    told: list[float] = []
    tee = Tee(heard, other)
    async with tee.open(told.append):
        tee.play(
            AudioDelta(
                origin=Origin(provider="x"), stream=STREAM, data=bytes(480), format=PCM16_24K
            )
        )
        tee.flush()
        tee.play(
            AudioDelta(
                origin=Origin(provider="x"), stream=STREAM, data=bytes(960), format=PCM16_24K
            )
        )

    assert heard.audio == other.audio == bytes(960)
    assert tee.format == PCM16_24K
    assert sum(told) == 20


def test_they_play_the_same() -> None:
    with pytest.raises(unirt.ConfigurationError, match=r"16000 .* 24000"):
        Tee(MemorySink(PCM16_16K), MemorySink(PCM16_24K))
