"""
The sound devices of this machine, and how one is chosen.

They are PortAudio's, by the package ``sounddevice`` of the extra ``[devices]``. Both are imported
when a device is asked for, and what is missing of them is told then.

PortAudio looks for devices as it is loaded, and where it does not understand what ALSA tells it, it
aborts the process (without a configuration of ALSA, as in a small container; PortAudio 19.6). So on
Linux another process loads it first.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Literal

import attrs

from unirt.audio import AudioFormat
from unirt.errors import ConfigurationError

__all__ = ["Device", "devices", "find", "portaudio", "suitable", "told"]

Kind = Literal["input", "output"]
_WORDS: dict[Kind, str] = {"input": "microphone", "output": "speaker"}
_PYTHON = None if hasattr(sys, "frozen") else sys.executable
"What runs another process; a program that is one file with its Python has none."
_PATIENCE_S = 10


@attrs.frozen(kw_only=True)
class Device:
    """One sound device."""

    index: int
    "PortAudio's number of it; it may be another the next time."
    name: str
    host: str
    "The system that it is reached through: ALSA, Core Audio, WASAPI ..."
    inputs: int
    "How many channels it hears; 0 for a speaker."
    outputs: int
    "How many channels it plays; 0 for a microphone."
    rate: int
    "Its own rate, in Hz."
    default_input: bool = False
    "It is the microphone, unless another is chosen."
    default_output: bool = False
    "It is the speaker, unless another is chosen."

    def channels(self, kind: Kind) -> int:
        """How many channels it has for that."""
        return self.inputs if kind == "input" else self.outputs


def portaudio() -> Any:
    """
    The module ``sounddevice``, ready to be used.

    Raises:
        ConfigurationError: It is not installed, or PortAudio is not, or that cannot be loaded.
    """
    if "sounddevice" not in sys.modules and sys.platform == "linux" and _PYTHON:
        _try_elsewhere(_PYTHON)
    try:
        import sounddevice
    except ImportError as exc:
        raise ConfigurationError(
            f"sound devices cannot be used: {exc}",
            where="the [devices] extra",
            remedy='pip install "unirt-realtime[devices]", or use files',
        ) from exc
    except OSError as exc:  # the package is there, and finds no library
        raise ConfigurationError(
            f"sound devices cannot be used: {exc}",
            where="PortAudio",
            remedy="install PortAudio (on Debian: apt-get install libportaudio2), or use files",
        ) from exc
    return sounddevice


def _try_elsewhere(python: str) -> None:
    """Load PortAudio in another process. What that raises is told when it is loaded here."""
    path = os.pathsep.join(sys.path)
    try:
        done = subprocess.run(  # noqa: S603  (our own Python)
            [python, "-P", "-c", "import sounddevice"],
            env={**os.environ, "PYTHONPATH": path}, timeout=_PATIENCE_S, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        why = f"PortAudio is not through after {_PATIENCE_S} s"
    else:
        if done.returncode >= 0:
            return
        why = f"PortAudio ends the process (signal {-done.returncode})"
    raise ConfigurationError(
        f"sound devices cannot be used: {why}",
        where="PortAudio",
        remedy="see that ALSA is configured (on Debian: apt-get install libasound2-data; "
        "ALSA_CONFIG_PATH names another file), or use files",
    )


def devices() -> tuple[Device, ...]:
    """
    All there are.

    Raises:
        ConfigurationError: The extra or PortAudio is missing.
    """
    sounddevice = portaudio()
    with told(sounddevice, "the sound devices"):
        hosts = sounddevice.query_hostapis()
        usual = tuple(sounddevice.default.device)
        return tuple(
            Device(
                index=index,
                name=each["name"],
                host=hosts[each["hostapi"]]["name"],
                inputs=each["max_input_channels"],
                outputs=each["max_output_channels"],
                rate=int(each["default_samplerate"]),
                default_input=index == usual[0],
                default_output=index == usual[1],
            )
            for index, each in enumerate(sounddevice.query_devices())
        )


def find(name: str | int | None, kind: Kind) -> Device:
    """
    The device that is meant.

    Args:
        name: Its name, or a part of it that no other has, in upper or lower case; or its index;
            ``None`` for the system's choice.
        kind: What it is for.

    Raises:
        ConfigurationError: There is none, or several are meant.
    """
    able = [device for device in devices() if device.channels(kind)]
    word = _WORDS[kind]
    if name is None:
        found = [d for d in able if (d.default_input if kind == "input" else d.default_output)]
    elif isinstance(name, int):
        found = [device for device in able if device.index == name]
    else:
        found = _named(name, able)
    if len(found) == 1:
        return found[0]
    what = f"there is no {word}" if name is None else f"no {word} is called {name!r}"
    if found:
        what = f"{len(found)} devices may be meant by {name!r}"
    choices = "; ".join(f"{d.index}: {d.name!r} ({d.host})" for d in found or able)
    raise ConfigurationError(
        what,
        where=word,
        remedy=f"choose one of {choices}" if choices else "connect one, or use files",
    )


def _named(name: str, able: list[Device]) -> list[Device]:
    wanted = name.lower()
    for matches in (
        [device for device in able if device.name == name],
        [device for device in able if device.name.lower() == wanted],
        [device for device in able if wanted in device.name.lower()],
    ):
        if matches:
            return matches
    return []


def suitable(device: Device, kind: Kind, rate: int | None) -> AudioFormat:
    """
    What a device can be opened with: 16 bits, of the rate that is wanted or else its own.

    Raises:
        ConfigurationError: It can be opened with nothing.
    """
    sounddevice = portaudio()
    check = (
        sounddevice.check_input_settings if kind == "input" else sounddevice.check_output_settings
    )
    wanted = [AudioFormat(rate=rate)] if rate is not None else []
    own = [AudioFormat(rate=device.rate, channels=n) for n in (1, 2) if n <= device.channels(kind)]
    why = ""
    for format in (*wanted, *own):
        try:
            check(
                device=device.index,
                channels=format.channels,
                samplerate=format.rate,
                dtype="int16",
            )
        except (sounddevice.PortAudioError, ValueError) as exc:
            why = str(exc)
        else:
            return format
    raise ConfigurationError(
        f"the {_WORDS[kind]} {device.name!r} cannot be opened: {why}",
        where=_WORDS[kind],
        remedy="close what else uses it, or choose another one",
    )


@contextlib.contextmanager
def told(sounddevice: Any, where: str) -> Iterator[None]:
    """PortAudio's errors, as ours."""
    try:
        yield
    except sounddevice.PortAudioError as exc:
        raise ConfigurationError(
            f"PortAudio refuses: {exc}",
            where=where,
            remedy="choose another device, or use files",
        ) from exc
