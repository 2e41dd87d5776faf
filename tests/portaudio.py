"""
PortAudio without hardware: a stand-in for the package ``sounddevice``, right below our code.

Streams call back from a thread of their own, as PortAudio's do, whenever a test has them hear or
play a block. What a real PortAudio does is in ``tests/test_sound_devices.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

__all__ = ["FakePortAudio", "FakeStream"]


class FakeStream:
    """One open stream."""

    def __init__(self, library: FakePortAudio, kind: str, **options: Any) -> None:
        self.kind = kind
        "``input`` or ``output``."
        if library.refuses is not None:
            raise library.PortAudioError(library.refuses)
        self.options = options
        self.frame_bytes = 2 * options["channels"]
        self.active = False
        self.closed = False
        library.streams.append(self)

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False
        self.closed = True
        self.options["finished_callback"]()

    def unplug(self) -> None:
        """The device stops by itself."""
        self.active = False
        _elsewhere(self.options["finished_callback"])

    def hear(self, data: bytes, status: str = "") -> None:
        """A block was heard."""
        frames = len(data) // self.frame_bytes
        _elsewhere(lambda: self.options["callback"](memoryview(data), frames, None, status))

    def play(self, *, now: float = 0.0, heard: float = 0.0, status: str = "") -> bytes:
        """A block is wanted, at that time of the device, to be heard at another."""
        frames = self.options["blocksize"]
        out = bytearray(b"\xee" * (frames * self.frame_bytes))
        time = SimpleNamespace(currentTime=now, outputBufferDacTime=heard)
        _elsewhere(lambda: self.options["callback"](memoryview(out), frames, time, status))
        return bytes(out)


def _elsewhere(work: Callable[[], None]) -> None:
    troubles: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:
            troubles.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if troubles:
        raise troubles[0]


class FakePortAudio:
    """The module: three devices, of which one can do everything."""

    class PortAudioError(Exception):
        """What it raises."""

    def __init__(self) -> None:
        self.streams: list[FakeStream] = []
        self.refuses: str | None = None
        "Why no stream can be opened."
        self.default = SimpleNamespace(device=[0, 1])
        self.able: dict[int, set[tuple[int, int]]] = {
            0: {(24_000, 1), (48_000, 2)},
            1: {(24_000, 1), (48_000, 2)},
            2: {(44_100, 2)},
        }
        "The rates and channels that each device can be opened with."
        self.known = [
            self._device("Desk Microphone", 1, 0, 48_000),
            self._device("Desk Speaker", 0, 2, 48_000),
            self._device("USB Headset", 2, 2, 44_100),
        ]

    @staticmethod
    def _device(name: str, inputs: int, outputs: int, rate: float) -> dict[str, Any]:
        return {
            "name": name,
            "hostapi": 0,
            "max_input_channels": inputs,
            "max_output_channels": outputs,
            "default_samplerate": float(rate),
        }

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "Fake"}]

    def query_devices(self) -> list[dict[str, Any]]:
        return self.known

    def check_input_settings(
        self, *, device: int, channels: int, samplerate: int, dtype: str
    ) -> None:
        assert dtype == "int16"
        if (samplerate, channels) not in self.able[device]:
            raise self.PortAudioError("Invalid sample rate")

    check_output_settings = check_input_settings

    def RawInputStream(self, **options: Any) -> FakeStream:
        return FakeStream(self, "input", **options)

    def RawOutputStream(self, **options: Any) -> FakeStream:
        return FakeStream(self, "output", **options)
