"""Bytes and milliseconds."""

from typing import Any

import pytest

from unirt.audio import G711_ULAW, PCM16_16K, PCM16_24K, AudioFormat, Encoding
from unirt.errors import AudioFormatError


@pytest.mark.parametrize(
    ("format", "ms", "size"),
    [
        (PCM16_24K, 20, 960),
        (PCM16_16K, 20, 640),
        (G711_ULAW, 20, 160),
        (AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32), 20, 7_680),
    ],
)
def test_bytes_and_milliseconds(format: AudioFormat, ms: int, size: int) -> None:
    assert format.bytes_for(ms) == size
    assert format.duration_ms(size) == ms


def test_bytes_are_whole_frames() -> None:
    assert AudioFormat(rate=44_100, channels=2).bytes_for(1) == 44 * 4


@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_half_sample_is_refused_with_what_and_where(size: int) -> None:
    with pytest.raises(AudioFormatError) as caught:
        PCM16_24K.check(b"\0" * size, where="send_audio")
    message = str(caught.value)
    assert f"{size} bytes" in message
    assert "send_audio" in message
    assert "format=" in message


@pytest.mark.parametrize("fields", [{"rate": 0}, {"rate": 10**7}, {"channels": 0}])
def test_impossible_formats_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(AudioFormatError):
        AudioFormat(**fields)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match="mp3"):
        AudioFormat(encoding="mp3")


def test_formats_read_well() -> None:
    assert str(PCM16_24K) == "pcm16 24000 Hz mono"
