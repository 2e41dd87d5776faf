"""LiveKit agents: the session of a realtime plug-in, as its ``AgentSession`` reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google.genai import types
from livekit.plugins import google, openai

from ...contender import Contender, Meter, Task, main
from . import plain

_MODELS = {"openai": "gpt-realtime", "google": "gemini-2.5-flash-native-audio-preview-12-2025"}


class LiveKit(Contender):
    """
    Reads each generation as LiveKit's agents do: its messages in order, of each message the text
    and the audio at the same time.
    """

    name = "livekit"
    packages = (
        "livekit-agents",
        "livekit-plugins-openai",
        "livekit-plugins-google",
        "livekit",
        "aiohttp",
        "google-genai",
    )

    async def converse(self, task: Task, meter: Meter) -> None:
        """Ask for one reply, and hear every generation."""
        listeners: set[asyncio.Task[None]] = set()

        def created(event: Any) -> None:
            listeners.add(asyncio.create_task(_hear(event, meter)))

        async with _session(task) as session:
            session.on("generation_created", created)
            _ask(session, task)
            meter.start()
            await meter.finished.wait()
            await asyncio.gather(*listeners)


def _ask(session: Any, task: Task) -> None:
    """
    Ask for a reply. On OpenAI not with ``generate_reply``, which waits for an answer with its own
    mark in it: what is played here was encoded before.
    """
    if task.protocol == "openai":
        session.send_event({"type": "response.create"})
    else:
        session.generate_reply()


async def _hear(generation: Any, meter: Meter) -> None:
    async for message in generation.message_stream:
        await asyncio.gather(_listen(message.audio_stream, meter), _read(message.text_stream))
    meter.turn()


async def _listen(frames: AsyncIterator[Any], meter: Meter) -> None:
    async for frame in frames:
        meter.audio(frame.data.cast("B"))


async def _read(texts: AsyncIterator[str]) -> None:
    async for _ in texts:
        pass


@asynccontextmanager
async def _session(task: Task) -> AsyncIterator[Any]:
    """A session that is connected; LiveKit tells so with a metric."""
    model = _model(task)
    session = model.session()
    connected = asyncio.Event()
    session.once("metrics_collected", lambda metrics: connected.set())
    try:
        await connected.wait()
        yield session
    finally:
        await session.aclose()
        await model.aclose()


def _model(task: Task) -> Any:
    name = _MODELS[task.protocol]
    if task.protocol == "openai":
        return openai.realtime.RealtimeModel(model=name, base_url=task.url, api_key=plain.KEY)
    options = types.HttpOptions(base_url=plain.base_url(task.url))
    return google.realtime.RealtimeModel(model=name, api_key=plain.KEY, http_options=options)


if __name__ == "__main__":
    plain.without_tls()
    main(LiveKit())
