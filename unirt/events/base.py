"""
What every event has: a plane, an origin, and the ids of what it belongs to.

The test of the two planes: delete all control events, and a transcript with audio can still be
written; delete all content events, and a dashboard of the session's state can still be drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar

import attrs

from unirt.value import Value
from unirt.wire import parse_frame

__all__ = [
    "ContentEvent",
    "ControlEvent",
    "Event",
    "Origin",
    "Plane",
    "SessionEvent",
    "Source",
    "Stream",
    "StreamKind",
    "Unread",
]


class Plane(StrEnum):
    """Which of the two planes an event is on."""

    CONTROL = "control"
    CONTENT = "content"


@attrs.define(eq=False)
class Origin:
    """
    Where events come from: one wire frame, shared by every event that it caused.

    Events that no frame caused (a timer, a closed socket, one of the application's own verbs) have
    an origin too; its :attr:`raw` is ``None``.
    """

    provider: str
    "The provider's registered name."
    received_at: float = 0.0
    "When the frame was received, in seconds of the caller's clock."
    _raw: Any = attrs.field(default=None, repr=False)
    parse_native: Callable[[Any], Any] | None = attrs.field(default=None, repr=False)
    "Turns `raw` into the vendor SDK's own typed object; imports that SDK when called."
    _unread: bytes | None = attrs.field(default=None, repr=False)
    "A frame whose JSON nobody has asked for yet."

    @property
    def raw(self) -> Any:
        """The decoded JSON, untouched; the text or bytes as received where they are not JSON."""
        if self._unread is not None:
            self._raw, self._unread = parse_frame(self._unread), None
        return self._raw


@attrs.frozen(eq=False)
class Source:
    """What the origins of all frames of one connection share."""

    provider: str
    parse_native: Callable[[Any], Any] | None

    def origin(self, received_at: float, frame: bytes) -> Origin:
        """The origin of a frame that is known to be JSON, and was not decoded."""
        return Origin(self.provider, received_at, None, self.parse_native, frame)


@attrs.frozen
class Event(Value):
    """One thing that happened in a session. Frozen: compare with ``==``, tell by ``match``."""

    plane: ClassVar[Plane]

    origin: Origin = attrs.field(repr=False, eq=False)
    synthesised: bool = attrs.field(default=False, kw_only=True)
    "``True`` where the provider did not say it and the translator concluded it."

    @property
    def turn_id(self) -> str | None:
        """The user turn that it belongs to, or answers; ``None`` where it belongs to none."""
        return None

    @property
    def response_id(self) -> str | None:
        """The response that it belongs to; ``None`` where it belongs to none."""
        return None

    @property
    def item_id(self) -> str | None:
        """The conversation item that it belongs to; ``None`` where it belongs to none."""
        return None

    @property
    def provider(self) -> str:
        """The provider's registered name."""
        return self.origin.provider

    @property
    def received_at(self) -> float:
        """When it was received, in seconds of the caller's clock."""
        return self.origin.received_at

    @property
    def raw(self) -> Any:
        """The wire frame behind it, as decoded JSON; ``None`` where no frame caused it."""
        return self.origin.raw

    def native(self) -> Any:
        """
        The frame as the vendor SDK's own typed object, parsed on request.

        ``None`` where there is no frame or the provider has no SDK.

        Raises:
            ImportError: The vendor's SDK is not installed.
        """
        parse = self.origin.parse_native
        return None if parse is None or self.origin.raw is None else parse(self.origin.raw)


@attrs.frozen(kw_only=True)
class ControlEvent(Event):
    """The base of all control events: lifecycle, buffers, VAD, limits, errors."""

    plane: ClassVar[Plane] = Plane.CONTROL

    turn_id: str | None = None
    "The user turn that it belongs to; ``None`` where it belongs to none."
    response_id: str | None = None
    "The response that it belongs to; ``None`` where it belongs to none."
    item_id: str | None = None
    "The conversation item that it belongs to; ``None`` where it belongs to none."


@attrs.frozen(kw_only=True)
class SessionEvent(ControlEvent):
    """The base of what a session tells of itself. No provider says it, so no facts are about it."""

    synthesised: bool = True


class StreamKind(StrEnum):
    """What flows in a stream."""

    AUDIO = "audio"
    TRANSCRIPT = "transcript"
    TEXT = "text"
    THOUGHT = "thought"
    TOOL_CALL = "tool_call"
    SERVER_TOOL = "server_tool"
    IMAGE = "image"
    CITATIONS = "citations"
    NONE = "none"
    "Nothing: only in the folded view, for an ending that no stream of content can carry."


@attrs.frozen(kw_only=True)
class Stream(Value):
    """
    One content part's one kind: it opens, grows, and closes exactly once.

    All the events of a stream share one `Stream` object.
    """

    id: str
    "Unique in the session."
    kind: StreamKind
    role: str = "assistant"
    "``user`` or ``assistant``."
    turn_id: str | None = None
    "The user turn that it is part of, or that it answers."
    response_id: str | None = None
    "``None`` for the user's own streams."
    item_id: str | None = None
    index: int = 0
    "The position of the content part in its item."
    call_id: str | None = None
    "For tool calls and server-side tools: what a result must name."
    name: str | None = None
    "For tool calls and server-side tools: the tool's name."
    phase: str | None = None
    "``commentary`` or ``final_answer`` where the provider says which."


@attrs.frozen
class ContentEvent(Event):
    """The base of all content events: each is one step of one stream."""

    plane: ClassVar[Plane] = Plane.CONTENT

    stream: Stream

    @property
    def kind(self) -> StreamKind:
        return self.stream.kind

    @property
    def role(self) -> str:
        return self.stream.role

    @property
    def turn_id(self) -> str | None:
        return self.stream.turn_id

    @property
    def response_id(self) -> str | None:
        return self.stream.response_id

    @property
    def item_id(self) -> str | None:
        return self.stream.item_id


class Unread(ContentEvent):
    """
    A content event that may have been made without its origin, which is made when it is asked for.

    Nobody asks that of most pieces of audio. Where hundreds of sessions share a process, the frames
    of all of them lie about between the sockets and the readers, and the garbage collector runs
    whenever some 700 objects do: one object less for each frame halves how often.
    """

    __slots__ = ("_frame", "_frame_at", "_source")

    _source: Source
    _frame_at: float
    _frame: bytes

    # A property and no `__getattr__`, beside which Python is slower to find any attribute at all.
    @property
    def origin(self) -> Origin:
        try:
            return _origin_of(self)
        except AttributeError:  # the slot is empty
            origin = self._source.origin(self._frame_at, self._frame)
            _keep_origin(self, origin)
            return origin

    @origin.setter
    def origin(self, origin: Origin) -> None:  # called by `__init__`; events are frozen
        _keep_origin(self, origin)


_SLOT: Any = vars(Event)["origin"]
_origin_of: Callable[[Event], Origin] = _SLOT.__get__
_keep_origin: Callable[[Event, Origin], None] = _SLOT.__set__
