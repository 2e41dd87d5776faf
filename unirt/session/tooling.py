"""
All that a session does about tools, in one place: calls, approvals, and sources that change.

A session that has no tools with functions pays for this with three objects, and with nothing for
any event but those that speak of tools.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unirt.clock import Clock
from unirt.commands import Command, Respond, UpdateSession
from unirt.config import ProviderTool, Tool
from unirt.errors import ConfigurationError
from unirt.events import Event
from unirt.session.approvals import Approvals
from unirt.session.calls import Calls
from unirt.session.limits import Limits
from unirt.session.scope import Scope
from unirt.session.sources import Sources
from unirt.session.works import Works
from unirt.tools.context import Approve
from unirt.tools.function import FunctionTool

if TYPE_CHECKING:
    from unirt.session.session import Session

__all__ = ["Tooling", "check_approvals"]

_LEAST_S = 0.2
"What functions get to stop, however little of the time for closing is left."


class Tooling:
    """
    The tools of one session.

    Args:
        session: Whose.
        clock: The time of timeouts.
        limits: The bounds of what runs and waits.
        tell: Tells events of the session's own to its views.
        approve: Who is asked before a tool runs; ``None`` for nobody.
        fail: Is told what broke of the session's own.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        limits: Limits,
        *,
        tell: Callable[[Sequence[Event]], None],
        approve: Approve | None,
        fail: Callable[[Exception], None],
    ) -> None:
        self._session = session
        self._clock = clock
        self._approve = approve
        self._scope = Scope(fail)
        self._works = Works(session.log_id)
        self._calls = Calls(
            session,
            works=self._works,
            scope=self._scope,
            clock=clock,
            limits=limits,
            tell=tell,
            approve=approve,
        )
        self._approvals = Approvals(
            session,
            works=self._works,
            scope=self._scope,
            now=clock.now,
            tell=tell,
            approve=approve,
        )
        self._sources = Sources(session, scope=self._scope, now=clock.now, tell=tell)
        self._ended = False

    @property
    def handlers(self) -> tuple[Mapping[type[Event], Callable[[Any], None]], ...]:
        """What events do."""
        return self._calls.handlers, self._approvals.handlers

    def open(self) -> None:
        """The session is ready."""
        self._sources.follow()

    def check(self, command: Command) -> None:
        """
        Refuse tools that could never run.

        Raises:
            ConfigurationError: A tool wants to be approved, and there is nobody to ask.
        """
        if isinstance(command, UpdateSession):
            check_approvals(command.changes.tools, self._approve)
        elif isinstance(command, Respond):
            check_approvals(command.tools, self._approve)

    def said(self, command: Command) -> None:
        """Take what the application said, once it was accepted."""
        if isinstance(command, UpdateSession) and command.changes.tools is not None:
            self._sources.follow()
        elif isinstance(command, Respond) and command.tools is not None:
            self._calls.offer(command.tools)

    @property
    def here(self) -> bool:
        """Whether whoever asks is a tool of this session."""
        return self._works.here

    def excuse(self, task: asyncio.Task[Any] | None) -> None:
        """A task is about to wait for the end of the session; if it is a tool's, let it."""
        self._works.excuse(task)

    def end(self) -> None:
        """The session is ending: everything is cancelled, and told while it can be. Idempotent."""
        if self._ended:
            return
        self._ended = True
        self._calls.end()
        self._approvals.end()
        self._sources.end()
        self._scope.stop()
        self._works.cancel()

    async def join(self, deadline: float) -> None:
        """Wait until it is over, and for functions that do not stop not much longer than that."""
        left = deadline - self._clock.now()
        with contextlib.suppress(asyncio.CancelledError):  # then there is no time for them
            await self._works.join(max(left, _LEAST_S))
        await self._scope.join()


def check_approvals(tools: Sequence[Tool | ProviderTool] | None, approve: Approve | None) -> None:
    """
    Refuse tools that want to be approved by somebody who is not there.

    Raises:
        ConfigurationError: There is one.
    """
    for tool in tools or ():
        if isinstance(tool, FunctionTool) and tool.approve is True and approve is None:
            raise ConfigurationError(
                "nobody is there to approve its calls",
                where=f"the tool {tool.name}, approve",
                remedy="give connect() an approve=, or the tool a function",
            )
