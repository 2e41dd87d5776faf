"""What faults do to frames, and the frames that they bring: as little as can be, and no chance."""

from __future__ import annotations

from typing import Final

from unirt.cassettes.faults import GARBAGE, UNKNOWN
from unirt.cassettes.meaning import Ear
from unirt.events import Origin, ProviderError, SessionClosed, SessionExpiring, Severity
from unirt.testing.faults.fault import Fault
from unirt.translator import Frame

__all__ = ["brought", "capped", "changed"]

_ORIGIN: Final = Origin(provider="fault")
_EXPIRED: Final = "The session has expired."


def changed(fault: Fault, frame: Frame) -> Frame:
    """A frame, truncated or corrupted."""
    middle = len(frame) // 2
    if fault.kind == "truncate":
        return frame[:middle]
    if isinstance(frame, str):
        return f"{frame[:middle]}\0{frame[middle + 1 :]}"
    return b"%b\0%b" % (frame[:middle], frame[middle + 1 :])


def brought(fault: Fault, ear: Ear) -> list[Frame]:
    """The frames that a fault brings; none for a fault that brings none."""
    match fault.kind:
        case "garbage":
            return [GARBAGE]
        case "unknown":
            return [UNKNOWN]
        case "oversize":
            head = UNKNOWN.removesuffix("}")
            return [f'{head},"padding":"{"x" * fault.number}"}}']
        case "go_away":
            left = float(fault.number)
            return ear.say(SessionExpiring(origin=_ORIGIN, time_left_ms=left))
        case "error":
            return ear.say(
                ProviderError(
                    origin=_ORIGIN,
                    message="The server had an error while processing your request.",
                    severity=Severity.ERROR,
                    type="server_error",
                )
            )
        case "cap":
            near = ear.say(SessionExpiring(origin=_ORIGIN, time_left_ms=0.0))
            end = SessionClosed(origin=_ORIGIN, code=1001, reason=_EXPIRED)
            return [*near, *ear.say(end)]
        case _:
            return []


def capped(ear: Ear) -> tuple[int, str]:
    """With which code and reason the provider ends a session that lasted as long as it may."""
    return ear.close_wanted or (1001, _EXPIRED)
