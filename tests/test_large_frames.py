"""Frames of 16 MiB pass, both ways, through every provider's own dial."""

import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

import unirt
from unirt.registry import installed

SIZE = 16 * 2**20
HANDSHAKES: dict[str, tuple[list[Any], list[Any]]] = {
    "openai": (
        [{"type": "session.created", "session": {"id": "s"}}],
        [{"type": "session.updated", "session": {}}],
    ),
    "google": ([], [{"setupComplete": {}}]),
}
"What the server says before, and after, it hears the configuration."


@pytest.mark.parametrize("transport", ["websocket", "fast"])
@pytest.mark.parametrize("provider", installed())
async def test_a_frame_of_16_mib_passes_both_ways(provider: str, transport: str) -> None:
    greeting, answer = HANDSHAKES[provider]

    async def handle(connection: ServerConnection) -> None:
        for frame in greeting:
            await connection.send(json.dumps(frame))
        await connection.recv()
        for frame in answer:
            await connection.send(json.dumps(frame))
        await connection.send(await connection.recv())
        await connection.wait_closed()

    async with serve(handle, "127.0.0.1", 0, max_size=None, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with unirt.connect(
            provider,
            transport=transport,
            api_key="k" * 20,
            base_url=f"http://127.0.0.1:{port}",
            environ={},
        ) as session:
            await session.send_raw({"type": "novelty", "pad": "x" * SIZE})
            async for event in session:
                if isinstance(event, unirt.Unmapped):
                    break

    assert len(event.raw["pad"]) == SIZE
