"""
A terminal assistant: you write, it answers, and it has three tools.

One is quick. One takes ten seconds, and you can go on talking meanwhile. One asks you before it
does anything. Everything is configured by the environment:

    export UNIRT_PROVIDER=openai OPENAI_API_KEY=...
    python examples/assistant/assistant.py

``ASSISTANT_WAV=reply.wav`` also keeps what the model said, as sound. ``ASSISTANT_SECONDS`` is how
long the archive takes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from rich.console import Console

import unirt

SHELVES = 5
NOTES = {"milk": "Buy milk.", "dentist": "Friday at nine."}


async def get_time() -> str:
    """Tell the date and the time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="minutes")


@unirt.tool(timeout=60, blocking=False, scheduling="when_idle")
async def search_archive(words: str, call: unirt.ToolContext) -> str:
    """
    Search the archive. It takes a while; talk on meanwhile.

    Args:
        words: What to look for.
    """
    for shelf in range(1, SHELVES + 1):
        await call.report(f"shelf {shelf} of {SHELVES}")
        await asyncio.sleep(float(os.environ.get("ASSISTANT_SECONDS", "10")) / SHELVES)
    return f"One letter of 1912 mentions {words}."


@unirt.tool(approve=True)
def delete_note(name: str) -> str:
    """
    Delete one of the user's notes.

    Args:
        name: Which: milk or dentist.
    """
    if NOTES.pop(name, None) is None:
        raise unirt.ToolError(f"there is no note {name!r}; there are: {', '.join(NOTES)}")
    return "deleted"


class Keyboard:
    """The lines that are written, one after the other. A question gets the next one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._asked: asyncio.Future[str] | None = None
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            yield line

    async def ask(self) -> str:
        """What is written next, as the answer to a question."""
        self._asked = self._loop.create_future()
        return await self._asked

    def end(self) -> None:
        """There is nobody to write to any more."""
        self._take(None)

    def _read(self) -> None:
        for line in sys.stdin:
            self._loop.call_soon_threadsafe(self._take, line.strip())
        self._loop.call_soon_threadsafe(self._take, None)

    def _take(self, line: str | None) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(line or "")
            if line is not None:
                return
        if line != "":
            self._lines.put_nowait(line)


class Screen:
    """What is shown. Words of the model come in pieces, everything else in lines."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False)
        self._midline = False

    def words(self, text: str) -> None:
        self._console.print(text, end="")
        self._midline = True

    def end_of_words(self) -> None:
        if self._midline:
            self._console.print()
        self._midline = False

    def line(self, text: str, style: str = "dim") -> None:
        self.end_of_words()
        self._console.print(text, style=style)

    def show(self, event: unirt.Event) -> None:
        match event:
            case unirt.TextDelta(role="assistant", text=text):
                self.words(text)
            case unirt.TranscriptDelta(role="assistant", text=text):
                self.words(text)
            case unirt.Interrupted():
                self.line("(interrupted)")
            case unirt.ResponseDone(ending=ending, reason=reason) if ending != "complete":
                self.line(f"({ending}: {reason})")
            case unirt.ResponseDone():
                self.end_of_words()
            case unirt.ToolStarted(name=name):
                self.line(f"[{name} runs]")
            case unirt.ToolProgress(name=name, output=output):
                self.line(f"[{name}: {output}]")
            case unirt.ToolFinished(name=name, status=status, output=output, error=error):
                self.line(f"[{name} {status}: {output if error is None else error}]")
            case unirt.ProviderError(message=message):
                self.line(message, "red")


async def listen(session: unirt.Session, screen: Screen, keyboard: Keyboard) -> bytes:
    """Show everything until the session ends; returns what was said, as sound."""
    sound = bytearray()
    try:
        async for event in session:
            screen.show(event)
            if isinstance(event, unirt.AudioDelta):
                sound += event.data
    finally:
        keyboard.end()
    return bytes(sound)


def keep(path: str, sound: bytes) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(unirt.PCM16_24K.rate)
        file.writeframes(sound)


async def main() -> None:
    screen, keyboard = Screen(), Keyboard()

    async def approve(request: unirt.ToolRequest) -> bool:
        screen.line(f"May {request.name} run with {dict(request.arguments)}? [y/N]", "bold")
        return (await keyboard.ask()).lower() in ("y", "yes")

    async with unirt.connect(
        instructions="You are a helpful assistant in a terminal. Answer in one or two sentences.",
        tools=[get_time, search_archive, delete_note],
        approve=approve,
        audio_out=unirt.PCM16_24K,
    ) as session:
        screen.line(f"{session.provider} {session.model} listens. Write a line; end with Ctrl-D.")
        listening = asyncio.create_task(listen(session, screen, keyboard))
        async for line in keyboard:
            if session.closed:
                break
            await session.send_text(line)
        await session.close()
        sound = await listening
    if path := os.environ.get("ASSISTANT_WAV"):
        keep(path, sound)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except unirt.UnirtError as exc:
        sys.exit(f"{exc}")
