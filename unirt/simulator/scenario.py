"""
A scenario: both sides of one conversation, named in no provider's words.

The server's side is a list of replies. Each waits for its cue: something the user did that a model
would answer. The application's side is a list of actions, done in order, each when its moment has
come. What a scenario does not say, it leaves to defaults that are the same everywhere.

Scenarios are written as TOML, see :mod:`unirt.simulator.script`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs

from unirt.commands import Command
from unirt.config import SessionConfig
from unirt.events import Ending, Severity
from unirt.usage import Usage

__all__ = [
    "Action",
    "Call",
    "Cite",
    "Close",
    "Cue",
    "End",
    "Error",
    "GoAway",
    "Handle",
    "Heard",
    "Pace",
    "Reply",
    "Say",
    "Scenario",
    "ServerTool",
    "Show",
    "Silence",
    "Speak",
    "Step",
    "Think",
    "Unknown",
    "Wait",
    "When",
    "Write",
]


class Cue(StrEnum):
    """What a reply answers."""

    START = "start"
    "The session is ready."
    TEXT = "text"
    "The user wrote something and wants an answer."
    SPEECH = "speech"
    "The server heard the end of a spoken turn."
    TURN = "turn"
    "The application ended a spoken turn."
    TOOL_RESULT = "tool_result"
    "All calls of the last reply are answered."
    RESPOND = "respond"
    "The application asked for an answer without saying anything new."


class When(StrEnum):
    """When the transcript of the user's speech comes."""

    BEFORE = "before"
    "Before the answer begins."
    DURING = "during"
    "Between the answer's first words and the next."
    AFTER = "after"
    "After the last of the answer's content, before the answer is done."


@attrs.frozen(kw_only=True)
class Heard:
    """What the server understood of the user's speech."""

    text: str
    when: When = When.BEFORE


@attrs.frozen(kw_only=True)
class Say:
    """Spoken words, with their transcript."""

    text: str
    ms: float | None = None
    "How long the synthetic voice takes; ``None`` for 300 ms a word."
    wav: Path | None = None
    "Played instead of the synthetic voice."
    echo: bool = False
    "Whether the user's own sound is, of the spoken turn that is answered; where there was one."


@attrs.frozen(kw_only=True)
class Write:
    """Written words."""

    text: str


@attrs.frozen(kw_only=True)
class Think:
    """A summary of the model's reasoning."""

    text: str


@attrs.frozen(kw_only=True)
class Call:
    """A call of one of the application's tools. Several in a row are parallel calls."""

    name: str
    args: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ServerTool:
    """A tool that the server runs by itself."""

    name: str
    args: Mapping[str, Any] = attrs.field(factory=dict)
    output: str | None = None
    error: str | None = None
    approval: bool = False
    "Whether the server asks first, where its protocol has words for that; a no leaves it out."


@attrs.frozen(kw_only=True)
class Cite:
    """Where facts of the answer come from, in the provider's own words."""

    data: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Show:
    """A picture from the model."""

    data: bytes = attrs.field(repr=False)
    mime_type: str = "image/png"


@attrs.frozen(kw_only=True)
class Wait:
    """The server lets time pass."""

    ms: float


@attrs.frozen(kw_only=True)
class End:
    """The response ends here, otherwise than complete."""

    ending: Ending
    "``failed`` or ``incomplete``."
    reason: str
    "As in :class:`~unirt.events.ResponseDone`."
    detail: str | None = None


@attrs.frozen(kw_only=True)
class Error:
    """The provider reports an error."""

    message: str
    code: str | None = None
    severity: Severity = Severity.ERROR


@attrs.frozen(kw_only=True)
class Close:
    """The server hangs up."""

    code: int = 1000
    reason: str = ""


@attrs.frozen(kw_only=True)
class Unknown:
    """A frame that no version of unirt has heard of."""

    frame: Mapping[str, Any]
    frames: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    "Other frames for particular providers, by their names."

    def for_provider(self, name: str) -> Mapping[str, Any]:
        """The frame to send."""
        return self.frames.get(name, self.frame)


@attrs.frozen(kw_only=True)
class GoAway:
    """The provider announces that it will end the connection."""

    time_left_ms: float


@attrs.frozen(kw_only=True)
class Handle:
    """The provider hands out what the session can be resumed by, where its protocol has that."""

    handle: str
    "Empty for: right now it cannot be."


Step = (
    Say
    | Write
    | Think
    | Call
    | ServerTool
    | Cite
    | Show
    | Wait
    | End
    | Error
    | Close
    | Unknown
    | GoAway
    | Handle
)
"One step of a reply."


@attrs.frozen(kw_only=True)
class Reply:
    """What the server does when its cue comes: one response, or, at the start, only its steps."""

    cue: Cue
    steps: tuple[Step, ...] = ()
    "None of them for a response without content."
    heard: Heard | None = None
    "For spoken turns."
    usage: Usage | None = None
    "What the response will have cost when it is complete."

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls it makes."""
        return tuple(step for step in self.steps if isinstance(step, Call))


@attrs.frozen(kw_only=True)
class Speak:
    """The user says something: a synthetic voice, or a recording."""

    ms: float = 1000.0
    wav: Path | None = None


@attrs.frozen(kw_only=True)
class Silence:
    """The user says nothing, and the application lets that time pass."""

    ms: float


@attrs.frozen(kw_only=True)
class Action:
    """One thing the application does, and the moment for it."""

    do: Command | Speak | Silence
    after: str = "idle"
    """
    ``idle``: once nothing is being said, sent or played. ``now``: at once. Else the name of an
    event's class: once such an event has come since the action before.
    """
    heard_ms: float | None = None
    "Wait until so much of the newest response has been played, instead of `after`."


@attrs.frozen(kw_only=True)
class Pace:
    """How fast the server is."""

    speed: float = 4.0
    "Seconds of speech generated in a second."
    chunk_ms: float = 100.0
    "How much audio goes into one frame."
    latency_ms: float = 100.0
    "From the cue to the response."
    word_ms: float = 20.0
    "From one piece of text to the next."
    hold_done: bool = False
    """
    Whether a complete response is done only when it could have been played to its end; one that
    waits for tools never waits for that.
    """


@attrs.frozen(kw_only=True)
class Scenario:
    """Both sides of one conversation."""

    name: str
    about: str = ""
    session: SessionConfig = attrs.field(factory=SessionConfig)
    "What the application configures."
    replies: tuple[Reply, ...] = ()
    actions: tuple[Action, ...] = ()
    answers: Mapping[str, Any] = attrs.field(factory=dict)
    "What the application's tools return, by name. A tool that is not here never answers."
    failures: Mapping[str, str] = attrs.field(factory=dict)
    "Why the first call of a tool fails, by name; the next one is answered as :attr:`answers` says."
    approves: bool = True
    "What the application says to a server that asks before it runs a tool."
    pace: Pace = Pace()
    refused: str | None = None
    "The name of the error that :attr:`session` is refused with, before anything is sent."
