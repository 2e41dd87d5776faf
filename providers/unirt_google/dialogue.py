"""What the two directions of the translator share: the state of one connection's dialogue."""

from __future__ import annotations

import attrs

from unirt.composer import Composer
from unirt.config import SessionConfig, Tool
from unirt.translator import Frame
from unirt_google.answer import Answer
from unirt_google.facts import Family
from unirt_google.user import User

__all__ = ["Dialogue"]


@attrs.define(eq=False, kw_only=True)
class Dialogue:
    """The state of one connection's dialogue."""

    composer: Composer
    user: User
    answer: Answer
    family: Family
    config: SessionConfig
    "What is in force, defaults included."
    offline: bool
    "Frames come from a recording; what the client sent is not seen."
    ready: bool = False
    frames: list[Frame] = attrs.field(factory=list)
    "To be sent, in order."
    after_answer: list[Frame] = attrs.field(factory=list)
    "To be sent when no response runs."

    def waits_for(self, name: str) -> bool:
        """Whether the model waits for the result of the tool of that name."""
        for tool in self.config.tools or ():
            if isinstance(tool, Tool) and tool.name == name and tool.blocking is not None:
                return tool.blocking
        return self.offline or self.family.tools_block
