"""Semantic Kernel: its OpenAI realtime client, read as in its simplest sample."""

from __future__ import annotations

from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import (
    OpenAIRealtimeExecutionSettings,
    OpenAIRealtimeWebsocket,
    SendEvents,
)
from semantic_kernel.contents.realtime_events import RealtimeAudioEvent, RealtimeEvent

from ...contender import Contender, Meter, Skip, Task, main

_MODEL = "gpt-realtime"


class SemanticKernel(Contender):
    """
    Iterates ``receive``, and takes the bytes of each audio event. The callback that Semantic Kernel
    has besides would decode them a second time.
    """

    name = "semantic_kernel"
    packages = ("semantic-kernel", "openai", "websockets", "numpy", "pydantic")

    async def converse(self, task: Task, meter: Meter) -> None:
        """Ask for a reply when the session is set up, and hear all that come."""
        if task.protocol != "openai":
            raise Skip("Semantic Kernel has no client for Gemini Live")
        client = AsyncOpenAI(api_key="a-key", websocket_base_url=f"{task.url}/v1")
        service = OpenAIRealtimeWebsocket(ai_model_id=_MODEL, client=client)
        async with service(settings=OpenAIRealtimeExecutionSettings()):
            async for event in service.receive():
                if isinstance(event, RealtimeAudioEvent):
                    meter.audio(event.audio.data)
                elif event.service_type == "session.updated":
                    await service.send(RealtimeEvent(service_type=SendEvents.RESPONSE_CREATE))
                    meter.start()
                elif event.service_type == "response.done":
                    meter.turn()
                if meter.done:
                    break


if __name__ == "__main__":
    main(SemanticKernel())
