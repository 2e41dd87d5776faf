"""
The floor with ``picows`` beneath it: a WebSocket in Cython that hands frames to a callback.

Nothing holds the server back here: what arrives is heard at once, in the callback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import picows
import pybase64

from tests.benchmarks.contender import Contender, Meter, Task, main
from tests.benchmarks.contenders.floor import resampler
from tests.benchmarks.contenders.protocols import (
    PATHS,
    append,
    google_message,
    handshake,
    openai_event,
    trigger,
)
from tests.benchmarks.microphone import float_chunk, native_chunk

__all__ = ["PicowsFloor"]


class _Listener(picows.WSListener):
    """Shakes hands, then gives each frame to `hear`."""

    def __init__(self, task: Task) -> None:
        self._first, self._frames = handshake(task.protocol)
        self.ready = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.hear: Callable[[bytes], None] | None = None

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        transport.send(picows.WSMsgType.TEXT, self._first.encode())

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if self.hear is not None:
            self.hear(frame.get_payload_as_bytes())
            return
        self._frames -= 1
        if self._frames == 0:
            self.ready.set()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()


class PicowsFloor(Contender):
    """``picows``, typed decode, PCM."""

    name = "picows_floor"
    packages = ("picows", "msgspec", "pybase64", "soxr")

    async def converse(self, task: Task, meter: Meter) -> None:
        transport, listener = await _opened(task)
        hear = _hear_openai if task.protocol == "openai" else _hear_google
        listener.hear = hear(meter)
        transport.send(picows.WSMsgType.TEXT, trigger(task.protocol).encode())
        meter.start()
        try:
            await meter.finished.wait()
        finally:
            await _close(transport)

    async def send(self, task: Task, meter: Meter) -> None:
        transport, listener = await _opened(task)
        resampled = resampler(task) if task.resample else _same
        chunk = float_chunk(task) if task.resample else native_chunk(task)
        meter.start()
        for _ in range(task.count):
            if pcm := resampled(chunk):
                transport.send(picows.WSMsgType.TEXT, append(task.protocol, pcm).encode())
            if not listener.writable.is_set():
                await listener.writable.wait()
        meter.stop()
        await _close(transport)

    async def idle(self, task: Task, hold: Callable[[], Awaitable[None]]) -> None:
        transport, _ = await _opened(task)
        await hold()
        await _close(transport)


async def _opened(task: Task) -> tuple[picows.WSTransport, _Listener]:
    transport, listener = await picows.ws_connect(
        lambda: _Listener(task), task.url + PATHS[task.protocol]
    )
    assert isinstance(listener, _Listener)
    await listener.ready.wait()
    return transport, listener


async def _close(transport: picows.WSTransport) -> None:
    transport.send_close(picows.WSCloseCode.OK)
    transport.disconnect()
    await transport.wait_disconnected()


def _same(chunk: bytes) -> bytes:
    return chunk


def _hear_openai(meter: Meter) -> Callable[[bytes], None]:
    def hear(frame: bytes) -> None:
        event = openai_event(frame)
        if event.type == "response.output_audio.delta":
            meter.audio(pybase64.b64decode(event.delta, validate=True))
        elif event.type == "response.done":
            meter.turn()

    return hear


def _hear_google(meter: Meter) -> Callable[[bytes], None]:
    def hear(frame: bytes) -> None:
        content = google_message(frame).serverContent
        if content is None:
            return
        if content.modelTurn is not None:
            for part in content.modelTurn.parts:
                if part.inlineData is not None:
                    meter.audio(pybase64.b64decode(part.inlineData.data, validate=True))
        elif content.turnComplete:
            meter.turn()

    return hear


if __name__ == "__main__":
    main(PicowsFloor())
