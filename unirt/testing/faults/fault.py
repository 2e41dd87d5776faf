"""
A fault: what goes wrong, and when, as a value and as a line of text.

::

    stall@mid_audio                 once the model speaks, nothing more comes
    close=1008@tool_call            the server closes while a tool runs, with that code
    drop@sent:before_first_audio#2  the second frame that the client sends in that phase is lost
    refuse=503@dial*2               the first two dials are refused
"""

from __future__ import annotations

import re
from typing import Any, Final

import attrs

from unirt.errors import ConfigurationError
from unirt.spelling import nearest
from unirt.testing.faults.kinds import KINDS, Kind, Scope
from unirt.testing.faults.phases import Phase
from unirt.translator import Frame
from unirt.value import Value

__all__ = ["Fault", "fault_of"]

_TEXT: Final = re.compile(
    r"(?P<kind>\w+)(=(?P<value>\d+))?@((?P<sent>sent):)?(?P<phase>\w+)(#(?P<nth>\d+))?"
    r"(\*(?P<times>\d+))?"
)


@attrs.frozen(kw_only=True)
class Fault(Value):
    """
    One fault, at one point.

    Raises:
        ConfigurationError: There is no such kind, or it cannot be done there.
    """

    kind: str
    "One of :data:`~unirt.testing.faults.KINDS`."
    phase: Phase
    "When: from the moment that a connection is in that phase."
    value: int | None = None
    "The kind's number: a close code, a status, ms, bytes. Its own default where it is ``None``."
    nth: int = 1
    """
    Of what happens in that phase, all connections together, the how manieth: of dials, or of frames
    in that direction. What needs no frame happens before it; the first one it does not wait for.
    """
    sent: bool = False
    "Whether it is about what the client sends, rather than what it receives."
    holding: str = ""
    "Only frames with this text in them count."
    times: int = 1
    "How often: so many dials or frames in a row."
    reason: str = ""
    "What is said with a close or a refusal."

    def __attrs_post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise _wrong(self, "there is no such kind of fault", nearest(self.kind, KINDS))
        if kind.scope_in(self.phase) is None:
            raise _wrong(self, "it cannot happen then", _where(kind))
        if self.sent and not kind.sent:
            raise _wrong(self, "it cannot be done to what is sent", "leave 'sent:' out")
        if self.value is not None and not kind.value:
            raise _wrong(self, f"{self.kind!r} has no number", "leave '=' and the number out")
        if self.nth < 1 or self.times < 1:
            raise _wrong(self, "it would never happen", "count from 1")

    @property
    def about(self) -> Kind:
        return KINDS[self.kind]

    @property
    def scope(self) -> Scope:
        """What it is done to."""
        scope = self.about.scope_in(self.phase)
        assert scope is not None  # noqa: S101  (it was refused then)
        return scope

    @property
    def number(self) -> int:
        """The kind's number, given or by default."""
        return self.value if self.value is not None else (self.about.default or 0)

    def counts(self, phase: Phase, frame: Frame, *, sent: bool) -> bool:
        """Whether a frame is one of those that it counts."""
        if phase is not self.phase or sent is not self.sent:
            return False
        return not self.holding or _has(frame, self.holding)

    def __str__(self) -> str:
        value = "" if self.value is None else f"={self.value}"
        sent = "sent:" if self.sent else ""
        nth = "" if self.nth == 1 else f"#{self.nth}"
        times = "" if self.times == 1 else f"*{self.times}"
        return f"{self.kind}{value}@{sent}{self.phase}{nth}{times}"


def fault_of(given: str | Fault) -> Fault:
    """
    A fault, as a test writes it.

    Raises:
        ConfigurationError: It cannot be read, or cannot be done.
    """
    if isinstance(given, Fault):
        return given
    found = _TEXT.fullmatch(given)
    if found is None:
        raise _wrong(given, "it cannot be read", "write it as 'close=1011@mid_audio#2'")
    parts: dict[str, Any] = found.groupdict()
    if parts["phase"] not in list(Phase):
        raise _wrong(given, f"there is no phase {parts['phase']!r}", nearest(parts["phase"], Phase))
    return Fault(
        kind=parts["kind"],
        phase=Phase(parts["phase"]),
        value=None if parts["value"] is None else int(parts["value"]),
        nth=int(parts["nth"] or 1),
        sent=parts["sent"] is not None,
        times=int(parts["times"] or 1),
    )


def _has(frame: Frame, text: str) -> bool:
    return text in (frame if isinstance(frame, str) else frame.decode("utf-8", "replace"))


def _where(kind: Kind) -> str:
    if Scope.DIAL not in kind.scopes:
        return "name a phase of an open connection"
    return "name the phase 'dial'" if len(kind.scopes) == 1 else "name another phase"


def _wrong(fault: object, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(what, where=f"fault {str(fault)!r}", remedy=remedy)
