"""The control plane, part one: the session, its connection, its limits, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from unirt.condition import Condition
from unirt.events.base import ControlEvent, SessionEvent
from unirt.update import Updated
from unirt.usage import Usage
from unirt.value import Value

__all__ = [
    "ConnectionMeasured",
    "ConversationCreated",
    "HistorySeeded",
    "LimitNear",
    "LimitReached",
    "Malformed",
    "Noted",
    "ProviderError",
    "RateLimit",
    "RateLimitsUpdated",
    "Reconnected",
    "Reconnecting",
    "ResponseOverdue",
    "ResumptionUpdated",
    "SeedNote",
    "SessionClosed",
    "SessionExpiring",
    "SessionStarted",
    "SessionUpdated",
    "Severity",
    "Unmapped",
    "UpdateSettled",
    "UsageReported",
]


@attrs.frozen(kw_only=True)
class SessionStarted(ControlEvent):
    """
    The provider is ready. The first event of every session, and told again on each connection that
    the session moves to, between :class:`Reconnecting` and :class:`Reconnected`.

    Synthesised where a recording, or a control connection to a running call, starts in the middle.
    """

    session_id: str | None = None
    "The provider's id of the session; ``None`` where it says none."
    model: str | None = None
    config: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    "The provider's own settings object, where it tells it."
    expires_at: float | None = None
    "When the provider will end the session, in Unix seconds; ``None`` where it says none."


@attrs.frozen(kw_only=True)
class SessionUpdated(ControlEvent):
    """The provider acknowledged a configuration; it is in force from here on."""

    config: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    "The provider's own settings object, where it tells it."


@attrs.frozen(kw_only=True)
class SessionExpiring(ControlEvent):
    """The provider will end the connection soon."""

    time_left_ms: float


@attrs.frozen(kw_only=True)
class ResumptionUpdated(ControlEvent):
    """The provider handed out, or withheld, a handle that can resume this session."""

    resumable: bool
    handle: str | None = attrs.field(default=None, repr=False)
    "Treat it as a secret; ``None`` where the session cannot be resumed right now."
    last_client_message: int | None = None
    "The index of the last client message that the handle covers, where told."


@attrs.frozen(kw_only=True)
class Reconnecting(SessionEvent):
    """
    The session leaves its connection for another one; told once for each that is tried.

    Told by the session itself. What was running has been interrupted by the events before the first
    of these. Nothing of the conversation is told until :class:`Reconnected`, and where no
    connection comes about :class:`SessionClosed` follows.
    """

    why: str
    "``switch``, ``update``, or ``lost``, where the connection or the provider failed."
    target: str
    "The provider that is tried."
    model: str | None = None
    "Its model."
    attempt: int = 1
    "Counted from 1."
    error: str | None = None
    "What became of the attempt before, or of the connection that was lost."
    code: int | None = None
    "The close code of the connection that was lost; ``None`` where none came."
    by: str = "local"
    "Which side ended it: ``local``, ``remote`` or ``network``."


@attrs.frozen(kw_only=True)
class Reconnected(SessionEvent):
    """
    The conversation goes on over another connection. Told by the session itself.

    The provider of its origin is the one that answers from here on.
    """

    why: str
    "As in :class:`Reconnecting`."
    previous: str
    "The provider of the connection before."
    model: str | None = None
    attempts: int = 1
    "How many connections were tried."
    state_restored: bool = False
    "Whether the provider itself resumed the conversation; otherwise it was told what was said."
    carried: int = 0
    "How many items of the conversation the provider knows as they were."
    changed: int = 0
    "How many it knows in another form; :class:`HistorySeeded` before it says how."
    lost: int = 0
    "How many it knows nothing of."
    forgotten: int = 0
    "How many items the session itself had forgotten before; see ``Limits.history_items``."
    settings_lost: tuple[str, ...] = ()
    "Settings that the provider does not have, and that are not in force any more."
    lost_ms: float = 0.0
    "Audio of the user's that nobody will answer: there was more than could be held meanwhile."
    replayed_ms: float = 0.0
    "Audio of the user's that was held meanwhile, or not answered before, and was sent again."
    calls: tuple[str, ...] = ()
    "The ids of tool calls that wait for their results, which go in as conversation."


@attrs.frozen(kw_only=True)
class UpdateSettled(SessionEvent):
    """Settings whose change was put off are in force, or are known not to be."""

    result: Updated


@attrs.frozen(kw_only=True)
class ConnectionMeasured(SessionEvent):
    """
    How the connection is doing, where it carries audio beside its frames.

    Told by the session itself: every few seconds, and when the state changed.
    """

    condition: Condition


@attrs.frozen(kw_only=True)
class LimitNear(SessionEvent):
    """
    A limit that the application set is near; see :class:`~unirt.budget.Budget`.

    Told by the session itself, once a limit; of idle time, once a silence.
    """

    limit: str
    "``duration``, ``idle``, ``tokens`` or ``cost``."
    used: float | Decimal
    "In seconds, tokens or US dollars."
    most: float | Decimal


@attrs.frozen(kw_only=True)
class LimitReached(SessionEvent):
    """
    A limit that the application set is reached.

    Told by the session itself. Where the limit ends the session, :class:`SessionClosed` follows,
    and what runs is closed before it, as at any other end.
    """

    limit: str
    "``duration``, ``idle``, ``tokens`` or ``cost``."
    used: float | Decimal
    "In seconds, tokens or US dollars."
    most: float | Decimal
    ends: bool
    "Whether the session closes because of it."


@attrs.frozen(kw_only=True)
class ResponseOverdue(SessionEvent):
    """
    An answer does not come, or does not go on; see :class:`~unirt.timeouts.Timeouts`.

    Told by the session itself, once for each wait. `response_id` names the response that has begun.
    Where it `reconnects`, :class:`Reconnecting` follows, or :class:`SessionClosed` where no other
    connection may be tried.
    """

    what: str
    "``answer`` where none has begun, ``silence`` where nothing more comes of one that has."
    waited: float
    "In seconds."
    reconnects: bool = False
    "Whether the connection counts as lost because of it."


@attrs.frozen(kw_only=True)
class ConversationCreated(ControlEvent):
    """The provider named the conversation."""

    conversation_id: str | None = None


@attrs.frozen(kw_only=True)
class SeedNote(Value):
    """What became of one item that was seeded."""

    index: int
    "Its place among the items, counted from 0."
    what: str
    "What was changed of it, or why it was lost."


@attrs.frozen(kw_only=True)
class HistorySeeded(ControlEvent):
    """
    Earlier conversation was put before what follows: of ``connect(history=...)``, or ``seed()``.

    It says what became of every item, for no provider takes all of them.
    """

    carried: int
    "How many items went as they were."
    changed: tuple[SeedNote, ...] = ()
    "Those that the model knows in another form."
    lost: tuple[SeedNote, ...] = ()
    "Those that the model knows nothing of."


@attrs.frozen(kw_only=True)
class SessionClosed(ControlEvent):
    """
    The session is over. The last event of every session.

    Everything that was open has been closed by the events before it.
    """

    code: int | None = None
    "The close code (RFC 6455, 7.4); ``None`` where no close frame came."
    reason: str = ""
    by: str = "remote"
    "Which side closed: ``local``, ``remote``, or ``network`` for a connection that was cut."
    clean: bool = True
    "``False`` where the session ended although nobody in this program ended it."


class Severity(StrEnum):
    """What an error means for the session."""

    BENIGN = "benign"
    "Nothing was lost; a race that the provider resolved."
    ERROR = "error"
    "One command failed; the session goes on."
    FATAL = "fatal"
    "The session is over, or about to be."


@attrs.frozen(kw_only=True)
class ProviderError(ControlEvent):
    """The provider reported an error. It does not end the session by itself."""

    message: str
    severity: Severity = Severity.ERROR
    type: str | None = None
    code: str | None = None
    param: str | None = None
    "The path of the field at fault, where told."
    command_id: str | None = None
    "The id of the client frame at fault, where told."


@attrs.frozen(kw_only=True)
class Malformed(ControlEvent):
    """A frame that breaks the provider's own protocol. The session goes on without it."""

    where: str
    "The path in the frame, ``$`` for the frame itself."
    what: str
    "What was found and what was expected."


