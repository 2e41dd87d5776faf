"""pydantic-ai: the realtime session of an agent."""

from __future__ import annotations

from typing import Any

from google.genai import Client
from google.genai.types import HttpOptions
from pydantic_ai import Agent
from pydantic_ai.messages import PartDeltaEvent, PartEndEvent, SpeechPart, SpeechPartDelta
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime.google import GoogleRealtimeModel
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

from ...contender import Contender, Meter, Task, main
from . import plain

_GOOGLE_MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"


class PydanticAI(Contender):
    """Iterates the session, as its documentation does: audio comes in the deltas of speech."""

    name = "pydantic_ai"
    packages = ("pydantic-ai-slim", "openai", "google-genai", "websockets", "pydantic")

    async def converse(self, task: Task, meter: Meter) -> None:
        """Say one thing, and hear all replies."""
        async with Agent().realtime(_model(task)).session() as session:
            await session.send("Hello!")
            meter.start()
            async for event in session:
                _take(event, meter)
                if meter.done:
                    break


def _take(event: Any, meter: Meter) -> None:
    if isinstance(event, PartDeltaEvent):
        delta = event.delta
        if isinstance(delta, SpeechPartDelta) and delta.audio_chunk:
            meter.audio(delta.audio_chunk)
    elif isinstance(event, PartEndEvent):
        part = event.part
        if isinstance(part, SpeechPart) and part.speaker == "assistant":
            meter.turn()


def _model(task: Task) -> Any:
    if task.protocol == "openai":
        base_url = f"{plain.base_url(task.url)}/v1"
        provider = OpenAIProvider(base_url=base_url, api_key=plain.KEY)
        return OpenAIRealtimeModel("gpt-realtime", provider=provider)
    options = HttpOptions(base_url=plain.base_url(task.url))
    client = Client(api_key=plain.KEY, http_options=options)
    return GoogleRealtimeModel(_GOOGLE_MODEL, provider=GoogleProvider(client=client))


if __name__ == "__main__":
    plain.without_tls()
    main(PydanticAI())
