"""
Sources of tools that change while the session is open.

A session follows the sources of the tools that it is configured with. When one changes, its tools
are replaced among the others by an update of the session. Where the provider takes none, that is
told, and the model goes on with the tools that it knows.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from unirt.config import SessionConfig
from unirt.errors import SessionClosedError, UnirtError
from unirt.events import Event, Origin, ToolsChanged
from unirt.log import logger, marked
from unirt.session.scope import Scope
from unirt.tools.function import FunctionTool, tools_of
from unirt.tools.source import ToolSource

if TYPE_CHECKING:
    from unirt.session.session import Session

__all__ = ["Sources"]

_LOG = logger(__name__)


class Sources:
    """
    The sources of one session's tools.

    Args:
        session: Whose.
        scope: Runs what tells the provider.
        now: The session's clock.
        tell: Tells events of the session's own to its views.
    """

    def __init__(
        self,
        session: Session,
        *,
        scope: Scope,
        now: Callable[[], float],
        tell: Callable[[list[Event]], None],
    ) -> None:
        self._session = session
        self._log = marked(_LOG, session.log_id)
        self._scope = scope
        self._now = now
        self._tell = tell
        self._followed: dict[int, tuple[ToolSource, Callable[[], None]]] = {}
        "By identity: each source, and what ends that it is followed."
        self._changed: dict[int, ToolSource] = {}
        "Those that changed and were not looked at again."
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def follow(self) -> None:
        """Follow the sources of the tools that the session has now."""
        for source in _sources(self._session.config).values():
            if id(source) not in self._followed and not self._ended:
                stop = source.follow(functools.partial(self._change, source))
                self._followed[id(source)] = source, stop

    def _change(self, source: ToolSource) -> None:
        if self._ended:
            return
        self._changed[id(source)] = source
        if self._task is None or self._task.done():
            self._task = self._scope.spawn(self._update(), name="new tools")

    async def _update(self) -> None:
        while self._changed:
            _, source = self._changed.popitem()
            try:
                await self._replace(source)
            except Exception as exc:
                self._log.error("the tools of a source cannot be used", exc_info=exc)

    async def _replace(self, source: ToolSource) -> None:
        tools = self._session.config.tools or ()
        old = {t.name: t for t in tools if isinstance(t, FunctionTool) and t.source is source}
        new = {tool.name: tool for tool in source.tools}
        same = {name for name in old.keys() & new.keys() if _looks(old[name]) == _looks(new[name])}
        added, removed = sorted(new.keys() - same), sorted(old.keys() - same)
        if not (added or removed):
            return
        why = None
        try:
            others = [tool for tool in tools if getattr(tool, "source", None) is not source]
            all_tools = tools_of([*others, *new.values()])
            await self._session.update(tools=all_tools, reconnect=False)
        except SessionClosedError:
            return
        except UnirtError as exc:
            why = str(exc)
        changed = ToolsChanged(
            origin=Origin(self._session.provider, self._now()),
            added=tuple(added),
            removed=tuple(removed),
            applied=why is None,
            why=why,
        )
        self._tell([changed])

    def end(self) -> None:
        """The session is ending: follow nobody any more."""
        self._ended = True
        for _, stop in self._followed.values():
            stop()
        self._followed.clear()


def _sources(config: SessionConfig) -> dict[int, ToolSource]:
    tools = [tool for tool in config.tools or () if isinstance(tool, FunctionTool)]
    return {id(tool.source): tool.source for tool in tools if tool.source is not None}


def _looks(tool: FunctionTool) -> tuple[Any, ...]:
    """What the model knows of a tool."""
    return tool.description, tool.parameters, tool.blocking, tool.scheduling
