"""``unirt chat`` with sound: files, pipes and devices, against simulators that say it again."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import unirt
from tests.portaudio import FakePortAudio, FakeStream
from tests.tones import judge, samples, steady, tone
from unirt.audio import AudioFormat, Encoding
from unirt.cli.chat import run
from unirt.cli.devices import run as list_devices
from unirt.cli.ends import Voice, format_named
from unirt.cli.guards import Guard
from unirt.registry import load
from unirt.simulator import Simulator
from unirt.simulator.script import loads
from unirt.sound import read_wav, write_wav
from unirt.sound.riff import read_header, written_header

UNIRT = [sys.executable, "-c", "from unirt.cli import main; main()"]
PROVIDERS = ("openai", "google")
SECONDS = 0.5
ECHO = loads(
    """
    [pace]
    speed = 20
    latency_ms = 0

    [[reply]]
    cue = "speech"
    steps = [{ say = "You said:", echo = true }]

    [[reply]]
    cue = "speech"
    steps = [{ say = "And that:", echo = true }]
    """
)


def chat(
    *arguments: str, cwd: Path, stdin: bytes = b"", env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*UNIRT, "chat", *arguments],
        cwd=cwd, capture_output=True, check=False, input=stdin,
        env={**os.environ, "COLUMNS": "200", **env},
    )  # fmt: skip


def without_portaudio(folder: Path) -> dict[str, str]:
    """A package that finds no library, whatever this machine has."""
    (folder / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_file_is_spoken_and_what_is_heard_is_written(provider: str, tmp_path: Path) -> None:
    format = AudioFormat(rate=44_100, channels=2, encoding=Encoding.FLOAT32)
    write_wav(tmp_path / "in.wav", tone(format, SECONDS), format)
    async with Simulator(load(provider), ECHO) as simulator:
        done = await asyncio.to_thread(
            chat, "--wav", "in.wav", "--wav", "in.wav", "--out", "reply.wav",
            cwd=tmp_path, env={**simulator.env, "UNIRT_PROVIDER": provider},
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    data, wanted = read_wav(tmp_path / "reply.wav")
    assert wanted == unirt.PCM16_24K
    assert b"wrote reply.wav" in done.stdout
    assert b"(interrupted)" not in done.stdout
    first = wanted.bytes_for(1_000)  # the beginning of the session, and half a second of silence
    for reply in (data[:first], data[first:]):
        steady(judge(reply, wanted), format, seconds=SECONDS)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_wav_stream_through_pipes(provider: str, tmp_path: Path) -> None:
    format = unirt.PCM16_16K
    stdin = written_header(format, None) + tone(format, SECONDS)
    async with Simulator(load(provider), ECHO) as simulator:
        done = await asyncio.to_thread(
            chat, "--wav", "-", "--out", "-",
            cwd=tmp_path, stdin=stdin, env={**simulator.env, "UNIRT_PROVIDER": provider},
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    stdout = io.BytesIO(done.stdout)
    header = read_header(stdout.read, "stdout")
    steady(judge(stdout.read(), header.format), format, seconds=SECONDS)
    assert b"You said:" in done.stderr


@pytest.mark.parametrize("name", ["ulaw", "pcm16/48000/2"])
async def test_raw_audio_through_pipes(name: str, tmp_path: Path) -> None:
    format = format_named(name)
    assert format is not None
    async with Simulator(load("openai"), ECHO) as simulator:
        done = await asyncio.to_thread(
            chat, "--wav", "-", "--out", "-", "--format", name,
            cwd=tmp_path, stdin=tone(format, SECONDS), env=simulator.env,
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    steady(judge(done.stdout, format), format, seconds=SECONDS)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("wav", None),
        ("ulaw", unirt.G711_ULAW),
        ("alaw", unirt.G711_ALAW),
        ("pcm16", unirt.PCM16_24K),
        ("pcm16/16000", unirt.PCM16_16K),
        ("float32/48000/2", AudioFormat(rate=48_000, channels=2, encoding=Encoding.FLOAT32)),
    ],
)
def test_formats_by_name(name: str, format: AudioFormat | None) -> None:
    assert format_named(name) == format


async def test_without_sound_devices_there_is_the_keyboard(tmp_path: Path) -> None:
    async with Simulator(load("openai")) as simulator:
        done = await asyncio.to_thread(
            chat, cwd=tmp_path, env={**simulator.env, **without_portaudio(tmp_path)}
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert b"by keyboard only" in done.stdout
    assert b"apt-get install libportaudio2" in done.stdout


@pytest.mark.parametrize("option", ["--mic", "--speaker", "--device"])
def test_a_device_that_was_named_has_to_be_there(option: str, tmp_path: Path) -> None:
    done = chat(option, "headset", cwd=tmp_path, env=without_portaudio(tmp_path))

    assert done.returncode == 1
    assert b"install PortAudio" in done.stderr
    assert b"Traceback" not in done.stderr


# With devices, as PortAudio would have them.


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_the_devices_are_listed(library: FakePortAudio) -> None:
    shown = io.StringIO()
    list_devices(Console(file=shown, width=120))

    (row,) = [line for line in shown.getvalue().splitlines() if "USB Headset" in line]
    assert row.split() == ["2", "USB", "Headset", "Fake", "2", "2", "44100"]
    assert "1 *" in shown.getvalue()


class Desk:
    """
    Somebody at a desk, whose microphone and speaker move by hand.

    Args:
        library: What they are opened with.
        echo: How much of what the speaker plays the microphone hears.
    """

    def __init__(self, library: FakePortAudio, echo: float) -> None:
        self.heard = bytearray()
        self._library = library
        self._echo = echo
        self._ms = 0

    async def stream(self, kind: str) -> FakeStream:
        while True:
            for stream in self._library.streams:
                if stream.kind == kind and stream.active:
                    return stream
            await asyncio.sleep(0)

    async def talk(self, format: AudioFormat, answered: Callable[[], bool]) -> None:
        """Say the tone, be silent until it was answered, and hear the answer."""
        microphone, speaker = await self.stream("input"), await self.stream("output")
        sound, size, silence = tone(format, SECONDS), format.bytes_for(20), format.silence(20)
        for start in range(0, len(sound), size):
            microphone.hear(sound[start : start + size])
            await asyncio.sleep(0)
        while not answered():
            microphone.hear(silence)
            await asyncio.sleep(0)
        quiet = 0
        while quiet < 50:
            self._ms += 20
            heard = speaker.play(now=self._ms / 1000, heard=self._ms / 1000)
            microphone.hear((np.frombuffer(heard, "<i2") * self._echo).astype("<i2").tobytes())
            await asyncio.sleep(0)
            self.heard += heard
            quiet = 0 if any(heard) else quiet + 1


@pytest.mark.parametrize(
    ("guard", "echo"), [(Guard.NONE, 0.0), (Guard.HALF_DUPLEX, 1.0), (Guard.ECHO, 0.25)]
)
@pytest.mark.parametrize("device", [None, "headset"])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_by_microphone_and_speaker(
    provider: str,
    device: str | None,
    guard: Guard,
    echo: float,
    library: FakePortAudio,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    out, keyboard = os.pipe()
    stdin = os.fdopen(out)
    monkeypatch.setattr(sys, "stdin", stdin)
    monkeypatch.chdir(tmp_path)
    shown = io.StringIO()
    format = AudioFormat(rate=44_100, channels=2) if device else unirt.PCM16_24K
    voice = Voice(microphone=device, speaker=device, guard=guard)
    desk = Desk(library, echo)
    async with Simulator(load(provider), ECHO) as simulator:
        for name, value in {**simulator.env, "UNIRT_PROVIDER": provider}.items():
            monkeypatch.setenv(name, value)
        chatting = asyncio.create_task(
            run(voice=voice, out=Path("heard.wav"), console=Console(file=shown))
        )
        try:
            await desk.talk(format, lambda: "You said:\n" in shown.getvalue())
        finally:
            os.close(keyboard)
            status = await chatting
            stdin.close()

    assert status == 0
    assert "You said:" in shown.getvalue()
    assert "interrupted" not in shown.getvalue()
    assert "And that:" not in shown.getvalue()  # an echo is no turn
    steady(judge(desk.heard, format), format, seconds=SECONDS)
    assert all(stream.closed for stream in library.streams)
    written, wanted = read_wav(tmp_path / "heard.wav")
    assert wanted == format
    assert abs(samples(written, wanted)).max() > 0.4
