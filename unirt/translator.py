"""
Translators: one provider's protocol, without any I/O.

This is the document that the author of a provider reads first.

The pump contract
-----------------
A :class:`Translator` is the client's side of a protocol. Whoever runs it (a session, a test, a
replay) feeds it and drains it:

- feed: :meth:`~Translator.start`, :meth:`~Translator.send`, :meth:`~Translator.receive`,
  :meth:`~Translator.receive_close`, :meth:`~Translator.handle_timer`;
- drain, after every feed: :meth:`~Translator.frames_to_send`,
  :meth:`~Translator.events_received`, and look at :meth:`~Translator.get_timer`.

It reads no clock: `now` comes with every feed, in seconds of the caller's clock, which may start
anywhere and never goes back. It draws no randomness: ids come from a factory given to it.

The only exceptions that leave it come from :meth:`~Translator.send`, and all of them are
:class:`~unirt.errors.UnirtError`: a command that cannot be done is refused before any frame of it
was queued. A frame can never raise: malformed is an event, unknown is an event, and every frame
yields at least one event. Any other exception is a bug.

A :class:`ServerTranslator` is the same protocol seen from the other end: canonical events go in and
the provider's frames come out, the provider's client frames go in and canonical commands come out.
Simulators are built on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

from unirt.capabilities import Capabilities, Changing
from unirt.commands import Command
from unirt.config import SessionConfig
from unirt.events import Event
from unirt.passes import Passes
from unirt.playback import ResponsePlayback
from unirt.value import Value

__all__ = [
    "Beside",
    "CallServer",
    "Dated",
    "Frame",
    "HangUp",
    "Heard",
    "Joining",
    "Offer",
    "Reply",
    "Request",
    "ServerTranslator",
    "Translator",
    "Upgrade",
    "Verdict",
]

Frame = str | bytes
"One message on the wire: text or binary."


class Translator(Protocol):
    """The client's side of one provider's protocol, for one connection."""

    @property
    def capabilities(self) -> Capabilities:
        """The facts about the model in use."""
        ...

    @property
    def config(self) -> SessionConfig:
        """What is configured, the translator's own defaults and all updates included."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the handshake is through: the configuration is in force, commands may go."""
        ...

    def changing(self, setting: str) -> Changing:
        """
        How a setting, by its field of the configuration, can change now.

        Its row in the facts, unless something that has happened decides otherwise.
        """
        ...

    def start(self, now: float) -> None:
        """The connection is open; queue what the client says first."""
        ...

    def send(self, command: Command, now: float) -> None:
        """
        Queue the frames of a command.

        Raises:
            UnirtError: The command cannot be done; nothing of it was queued.
        """
        ...

    def receive(self, frame: Frame | Mapping[str, object], now: float) -> bool | None:
        """
        Take one frame, as received or already decoded. Never raises.

        Returns ``True`` where all that came of it is one more piece of audio or of a transcript,
        in a stream that is open: then nobody has anything to do before the next frame. There is
        nothing to send, and :meth:`get_timer` says what it said, so neither is asked. A translator
        need not say it.
        """
        ...

    def receive_close(
        self, code: int | None, reason: str, by: str, now: float, *, goes_on: bool = False
    ) -> None:
        """
        The connection is gone. Everything open is closed; nothing may be fed after it.

        `by` is ``local``, ``remote`` or ``network``. With `goes_on` the conversation continues over
        another connection, with another translator: what runs is interrupted, calls stay open,
        and no ``SessionClosed`` is told. Never raises.
        """
        ...

    def get_timer(self) -> float | None:
        """When :meth:`handle_timer` wants to be called next; ``None`` for never."""
        ...

    def handle_timer(self, now: float) -> None:
        """The time of :meth:`get_timer` has come. Calling too early is harmless. Never raises."""
        ...

    def frames_to_send(self) -> list[Frame]:
        """Take the frames to send, in order."""
        ...

    def events_received(self) -> list[Event]:
        """Take the events, in order."""
        ...

    def playback(self, now: float) -> tuple[ResponsePlayback, ...]:
        """How far the latest responses with audio were played, in order. Changes nothing."""
        ...


class Beside(Protocol):
    """
    What a translator also has whose provider may carry audio beside the frames.

    Once :meth:`audio_beside` was called, audio is fed and drained by the other two, and no frame
    holds any.
    """

    def audio_beside(self, largest: int | None = None) -> None:
        """
        Audio goes beside the frames; called before :meth:`Translator.start`, maybe twice.

        Args:
            largest: How many bytes a frame may have; ``None`` where that is not known, or any.

        Raises:
            UnsupportedSetting: Something that is configured cannot be had then.
        """
        ...

    def receive_audio(self, data: bytes, now: float) -> None:
        """Take the next piece of what is heard, silence included. Never raises."""
        ...

    def audio_to_send(self) -> list[bytes]:
        """Take the audio to send, in order; drained before :meth:`Translator.frames_to_send`."""
        ...

    @property
    def audio_waits(self) -> bool:
        """
        Whether audio has to wait until the provider has answered a frame, or did not in time.

        Frames may be lost and said again, and audio is not: it would be there first.
        """
        ...


