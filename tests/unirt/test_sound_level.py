"""Levels: decibels of full scale, in every format."""

import pytest

from tests.tones import tone
from unirt.audio import G711_ALAW, G711_ULAW, PCM16_24K, AudioFormat, Encoding
from unirt.sound.level import QUIET, level

FLOAT = AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32)


@pytest.mark.parametrize("format", [PCM16_24K, FLOAT, G711_ULAW, G711_ALAW], ids=str)
def test_a_tone_at_half_of_full_scale(format: AudioFormat) -> None:
    heard = level(tone(format), format)

    assert heard.peak_db == pytest.approx(-6.02, abs=0.3)
    assert heard.rms_db == pytest.approx(-9.03, abs=0.3)


@pytest.mark.parametrize("format", [PCM16_24K, FLOAT, G711_ULAW, G711_ALAW], ids=str)
def test_silence_is_silent(format: AudioFormat) -> None:
    silence = format.silence(20)

    assert len(silence) == format.bytes_for(20)
    assert level(silence, format).peak_db < -70  # A-law has no zero
    assert level(b"", format) == QUIET


def test_full_scale_is_zero() -> None:
    assert level((-32_768).to_bytes(2, "little", signed=True) * 9, PCM16_24K).rms_db == 0
