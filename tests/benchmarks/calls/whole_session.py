"""
unirt, whole, in a call or over a WebSocket, as its argument says: ``webrtc`` or ``websocket``.

All is as shipped, but that the server is not to listen for turns.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import unirt
from tests.benchmarks.calls.caller import Caller, Give
from tests.benchmarks.calls.marks import Marks
from tests.benchmarks.contender import Task, main
from unirt.session import Session

__all__ = ["WholeSession"]


class WholeSession(Caller):
    """
    A session.

    Args:
        transport: ``webrtc`` or ``websocket``.
    """

    packages = ("unirt-realtime", "aiortc", "av", "websockets")

    def __init__(self, transport: str) -> None:
        self.name = f"unirt_{transport}"
        self._transport = transport

    @asynccontextmanager
    async def calling(self, task: Task, marks: Marks) -> AsyncGenerator[Give]:
        async with unirt.connect(
            "openai",
            transport=self._transport,
            base_url=f"{task.url}/v1",
            environ={"OPENAI_API_KEY": "sk-benchmark-benchmark"},
            env_file=None,
            turn_detection="manual",
        ) as session:
            await session.start_turn()
            await session.respond()
            listening = asyncio.create_task(_listen(session, marks))
            yield session.send_audio
            await session.close()
            await listening


async def _listen(session: Session, marks: Marks) -> None:
    async for event in session:
        if isinstance(event, unirt.AudioDelta):
            marks.hear(event.data)


if __name__ == "__main__":
    main(WholeSession(*sys.argv[1:]))
