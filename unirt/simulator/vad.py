"""
Voice activity by energy, on the clock of the input's own samples.

Speech begins when a run of frames is louder than the threshold, and ends when a silence has lasted
long enough. Nothing here knows what time it is: positions are milliseconds of audio since the
session's first sample, which is how both protocols count them.
"""

from __future__ import annotations

from enum import StrEnum

import attrs
import numpy as np

from unirt.audio import AudioFormat
from unirt.config import ServerVAD
from unirt.simulator.voice import decode

__all__ = ["Activity", "Change", "VoiceActivity"]

FRAME_MS = 20
"How much audio one decision is about."
ONSET_MS = 60
"How long it must be loud before that counts as speech: a click is shorter."
DEFAULTS = ServerVAD(threshold=0.5, prefix_padding_ms=300, silence_ms=500)
"What holds where the client configured nothing: the documented defaults, November 2026."


class Change(StrEnum):
    """What happened."""

    STARTED = "started"
    STOPPED = "stopped"


@attrs.frozen
class Activity:
    """Speech started or stopped, and where in the input."""

    change: Change
    audio_ms: float


class VoiceActivity:
    """
    Follows one input.

    Args:
        format: What the bytes are.
        settings: Threshold, padding and silence; what is ``None`` comes from :data:`DEFAULTS`.
        position_ms: How much audio came before.
    """

    def __init__(
        self, format: AudioFormat, settings: ServerVAD = DEFAULTS, position_ms: float = 0.0
    ) -> None:
        self.format = format
        self.settings = settings
        self.position_ms = position_ms
        "How much audio was decided on."
        self.speaking = False
        self._prefix_ms = _either(settings.prefix_padding_ms, DEFAULTS.prefix_padding_ms)
        self._silence_ms = _either(settings.silence_ms, DEFAULTS.silence_ms)
        self._level = _amplitude(_either(settings.threshold, DEFAULTS.threshold))
        self._floor_ms = position_ms
        self._loud_ms = 0.0
        self._quiet_ms = 0.0
        self._rest = b""

    @property
    def fed_ms(self) -> float:
        """How much audio there was in all: what was decided on, and part of a frame."""
        return self.position_ms + self.format.duration_ms(len(self._rest))

    def feed(self, data: bytes) -> list[Activity]:
        """What the next piece of input changes; pieces may be of any length."""
        size = self.format.bytes_for(FRAME_MS)
        data = self._rest + data
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        changes = []
        for start in range(0, whole, size):
            change = self._frame(data[start : start + size])
            if change is not None:
                changes.append(change)
        return changes

    def end(self) -> bool:
        """The input is cut off here; returns whether that ended speech."""
        was_speaking, self.speaking = self.speaking, False
        self._loud_ms = self._quiet_ms = 0.0
        self._floor_ms = self.position_ms
        return was_speaking

    def _frame(self, frame: bytes) -> Activity | None:
        loud = _rms(frame, self.format) >= self._level
        self.position_ms += FRAME_MS
        self._loud_ms = self._loud_ms + FRAME_MS if loud else 0.0
        self._quiet_ms = 0.0 if loud else self._quiet_ms + FRAME_MS
        if not self.speaking and self._loud_ms >= ONSET_MS:
            self.speaking = True
            began = self.position_ms - self._loud_ms - self._prefix_ms
            return Activity(Change.STARTED, max(self._floor_ms, began))
        if self.speaking and self._quiet_ms >= self._silence_ms:
            self.speaking = False
            self._floor_ms = self.position_ms
            return Activity(Change.STOPPED, self.position_ms)
        return None


def _rms(frame: bytes, format: AudioFormat) -> float:
    samples = decode(frame, format)
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _amplitude(threshold: float) -> float:
    """From -50 dB of full scale, the quietest that counts, to -30 dB."""
    return float(10 ** ((-50 + 20 * threshold) / 20))


def _either(value: float | None, default: float | None) -> float:
    return float(value if value is not None else default or 0.0)
