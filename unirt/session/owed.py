"""Results that are owed: the tool calls whose answers somebody waits for."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from unirt.commands import SendToolResult
from unirt.config import Scheduling

__all__ = ["Owed"]

_REMEMBERED = 64
"Calls without a result that are known."


class Owed:
    """The calls that have no result, each with its response."""

    def __init__(self) -> None:
        self._calls: dict[str, str | None] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def responses(self) -> Collection[str | None]:
        """The responses whose calls they are."""
        return self._calls.values()

    def add(self, call_id: str, response_id: str | None) -> None:
        """A tool was called."""
        self._calls[call_id] = response_id
        if len(self._calls) > _REMEMBERED:
            del self._calls[next(iter(self._calls))]

    def drop(self, call_ids: Iterable[str]) -> None:
        """Calls need no result any more."""
        for call_id in call_ids:
            self._calls.pop(call_id, None)

    def clear(self) -> None:
        """No call does."""
        self._calls.clear()

    def settle(self, result: SendToolResult) -> tuple[str | None, bool] | None:
        """
        A result goes out.

        Where it is the last that its response owed, that response, and whether the model answers
        it at once; ``None`` for any other.
        """
        if result.more_follows or result.call_id not in self._calls:
            return None
        response_id = self._calls.pop(result.call_id)
        if response_id in self._calls.values():
            return None
        later = result.scheduling in (Scheduling.SILENT, Scheduling.WHEN_IDLE)
        return response_id, result.respond and not later