class Dated(Protocol):
    """What a translator also has whose provider says at what time of day something will be."""

    def counts_from(self, epoch: float) -> None:
        """
        `now` is 0 at that time of day, in Unix seconds; before :meth:`Translator.start`.

        Not called where nobody knows it; and it may be wrong, as clocks of machines are.
        """
        ...


class Joining(Protocol):
    """What a translator also has whose provider lets a call be controlled from beside it."""

    def joins_call(self) -> None:
        """The connection controls a call that runs already; before :meth:`Translator.start`."""
        ...


class Prepared(Protocol):
    """What a translator also has whose provider's keys may hold the settings of a session."""

    def keeps_settings(self) -> None:
        """The settings came with the key; before :meth:`Translator.start`. No default is sent."""
        ...


@attrs.frozen(kw_only=True)
class Upgrade(Value):
    """The HTTP request that opens a connection, as a server sees it."""

    path: str
    "Without the query."
    query: Mapping[str, str]
    headers: Mapping[str, str]
    "By lower-case name."
    at: float = 0.0
    "When it came, in Unix seconds: a key may be too old."


@attrs.frozen(kw_only=True)
class Verdict(Value):
    """What a server answers to an :class:`Upgrade`."""

    status: int = 101
    "101 to accept."
    body: str = ""
    subprotocol: str | None = None
    joins: str | None = None
    "The name of a running call that the connection is to control, rather than a session."


@attrs.frozen(kw_only=True)
class Request(Value):
    """An HTTP request that opens no connection, as a server sees it."""

    method: str
    path: str
    "Without the query."
    query: Mapping[str, str] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    "By lower-case name."
    body: bytes = b""


@attrs.frozen(kw_only=True)
class Reply(Value):
    """What a server answers to a :class:`Request`."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: str = ""


@attrs.frozen(kw_only=True)
class Offer(Value):
    """A :class:`Request` that is a call: who answers it has the answer in the body of a reply."""

    sdp: str
    call_id: str
    reply: Reply
    "Without the answer."


@attrs.frozen(kw_only=True)
class HangUp(Value):
    """A :class:`Request` that ends a call."""

    call_id: str
    reply: Reply


@attrs.frozen(kw_only=True)
class Heard(Value):
    """One thing that a server heard from its client."""

    command: Command | None
    "``None`` for a frame that is no command: an unknown or malformed one, or a handshake."
    type: str
    "The provider's name of the frame."
    command_id: str | None = None
    "The client's id of the frame, for errors to name."


class ServerTranslator(Protocol):
    """The server's side of one provider's protocol, for one connection."""

    def upgrade(self, request: Upgrade) -> Verdict:
        """Accept or refuse a connection."""
        ...

    def start(self, now: float) -> None:
        """The connection is open; queue what the server says first."""
        ...

    @property
    def config(self) -> SessionConfig:
        """What the client configured, in canonical terms, as far as they reach."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the client has configured the session."""
        ...

    def receive(self, frame: Frame, now: float) -> None:
        """Take one client frame. Never raises; what is wrong is answered as the provider would."""
        ...

    def send(self, event: Event, now: float) -> None:
        """
        Queue the frames that make a client hear `event`.

        An event that the protocol has no words for is dropped silently: that a provider never
        says it is a fact in its capabilities.
        """
        ...

    def heard(self) -> list[Heard]:
        """Take what the client said, in order."""
        ...

    def frames_to_send(self) -> list[Frame]:
        """Take the frames to send, in order."""
        ...

    def close_wanted(self) -> tuple[int, str] | None:
        """The close code and reason, where the protocol says that the server hangs up now."""
        ...


class RequestServer(Protocol):
    """What the server's side also has of a protocol that answers HTTP requests."""

    passes: Passes | None
    """
    What was given out to be shown later. The host of several connections sets it, the same one for
    all; without one a server takes every key that looks like one.
    """

    def request(self, request: Request, now: float) -> Reply | Offer | HangUp:
        """
        Hear an HTTP request. After an :class:`Offer` the connection is that call: :meth:`start`
        follows, audio is fed here, and no frame holds any.
        """
        ...


class CallServer(Protocol):
    """What the server's side also has of a protocol that carries audio beside frames."""

    def audio_beside(self) -> None:
        """The connection is a call, however that was agreed."""
        ...

    def receive_audio(self, data: bytes, now: float) -> None:
        """Take the next piece of the client's audio, silence included. Never raises."""
        ...
