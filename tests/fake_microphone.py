"""A browser's microphone that is a file: somebody waits, asks something, and waits."""

from __future__ import annotations

import wave
from pathlib import Path

from unirt import PCM16_24K
from unirt.simulator.voice import silence, speech

__all__ = ["flags", "question"]

_FLAGS = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)


def question(path: Path) -> Path:
    """Write the file, which the device plays in a loop. First it waits, for a session to begin."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(
            silence(4_000, PCM16_24K) + speech(1_000, PCM16_24K) + silence(2_000, PCM16_24K)
        )
    return path


def flags(spoken: Path) -> tuple[str, ...]:
    """How a Chromium is started that hears this."""
    return *_FLAGS, f"--use-file-for-fake-audio-capture={spoken}"
