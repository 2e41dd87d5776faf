"""When speech starts and stops: by the rules with made-up scores, and by ear with real sound."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unirt
from unirt.audio import AudioFormat, Encoding
from unirt.config import LocalVAD
from unirt.session.local_vad import (
    DEFAULTS,
    WINDOW_MS,
    Activity,
    Change,
    VoiceActivity,
    check_detector,
    silero,
)
from unirt.simulator.voice import encode, load_wav, silence

AUDIO = Path(__file__).parent.parent.parent / "examples" / "audio"
WINDOWS = AudioFormat(rate=16_000, encoding=Encoding.FLOAT32)
WINDOW = bytes(WINDOWS.bytes_for(WINDOW_MS))
FORMATS = {
    "8 kHz": AudioFormat(rate=8_000),
    "G.711": unirt.G711_ULAW,
    "16 kHz": unirt.PCM16_16K,
    "24 kHz": unirt.PCM16_24K,
    "48 kHz stereo": AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32),
}


def found(scores: Iterable[float], settings: LocalVAD = DEFAULTS) -> list[tuple[str, float]]:
    """What comes of windows with such scores."""
    given = iter(scores)
    activity = VoiceActivity(settings, lambda _: next(given))
    changes: list[Activity] = []
    for _ in list(scores):
        changes += activity.feed(WINDOW, WINDOWS)
    return [(change.change.value, change.audio_ms) for change in changes]


def test_speech_starts_once_it_has_lasted_and_with_what_was_before() -> None:
    quiet, loud = [0.0] * 20, [0.9] * 5
    assert found(quiet + loud) == [("started", 20 * 32 - 300)]


def test_the_first_turn_begins_no_sooner_than_the_sound() -> None:
    assert found([0.9] * 3) == [("started", 0.0)]


def test_a_cough_is_no_speech() -> None:
    assert found([0.9, 0.0] * 10) == []


def test_speech_goes_on_through_pauses_and_doubts_and_ends_with_a_silence() -> None:
    scores = [0.9] * 4 + [0.0] * 15 + [0.9] + [0.4] * 30 + [0.0] * 16 + [0.9]
    assert found(scores) == [("started", 0.0), ("stopped", 66 * 32)]


def test_a_turn_begins_no_sooner_than_the_one_before_it_ended() -> None:
    scores = [0.9] * 4 + [0.0] * 16 + [0.0] * 3 + [0.9] * 2
    assert found(scores)[1:] == [("stopped", 20 * 32), ("started", 20 * 32)]


def test_every_setting_counts() -> None:
    settings = LocalVAD(threshold=0.8, prefix_padding_ms=0, silence_ms=64, min_speech_ms=160)
    scores = [0.7] * 9 + [0.9] * 4 + [0.0] + [0.9] * 5 + [0.5] * 2
    assert found(scores, settings) == [("started", 14 * 32), ("stopped", 21 * 32)]


@pytest.mark.parametrize(
    "wrong",
    [{"threshold": 0}, {"threshold": 1.5}, {"silence_ms": -1}, {"prefix_padding_ms": 10**6}],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(unirt.ConfigurationError, match=f"LocalVAD.{next(iter(wrong))}"):
        LocalVAD(**wrong)


def heard(sound: bytes, format: AudioFormat, piece_ms: float) -> list[Activity]:
    activity = VoiceActivity(DEFAULTS, silero())
    size = format.bytes_for(piece_ms)
    changes: list[Activity] = []
    for start in range(0, len(sound), size):
        changes += activity.feed(sound[start : start + size], format)
    return changes


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("name", ["go_forward", "do_something"])
def test_a_voice_is_heard_at_any_rate(name: str, format: AudioFormat) -> None:
    sound = load_wav(AUDIO / f"{name}.wav", format) + silence(1_000, format)
    started, stopped = heard(sound, format, 20)
    assert started.change is Change.STARTED
    assert stopped.change is Change.STOPPED
    # Both recordings begin to speak after about half a second, and are done after 2.2 s.
    assert started.audio_ms == pytest.approx(200, abs=100)
    assert stopped.audio_ms == pytest.approx(2_700, abs=150)


def test_how_it_is_cut_into_pieces_makes_no_difference() -> None:
    sound = load_wav(AUDIO / "go_forward.wav", unirt.PCM16_24K) + silence(1_000, unirt.PCM16_24K)
    whole = heard(sound, unirt.PCM16_24K, 60_000)
    assert whole
    assert heard(sound, unirt.PCM16_24K, 7) == whole


def made(kind: str, format: AudioFormat) -> bytes:
    """Three seconds of something that is no voice."""
    t = np.arange(3 * format.rate) / format.rate
    noise = np.random.default_rng(8).normal(0, 0.1, len(t))
    signals = {
        "noise": noise,
        "hum": 0.3 * np.sin(2 * np.pi * 50 * t),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * t),
        "clicks": np.where(t % 0.5 < 0.002, 0.8, 0.0),
        "silence": np.zeros(len(t)),
    }
    return encode(signals[kind].astype(np.float32), format)


@pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("kind", ["noise", "hum", "tone", "clicks", "silence"])
def test_what_is_only_loud_is_no_voice(kind: str, format: AudioFormat) -> None:
    assert heard(made(kind, format), format, 20) == []


def test_a_voice_in_noise_is_heard() -> None:
    format = unirt.PCM16_16K
    voice = np.frombuffer(load_wav(AUDIO / "go_forward.wav", format), np.int16) / 32_768
    noise = np.random.default_rng(8).normal(0, 0.005, len(voice) + format.rate)
    noise[: len(voice)] += voice
    changes = heard(encode(noise.astype(np.float32), format), format, 20)
    assert [change.change for change in changes] == [Change.STARTED, Change.STOPPED]


def test_the_applications_own_detector_needs_no_extra_and_may_not_be_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    unirt.connect("openai", turn_detection=LocalVAD(), detector=lambda _: 0.0, environ={})
    with pytest.raises(unirt.ConfigurationError, match="nobody would ask"):
        unirt.connect("openai", detector=lambda _: 0.0, environ={})


def test_it_is_refused_clearly_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(unirt.ConfigurationError, match=r"unirt-realtime\[vad\]"):
        check_detector(LocalVAD(), None)
    with pytest.raises(unirt.ConfigurationError, match=r"unirt-realtime\[vad\]"):
        unirt.connect("openai", turn_detection=LocalVAD(), environ={})