@attrs.frozen(kw_only=True)
class Unmapped(ControlEvent):
    """A frame, or a part of one, that has no canonical meaning. Its data is here, untouched."""

    type: str
    "The provider's name of it: a frame type, or the path of a field."
    data: Any = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Noted(ControlEvent):
    """A frame that was understood and changes nothing: other events have told what it says."""

    type: str
    why: str


@attrs.frozen(kw_only=True)
class RateLimit(Value):
    """One of the provider's quotas."""

    name: str
    limit: int | None = None
    remaining: int | None = None
    reset_ms: float | None = None


@attrs.frozen(kw_only=True)
class RateLimitsUpdated(ControlEvent):
    """The provider told what is left of its quotas."""

    limits: tuple[RateLimit, ...] = ()


@attrs.frozen(kw_only=True)
class UsageReported(ControlEvent):
    """
    Usage apart from a response's own, which comes with :class:`ResponseDone`.

    By `scope`:

    - ``response``: the count so far of the response it names. It replaces the one before, is
      replaced by the response's own, and may come when that is done. Where it names none, it is
      of the response to come.
    - ``turn``: of a turn that ended without a response, because the model kept silent.
    - ``transcription``: of the user's speech, where another model is paid for it.
    """

    scope: str
    usage: Usage | None = None
    "``None`` where the provider bills by time."
    duration_ms: float | None = None
    "Billed audio, where the provider bills by time."
    model: str | None = None
    "The model that is paid for it, where that is not the one that answers."
