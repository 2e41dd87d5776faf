"""
Record modes, with the names and the meaning that vcrpy gave them, and one more.

A websocket cannot be answered message by message, so what is new or recorded here is a connection.

============ =========================== ==============================================
mode         what is in the cassette     what is not
============ =========================== ==============================================
none         is played                   fails (the default)
once         is played                   fails; where there is no file, all is recorded
new_episodes is played                   is recorded, and added
all          is not played               everything is recorded, and added
rewrite      is thrown away              everything is recorded
============ =========================== ==============================================
"""

from __future__ import annotations

from enum import StrEnum

from unirt.errors import ConfigurationError
from unirt.spelling import nearest

__all__ = ["Mode", "mode_named"]


class Mode(StrEnum):
    """Whether to play, to record, or both."""

    NONE = "none"
    ONCE = "once"
    NEW_EPISODES = "new_episodes"
    ALL = "all"
    REWRITE = "rewrite"

    @property
    def keeps(self) -> bool:
        """Whether what is in the file stays."""
        return self is not Mode.REWRITE

    @property
    def plays(self) -> bool:
        """Whether what is in the file is played."""
        return self in (Mode.NONE, Mode.ONCE, Mode.NEW_EPISODES)

    def records(self, *, exists: bool) -> bool:
        """Whether what is not in the file is recorded."""
        return self is not Mode.NONE and not (self is Mode.ONCE and exists)


def mode_named(name: str, where: str = "mode") -> Mode:
    """
    A mode by its name.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        return Mode(name)
    except ValueError:
        raise ConfigurationError(
            f"there is no record mode {name!r}", where=where, remedy=nearest(name, list(Mode))
        ) from None
