"""
Frames in the log, at debug: what went over a connection, in both directions.

A frame is shown as JSON on one line, short: long texts are cut, sound and pictures are sizes. What
is a credential by its name, by its looks, or because the session was opened with it, is masked
before anything is cut. A session whose log does not tell this much has nothing of it in its way:
the logger is asked when a connection is opened, and only then.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any

from unirt.cassettes.secrets import PLACEHOLDER, Secrets, hidden
from unirt.log import Log, logger, marked
from unirt.translator import Frame
from unirt.transport import Transport
from unirt.transports.recording import RecordingTransport
from unirt.wire import parse_frame

__all__ = ["logged", "shown"]

_LOG = logger(__name__)

_TEXT = 80
"Characters of a text that are shown."
_MEMBERS = 16
"Members of a list, or of an object, that are shown."
_LINE = 2_000
"Characters of a frame that are shown."
_PAYLOAD = re.compile(r"[A-Za-z0-9+/_=-]+")
"What base64 is made of."
_HANDLE = ("handle", "Handle")
"How the names end of what resumes a session, which is as good as a credential."
_KNOWN = Secrets()
"What is secret by its name, or by its looks."


def logged(transport: Transport, mark: str, hide: Callable[[str], str]) -> Transport:
    """
    A transport whose frames are logged, where the log wants them; else the very same.

    Args:
        transport: Open.
        mark: Whose session it is; see :mod:`unirt.log`.
        hide: Masks the credentials of the session in a text.
    """
    if not _LOG.isEnabledFor(logging.DEBUG):
        return transport
    return RecordingTransport(transport, _Logging(marked(_LOG, mark), hide))


class _Logging:
    """Is told what goes over one connection."""

    def __init__(self, log: Log, hide: Callable[[str], str]) -> None:
        self._log = log
        self._hide = hide

    def sent(self, frame: Frame) -> Callable[[], None]:
        self._log.debug("> %s", shown(frame, self._hide))
        return self._not_sent

    def _not_sent(self) -> None:
        self._log.debug("that did not leave")

    def received(self, frames: Sequence[tuple[Frame, bool]]) -> None:
        for frame, _ in frames:
            self._log.debug("< %s", shown(frame, self._hide))

    def closed(self, code: int | None, reason: str, by: str) -> None:
        self._log.debug("closed by %s, code %s %s", by, code, self._hide(reason))


def shown(frame: Frame, hide: Callable[[str], str] = str) -> str:
    """A frame as the log has it."""
    try:
        value = parse_frame(frame)
        text = json.dumps(_short(hidden(value, _KNOWN), hide), ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"{len(frame)} {'characters' if isinstance(frame, str) else 'bytes'}, no JSON"
    return text if len(text) <= _LINE else f"{text[:_LINE]}... ({len(text)} characters)"


def _short(value: Any, hide: Callable[[str], str]) -> Any:
    match value:
        case str():
            return _short_text(hide(value))
        case list():
            members = [_short(inner, hide) for inner in value[:_MEMBERS]]
            return members if len(value) <= _MEMBERS else [*members, f"... ({len(value)})"]
        case dict():
            short = {
                hide(key): PLACEHOLDER if key.endswith(_HANDLE) and inner else _short(inner, hide)
                for key, inner in list(value.items())[:_MEMBERS]
            }
            return short if len(value) <= _MEMBERS else {**short, "...": len(value)}
        case _:
            return value


def _short_text(text: str) -> str:
    if len(text) <= _TEXT:
        return text
    if _PAYLOAD.fullmatch(text):
        return f"({len(text)} characters)"
    return f"{text[:_TEXT]}... ({len(text)} characters)"
