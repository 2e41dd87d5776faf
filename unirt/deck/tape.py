"""What is noted while it happens: cheap, from any thread, and put into order at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import attrs

from unirt.cassettes.entries import Closed, Entry, Exchanged, Framed, Opened, Stalled
from unirt.cassettes.values import kept
from unirt.clock import Clock, unix_of
from unirt.translator import Frame

__all__ = ["Tape", "TapeTrack"]


class Tape:
    """
    Args:
        clock: Its time.
        connections: How many there are already, in what is added to.
        at_ms: When that ends.
    """

    def __init__(self, clock: Clock, *, connections: int = 0, at_ms: float = 0.0) -> None:
        self.connections = connections
        self.began_at: float | None = None
        "When that was, in Unix seconds; ``None`` where its clock tells no time of day."
        self._clock = clock
        self._began: float | None = None
        self._offset_ms = at_ms
        self._last_ms = at_ms
        self._noted: list[_Noted] = []
        self._lock = threading.Lock()

    def open(self, opened: Opened) -> TapeTrack:
        """A connection was made, or failed."""
        with self._lock:
            self.connections += 1
            number = self.connections
        self._note(attrs.evolve(opened, connection=number))
        return TapeTrack(self, number, over=opened.failed)

    def exchanged(self, request: dict[str, Any], response: dict[str, Any]) -> None:
        """Something went over HTTP."""
        self._note(Exchanged(request=request, response=response))

    def entries(self) -> tuple[Entry, ...]:
        """Everything that was noted; connections that are open still end with a stall."""
        with self._lock:
            noted = [one for one in self._noted if not one.taken_back]
        entries = [one.entry() for one in noted]
        ended = {e.connection for e in entries if isinstance(e, Closed)}
        opened = [e for e in entries if isinstance(e, Opened) and not e.failed]
        entries += (
            Stalled(connection=one.connection, at_ms=self._last_ms)
            for one in opened
            if one.connection not in ended
        )
        return tuple(entries)

    def _note(self, *things: Entry | _Frame) -> _Noted | None:
        """Note what happens at one time; returns the last of it."""
        noted = None
        with self._lock:
            now = self._clock.now()
            if self._began is None:
                self._began = now
                self.began_at = unix_of(self._clock)
            at_ms = max(self._last_ms, self._offset_ms + round((now - self._began) * 1000, 3))
            self._last_ms = at_ms
            for what in things:
                noted = _Noted(what, at_ms)
                self._noted.append(noted)
        return noted


@attrs.frozen
class _Frame:
    """A message as it went; it is decoded when there is time."""

    direction: Literal["sent", "received"]
    frame: Frame
    binary: bool
    connection: int


@attrs.define(eq=False)
class _Noted:
    what: Entry | _Frame
    at_ms: float
    taken_back: bool = False

    def take_back(self) -> None:
        """It did not happen after all."""
        self.taken_back = True

    def entry(self) -> Entry:
        """The line that it is."""
        what = self.what
        if isinstance(what, Entry):
            return attrs.evolve(what, at_ms=self.at_ms)
        data = kept(what.frame)
        return Framed(
            direction=what.direction,
            data=data,
            binary=what.binary or isinstance(data, bytes),
            connection=what.connection,
            at_ms=self.at_ms,
        )


class TapeTrack:
    """One connection of a tape; see :class:`unirt.transports.recording.Track`."""

    def __init__(self, tape: Tape, number: int, *, over: bool = False) -> None:
        self.number = number
        self._tape = tape
        self._over = over

    def sent(self, frame: Frame, *, binary: bool | None = None) -> Callable[[], None]:
        """A frame leaves; whether it is binary is told by its type, unless it is said."""
        if self._over:
            return lambda: None
        binary = not isinstance(frame, str) if binary is None else binary
        noted = self._tape._note(_Frame("sent", frame, binary, self.number))
        return noted.take_back if noted is not None else lambda: None

    def received(self, frames: Sequence[tuple[Frame, bool]]) -> None:
        """Frames came."""
        if not self._over:
            self._tape._note(
                *(_Frame("received", frame, binary, self.number) for frame, binary in frames)
            )

    def closed(self, code: int | None, reason: str, by: str) -> None:
        """The connection is gone."""
        if self._over:
            return
        self._over = True
        whom = cast("Literal['local', 'remote', 'network']", by)
        self._tape._note(Closed(code=code, reason=reason, by=whom, connection=self.number))
