"""Whole sessions over real sockets: the same stream by each transport, on each event loop."""

import asyncio
import base64
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

import unirt
from unirt.registry import installed, load
from unirt.session import Limits
from unirt.simulator import Simulator
from unirt.simulator.scenario import Pace
from unirt.simulator.voice import silence, speech
from unirt.testing import check, fold, outline

SPOKEN = speech(600, unirt.PCM16_16K) + silence(900, unirt.PCM16_16K)
LOOPS = ["asyncio"] if sys.platform == "win32" else ["asyncio", "uvloop"]


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return asyncio.new_event_loop


async def conversation(provider: str, transport: str) -> list[dict[str, Any]]:
    """A written turn and a spoken one that interrupts it; what came of them, as plain data."""
    events: list[unirt.Event] = []
    async with (
        Simulator(load(provider), pace=Pace(speed=50.0, latency_ms=1.0)) as simulator,
        unirt.connect(provider, transport=transport, environ=simulator.env) as session,
    ):
        await session.send_text("hello")
        await _until(session, events, unirt.ResponseDone)
        await session.send_audio(SPOKEN, unirt.PCM16_16K)
        await _until(session, events, unirt.ResponseDone)
    check(events)
    # How much was heard before the interruption is a matter of the clock.
    return [{**entry, "heard_ms": None} for entry in outline(fold(events))]


async def _until(
    session: unirt.Session, events: list[unirt.Event], last: type[unirt.Event]
) -> None:
    async for event in session:
        events.append(event)
        if isinstance(event, last):
            return


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("provider", installed())
def test_the_stream_is_the_same(provider: str, loop: str) -> None:
    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        usual, fast = (
            runner.run(conversation(provider, transport)) for transport in ("websocket", "fast")
        )
    assert usual
    assert fast == usual


@pytest.mark.parametrize("transport", ["websocket", "fast"])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_long_answer_that_comes_all_at_once_is_heard_whole(loop: str, transport: str) -> None:
    """Some loops go on reading a socket, turn or no turn; what is unread may be 2 s, and is 40."""
    chunks, chunk_ms = 200, 200

    async def pour(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send('{"setupComplete": {}}')
        await connection.recv()
        sound = base64.b64encode(bytes(48 * chunk_ms)).decode()
        part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": sound}}
        says = [{"modelTurn": {"parts": [part]}}] * chunks + [{"turnComplete": True}]
        frames = [json.dumps({"serverContent": content}).encode() for content in says]
        written = [Frame(Opcode.TEXT, frame).serialize(mask=False) for frame in frames]
        connection.transport.write(b"".join(written))
        await connection.wait_closed()

    async def heard() -> tuple[float, float]:
        ms = 0.0
        async with serve(pour, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
            async with unirt.connect(
                "google",
                transport=transport,
                base_url=url,
                environ={"GOOGLE_API_KEY": "a-key"},
                limits=Limits(audio_ms=2_000),
            ) as session:
                await session.send_text("hello")
                async for event in session:
                    if isinstance(event, unirt.AudioDelta):
                        ms += event.duration_ms
                    if isinstance(event, unirt.ResponseDone):
                        break
                return ms, session.stats.dropped_audio_ms

    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        assert runner.run(heard()) == (chunks * chunk_ms, 0.0)
