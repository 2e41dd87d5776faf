"""The guards of :mod:`unirt.sound.guard`, as they are named on the command line."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Guard"]


class Guard(StrEnum):
    """What keeps a loudspeaker from talking to its own microphone."""

    NONE = "none"
    ECHO = "echo"
    HALF_DUPLEX = "half-duplex"
