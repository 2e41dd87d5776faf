"""The examples for a terminal: the simulators are behind them, and a test is at the keys."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pybase64
import pytest

from unirt import commands as cmd
from unirt.items import Role
from unirt.preroll import PREROLL_MS
from unirt.registry import installed, load
from unirt.simulator import Line, Simulator

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).parent.parent / "examples"

every_provider = pytest.mark.parametrize("provider", installed())


class Terminal:
    """A program, what it has printed, and its keyboard."""

    def __init__(self, process: asyncio.subprocess.Process, simulator: Simulator) -> None:
        self._process = process
        self._simulator = simulator
        self._seen = 0
        self.printed = ""

    @property
    def line(self) -> Line:
        """The server's end of its session."""
        return self._simulator.connections[-1]

    async def until(self, words: str) -> None:
        """Wait until it prints that, after what was waited for before."""
        assert self._process.stdout is not None
        while words not in self.printed[self._seen :]:
            more = await self._process.stdout.read(4096)
            assert more, f"it ended without {words!r}: {self.printed}"
            self.printed += more.decode()
        self._seen = self.printed.index(words, self._seen) + len(words)

    def write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def end(self) -> None:
        """End its input, and see it end cleanly."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self.printed += (await self._process.stdout.read()).decode()
        assert await self._process.wait() == 0, self.printed


@asynccontextmanager
async def running(
    provider: str, program: str, *arguments: str, cwd: Path, **environ: str
) -> AsyncIterator[Terminal]:
    async with Simulator(load(provider), log=True) as simulator:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / program / f"{program}.py"),
            *arguments,
            cwd=cwd,
            env={**os.environ, "UNIRT_PROVIDER": provider, **simulator.env, **environ},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield Terminal(process, simulator)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@every_provider
async def test_the_assistant_talks_on_while_a_tool_is_slow(provider: str, tmp_path: Path) -> None:
    async with running(
        provider,
        "assistant",
        cwd=tmp_path,
        ASSISTANT_SECONDS="4",
        ASSISTANT_WAV=str(tmp_path / "reply.wav"),
    ) as terminal:
        await terminal.until("listens")
        terminal.write("search_archive, please")
        await terminal.until("shelf 1 of 5")
        terminal.write("hello")
        await terminal.until("You wrote: hello")
        assert "search_archive completed" not in terminal.printed
        await terminal.until("search_archive completed: One letter of 1912 mentions example.")
        await terminal.until("The tool returned: One letter of 1912")
        terminal.write("get_time, please")
        await terminal.until("get_time completed: 2")
        await terminal.end()

    results = [c for c in terminal.line.commands if isinstance(c, cmd.SendToolResult)]
    assert "1912" in str(results[-2].output)
    with wave.open(str(tmp_path / "reply.wav")) as file:
        assert file.getframerate() == 24_000
        assert file.getnframes() > 24_000


def written(line: Line) -> list[str]:
    """What the server was told in writing."""
    said: list[str] = []
    for command in line.commands:
        if isinstance(command, cmd.SendText):
            said.append(command.text)
        elif isinstance(command, cmd.CreateItem) and command.item.role is Role.USER:
            said.append(command.item.text)
    return said


@every_provider
async def test_the_assistant_asks_before_it_deletes(provider: str, tmp_path: Path) -> None:
    async with running(provider, "assistant", cwd=tmp_path) as terminal:
        await terminal.until("listens")
        terminal.write("delete_note, please")
        await terminal.until("May delete_note run with {'name': 'example'}? [y/N]")
        terminal.write("")
        await terminal.until("delete_note rejected")
        await terminal.until("The tool returned")
        terminal.write("delete_note after all")
        await terminal.until("[y/N]")
        terminal.write("y")
        await terminal.until("delete_note failed: there is no note 'example'")
        await terminal.end()
    assert written(terminal.line) == ["delete_note, please", "delete_note after all"]


def heard_of(line: Line) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The sound that the server was sent."""
    sound = b""
    for logged in line.log or ():
        said = json.loads(logged.frame) if logged.direction == "in" else {}
        if said.get("type") == "input_audio_buffer.append":
            sound += pybase64.b64decode(said["audio"])
        elif (audio := said.get("realtimeInput", {}).get("audio")) is not None:
            sound += pybase64.b64decode(audio["data"])
    return np.frombuffer(sound, np.int16)


@every_provider
async def test_nothing_is_lost_where_the_button_comes_late(provider: str, tmp_path: Path) -> None:
    """Field 20: what was said before the button was down is the beginning of the turn."""
    recording = EXAMPLES / "audio" / "go_forward.wav"
    async with running(provider, "push_to_talk", str(recording), cwd=tmp_path) as terminal:
        await terminal.until("(the recording is over)")
        assert not heard_of(terminal.line).size
        terminal.write("press")
        await terminal.until("(talk)")
        terminal.write("release")
        await terminal.until("(thank you)")
        await terminal.until("assistant: I heard")
        await terminal.end()

    heard = heard_of(terminal.line)
    rate = 24_000 if provider == "openai" else 16_000
    assert heard.size / rate * 1000 >= PREROLL_MS - 100
    # "Go forward" is the middle of the recording; a button that loses it would send silence.
    assert np.abs(heard[: rate * 3 // 2]).max() > 3_000


@every_provider
async def test_each_push_is_a_turn_and_enter_is_the_button(provider: str, tmp_path: Path) -> None:
    recording = EXAMPLES / "audio" / "do_something.wav"
    async with running(provider, "push_to_talk", str(recording), cwd=tmp_path) as terminal:
        await terminal.until("Enter to talk")
        terminal.write("")
        await terminal.until("(talk)")
        await terminal.until("(the recording is over)")
        terminal.write("")
        await terminal.until("(thank you)")
        await terminal.until("assistant: I heard")
        terminal.write("press")
        await terminal.until("(talk)")
        terminal.write("press")  # it is down already
        terminal.write("release")
        await terminal.until("(thank you)")
        await terminal.until("assistant: I heard")
        await terminal.end()
    assert terminal.printed.count("assistant: I heard") == 2
