"""One end of a call, without a call: frames and audio at times that a test chooses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from unirt.config import Manual, SessionConfig
from unirt.events import Event
from unirt_openai.translator import OpenAITranslator

__all__ = ["LOUD", "PIECE_MS", "QUIET", "Wire", "kinds"]

PIECE_MS = 20
QUIET = bytes(48 * PIECE_MS)
LOUD = np.full(24 * PIECE_MS, 3_000, "<i2").tobytes()


class Wire:
    """One end of a call: frames and audio go in at times that a test chooses."""

    def __init__(self, config: SessionConfig | None = None, largest: int | None = None) -> None:
        self.translator = OpenAITranslator(config or SessionConfig())
        self.translator.audio_beside(largest)
        self.events: list[Event] = []
        self.now = 0.0
        self.translator.start(0.0)
        manual = config is not None and isinstance(config.turn_detection, Manual)
        told: dict[str, Any] = {"turn_detection": None if manual else {}}
        session = {"type": "realtime", "id": "s", "audio": {"input": told}}
        self.frame("session.created", session=session)
        self.frame("session.updated", session=session)
        assert self.translator.ready
        self.sent()
        self.events.clear()

    def frame(self, type_: str, **fields: Any) -> list[Event]:
        self.translator.receive(json.dumps({"type": type_, "event_id": "e", **fields}), self.now)
        return self._drain()

    def hear(self, *pieces: bytes) -> list[Event]:
        told: list[Event] = []
        for piece in pieces:
            self.now += PIECE_MS / 1000
            self.translator.receive_audio(piece, self.now)
            told += self._drain()
        return told

    def wait(self, seconds: float) -> list[Event]:
        self.now += seconds
        self.translator.handle_timer(self.now)
        return self._drain()

    def say(self, command: Any) -> list[Event]:
        self.translator.send(command, self.now)
        return self._drain()

    def sent(self) -> list[str]:
        return [json.loads(frame)["type"] for frame in self.translator.frames_to_send()]

    def _drain(self) -> list[Event]:
        new = self.translator.events_received()
        self.events += new
        return new

    # What a provider says.

    def begins(self, number: int = 1) -> None:
        ids = {"response_id": f"r{number}", "item_id": f"i{number}"}
        self.frame("response.created", response={"id": f"r{number}", "conversation_id": "c"})
        item = {"id": f"i{number}", "type": "message", "role": "assistant", "content": []}
        self.frame("response.output_item.added", response_id=f"r{number}", item=item)
        self.frame("response.content_part.added", **ids, content_index=0, part={"type": "audio"})
        self.frame("response.output_audio_transcript.delta", **ids, content_index=0, delta="Yes.")

    def plays(self, what: str, number: int = 1) -> list[Event]:
        return self.frame(f"output_audio_buffer.{what}", response_id=f"r{number}")

    def ends(self, number: int = 1, status: str = "completed") -> list[Event]:
        item = {
            "id": f"i{number}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [],
        }
        self.frame("response.output_item.done", response_id=f"r{number}", item=item)
        return self.frame(
            "response.done", response={"id": f"r{number}", "status": status, "output": []}
        )


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]
