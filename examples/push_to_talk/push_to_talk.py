"""
Push to talk: the model hears what is said while the button is down, and what was said just before.

With a microphone and a speaker ("unirt-realtime[devices]"), and a key in the environment:

    python examples/push_to_talk/push_to_talk.py

Enter is the button: once to talk, once more when you are done. Over a pipe it is the lines
``press`` and ``release``. With a WAV file, that is spoken in place of the microphone:

    python examples/push_to_talk/push_to_talk.py examples/audio/go_forward.wav

The microphone is never off. What it hears between two turns goes to the session like everything
else; the session keeps the last two seconds, and a turn begins with them. So the button may come
late, as fingers do, and nothing is lost. None of it is sent unless a turn follows.
"""

from __future__ import annotations

import asyncio
import math
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import unirt
from unirt.session import Source
from unirt.sound import MemorySource, Microphone, Speaker, WavSource


async def hear(session: unirt.Session, microphone: Source) -> None:
    """Send all that is heard, whether the button is down or not."""
    await session.listen(microphone)
    if not session.closed:
        print("(the recording is over)", flush=True)
        await session.listen(MemorySource(b"", microphone.format, silence_ms=math.inf))


async def show(session: unirt.Session) -> None:
    """Print both sides of the conversation."""
    async for event in session:
        match event:
            case unirt.StreamClosed(role=role, text=text) if text:
                print(f"{role}: {text}", flush=True)
            case unirt.Interrupted(heard_ms=heard_ms):
                print(f"(interrupted after {heard_ms:.0f} ms)", flush=True)
            case unirt.ProviderError(message=message):
                print(message, flush=True)


async def push(session: unirt.Session) -> None:
    """Follow the button until there is no more of it."""
    down = False
    async for line in lines():
        wanted = {"press": True, "release": False}.get(line.strip(), not down)
        if wanted is down:
            continue
        try:
            await (session.start_turn() if wanted else session.end_turn())
        except unirt.UsageError as exc:  # such as a turn in which nothing was said
            print(exc, flush=True)
            continue
        down = wanted
        print("(talk)" if down else "(thank you)", flush=True)


async def lines() -> AsyncIterator[str]:
    """The lines of standard input; a thread reads them."""
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(found.put_nowait, line)
        loop.call_soon_threadsafe(found.put_nowait, None)

    threading.Thread(target=read, name="button", daemon=True).start()
    while (line := await found.get()) is not None:
        yield line


async def main(path: Path | None) -> None:
    async with unirt.connect(
        instructions="Answer in one sentence.",
        turn_detection="manual",
        audio_out=unirt.PCM16_24K,
    ) as session:
        microphone = Microphone() if path is None else WavSource(path)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(show(session))
            tasks.create_task(hear(session, microphone))
            if path is None:
                tasks.create_task(session.playback.play(Speaker()))
            print("Enter to talk, Enter again when you are done, Ctrl-D to leave.", flush=True)
            await push(session)
            await session.close()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]) if sys.argv[1:] else None))
    except* unirt.UnirtError as group:
        sys.exit(f"{group.exceptions[0]}")
