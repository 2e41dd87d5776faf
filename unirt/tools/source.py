"""Where tools come from that may change while a session is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from unirt.tools.function import FunctionTool

__all__ = ["ToolSource"]


@runtime_checkable
class ToolSource(Protocol):
    """
    A source of tools, to be given where tools are given.

    Each of its tools names it as its ``source``, so a session that has one of them follows it.
    """

    @property
    def tools(self) -> Sequence[FunctionTool]:
        """The tools as they are now."""
        ...

    def follow(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called, in the event loop, after each change; returns what ends that."""
        ...
