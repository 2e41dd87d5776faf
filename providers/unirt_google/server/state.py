"""
What one connection's server knows: what was set up, which calls wait, and what is to go out.

The rooms around it hold the behaviour: :mod:`unirt_google.server.setup` what may be set up,
:mod:`unirt_google.server.commands` what clients say afterwards,
:mod:`unirt_google.server.frames` what servers say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from unirt.config import SessionConfig, Tool
from unirt_google.families import Family, family_of

__all__ = ["HangUp", "PendingCall", "ServerState"]

_LONGEST_REASON = 123
"Bytes of a close reason (RFC 6455, 5.5.1)."
_ON_ITS_WAY_MS = 500.0
"How much audio may have been on its way when a call went out."
_CALLS = 256
"How many tool calls are remembered."


class HangUp(Exception):
    """
    A client message after which the server closes the connection: Google has no error message.

    It never leaves this package.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@attrs.define(eq=False)
class PendingCall:
    """A tool call that went out."""

    id: str
    name: str
    settled: bool = False
    "Answered, or cancelled: an answer has no effect any more."
    cancelled: bool = False


class ServerState:
    """One connection."""

    def __init__(self, mint: Callable[[str], str], *, dialect: str, bundle: bool) -> None:
        self.mint = mint
        self.dialect = dialect
        self.bundle = bundle
        self.setup: Mapping[str, Any] | None = None
        "What the client set up; ``None`` until it has."
        self.config = SessionConfig()
        self.family: Family = family_of("")
        self.seeding = False
        "Whether the client announced its history, and has not ended it yet."
        self.active: str | None = None
        "The response that is running."
        self.calls: dict[str, PendingCall] = {}
        self._beside_ms = 0.0
        "How much audio came since a call went out that is waited for."
        self.on_answered: Callable[[], None] = _nothing
        "What to do when the last call that waited was answered."
        self.frames: list[dict[str, Any]] = []
        self.close: tuple[int, str] | None = None

    @property
    def vertex(self) -> bool:
        """Whether it speaks as Vertex AI does."""
        return self.dialect == "vertex"

    @property
    def waits_unless_told(self) -> bool:
        """Whether the model waits for a tool that does not say."""
        return self.family.tools_block and not self.vertex

    @property
    def waits_for_tools(self) -> bool:
        """Whether a call has been neither answered nor cancelled."""
        return any(not call.settled for call in self.calls.values())

    @property
    def deaf(self) -> bool:
        """Whether it waits for a tool, and is one of the models that take no audio meanwhile."""
        return not (self.vertex or self.family.hears_beside_tools) and any(
            not call.settled and self._waits_for(call) for call in self.calls.values()
        )

    def hears_too_much(self, ms: float) -> bool:
        """Count audio that came while it is deaf; ``True`` for more than was on its way."""
        self._beside_ms += ms
        return self._beside_ms > _ON_ITS_WAY_MS

    def _waits_for(self, call: PendingCall) -> bool:
        for tool in self.config.tools or ():
            if isinstance(tool, Tool) and tool.name == call.name and tool.blocking is not None:
                return tool.blocking
        return self.waits_unless_told

    def asked_for(self, field: str) -> bool:
        """Whether the setup holds a field."""
        return self.setup is not None and self.setup.get(field) is not None

    def called(self, call_id: str, name: str) -> PendingCall:
        """Remember a call that goes out."""
        if not self.deaf:
            self._beside_ms = 0.0
        call = self.calls[call_id] = PendingCall(call_id, name)
        while len(self.calls) > _CALLS:
            del self.calls[next(iter(self.calls))]
        return call

    def say(self, **message: Any) -> None:
        """Queue a server message."""
        self.frames.append(message)

    def hang_up(self, code: int, reason: str) -> None:
        """Close the connection, once; the reason is cut to what a close frame can hold."""
        if self.close is None:
            cut = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
            self.close = (code, cut)


def _nothing() -> None:
    """Nobody waits for answers."""
