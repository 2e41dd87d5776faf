"""Pipecat: a pipeline of the realtime service and one processor of the application."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google.genai.types import HttpOptions
from loguru import logger
from pipecat.frames.frames import (
    CancelFrame,
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.google.gemini_live.llm import GeminiLiveLLMService
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.workers.runner import WorkerRunner

from ...contender import Contender, Meter, Task, main
from . import plain

_LOOK_S = 0.005
"How often it is looked whether the service is connected, in seconds: no event tells."
_GOOGLE_MODEL = "models/gemini-2.5-flash-native-audio-preview-12-2025"


class Ear(FrameProcessor):  # type: ignore[misc]  # Pipecat is not installed where types are checked
    """The application: it takes the audio that comes down the pipeline."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take a frame, and pass it on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self._meter.audio(frame.audio)
        elif isinstance(frame, LLMFullResponseEndFrame):
            self._meter.turn()
        await self.push_frame(frame, direction)


class Pipecat(Contender):
    """
    Runs a pipeline.

    Args:
        observed: Whether its worker has the observers that it has by itself, of turns and for RTVI
            clients, which look at each frame that is pushed.
    """

    name = "pipecat"
    packages = ("pipecat-ai", "openai", "google-genai", "websockets")

    def __init__(self, *, observed: bool) -> None:
        self._observed = observed
        if observed:
            self.name = "pipecat_observed"

    async def converse(self, task: Task, meter: Meter) -> None:
        """Give the service a context that asks for a reply."""
        service = _service(task)
        async with _running(Pipeline([service, Ear(meter)]), self._observed) as worker:
            while not _ready(service):
                await asyncio.sleep(_LOOK_S)
            context = LLMContext([{"role": "user", "content": "Hello!"}])
            await worker.queue_frame(LLMContextFrame(context))
            meter.start()
            await meter.finished.wait()


@asynccontextmanager
async def _running(pipeline: Any, observed: bool) -> AsyncIterator[Any]:
    worker = PipelineWorker(pipeline, enable_rtvi=observed, enable_turn_tracking=observed)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    try:
        yield worker
    finally:
        await worker.queue_frame(CancelFrame())
        await running


def _service(task: Task) -> Any:
    if task.protocol == "openai":
        return OpenAIRealtimeLLMService(api_key=plain.KEY, base_url=f"{task.url}/v1/realtime")
    return GeminiLiveLLMService(
        api_key=plain.KEY,
        http_options=HttpOptions(base_url=plain.base_url(task.url)),
        settings=GeminiLiveLLMService.Settings(model=_GOOGLE_MODEL),
    )


def _ready(service: Any) -> bool:
    if isinstance(service, OpenAIRealtimeLLMService):
        return bool(service._api_session_ready)
    return service._session is not None


if __name__ == "__main__":
    logger.remove()
    plain.without_tls()
    main(Pipecat(observed="observed" in sys.argv))
