"""
What tests of the benchmarks, and by their load, share: a server in this process, what it says in
memory, and a row of results.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import unirt
from tests.benchmarks.lab import Runs, summary
from tests.benchmarks.load import Load, Step
from tests.benchmarks.processes import ROOT
from tests.benchmarks.roster import FLOOR
from tests.benchmarks.server import PROTOCOLS, Server
from unirt.transport import Transport, TransportClosed
from unirt.transports.memory import memory_pair

__all__ = ["BOTH", "FOLDER", "row", "serving", "talking"]

FOLDER = ROOT / "tests" / "benchmarks"
BOTH = ("openai", "google")


@contextlib.asynccontextmanager
async def serving(protocol: str, **load: Any) -> AsyncIterator[tuple[Server, dict[str, Any]]]:
    """A server in this process, and the command that tells a contender what it plays."""
    server = Server(protocol)
    listening = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        played = server.answer({"do": "load", **load})
        yield server, {**load, **played, "protocol": protocol, "url": f"ws://127.0.0.1:{port}"}


@contextlib.asynccontextmanager
async def talking(provider: str) -> AsyncIterator[tuple[unirt.Session, Transport, list[Step]]]:
    """A session, the other end of its connection, and the turns that a server says there."""
    voice, turn = PROTOCOLS[provider]
    server = voice()
    ours, theirs = memory_pair(capacity=16)

    async def shake_hands() -> None:
        for said in server.greeting():
            await theirs.send(said)
        with contextlib.suppress(TransportClosed):
            while True:
                for said in server.answer(json.loads(await theirs.receive())):
                    await theirs.send(said)

    answering = asyncio.create_task(shake_hands())
    connecting = unirt.connect(provider, transport=ours, env_file=None, environ={})
    async with connecting as session:
        yield session, theirs, turn(Load(chunk_ms=200))
    await answering


def row(protocol: str, metric: str, ours: float, floor: float, **more: Any) -> dict[str, Any]:
    """One result, of a single round."""
    runs = Runs({FLOOR: [{metric: floor}], "unirt": [{metric: ours}]})
    return {"protocol": protocol, "x": None, "contenders": summary(runs), **more}
