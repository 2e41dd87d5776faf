"""openai-agents: its realtime model by itself, and the session of an agent on top of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agents.realtime import RealtimeAgent, RealtimeModelListener, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendUserInput
from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel

from ...contender import Contender, Meter, Skip, Task, main


class Agents(Contender):
    """
    Hears audio as the events of a level.

    Args:
        level: ``model``, where a listener is called, or ``session``, which is iterated.
    """

    packages = ("openai-agents", "openai", "websockets", "pydantic")

    def __init__(self, level: str) -> None:
        self.name = f"openai_agents_{level}"
        self._converse = {"model": _by_model, "session": _by_session}[level]

    async def converse(self, task: Task, meter: Meter) -> None:
        """Say one thing, and hear all replies."""
        if task.protocol != "openai":
            raise Skip("openai-agents speaks to OpenAI only")
        await self._converse(task, meter)


class Ear(RealtimeModelListener):  # type: ignore[misc]  # its base is not installed where types are checked
    """The application of the model level."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def on_event(self, event: Any) -> None:
        """Take an event."""
        if event.type == "audio":
            self._meter.audio(event.data)
        elif event.type == "turn_ended":
            self._meter.turn()
        elif event.type == "exception":
            self._meter.stop()  # too early: the bytes are counted


class Ready(RealtimeModelListener):  # type: ignore[misc]  # its base is not installed where types are checked
    """Waits for the server to have taken the settings."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()

    async def on_event(self, event: Any) -> None:
        """Take an event."""
        if event.type == "raw_server_event" and event.data["type"] == "session.updated":
            self.seen.set()


async def _by_model(task: Task, meter: Meter) -> None:
    model = OpenAIRealtimeWebSocketModel()
    async with _ready(model):
        await model.connect(_config(task))
    try:
        model.add_listener(Ear(meter))
        await model.send_event(RealtimeModelSendUserInput(user_input="Hello!"))
        meter.start()
        await meter.finished.wait()
    finally:
        await model.close()


async def _by_session(task: Task, meter: Meter) -> None:
    runner = RealtimeRunner(RealtimeAgent(name="Assistant", instructions="Be brief."))
    session = await runner.run(model_config=_config(task))
    async with _ready(session.model):
        await session.enter()
    try:
        await session.send_message("Hello!")
        meter.start()
        async for event in session:
            if event.type == "audio":
                meter.audio(event.audio.data)
            elif event.type == "agent_end":
                meter.turn()
            if meter.done:
                break
    finally:
        await session.close()


@asynccontextmanager
async def _ready(model: Any) -> AsyncIterator[None]:
    """Leave when what was connected inside is set up."""
    ready = Ready()
    model.add_listener(ready)
    yield
    await ready.seen.wait()
    model.remove_listener(ready)


def _config(task: Task) -> dict[str, Any]:
    settings = {"model_name": "gpt-realtime", "tracing": None}
    url = f"{task.url}/v1/realtime?model=gpt-realtime"
    return {"api_key": "a-key", "url": url, "initial_model_settings": settings}


if __name__ == "__main__":
    main(Agents(sys.argv[1]))
