"""
The trace: what a session does, a JSON line for every event and for every frame that goes out.

It is for a person who looks for a fault, with ``grep`` or ``jq``; what stands in a line may change
with any version. It is no recording: nothing can be played from it.

What a line holds: the time in seconds since the trace began, which session it is, and then, of an
event, its plane, its class, the ids that it names, and its own fields; of a frame, ``sent`` with
the name that the frame begins with, and its size. What is ``None`` or empty is left out, and so is
a ``synthesised`` that is false.

What no line holds:

- Sound, pictures, and whatever else comes by the thousand: only how much of it there was.
- Fields that an event's ``repr`` leaves out. Settings, resumption handles and what could not be
  mapped may hold credentials, and one rule is easier to keep than two.
- Credentials that the session was opened with, wherever else they are quoted: they are masked
  before a text is cut to a short one.
- Frames: what comes in is seen by its events, and an event's ``raw`` is not touched here.

How it is written: at the end of the file, with one unbuffered ``write`` for all the events of a
step. So nothing is held in memory, a crash takes no line with it, and sessions may share a file.
The event loop waits for that ``write``. To a file on this machine it is short; a trace does not
belong on a network drive.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.errors import ConfigurationError
from unirt.events import AudioDelta, ContentEvent, Event, StreamOpened
from unirt.items import Item
from unirt.log import logger, marked
from unirt.translator import Frame
from unirt.usage import Usage

__all__ = ["Trace"]

_LOG = logger(__name__)

_TEXT = 80
"Characters of a text that are shown."
_MEMBERS = 8
"Members of a sequence that are shown."
_HEAD = 100
"Characters, or bytes, of a frame that are looked at for its name."
_NAME = re.compile(r'\{\s*"([\w.]+)"\s*:\s*(?:"([\w.]+)"|\{\s*"([\w.]+)")?')
"The first key of a frame, and the text, or the first key of the object, that is its value."
_TOLD_ANYWAY = {"origin", "stream", "synthesised", "turn_id", "response_id", "item_id"}
"Fields that every event has."

_json = json.JSONEncoder(separators=(",", ":")).encode


class Trace:
    """
    Writes what one session does to a file.

    Args:
        path: Where to; a file that is there is continued. A new one is its owner's alone to read,
            for people's words are in it.
        about: What its first line tells of the session.
        now: The session's clock.
        hide: Masks credentials in a text.
        mark: Of many sessions that write to one file, this one; as in the log.

    Raises:
        ConfigurationError: Nothing can be written there.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        about: Mapping[str, str | None],
        now: Callable[[], float],
        hide: Callable[[str], str],
        mark: str,
    ) -> None:
        try:
            self._file = io.FileIO(path, "ab", opener=_for_the_owner)
        except (OSError, ValueError) as exc:
            raise ConfigurationError(
                f"no trace can be written to {os.fspath(path)!r}: {exc}",
                where="trace, or UNIRT_TRACE",
                remedy="give the path of a file that can be written, or leave it out",
            ) from None
        self._log = marked(_LOG, mark)
        self._session = mark
        self._now = now
        self._began = now()
        self._hide = hide
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told = {name: self._text(text) for name, text in _telling(about).items()}
        self._write([{"trace": "begins", "at": at, **told}])

    def told(self, events: Sequence[Event]) -> None:
        """Events came."""
        self._write([self._line(event) for event in events])

    def sent(self, frames: Sequence[Frame]) -> None:
        """Frames were handed to the outbox."""
        self._write([{"sent": self._text(_name(f)), "size": len(f)} for f in frames])

    def close(self) -> None:
        """Write nothing more. Idempotent; never raises."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        if self._file.closed:
            return
        head = {"t": round(self._now() - self._began, 6), "session": self._session}
        text = "".join(_json(head | line) + "\n" for line in lines)
        try:
            self._file.write(text.encode())
        except OSError as exc:
            self._log.error("the trace ends here, for it cannot be written: %s", exc)
            self.close()

    def _line(self, event: Event) -> dict[str, Any]:
        kind: type = type(event)
        line: dict[str, Any] = {
            "plane": event.plane,
            "event": kind.__name__,
            "synthesised": event.synthesised or None,
            "turn_id": event.turn_id,
            "response_id": event.response_id,
            "item_id": event.item_id,
        }
        if isinstance(event, ContentEvent):
            stream = event.stream
            line |= {"stream": stream.id, "kind": stream.kind, "call_id": stream.call_id}
            if kind is StreamOpened:
                line |= {"role": stream.role, "index": stream.index, "phase": stream.phase}
                line |= {"name": stream.name}
        if type(event) is AudioDelta:
            line["ms"] = round(event.duration_ms, 3)
        for name in _shown(kind):
            value = getattr(event, name)
            line["bytes" if type(value) is bytes else name] = value
        return {name: self._value(value) for name, value in _telling(line).items()}

    def _value(self, value: object) -> Any:
        match value:
            case str():
                return self._text(value)
            case int():
                return value
            case float():
                return value if math.isfinite(value) else str(value)
            case bytes():
                return len(value)
            case Decimal():
                return str(value)
            case AudioFormat():
                return f"{value.encoding} {value.rate} Hz"
            case Usage():
                return {"input": value.input_tokens, "output": value.output_tokens}
            case Item():
                found = {"kind": value.kind, "id": value.id, "role": value.role}
                return {name: self._text(text) for name, text in _telling(found).items()}
            case Mapping():
                return f"{len(value)} fields"
            case tuple():
                return [self._value(member) for member in value[:_MEMBERS]]
            case _:
                return self._text(repr(value))

    def _text(self, text: str) -> str:
        text = self._hide(str(text))
        return text if len(text) <= _TEXT else f"{text[:_TEXT]}... ({len(text)} characters)"


@functools.cache
def _shown(kind: type) -> tuple[str, ...]:
    """The fields of an event that not every event has, and that its ``repr`` does not leave out."""
    fields = attrs.fields(kind)
    return tuple(f.name for f in fields if f.repr is not False and f.name not in _TOLD_ANYWAY)


def _name(frame: Frame) -> str:
    """What a frame calls itself: its type, or the keys that it begins with."""
    head = frame[:_HEAD]
    found = _NAME.match(head.decode("utf-8", "replace") if isinstance(head, bytes) else head)
    if found is None:
        return "a text" if isinstance(frame, str) else "bytes"
    key, text, inner = found.groups()
    if key == "type" and text:
        return text
    return f"{key}.{inner}" if inner else key


def _telling(line: Mapping[str, Any]) -> dict[str, Any]:
    """What is not ``None`` and not empty."""
    return {name: value for name, value in line.items() if value not in (None, "", ())}


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
