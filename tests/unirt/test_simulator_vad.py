"""Voice activity and synthetic sound, on signals whose truth is known."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from unirt import G711_ALAW, G711_ULAW, PCM16_16K, PCM16_24K, AudioFormat, Encoding, ServerVAD
from unirt.errors import ConfigurationError
from unirt.simulator.vad import Activity, Change, VoiceActivity
from unirt.simulator.voice import decode, encode, load_wav, silence, speech, tune

FORMATS = (PCM16_16K, PCM16_24K, G711_ULAW, G711_ALAW, AudioFormat(channels=2))


@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_speech_is_found_where_it_is_in_every_format(format: AudioFormat) -> None:
    sound = silence(1000, format) + speech(900, format) + silence(1000, format)
    assert VoiceActivity(format).feed(sound) == [
        Activity(Change.STARTED, 700.0),
        Activity(Change.STOPPED, 2400.0),
    ]


@pytest.mark.parametrize("size", [1, 7, 320, 999, 48_000])
def test_the_size_of_the_pieces_changes_nothing(size: int) -> None:
    sound = silence(500, PCM16_16K) + speech(600, PCM16_16K) + silence(800, PCM16_16K)
    vad = VoiceActivity(PCM16_16K)
    found = []
    for start in range(0, len(sound), size):
        found += vad.feed(sound[start : start + size])
    assert found == VoiceActivity(PCM16_16K).feed(sound)


@pytest.mark.parametrize(
    ("settings", "started", "stopped"),
    [
        (ServerVAD(prefix_padding_ms=0, silence_ms=200), 1000.0, 2200.0),
        (ServerVAD(prefix_padding_ms=100, silence_ms=1000), 900.0, 3000.0),
        (ServerVAD(prefix_padding_ms=5000), 0.0, 2500.0),
    ],
)
def test_padding_and_silence_are_configured(
    settings: ServerVAD, started: float, stopped: float
) -> None:
    sound = silence(1000, PCM16_24K) + speech(1000, PCM16_24K) + silence(1500, PCM16_24K)
    changes = VoiceActivity(PCM16_24K, settings).feed(sound)
    assert [change.audio_ms for change in changes] == [started, stopped]


def test_padding_never_reaches_into_the_turn_before() -> None:
    one = speech(400, PCM16_24K) + silence(520, PCM16_24K)
    changes = VoiceActivity(PCM16_24K).feed(one + one)
    assert changes[2].audio_ms == changes[1].audio_ms


def test_the_threshold_decides_what_is_loud() -> None:
    hum = encode(decode(speech(500, PCM16_24K), PCM16_24K) * np.float32(0.15), PCM16_24K)
    assert VoiceActivity(PCM16_24K, ServerVAD(threshold=0.1)).feed(hum)
    assert not VoiceActivity(PCM16_24K, ServerVAD(threshold=0.9)).feed(hum)


def test_a_click_is_no_speech() -> None:
    sound = silence(200, PCM16_24K) + speech(40, PCM16_24K) + silence(200, PCM16_24K)
    assert VoiceActivity(PCM16_24K).feed(sound) == []


def test_positions_go_on_from_where_they_were() -> None:
    vad = VoiceActivity(PCM16_24K, position_ms=5000)
    assert vad.feed(speech(200, PCM16_24K))[0].audio_ms == 5000


def test_an_input_that_is_cut_off_ends_the_speech() -> None:
    vad = VoiceActivity(PCM16_24K)
    vad.feed(speech(300, PCM16_24K))
    assert vad.end()
    assert not vad.end()


@pytest.mark.parametrize("encoding", [Encoding.ULAW, Encoding.ALAW])
def test_g711_codes_survive_being_decoded(encoding: Encoding) -> None:
    format = AudioFormat(rate=8000, encoding=encoding)
    samples = decode(bytes(range(256)), format)
    assert np.array_equal(decode(encode(samples, format), format), samples)
    assert np.abs(samples).max() > 0.98


@pytest.mark.parametrize("ms", [0, 1, 333, 1200])
def test_a_tune_lasts_as_long_as_it_shall(ms: float) -> None:
    data = tune("one two three", ms, PCM16_24K)
    assert len(data) == PCM16_24K.bytes_for(ms)
    assert data == tune("one two three", ms, PCM16_24K)


def test_other_words_sound_otherwise() -> None:
    assert tune("yes", 300, PCM16_24K) != tune("nope", 300, PCM16_24K)


def write_wav(path: Path, *, rate: int, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"\0" * 2 * width * rate)
    return path


def test_a_recording_is_brought_to_the_format(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "second.wav", rate=48_000)
    assert len(load_wav(path, PCM16_24K)) == PCM16_24K.bytes_for(1000)


def test_a_recording_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("hello")
    with pytest.raises(ConfigurationError, match="cannot be read as a WAV file"):
        load_wav(tmp_path / "text.wav", PCM16_24K)
    with pytest.raises(ConfigurationError, match="kind 1 with 8 bits"):
        load_wav(write_wav(tmp_path / "byte.wav", rate=8000, width=1), PCM16_24K)
