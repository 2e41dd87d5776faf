"""What tests of the benchmarks share: a server in this process, and a row of results."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.benchmarks.lab import Runs, summary
from tests.benchmarks.processes import ROOT
from tests.benchmarks.roster import FLOOR
from tests.benchmarks.server import Server

__all__ = ["BOTH", "FOLDER", "row", "serving"]

FOLDER = ROOT / "tests" / "benchmarks"
BOTH = ("openai", "google")


@asynccontextmanager
async def serving(protocol: str, **load: Any) -> AsyncIterator[tuple[Server, dict[str, Any]]]:
    """A server in this process, and the command that tells a contender what it plays."""
    server = Server(protocol)
    listening = await asyncio.get_running_loop().create_server(server.connection, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        played = server.answer({"do": "load", **load})
        yield server, {**load, **played, "protocol": protocol, "url": f"ws://127.0.0.1:{port}"}


def row(protocol: str, metric: str, ours: float, floor: float, **more: Any) -> dict[str, Any]:
    """One result, of a single round."""
    runs = Runs({FLOOR: [{metric: floor}], "unirt": [{metric: ours}]})
    return {"protocol": protocol, "x": None, "contenders": summary(runs), **more}
