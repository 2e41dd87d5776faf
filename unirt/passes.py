"""
Passes: what a server gives out so that it is shown to it later, as a key that soon expires.

What one connection was given opens another, so whoever serves several keeps one book for them all.
"""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["Pass", "Passes"]

_MOST = 1024
"How many are remembered; beyond it the oldest is forgotten, and opens nothing any more."


@attrs.define(kw_only=True)
class Pass:
    """What a server remembers of one that it gave out."""

    opens: Any
    "What it was given out for; the server's business."
    begin_by: float
    "Until when it opens a session, in Unix seconds."
    end_by: float | None = None
    "Until when what it opened may last; ``None`` for as long as any."
    uses: int | None = None
    "How many more sessions it opens; ``None`` for any number."

    def begin(self, now: float) -> bool:
        """Open a session with it; ``False`` where it opens none any more."""
        if now > self.begin_by or self.uses == 0:
            return False
        if self.uses is not None:
            self.uses -= 1
        return True

    def over(self, now: float) -> bool:
        """Whether what it opened has to end."""
        return self.end_by is not None and now > self.end_by


class Passes:
    """The passes that were given out, by what is shown."""

    def __init__(self) -> None:
        self._count = 0
        self._given: dict[str, Pass] = {}

    def give(self, stem: str, given: Pass) -> str:
        """Give one out; returns what is to be shown, which begins with `stem`."""
        self._count += 1
        name = f"{stem}simulated_{self._count}"
        self._given[name] = given
        if len(self._given) > _MOST:
            del self._given[next(iter(self._given))]
        return name

    def find(self, shown: str) -> Pass | None:
        """The one that is shown, if it was ever given out."""
        return self._given.get(shown)
