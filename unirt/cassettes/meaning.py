"""
What frames mean, in canonical terms: the provider's own translators are asked.

A client's frame means the commands that the provider's server side hears in it, and what they make
of the configuration. Nothing here knows a provider; a protocol that nobody has a server side for
has no meaning, and its frames are compared as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pybase64

from unirt.cassettes.entries import Path, Segment
from unirt.commands import AppendAudio, Command
from unirt.config import SessionConfig
from unirt.errors import UnknownProvider
from unirt.events import Event
from unirt.ids import counting_ids
from unirt.registry import load
from unirt.translator import Frame, ServerTranslator, Translator, Upgrade
from unirt.value import Value
from unirt.wire import WireError, decode_audio

__all__ = ["Ear", "Meaning", "audio_at", "decoded", "encoded", "free_form_of", "new_server"]


@attrs.frozen(kw_only=True)
class Meaning(Value):
    """What a server hears in one frame."""

    commands: tuple[Command, ...] = ()
    config: SessionConfig | None = None
    "What is configured after it; ``None`` where the frame says nothing that is canonical."

    @property
    def audio(self) -> bytes | None:
        """The audio, where the frame holds a piece of the user's voice and nothing else."""
        match self.commands:
            case (AppendAudio(data=data),):
                return data
            case _:
                return None


NOTHING = Meaning()


class Ear:
    """
    Hears one connection as the provider's server does.

    It is told what the server says too, so that it knows what a frame of the client refers to: a
    cancellation means nothing where no response is running.
    """

    def __init__(self, segment: Segment) -> None:
        self._server = new_server(segment)
        self._client: Translator | None = None
        if segment.provider is not None and self._server is not None:
            config = SessionConfig(model=segment.model)
            self._client = load(segment.provider).new_translator(config, offline=True)
            self._client.start(0.0)

    def hear(self, frame: Frame) -> Meaning:
        """Take the next frame that the client sent."""
        server = self._server
        if server is None:
            return NOTHING
        ready = server.ready
        server.receive(frame, 0.0)
        server.frames_to_send()
        heard = server.heard()
        commands = tuple(one.command for one in heard if one.command is not None)
        if not heard or (len(commands) < len(heard) and ready is server.ready):
            return NOTHING  # an unknown frame, or one that the server refuses
        return Meaning(commands=commands, config=server.config)

    def told(self, frame: Frame) -> list[Event]:
        """Take the next frame that the client received; returns what it told."""
        server, client = self._server, self._client
        if server is None or client is None:
            return []
        client.receive(frame, 0.0)
        client.frames_to_send()
        events = client.events_received()
        for event in events:
            server.send(event, 0.0)
        server.frames_to_send()
        return events

    def say(self, event: Event) -> list[Frame]:
        """The frames that make the client hear an event; none where the protocol has none."""
        if self._server is None:
            return []
        self._server.send(event, 0.0)
        return self._server.frames_to_send()

    @property
    def close_wanted(self) -> tuple[int, str] | None:
        """How the server would hang up now."""
        return None if self._server is None else self._server.close_wanted()


def new_server(segment: Segment) -> ServerTranslator | None:
    """The server's side of a connection, as it was dialled; ``None`` where nobody brings one."""
    if segment.provider is None:
        return None
    build = load(segment.provider).server
    if build is None:
        return None
    server = build(model=segment.model, ids=counting_ids())
    parts = urlsplit(segment.opened.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    server.upgrade(Upgrade(path=parts.path, query=query, headers={}))
    server.start(0.0)
    server.frames_to_send()
    return server


def free_form_of(provider: str | None) -> frozenset[str]:
    """Beneath which keys of its frames data of the application's own stand."""
    if provider is None:
        return frozenset()
    try:
        return load(provider).free_form
    except UnknownProvider:
        return frozenset()


def audio_at(value: Any, audio: bytes) -> Path | None:
    """Where in a decoded message the base64 of some audio is; ``None`` where it is not."""
    for path, text in _strings(value, ()):
        # The length tells nearly all strings apart without decoding them.
        if len(text) * 3 // 4 - 2 <= len(audio) <= len(text) and decoded(text) == audio:
            return path
    return None


def decoded(text: Any) -> bytes | None:
    """What a string of base64 holds; ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return decode_audio(text, "")
    except WireError:
        return None


def encoded(audio: bytes) -> str:
    """The inverse of :func:`decoded`."""
    return pybase64.b64encode(audio).decode()


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index))
