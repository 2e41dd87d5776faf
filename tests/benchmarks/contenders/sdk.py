"""
The vendors' own clients, used as their documentation shows, with the PCM taken out of the events.

The Gemini SDK dials ``wss`` whatever address it is given. For all contenders to carry the same
load, two private attributes of its client are set here, so that it dials the plain address; what it
does with a frame is untouched. Its dial offers permessage-deflate and the server declines.

As in an application, all sessions of a process share one client.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from tests.benchmarks.contender import Contender, Meter, Task, main
from tests.benchmarks.contenders.floor import resampler
from tests.benchmarks.microphone import float_chunk, native_chunk

__all__ = ["SDK"]


class SDK(Contender):
    """``openai``, ``google-genai``."""

    name = "sdk"
    packages = ("openai", "google-genai", "websockets", "pydantic")

    async def converse(self, task: Task, meter: Meter) -> None:
        if task.protocol == "openai":
            await _hear_openai(task, meter)
        else:
            await _hear_google(task, meter)

    async def send(self, task: Task, meter: Meter) -> None:
        resampled = resampler(task) if task.resample else None
        chunk = float_chunk(task) if task.resample else native_chunk(task)
        async with _OPENERS[task.protocol](task) as session:
            append = _append_openai if task.protocol == "openai" else _append_google
            meter.start()
            for _ in range(task.count):
                if pcm := chunk if resampled is None else resampled(chunk):
                    await append(session, pcm)
            meter.stop()

    async def idle(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
        async with _OPENERS[task.protocol](task):
            await hold()


@cache
def _openai_client(url: str) -> Any:
    from openai import AsyncOpenAI

    return AsyncOpenAI(api_key="sk-benchmark", websocket_base_url=f"{url}/v1")


@asynccontextmanager
async def _openai(task: Task) -> AsyncIterator[Any]:
    client = _openai_client(task.url)
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        await connection.recv()
        await connection.session.update(session={"type": "realtime"})
        await connection.recv()
        yield connection


@cache
def _google_client(url: str) -> Any:
    from google import genai

    client = genai.Client(api_key="benchmark")
    inner: Any = client._api_client
    inner._websocket_base_url = lambda http_options=None: url
    inner._websocket_ssl_ctx = {}
    return client


@asynccontextmanager
async def _google(task: Task) -> AsyncIterator[Any]:
    from google.genai import types

    client = _google_client(task.url)
    config = types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        output_audio_transcription=types.AudioTranscriptionConfig(),
    )
    async with client.aio.live.connect(model="gemini-3.8-live", config=config) as session:
        yield session


_OPENERS = {"openai": _openai, "google": _google}


async def _hear_openai(task: Task, meter: Meter) -> None:
    async with _openai(task) as connection:
        await connection.response.create()
        meter.start()
        async for event in connection:
            if event.type == "response.output_audio.delta":
                meter.audio(base64.b64decode(event.delta))
            elif event.type == "response.done":
                meter.turn()
                if meter.done:
                    return


async def _hear_google(task: Task, meter: Meter) -> None:
    from google.genai import types

    hello = types.Content(role="user", parts=[types.Part(text="Hello")])
    async with _google(task) as session:
        await session.send_client_content(turns=hello, turn_complete=True)
        meter.start()
        while not meter.done:
            async for message in session.receive():
                content = message.server_content
                if content is None:
                    continue
                if content.model_turn is not None:
                    for part in content.model_turn.parts or ():
                        if part.inline_data is not None:
                            meter.audio(part.inline_data.data)
                elif content.turn_complete:
                    meter.turn()


async def _append_openai(connection: Any, pcm: bytes) -> None:
    await connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())


async def _append_google(session: Any, pcm: bytes) -> None:
    from google.genai import types

    await session.send_realtime_input(audio=types.Blob(data=pcm, mime_type="audio/pcm;rate=16000"))


if __name__ == "__main__":
    main(SDK())
