"""What the two directions of the translator share: the state of one connection's dialogue."""

from __future__ import annotations

import attrs

from unirt.composer import Composer
from unirt.config import Scheduling, SessionConfig, Tool
from unirt.preroll import Preroll
from unirt.translator import Frame
from unirt_google.answer import Answer
from unirt_google.families import Family
from unirt_google.gate import Gate
from unirt_google.user import User

__all__ = ["Dialogue"]


@attrs.define(eq=False, kw_only=True)
class Dialogue:
    """The state of one connection's dialogue."""

    composer: Composer
    user: User
    answer: Answer
    gate: Gate
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
    preroll: Preroll = attrs.field(factory=Preroll)
    "Audio that the server would throw away, for the turn that may follow."

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
