"""
One connection of a cassette, listened to from both ends: its frames become rows.

What was cut from a frame's audio is put back as silence first, so what is told of it is as long as
it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.cassettes import Closed, Entry, Exchanged, Framed, Opened, Segment, Stalled
from unirt.cassettes.meaning import Ear, decoded, encoded
from unirt.cassettes.values import look_up, replaced
from unirt.commands import AppendAudio
from unirt.config import SessionConfig
from unirt.errors import UnknownProvider
from unirt.events import AudioDelta, Event
from unirt.provider import Provider
from unirt.registry import load
from unirt.timeline.values import Row, RowKind
from unirt.translator import Translator

__all__ = ["Listener", "exchanged", "wire_name"]

_TIMERS = 64
"How many timers in a row may ring before one frame."


class Listener:
    """
    Follows one connection.

    Args:
        segment: The connection.
    """

    def __init__(self, segment: Segment) -> None:
        self.warning = ""
        "Why nothing is translated, where that is so."
        provider: Provider | None = None
        if segment.provider is None:
            self.warning = "the cassette names no provider, so its frames are not translated"
        else:
            try:
                provider = load(segment.provider)
            except UnknownProvider:
                self.warning = (
                    f"no provider named {segment.provider!r} is installed, so its frames are not "
                    "translated"
                )
        self._client: Translator | None = None
        self.input_format: AudioFormat | None = None
        "What the user's audio is, as far as anybody said."
        if provider is not None:
            config = SessionConfig(model=segment.model)
            self._client = provider.new_translator(config, offline=True)
            self.input_format = self._client.capabilities.input_format
        else:
            segment = attrs.evolve(segment, provider=None)
        self._has_server = provider is not None and provider.server is not None
        self._ear = Ear(segment)

    def rows(self, line: int, entry: Entry) -> Iterator[Row]:
        """What one line of the connection amounts to, after what time brought before it."""
        if not isinstance(entry, Opened):
            yield from self._timers(entry)
        place: dict[str, Any] = {
            "line": line,
            "at_ms": entry.at_ms,
            "connection": entry.connection,
        }
        match entry:
            case Opened():
                yield self._opened(entry, place)
            case Framed():
                yield self._framed(entry, place)
            case Closed():
                yield self._closed(entry, place)
            case Stalled():
                yield Row(kind=RowKind.STALL, name="nothing more comes", **place)
            case _:
                raise TypeError(f"a connection does not hold a {type(entry).__name__}")

    def _opened(self, entry: Opened, place: dict[str, Any]) -> Row:
        if self._client is not None and not entry.failed:
            self._client.start(entry.at_ms / 1000)
        status = "no answer" if entry.status is None else f"HTTP {entry.status}"
        return Row(
            kind=RowKind.OPEN,
            name=f"{status}: {entry.error}" if entry.failed else "connected",
            data={"url": entry.url, "transport": entry.transport, "subprotocol": entry.subprotocol},
            events=self._told(),
            **place,
        )

    def _framed(self, entry: Framed, place: dict[str, Any]) -> Row:
        whole = _whole(entry)
        common: dict[str, Any] = {
            **place,
            "name": wire_name(entry.data),
            "size": len(attrs.evolve(whole, written=None).payload),
            "data": entry.data,
            "note": _note(entry),
        }
        if entry.direction == "sent":
            meaning = self._ear.hear(whole.frame)
            if meaning.config is not None and meaning.config.input_format is not None:
                self.input_format = meaning.config.input_format
            ms = sum(
                self.input_format.duration_ms(len(command.data))
                for command in meaning.commands
                if self.input_format is not None and isinstance(command, AppendAudio)
            )
            if not meaning.commands and self._has_server:
                said = "not understood" if meaning.config is None else "sets the session up"
                common["note"] = ", ".join(filter(None, (common["note"], said)))
            return Row(kind=RowKind.SENT, commands=meaning.commands, audio_ms=ms, **common)
        self._ear.told(whole.payload)
        if self._client is not None:
            self._client.receive(whole.payload, entry.at_ms / 1000)
        events = self._told()
        ms = sum(event.duration_ms for event in events if isinstance(event, AudioDelta))
        return Row(kind=RowKind.RECEIVED, events=events, audio_ms=ms, **common)

    def _closed(self, entry: Closed, place: dict[str, Any]) -> Row:
        if self._client is not None:
            self._client.receive_close(entry.code, entry.reason, entry.by, entry.at_ms / 1000)
        how = "cut" if entry.code is None else f"code {entry.code}"
        return Row(
            kind=RowKind.CLOSE,
            name=f"{how}, by {entry.by}",
            data={"code": entry.code, "reason": entry.reason, "by": entry.by},
            events=self._told(),
            **place,
        )

    def _timers(self, entry: Entry) -> Iterator[Row]:
        client = self._client
        for _ in range(_TIMERS):
            when = None if client is None else client.get_timer()
            if client is None or when is None or when * 1000 > entry.at_ms:
                return
            client.handle_timer(when)
            events = self._told()
            if events:
                yield Row(
                    line=None,
                    at_ms=when * 1000,
                    connection=entry.connection,
                    kind=RowKind.TIMER,
                    name="time passed",
                    events=events,
                )

    def _told(self) -> tuple[Event, ...]:
        if self._client is None:
            return ()
        self._client.frames_to_send()
        return tuple(self._client.events_received())


def exchanged(line: int, entry: Exchanged) -> Row:
    """An HTTP request and its response."""
    method = entry.request.get("method", "")
    status = entry.response.get("status")
    code = status.get("code") if isinstance(status, dict) else status
    return Row(
        line=line,
        at_ms=entry.at_ms,
        connection=entry.connection,
        kind=RowKind.HTTP,
        name=f"{method} {entry.request.get('uri', '')} → {code}".strip(),
        data={"request": dict(entry.request), "response": dict(entry.response)},
    )


def wire_name(data: Any) -> str:
    """
    What to call a frame: what it calls itself, else its keys.

    ::

        {"type": "session.update", ...}           session.update
        {"answer": {"text": ..., "done": ...}}    answer.text, answer.done
    """
    if isinstance(data, bytes):
        return "(binary)"
    if isinstance(data, str):
        return "(text)"
    if isinstance(data, list):
        return "(array)"
    named = data.get("type")
    if isinstance(named, str) and named:
        return named
    names: list[str] = []
    for key, value in data.items():
        inner = [f"{key}.{name}" for name in value] if isinstance(value, dict) else []
        names += inner if 0 < len(inner) <= 2 else [key]
    return ", ".join(names) or "{}"


def _note(entry: Framed) -> str:
    if any(change.silence is None for change in entry.altered):
        return "its audio was cut"
    return "its audio was silenced" if entry.altered else ""


def _whole(entry: Framed) -> Framed:
    """The frame with as much audio as it had."""
    data = entry.data
    for change in entry.altered:
        left = decoded(look_up(data, change.at))
        if change.silence is None and left is not None:
            data = replaced(data, change.at, encoded(left.ljust(change.size, b"\0")))
    return entry if data is entry.data else attrs.evolve(entry, data=data)
