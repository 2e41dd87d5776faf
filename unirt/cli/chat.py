"""``unirt chat``: a conversation in the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from rich.console import Console

import unirt
from unirt.cli.ends import Ends, Voice
from unirt.cli.show import describe
from unirt.composer import MOVED
from unirt.errors import ConfigurationError, SessionClosedError, UnirtError
from unirt.session import Player, Session, Source
from unirt.sound import MemorySource

__all__ = ["run"]

_PATIENCE_S = 30.0
"How long to wait for the answer to a file, after it was spoken."


async def run(
    *,
    wavs: Sequence[Path] = (),
    out: Path | None = None,
    text: bool = False,
    voice: Voice | None = None,
    show_events: bool = False,
    console: Console | None = None,
) -> int:
    """
    Hold the conversation.

    Args:
        wavs: What to say, one after the other, instead of a microphone.
        out: Where what is heard is written.
        text: Use no sound device.
        voice: Which devices to use, and how.
        show_events: Show every event.
        console: Where it is shown.

    Returns the exit status.
    """
    ends = Ends(voice or Voice(), out)
    ends.check(wavs, text=text)
    console = console or Console(highlight=False, stderr=ends.piped_out)
    sources = [ends.file(path) for path in wavs]
    if not sources and not text:
        _open_devices(ends, console)
    player = ends.player()
    async with unirt.connect() as session:
        console.print(f"[dim]{session.provider} {session.model}, {session.session_id or ''}[/]")
        conversation = _Conversation(session, console, show_events)
        try:
            if sources:
                await conversation.by_files(sources, player)
            else:
                await conversation.by_hand(ends.microphone, player)
        except ExceptionGroup as group:
            raise _first(group) from None
    if out is not None and not ends.piped_out:
        console.print(f"[dim]wrote {out}[/]")
    return 0


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """What to tell of several things that went wrong at once: what unirt raised, if anything."""
    told, rest = group.split(UnirtError)
    exc: Exception = told or rest or group
    while isinstance(exc, ExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def _open_devices(ends: Ends, console: Console) -> None:
    try:
        ends.open_devices()
    except ConfigurationError as exc:
        if ends.voice.chosen:
            raise
        console.print(f"[dim]by keyboard only: {exc}[/]")


class _Conversation:
    def __init__(self, session: Session, console: Console, show_events: bool) -> None:
        self._session = session
        self._console = console
        self._show_events = show_events
        self._answered = asyncio.Event()
        self._midline = False

    async def by_hand(self, microphone: Source | None, player: Player | None) -> None:
        """Keyboard, and microphone and speaker where there are some; ends with the input."""
        how = "Write a line, or speak." if microphone is not None else "Write a line."
        self._console.print(f"[dim]{how} End with Ctrl-D.[/]")
        async with self._going_on(player) as tasks:
            ears = None
            if microphone is not None:
                ears = tasks.create_task(self._session.listen(microphone))
            async for line in _lines():
                if line.strip():
                    await self._session.send_text(line.strip())
            if ears is not None:
                ears.cancel()

    async def by_files(self, files: list[Source], player: Player | None) -> None:
        """Speak each file, and wait until the answer was given, and heard."""
        async with self._going_on(player) as tasks:
            for source in files:
                if self._session.closed:
                    break
                self._answered.clear()
                await self._session.listen(source)
                silence = MemorySource(b"", source.format, silence_ms=float("inf"))
                waiting = tasks.create_task(self._wait_in(silence))
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        await self._answered.wait()
                except TimeoutError:
                    self._line(f"[red]no answer within {_PATIENCE_S:.0f} s[/]")
                await self._session.playback.finished()
                waiting.cancel()

    async def _wait_in(self, silence: Source) -> None:
        """A model that listens for the end of speech has to hear it."""
        with contextlib.suppress(SessionClosedError):  # why is told by whoever reads
            await self._session.listen(silence)

    @contextlib.asynccontextmanager
    async def _going_on(self, player: Player | None) -> AsyncIterator[asyncio.TaskGroup]:
        """The session is read, and heard, meanwhile; afterwards it is closed."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read())
            if player is not None:
                tasks.create_task(self._session.playback.play(player))
            yield tasks
            await self._session.close()

    async def _read(self) -> None:
        async for event in self._session:
            if self._show_events:
                self._console.print(f"[dim]{describe(event)}[/]")
            self._take(event)

    def _take(self, event: unirt.Event) -> None:
        match event:
            case unirt.SpeechStarted():
                self._answered.clear()
            case unirt.Interrupted():
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
