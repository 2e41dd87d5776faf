"""What the two directions of the translator share: the state of one connection's dialogue."""

from __future__ import annotations

from collections import deque

import attrs

from unirt.audio import AudioFormat
from unirt.composer import Composer
from unirt.config import Scheduling, SessionConfig, Tool
from unirt.translator import Frame
from unirt_google.answer import Answer
from unirt_google.facts import Family
from unirt_google.user import User

__all__ = ["Dialogue"]

_BEFORE_TURN_MS = 2_000
"How much audio from before a manual turn is kept for it: a breath, and a late finger."


@attrs.define(eq=False, kw_only=True)
class Dialogue:
    """The state of one connection's dialogue."""

    composer: Composer
    user: User
    answer: Answer
    family: Family
    vertex: bool
    "Whether the backend is Vertex AI."
    config: SessionConfig
    "What is in force, defaults included."
    asked_model: str | None
    "The model of this session; ``None`` where a recording does not say it."
    manual: bool = False
    "Whether the application marks the turns."
    interrupts: bool = True
    "Whether the start of a manual turn interrupts the model."
    awaits_history: bool = False
    "Whether the server takes the first content that is marked complete as history."
    offline: bool
    "Frames come from a recording; what the client sent is not seen."
    ready: bool = False
    window_open: bool = False
    "Between the start and the end of a manual turn."
    window_heard: bool = False
    "Whether audio was sent in it."
    frames: list[Frame] = attrs.field(factory=list)
    "To be sent, in order."
    after_answer: list[Frame] = attrs.field(factory=list)
    "To be sent when no response runs, because it would interrupt one."
    _before_turn: deque[bytes] = attrs.field(factory=deque)

    def waits_for(self, name: str) -> bool:
        """Whether the model waits for the result of the tool of that name."""
        for tool in self.config.tools or ():
            if isinstance(tool, Tool) and tool.name == name and tool.blocking is not None:
                return tool.blocking
        return self.offline or (self.family.tools_block and not self.vertex)

    def scheduling(self, name: str) -> Scheduling | None:
        """What the results of the tool of that name may do, where they do not say so."""
        tools = (tool for tool in self.config.tools or () if isinstance(tool, Tool))
        return next((tool.scheduling for tool in tools if tool.name == name), None)

    def keep_before_turn(self, data: bytes, format: AudioFormat) -> None:
        """Keep audio that the server would throw away, for the turn that may follow."""
        self._before_turn.append(data)
        excess = sum(map(len, self._before_turn)) - format.bytes_for(_BEFORE_TURN_MS)
        while self._before_turn and excess >= len(self._before_turn[0]):
            excess -= len(self._before_turn.popleft())

    def take_before_turn(self) -> list[bytes]:
        """The audio that was kept."""
        kept = list(self._before_turn)
        self._before_turn.clear()
        return kept
