"""What goes in and out of a call beside its arguments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from unirt.config import Scheduling
from unirt.value import Value

__all__ = ["Approve", "ToolContext", "ToolRequest", "ToolResult"]


@attrs.frozen(kw_only=True)
class ToolRequest(Value):
    """A call that waits for a yes or a no."""

    name: str
    "The tool's name."
    arguments: Mapping[str, Any]
    "As the model wrote them."
    call_id: str
    "The call's id; for a tool that the provider runs, the id of its request."
    server: str | None = None
    "For a tool that the provider runs: where, by the name that it was configured with."
    turn_id: str | None = None
    response_id: str | None = None


Approve = Callable[[ToolRequest], bool | Awaitable[bool]]
"""
Says yes or no to a call. To tell the model why not, raise :class:`~unirt.errors.ToolError`.
A plain function is called in a thread, so it may wait for a person.
"""


@attrs.frozen(kw_only=True)
class ToolContext(Value):
    """
    What a running call knows; given to a parameter that is annotated with this class.

    It is the same for plain functions, but they run in a thread: there, only its fields may be
    used.
    """

    session: Any
    "The :class:`~unirt.Session` that runs it."
    name: str
    "The tool's name."
    call_id: str
    turn_id: str | None
    "The user turn that the call answers."
    response_id: str | None
    _report: Callable[[Any], Awaitable[bool]] = attrs.field(repr=False, eq=False)

    async def report(self, output: Any) -> bool:
        """
        Tell something before the result: to the application as ``ToolProgress``, and to the model.

        Returns whether the model was told; not every provider takes results in pieces.
        """
        return await self._report(output)


@attrs.frozen(kw_only=True)
class ToolResult(Value):
    """What a function may return to say more than its result."""

    output: Any = None
    scheduling: Scheduling | None = None
    "``None`` for the tool's own."
    respond: bool = True
    "Whether the model shall go on."
