"""Google ADK: the live connection of its Gemini model, which its runner reads."""

from __future__ import annotations

import os
from typing import Any

from google.adk.models.google_llm import Gemini
from google.adk.models.llm_request import LlmRequest
from google.genai import types

from ...contender import Contender, Meter, Skip, Task, main
from . import plain

_MODEL = "gemini-2.5-flash-native-audio-preview-12-2025"


class ADK(Contender):
    """Calls ``receive`` again after each turn, as its live flow does."""

    name = "adk"
    packages = ("google-adk", "google-genai", "websockets", "pydantic")

    async def converse(self, task: Task, meter: Meter) -> None:
        """Say one thing, and hear all replies."""
        if task.protocol != "google":
            raise Skip("ADK's live connection speaks to Gemini only")
        gemini = Gemini(model=_MODEL, base_url=plain.base_url(task.url))
        async with gemini.connect(_request()) as connection:
            said = types.Content(role="user", parts=[types.Part(text="Hello!")])
            await connection.send_content(said)
            meter.start()
            while not meter.done:
                async for response in connection.receive():
                    _take(response, meter)


def _take(response: Any, meter: Meter) -> None:
    if response.content:
        for part in response.content.parts or ():
            if part.inline_data:
                meter.audio(part.inline_data.data)
    if response.turn_complete:
        meter.turn()


def _request() -> Any:
    """As ADK's runner asks by default: audio, and the transcripts of both sides."""
    return LlmRequest(
        model=_MODEL,
        config=types.GenerateContentConfig(system_instruction="Be brief."),
        live_connect_config=types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            input_audio_transcription=types.AudioTranscriptionConfig(),
            output_audio_transcription=types.AudioTranscriptionConfig(),
        ),
    )


if __name__ == "__main__":
    os.environ.setdefault("GOOGLE_API_KEY", plain.KEY)
    plain.without_tls()
    main(ADK())
