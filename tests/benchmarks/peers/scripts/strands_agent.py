"""Strands: its bidirectional model by itself, and the agent on top of it."""

from __future__ import annotations

import base64
import sys
from collections.abc import AsyncIterator
from typing import Any

from strands.bidi import BidiAgent
from strands.bidi.models.google import GoogleGeminiLiveModel
from strands.bidi.models.openai import realtime
from strands.bidi.types.content import BidiMessage
from strands.types.content import TextBlock

from ...contender import Contender, Meter, Task, main
from . import plain

_GOOGLE_MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"


class Strands(Contender):
    """
    Iterates the events of a level. Strands hands audio over as base64, which is decoded here, as
    its own speaker (``strands.bidi.io``) does.

    Args:
        level: ``model`` or ``agent``.
    """

    packages = ("strands-agents", "google-genai", "websockets")

    def __init__(self, level: str) -> None:
        self.name = f"strands_{level}"
        self._converse = {"model": _by_model, "agent": _by_agent}[level]

    async def converse(self, task: Task, meter: Meter) -> None:
        """Say one thing, and hear all replies."""
        await self._converse(_model(task), meter)


async def _by_model(model: Any, meter: Meter) -> None:
    await model.start()
    try:
        await model.send(BidiMessage(content=[TextBlock("Hello!")]))
        meter.start()
        await _hear(model.receive(), meter)
    finally:
        await model.stop()


async def _by_agent(model: Any, meter: Meter) -> None:
    agent = BidiAgent(model=model)
    await agent.start()
    try:
        await agent.send("Hello!")
        meter.start()
        await _hear(agent.receive(), meter)
    finally:
        # First the socket: an agent that is stopped while a message arrives may wait for ever, for
        # the reader's `wait_for` can lose its cancellation before Python 3.12.
        await model.stop()
        await agent.stop()


async def _hear(events: AsyncIterator[Any], meter: Meter) -> None:
    async for event in events:
        match event["type"]:
            case "bidi_audio_delta":
                meter.audio(base64.b64decode(event["audio"]))
            case "bidi_response_stop":
                meter.turn()
        if meter.done:
            return


def _model(task: Task) -> Any:
    if task.protocol == "openai":
        # Strands has no setting for it.
        realtime.OPENAI_REALTIME_URL = f"{task.url}/v1/realtime"
        return realtime.OpenAIRealtimeModel(
            model_id="gpt-realtime", transcription_model_id=None, api_key=plain.KEY
        )
    options = {"base_url": plain.base_url(task.url)}
    client = {"api_key": plain.KEY, "http_options": options}
    return GoogleGeminiLiveModel(model_id=_GOOGLE_MODEL, client_args=client)


if __name__ == "__main__":
    plain.without_tls()
    main(Strands(sys.argv[1]))
