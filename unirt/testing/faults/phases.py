"""
Phases: where in its life a connection is, told from what goes over it.

The provider's own translators are asked, as for cassettes (:class:`unirt.cassettes.meaning.Ear`),
so a phase means the same with every provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from unirt import commands as cmd
from unirt import events as ev
from unirt.cassettes.entries import Opened, Segment
from unirt.cassettes.meaning import Ear
from unirt.commands import Command
from unirt.events import Event
from unirt.provider import Provider
from unirt.translator import Frame

__all__ = ["PHASES", "Course", "Phase"]


class Phase(StrEnum):
    """A stretch of a connection's life; :data:`PHASES` says of which."""

    DIAL = "dial"
    HANDSHAKE = "handshake"
    READY = "ready"
    BEFORE_FIRST_AUDIO = "before_first_audio"
    MID_AUDIO = "mid_audio"
    TOOL_CALL = "tool_call"
    BETWEEN_TURNS = "between_turns"
    BARGE_IN = "barge_in"
    RECONNECT = "reconnect"
    CLOSE = "close"


PHASES: Final[Mapping[Phase, str]] = {
    Phase.DIAL: "It is being made.",
    Phase.HANDSHAKE: "It is open, and the provider is not ready. Of the first connection.",
    Phase.READY: "The provider is ready, and nothing was asked over this connection.",
    Phase.BEFORE_FIRST_AUDIO: "An answer is due, and nothing of it was heard.",
    Phase.MID_AUDIO: "The model speaks.",
    Phase.TOOL_CALL: "The model has called a tool of the application's, and has not gone on.",
    Phase.BETWEEN_TURNS: "An answer has ended, and nothing was asked.",
    Phase.BARGE_IN: "An answer was interrupted, and the next has not begun.",
    Phase.RECONNECT: "As ``handshake``, of every connection after the first.",
    Phase.CLOSE: "The client closes the connection.",
}
"What each is."

_ASKS = (cmd.SendText, cmd.SendImage, cmd.EndTurn, cmd.Respond, cmd.SendToolResult)
"Commands that may have an answer follow."
_STOPS = (cmd.Interrupt, cmd.CancelResponse)


class Course:
    """
    One connection's phases.

    Args:
        provider: Whose protocol it speaks.
        model: The model in use.
        url: Where it goes.
        first: Whether it is the client's first.
    """

    def __init__(self, provider: Provider, model: str | None, url: str, *, first: bool) -> None:
        self.phase = Phase.HANDSHAKE if first else Phase.RECONNECT
        self._ready = False
        self._calls: set[str] = set()
        opened = Opened(at_ms=0.0, connection=1, url=url, provider=provider.name, model=model)
        self.ear = Ear(
            Segment(
                number=1,
                provider=provider.name,
                model=model,
                opened=opened,
                line=2,
                entries=(),
            )
        )
        "Hears the connection as the provider's server does, and words what that would say."

    def sent(self, frame: Frame) -> bool:
        """The client sent a frame; whether another phase begins after it."""
        before = self.phase
        for command in self.ear.hear(frame).commands:
            self._hear(command)
        return self.phase is not before

    def received(self, frame: Frame) -> bool:
        """The client received a frame; whether another phase begins after it."""
        before = self.phase
        for event in self.ear.told(frame):
            self._see(event)
        return self.phase is not before

    def closes(self) -> bool:
        """The client closes it; whether that is news."""
        before, self.phase = self.phase, Phase.CLOSE
        return before is not Phase.CLOSE

    def _hear(self, command: Command) -> None:
        if not self._ready or self.phase is Phase.CLOSE:
            return
        if isinstance(command, cmd.SendToolResult):
            self._calls.discard(command.call_id)
        if isinstance(command, _STOPS) and self.phase is Phase.MID_AUDIO:
            self.phase = Phase.BARGE_IN
        elif isinstance(command, _ASKS) and getattr(command, "respond", True):
            if self.phase is Phase.MID_AUDIO:
                self.phase = Phase.BARGE_IN  # what is written over an answer interrupts it
            elif self.phase is not Phase.TOOL_CALL:
                self.phase = Phase.BEFORE_FIRST_AUDIO

    def _see(self, event: Event) -> None:
        if self.phase is Phase.CLOSE:
            return
        match event:
            case ev.SessionUpdated() if not self._ready:
                self._ready = True
                self.phase = Phase.READY
            case ev.ToolCall(call_id=call_id):
                self._calls.add(call_id)
                self.phase = Phase.TOOL_CALL
            case ev.ToolCallCancelled(call_ids=call_ids):
                self._calls.difference_update(call_ids)
            case ev.Interrupted():
                self.phase = Phase.BARGE_IN
            case ev.InputCommitted() | ev.ResponseStarted() if not self._calls:
                self.phase = Phase.BEFORE_FIRST_AUDIO
            case ev.PlaybackStarted():  # of a call, where no frame holds audio
                self.phase = Phase.MID_AUDIO
            case ev.AudioDelta(stream=stream) if stream.role == "assistant":
                self.phase = Phase.MID_AUDIO
            case ev.ResponseDone() if not self._calls and self.phase is not Phase.BARGE_IN:
                self.phase = Phase.BETWEEN_TURNS
            case _:
                pass
