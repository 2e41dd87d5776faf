"""``unirt chat``: a conversation in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console

import unirt
from unirt.audio import PCM16_24K, AudioFormat
from unirt.cli.show import describe
from unirt.cli.sound import BLOCK_MS, Devices, chunks, read_wav, write_wav
from unirt.composer import MOVED
from unirt.errors import ConfigurationError, SessionClosedError, UnirtError
from unirt.session import Session

__all__ = ["run"]

_PATIENCE_S = 30.0
"How long to wait for the answer to a file, after it was spoken."


async def run(
    *,
    wavs: list[Path],
    out: Path | None = None,
    text: bool = False,
    show_events: bool = False,
    console: Console | None = None,
) -> int:
    """Hold the conversation; returns the exit status."""
    console = console or Console(highlight=False)
    files = [read_wav(path) for path in wavs]
    async with unirt.connect(audio_out=PCM16_24K) as session:
        console.print(f"[dim]{session.provider} {session.model}, {session.session_id or ''}[/]")
        conversation = _Conversation(session, console, show_events)
        try:
            if files:
                await conversation.by_files(files)
            else:
                await conversation.by_hand(_devices(console) if not text else None)
        except ExceptionGroup as group:
            raise _first(group) from None
    if out is not None:
        write_wav(out, bytes(conversation.spoken), PCM16_24K)
        console.print(f"[dim]wrote {out}[/]")
    return 0


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """What to tell of several things that went wrong at once: what unirt raised, if anything."""
    told, rest = group.split(UnirtError)
    exc: Exception = told or rest or group
    while isinstance(exc, ExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def _devices(console: Console) -> Devices | None:
    try:
        return Devices()
    except ConfigurationError as exc:
        console.print(f"[dim]by keyboard only: {exc}[/]")
        return None


class _Conversation:
    def __init__(self, session: Session, console: Console, show_events: bool) -> None:
        self.spoken = bytearray()
        self._session = session
        self._console = console
        self._show_events = show_events
        self._devices: Devices | None = None
        self._answered = asyncio.Event()
        self._midline = False

    async def by_hand(self, devices: Devices | None) -> None:
        """Keyboard, and microphone and speaker where there are devices; ends with the input."""
        self._console.print("[dim]Write a line, or speak. End with Ctrl-D.[/]")
        self._devices = devices
        if devices is not None:
            playback, format = self._session.playback, devices.format
            devices.on_played = lambda size: playback.played(size=size, format=format)
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read())
            ears = tasks.create_task(self._listen(devices)) if devices is not None else None
            async for line in _lines():
                if line.strip():
                    await self._session.send_text(line.strip())
            if ears is not None:
                ears.cancel()
            await self._session.close()
            await reader

    async def by_files(self, files: list[tuple[bytes, AudioFormat]]) -> None:
        """Speak each file in real time, and wait for the answer."""
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read())
            for data, format in files:
                self._answered.clear()
                speaking = tasks.create_task(self._speak(data, format))
                patience = format.duration_ms(len(data)) / 1000 + _PATIENCE_S
                try:
                    async with asyncio.timeout(patience):
                        await self._answered.wait()
                except TimeoutError:
                    self._line(f"[red]no answer within {patience:.0f} s[/]")
                speaking.cancel()
            await self._session.close()
            await reader

    async def _speak(self, data: bytes, format: AudioFormat) -> None:
        loop = asyncio.get_running_loop()
        silence = bytes(format.bytes_for(BLOCK_MS))
        pieces = iter(chunks(data, format))
        due = loop.time()
        with contextlib.suppress(SessionClosedError):
            while True:
                await self._session.send_audio(next(pieces, silence), format)
                due += BLOCK_MS / 1000
                await asyncio.sleep(max(0.0, due - loop.time()))

    async def _listen(self, devices: Devices) -> None:
        # Why a session is over is told by whoever reads it.
        with devices, contextlib.suppress(SessionClosedError):
            while True:
                await self._session.send_audio(await devices.read(), devices.format)

    async def _read(self) -> None:
        async for event in self._session:
            if self._show_events:
                self._console.print(f"[dim]{describe(event)}[/]")
            self._take(event)

    def _take(self, event: unirt.Event) -> None:
        match event:
            case unirt.AudioDelta(data=data):
                self.spoken += data
                if self._devices is not None:
                    self._devices.write(data)
            case unirt.Interrupted():
                if self._devices is not None:
                    self._devices.flush()
                    self._session.playback.flushed()
                self._line("[dim](interrupted)[/]")
            case (
                unirt.TextDelta(role="assistant", text=words)
                | unirt.TranscriptDelta(role="assistant", text=words)
            ):
                self._words(words)
            case unirt.StreamClosed(role="user", text=words) if words:
                self._line(f"[cyan]you:[/] {words}")
            case unirt.ToolCall(name=name, arguments=arguments):
                self._line(f"[yellow]the model calls {name}({arguments})[/]")
            case unirt.ProviderError(message=message, severity=severity):
                self._line(f"[red]{severity}: {message}[/]")
            case unirt.ResponseDone(ending=ending, reason=reason):
                self._line("" if ending == "complete" else f"[dim]({ending}: {reason})[/]")
                if reason != MOVED:  # else the answer is still to come
                    self._answered.set()
            case unirt.Reconnecting(target=target, error=error):
                self._line(f"[dim]connecting to {target} again ({error or event.why})[/]")
            case unirt.SessionClosed():
                self._answered.set()

    def _words(self, words: str) -> None:
        self._console.print(words, end="", markup=False)
        self._midline = True

    def _line(self, line: str) -> None:
        if self._midline:
            self._console.print()
            self._midline = False
        if line:
            self._console.print(line)


async def _lines() -> AsyncIterator[str]:
    """The lines of standard input; a thread reads them, because nothing else can everywhere."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="unirt-keyboard", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
