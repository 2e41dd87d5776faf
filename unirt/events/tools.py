"""
The control plane, part three: what became of tools.

The provider says which tool it wants (:class:`~unirt.events.ToolCall`) and which it wants no more
(:class:`~unirt.events.ToolCallCancelled`). The events here tell what the session did about it, for
tools that the session runs by itself; no provider says them. They come at any time while the
session is open, and a call of a tool that the application answers itself has none.

A call is finished once. Where its function returns after all, although nobody waited any more, a
second ``ToolFinished`` with the status ``late`` tells what it returned.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

from unirt.events.base import SessionEvent

__all__ = [
    "ApprovalSettled",
    "ToolFinished",
    "ToolProgress",
    "ToolStarted",
    "ToolStatus",
    "ToolsChanged",
]


class ToolStatus(StrEnum):
    """What became of a call."""

    COMPLETED = "completed"
    "The model has the result."
    FAILED = "failed"
    "The function raised; the model has the error."
    INVALID_ARGUMENTS = "invalid_arguments"
    "The arguments are not what the tool takes; the model was told which, and why."
    UNKNOWN_TOOL = "unknown_tool"
    "The model called a tool that nobody declared, and was told so."
    TIMED_OUT = "timed_out"
    "It took longer than the tool's timeout; the model was told so."
    REJECTED = "rejected"
    "It was not approved, or too many calls waited; the model was told so."
    CANCELLED = "cancelled"
    "The provider, the user or the end of the session cancelled it; the model gets no result."
    LATE = "late"
    "It returned when nobody waited any more; the model did not get what it returned."


@attrs.frozen(kw_only=True)
class ToolStarted(SessionEvent):
    """The session runs a tool that the model asked for."""

    call_id: str
    name: str


@attrs.frozen(kw_only=True)
class ToolProgress(SessionEvent):
    """A tool that runs reported something before its result."""

    call_id: str
    name: str
    output: Any
    sent: bool
    "Whether the model was told; not every provider takes results in pieces."


@attrs.frozen(kw_only=True)
class ToolFinished(SessionEvent):
    """The session is done with a call: it completed, or this is why it did not."""

    call_id: str
    name: str
    status: ToolStatus
    output: Any = None
    "What the function returned, whole, as JSON can hold it; ``None`` where it returned nothing."
    error: str | None = None
    "Why it did not complete; what the model was told, where the model was told anything."
    duration_ms: float | None = None
    "From the start of the function to here; ``None`` where it never started."
    exception: BaseException | None = attrs.field(default=None, repr=False, eq=False)
    "What the function raised, with its traceback. The model is not told of it."


@attrs.frozen(kw_only=True)
class ToolsChanged(SessionEvent):
    """A source of tools has other tools now."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    "The names of tools; one whose description or parameters changed is in both."
    applied: bool = True
    "Whether the model knows. Where it does not, calls of removed tools are answered with an error."
    why: str | None = None
    "Why the model does not."


@attrs.frozen(kw_only=True)
class ApprovalSettled(SessionEvent):
    """The application's callback said yes or no to a tool that the provider runs."""

    approval_id: str
    name: str | None = None
    approved: bool
    reason: str | None = None
    "For a no: what the model was told."
    exception: BaseException | None = attrs.field(default=None, repr=False, eq=False)
    "What the callback raised, where that is why it is a no."
