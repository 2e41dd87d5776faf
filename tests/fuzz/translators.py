"""
An input for the translators of one provider, and what must hold whatever it says.

Four of them take part. The *client* under test is fed the server's frames as bytes, as transports
hand them over. Its *twin* is fed the same frames decoded, and must tell the same: the short ways
that exist for bytes only are ways to the same place. One *server* hears what the client sends,
another what the input says that a client sends. The *relay*, a server whose own client has been
through the handshake, is told the client's events, and says them to that client.

The twin and the relay cost as much as all the rest. A search tries many inputs that are nearly the
same, so there one of the two watches each, and which one hangs on the input alone; whatever is kept
is replayed with both.

What must hold:

- Nothing is raised, but :class:`~unirt.errors.UnirtError` for a command, and nothing of that one
  is queued.
- Each frame yields an event, and each event of a frame has that frame.
- Events keep to the grammar, end whole, and fold into streams that open and close once.
- What is sent is JSON, in both directions.
- The relay's client hears nothing malformed or unknown, unless the relay was told the unknown.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final
from zlib import crc32

import attrs

from tests.fuzz.script import CONFIGS, Passes, Served, Step, config_of, steps_of
from unirt.config import SessionConfig
from unirt.errors import UnirtError
from unirt.events import Event, Malformed, Unmapped
from unirt.fold import ContentStep, Fold
from unirt.grammar import Checker
from unirt.ids import counting_ids
from unirt.provider import Provider
from unirt.translator import Frame, ServerTranslator, Translator
from unirt.wire import WireError, parse_frame

__all__ = ["converse", "search"]

_MOST_STEPS: Final = 48


def search(provider: Provider, data: bytes) -> int:
    """As :func:`converse`, with one of those who watch."""
    twin = crc32(data) % 2 == 0
    return converse(provider, data, twin=twin, relay=not twin)


def converse(provider: Provider, data: bytes, *, twin: bool = True, relay: bool = True) -> int:
    """
    Do what an input says; returns how many frames it held.

    Args:
        provider: Whose translators take part.
        data: The input.
        twin: Whether the client's twin does.
        relay: Whether the relay does.

    Raises:
        AssertionError: Something did not hold.
    """
    talk = _Talk(provider, config_of(data), twin=twin, relay=relay)
    frames = 0
    for _, step in zip(range(_MOST_STEPS), steps_of(data), strict=False):
        frames += isinstance(step, bytes | Served)
        talk.do(step)
    talk.end()
    return frames


class _Talk:
    def __init__(
        self, provider: Provider, config: SessionConfig, *, twin: bool, relay: bool
    ) -> None:
        self.now = 0.0
        self.provider = provider
        self.client = _client(provider, config)
        self.twin = _client(provider, config) if twin else None
        self.clients = [self.client] if self.twin is None else [self.client, self.twin]
        self.server = _server(provider, "s")
        self.relay = _Relay(provider) if relay else None
        self.checker, self.fold = Checker(), Fold()
        self.unfinished: set[str] = set()
        "The streams of the folded view that are open."
        for translator in self.clients:
            translator.start(self.now)
        self.settle()

    @cached_property
    def stranger(self) -> ServerTranslator:
        """Hears what the input says that a client sends."""
        return _server(self.provider, "t")

    def do(self, step: Step) -> None:
        match step:
            case bytes():
                self.hear(step)
            case Served():
                self.serve(self.stranger, [step.frame])
            case Passes():
                self.now += step.seconds
                self.ring()
            case _:
                self.say(step)
        self.settle()

    def hear(self, frame: bytes) -> None:
        decoded = _decoded(frame)
        self.client.receive(frame, self.now)
        if self.twin is not None:
            self.twin.receive(decoded if isinstance(decoded, dict) else frame, self.now)
        events = self.client.events_received()
        assert events, "a frame without an event"
        raw = frame if decoded is None else decoded
        assert all(_alike(event.raw, raw) for event in events), "an event without its frame"
        assert all(event.origin is events[0].origin for event in events), "two origins"
        self.told(events)

    def ring(self) -> None:
        """The timers that are due."""
        for translator in self.clients:
            due = translator.get_timer()
            if due is not None and due <= self.now:
                translator.handle_timer(self.now)

    def say(self, command: Any) -> None:
        refusals = []
        for translator in self.clients:
            try:
                translator.send(command, self.now)
                refusals.append("")
            except UnirtError as exc:
                assert not translator.frames_to_send(), "a refused command left frames"
                refusals.append(str(exc))
        assert refusals[0] == refusals[-1], refusals

    def settle(self) -> None:
        """Hand on what is to be sent, and tell what was not told yet."""
        self.told(self.client.events_received())
        frames = self.client.frames_to_send()
        if self.twin is not None:
            assert frames == self.twin.frames_to_send(), "the twin sends something else"
        assert all(_decoded(frame) is not None for frame in frames), "what is sent is no JSON"
        self.serve(self.server, frames)
        self.client.playback(self.now)

    def serve(self, server: ServerTranslator, frames: list[Frame]) -> None:
        for frame in frames:
            over = server.close_wanted() is not None
            server.receive(frame, self.now)
            assert server.heard() or over, "a frame that the server did not hear"
            for answer in server.frames_to_send():
                assert _decoded(answer) is not None, "what the server says is no JSON"

    def told(self, events: list[Event]) -> None:
        if self.twin is not None:
            others = self.twin.events_received()
            assert _alike(events, others), (events, others)
        self.checker.feed_all(events)
        for event in events:
            for step in self.fold.step(event):
                self.folded(step)
        if self.relay is not None:
            self.relay.tell(events, self.now)

    def folded(self, step: ContentStep) -> None:
        """A folded stream opens once, grows, and closes once."""
        name = step.stream.id
        if step.step == "open":
            assert name not in self.unfinished, f"{name} opens twice"
            self.unfinished.add(name)
        else:
            assert name in self.unfinished, f"{name} is not open"
        if step.step == "close":
            self.unfinished.remove(name)

    def end(self) -> None:
        for translator in self.clients:
            translator.receive_close(1006, "", "network", self.now)
        self.settle()
        self.checker.finish()
        assert not self.unfinished, "a folded stream that does not close"
        if self.relay is not None:
            self.relay.end(self.now)


class _Relay:
    """A server that is told what a client heard, and a client of its own."""

    def __init__(self, provider: Provider) -> None:
        self.server = _server(provider, "r")
        self.client = _client(provider, SessionConfig())
        self.checker = Checker()
        self.client.start(0.0)
        for _ in range(3):
            for frame in self.client.frames_to_send():
                self.server.receive(frame, 0.0)
            self.carry(0.0)
        assert self.client.ready

    def tell(self, events: list[Event], now: float) -> None:
        for event in events:
            if self.server.close_wanted() is None:
                self.server.send(event, now)
        self.carry(now, unknown=any(isinstance(event, Unmapped) for event in events))

    def carry(self, now: float, *, unknown: bool = False) -> None:
        for frame in self.server.frames_to_send():
            self.client.receive(frame.encode() if isinstance(frame, str) else frame, now)
            events = self.client.events_received()
            told = {type(event) for event in events}
            strange = Malformed in told or Unmapped in told
            assert not strange or unknown, f"it misspells, or makes up: {frame!r}"
            self.checker.feed_all(events)

    def end(self, now: float) -> None:
        self.client.receive_close(1000, "", "remote", now)
        self.checker.feed_all(self.client.events_received())
        self.checker.finish()


def _client(provider: Provider, config: SessionConfig) -> Translator:
    try:
        return provider.new_translator(config, ids=counting_ids())
    except UnirtError:
        return provider.new_translator(CONFIGS[0], ids=counting_ids())


def _server(provider: Provider, prefix: str) -> ServerTranslator:
    assert provider.server is not None
    server = provider.server(model=provider.default_model, ids=counting_ids(prefix))
    server.start(0.0)
    return server


def _decoded(frame: Frame) -> Any:
    try:
        return parse_frame(frame)
    except WireError:
        return None


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are equal, where a number that is none equals itself."""
    return bool(one == other) or str(_plain(one)) == str(_plain(other))


def _plain(value: Any) -> Any:
    return [attrs.asdict(event) for event in value] if isinstance(value, list) else value
