"""The two ends of a conversation's sound, as they are named on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from unirt.audio import PCM16_24K, AudioFormat, Encoding
from unirt.cli.guards import Guard
from unirt.errors import AudioFormatError, ConfigurationError
from unirt.session import Player, Source
from unirt.sound import (
    EchoGuard,
    HalfDuplex,
    Microphone,
    PipeSink,
    PipeSource,
    Speaker,
    Tee,
    WavSink,
    WavSource,
)

__all__ = ["Ends", "Voice", "format_named"]

PIPE = Path("-")
"Standard input, or standard output."
_NAMED = re.compile(r"(?P<encoding>[a-z0-9]+)(/(?P<rate>\d+))?(/(?P<channels>\d+))?")


@attrs.frozen(kw_only=True)
class Voice:
    """Which devices are used, and what goes through pipes."""

    microphone: str | None = None
    speaker: str | None = None
    guard: Guard = Guard.NONE
    raw: AudioFormat | None = None
    "What goes through pipes; ``None`` for WAV."

    @property
    def chosen(self) -> bool:
        """Whether somebody named a device."""
        return self.microphone is not None or self.speaker is not None


class Ends:
    """
    What is listened to, and what plays.

    Args:
        voice: Which devices.
        out: The file that takes down what is heard.
    """

    def __init__(self, voice: Voice, out: Path | None) -> None:
        self.voice = voice
        self.piped_out = out == PIPE
        self.microphone: Source | None = None
        self._out = out
        self._speaker: Speaker | None = None

    def check(self, wavs: Sequence[Path], *, text: bool) -> None:
        """
        Refuse what was asked for and would be passed over.

        Raises:
            ConfigurationError: Something was said of devices or of pipes, and none are used.
        """
        voice = self.voice
        if (wavs or text) and (voice.chosen or voice.guard is not Guard.NONE):
            raise ConfigurationError(
                f"no sound device is used with {'--wav' if wavs else '--text'}",
                where="--guard" if not voice.chosen else "--mic, --speaker or --device",
                remedy="leave one of the two out",
            )
        if voice.raw is not None and PIPE not in (*wavs, self._out):
            raise ConfigurationError(
                "nothing goes through a pipe",
                where="--format",
                remedy="leave it out, or give - to --wav or --out",
            )

    def file(self, path: Path) -> Source:
        """A file, or standard input, that is spoken."""
        if path != PIPE:
            return WavSource(path)
        if self.voice.raw is not None:
            return PipeSource(0, self.voice.raw, realtime=True)
        return WavSource(0)

    def open_devices(self) -> None:
        """
        Use a microphone and a speaker.

        Raises:
            ConfigurationError: There are none, or not those.
        """
        microphone = Microphone(_number(self.voice.microphone))
        self._speaker = speaker = Speaker(_number(self.voice.speaker))
        match self.voice.guard:
            case Guard.NONE:
                self.microphone = microphone
            case Guard.ECHO:
                self.microphone = EchoGuard(microphone, speaker)
            case Guard.HALF_DUPLEX:
                self.microphone = HalfDuplex(microphone, speaker)

    def player(self) -> Player | None:
        """
        What plays: the speaker, the file, or both; ``None`` for nothing. Ask once.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        speaker, raw = self._speaker, self.voice.raw
        if self._out is None:
            return speaker
        format = PCM16_24K if speaker is None else speaker.format
        file: Player
        if not self.piped_out:
            file = WavSink(self._out, format)
        elif raw is None:
            file = WavSink(1, format)
        else:
            file = PipeSink(1, raw)
        return file if speaker is None else Tee(speaker, file)


def format_named(name: str) -> AudioFormat | None:
    """
    A format as it is written on the command line: ``wav``, ``pcm16/16000``, ``ulaw``.

    Raises:
        ConfigurationError: It is none.
    """
    if name == "wav":
        return None
    found = _NAMED.fullmatch(name)
    try:
        if found is None:
            raise ValueError(name)
        encoding = Encoding(found["encoding"])
        usual = 8_000 if encoding in (Encoding.ULAW, Encoding.ALAW) else 24_000
        return AudioFormat(
            encoding=encoding,
            rate=int(found["rate"] or usual),
            channels=int(found["channels"] or 1),
        )
    except (ValueError, AudioFormatError) as exc:
        why = exc.what if isinstance(exc, AudioFormatError) else f"{name!r} is no format"
        raise ConfigurationError(
            why,
            where="--format",
            remedy="write wav, or ENCODING/RATE/CHANNELS: pcm16/24000, ulaw/8000, float32/48000/2",
        ) from None


def _number(name: str | None) -> str | int | None:
    """A device's name, or its index."""
    return int(name) if name is not None and name.isdecimal() else name
