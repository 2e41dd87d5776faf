"""
The floor: what the least code costs that hears a session at all in Python.

The ``websockets`` library, a typed decode of the two fields that matter, the PCM out of its base64,
a count. No error is handled, nothing is told, nothing is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pybase64
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection

from tests.benchmarks.contender import Contender, Meter, Task, main
from tests.benchmarks.contenders.protocols import (
    PATHS,
    append,
    google_message,
    handshake,
    openai_event,
    trigger,
)
from tests.benchmarks.microphone import APPLICATION_RATE, RATES, float_chunk, native_chunk

__all__ = ["Floor", "opened", "resampler"]


async def opened(task: Task) -> Connection:
    """A connection whose handshake is done."""
    connection = await connect(
        task.url + PATHS[task.protocol], compression=None, max_size=None, proxy=None
    )
    first, frames = handshake(task.protocol)
    await connection.send(first)
    for _ in range(frames):
        await connection.recv(decode=False)
    return connection


class Floor(Contender):
    """``websockets``, typed decode, PCM."""

    name = "floor"
    packages = ("websockets", "msgspec", "pybase64", "soxr")

    async def converse(self, task: Task, meter: Meter) -> None:
        async with await opened(task) as connection:
            await connection.send(trigger(task.protocol))
            meter.start()
            hear = _hear_openai if task.protocol == "openai" else _hear_google
            await hear(connection, meter)

    async def send(self, task: Task, meter: Meter) -> None:
        async with await opened(task) as connection:
            if task.resample:
                await _send_resampled(connection, task, meter)
            else:
                chunk = native_chunk(task)
                meter.start()
                for _ in range(task.count):
                    await connection.send(append(task.protocol, chunk))
                meter.stop()

    async def idle(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
        async with await opened(task):
            await hold()


async def _hear_openai(connection: Connection, meter: Meter) -> None:
    while not meter.done:
        event = openai_event(await connection.recv(decode=False))
        if event.type == "response.output_audio.delta":
            meter.audio(pybase64.b64decode(event.delta, validate=True))
        elif event.type == "response.done":
            meter.turn()


async def _hear_google(connection: Connection, meter: Meter) -> None:
    while not meter.done:
        content = google_message(await connection.recv(decode=False)).serverContent
        if content is None:
            continue
        if content.modelTurn is not None:
            for part in content.modelTurn.parts:
                if part.inlineData is not None:
                    meter.audio(pybase64.b64decode(part.inlineData.data, validate=True))
        elif content.turnComplete:
            meter.turn()


def resampler(task: Task) -> Callable[[bytes], bytes]:
    """``soxr`` alone, from what the application has to what the provider wants."""
    import numpy as np
    import soxr

    stream: Any = soxr.ResampleStream(
        APPLICATION_RATE, RATES[task.protocol], 1, dtype="float32", quality="HQ"
    )

    def resampled(chunk: bytes) -> bytes:
        samples = stream.resample_chunk(np.frombuffer(chunk, np.float32))
        pcm: bytes = (samples * np.float32(32767)).astype("<i2").tobytes()
        return pcm

    return resampled


async def _send_resampled(connection: Connection, task: Task, meter: Meter) -> None:
    chunk, resampled = float_chunk(task), resampler(task)
    meter.start()
    for _ in range(task.count):
        if pcm := resampled(chunk):
            await connection.send(append(task.protocol, pcm))
    meter.stop()


if __name__ == "__main__":
    main(Floor())
