"""
Every exception that unirt raises, and who is at fault for it.

::

    UnirtError
    ├── ConfigurationError          the application, before anything was dialled
    │   ├── UnknownProvider         no such provider is installed
    │   ├── MissingKey              a credential is not set
    │   └── UnsupportedSetting      the provider cannot do what a setting asks
    ├── UsageError                  the application, while a session is open
    │   ├── AudioFormatError        audio that is not what it says it is
    │   ├── UnsupportedCommand      the provider has no such verb
    │   ├── UnreadableConversation  text that is no exported conversation
    │   └── SessionClosedError      a verb on a session that is over
    │       └── LimitReachedError   over because a limit of the application's was reached
    ├── DialError                   the network or the provider, while connecting
    │   └── HandshakeError          connected, and no session: refused, or never ready
    ├── ConnectionLost              the network or the provider, in mid session
    ├── DeviceLost                  a sound device or a pipe, in mid session
    ├── CassetteError               a file, or who wrote it: it cannot be read, written or played
    │   ├── CassetteMissing         there is no such file, and nothing may be recorded
    │   └── CassetteMismatch        the application does not do what was recorded
    ├── IllegalStream               a translator: its events break the grammar
    └── ToolError                   a tool, in words that are for the model

Errors carry fields; ``str()`` formats them.
Every message says what is wrong, where, and what to do.
No field and no message ever holds a credential.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

__all__ = [
    "AudioFormatError",
    "CassetteError",
    "CassetteMismatch",
    "CassetteMissing",
    "ConfigurationError",
    "ConnectionLost",
    "DeviceLost",
    "DialError",
    "HandshakeError",
    "IllegalStream",
    "LimitReachedError",
    "MissingKey",
    "SessionClosedError",
    "ToolError",
    "UnirtError",
    "UnknownProvider",
    "UnreadableConversation",
    "UnsupportedCommand",
    "UnsupportedSetting",
    "UsageError",
]


class UnirtError(Exception):
    """The base of every exception that unirt raises on purpose."""


class ConfigurationError(UnirtError):
    """
    The application's settings cannot work.

    Raised before anything is dialled or sent.
    """

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        super().__init__(what, where, remedy)
        self.what = what
        "What is wrong, one clause."
        self.where = where
        "The argument, variable or field that holds it."
        self.remedy = remedy
        "What to do about it, one clause."

    def __str__(self) -> str:
        return f"{self.what} ({self.where}): {self.remedy}"


class UnknownProvider(ConfigurationError):
    """No installed package offers a provider of that name."""

    def __init__(self, name: str, installed: Sequence[str], *, where: str = "provider") -> None:
        self.name = name
        self.installed = tuple(installed)
        choices = ", ".join(repr(n) for n in self.installed) or "none"
        super().__init__(
            f"no provider named {name!r} is installed",
            where=where,
            remedy=f"choose one of the installed providers ({choices}) or install a package "
            "that offers it in the entry-point group 'unirt.providers'",
        )


class MissingKey(ConfigurationError):
    """A provider needs a credential and none was given."""

    def __init__(self, provider: str, variables: Sequence[str]) -> None:
        self.provider = provider
        self.variables = tuple(variables)
        names = " or ".join(self.variables)
        super().__init__(
            f"the provider {provider!r} has no key",
            where=names,
            remedy=f"set {names} in the environment or in .env, or pass api_key=",
        )


class UnsupportedSetting(ConfigurationError):
    """A provider, or the chosen model, cannot do what a setting asks."""

    def __init__(
        self, setting: str, *, provider: str, why: str, remedy: str, model: str | None = None
    ) -> None:
        self.setting = setting
        self.provider = provider
        self.model = model
        on = f"{provider!r}" if model is None else f"{provider!r} with model {model!r}"
        super().__init__(f"{setting} is not supported by {on}: {why}", where=setting, remedy=remedy)


class UsageError(UnirtError):
    """The application called something in a way that cannot work."""

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} ({self.where}): {self.remedy}"


class AudioFormatError(UsageError):
    """Audio bytes that cannot be what their declared format says."""


class UnreadableConversation(UsageError):
    """Text that is no exported conversation, or one that this version cannot read whole."""

    def __init__(
        self, what: str, *, where: str, remedy: str = "give what Conversation.to_json() wrote"
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)


class UnsupportedCommand(UsageError):
    """A provider has neither a native form of a verb nor an emulation of it."""

    def __init__(self, command: str, *, provider: str, why: str, remedy: str) -> None:
        self.command = command
        self.provider = provider
        super().__init__(
            f"{command} is not supported by {provider!r}: {why}", where=command, remedy=remedy
        )


class SessionClosedError(UsageError):
    """A verb was used on a session that is over."""

    def __init__(self, verb: str, *, code: int | None = None, reason: str = "") -> None:
        self.verb = verb
        self.code = code
        self.reason = reason
        how = "" if code is None else f" (close code {code}{f', {reason!r}' if reason else ''})"
        super().__init__(
            f"the session is closed{how}", where=verb, remedy="open a new one with unirt.connect()"
        )


class LimitReachedError(SessionClosedError):
    """A verb was used on a session that closed itself, because a limit was reached."""

    def __init__(
        self,
        verb: str,
        *,
        limit: str,
        used: float | Decimal,
        most: float | Decimal,
        code: int | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(verb, code=code, reason=reason)
        self.limit = limit
        "``duration``, ``idle``, ``tokens`` or ``cost``."
        self.used = used
        self.most = most
        self.what = f"the session closed itself at its limit of {most:g} ({limit}: {used:g} used)"
        self.remedy = "open a new one with unirt.connect(), with a larger budget= where that is due"


class DialError(UnirtError):
    """A connection to the provider could not be made."""

    def __init__(
        self,
        provider: str,
        *,
        url: str,
        why: str,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(provider, url, why, status)
        self.provider = provider
        self.url = url
        "Where the dial went, without its query."
        self.why = why
        self.status = status
        "The HTTP status of a refused upgrade; ``None`` where no HTTP answer came."
        self.retry_after = retry_after
        "How long the provider asked to be left alone, in seconds; ``None`` where it did not."

    def __str__(self) -> str:
        status = "" if self.status is None else f" with HTTP {self.status}"
        return f"could not connect to {self.provider!r} at {self.url}{status}: {self.why}"


class HandshakeError(DialError):
    """The connection was made, and then there was no session: it was refused, or never ready."""

    def __init__(
        self, provider: str, *, url: str, why: str, code: int | None = None, cut: bool = False
    ) -> None:
        super().__init__(provider, url=url, why=why)
        self.code = code
        "The close code the provider gave; ``None`` where it gave none."
        self.cut = cut
        "Whether the connection went without a word: it was the network, and nobody refused."

    def __str__(self) -> str:
        if self.cut:
            return f"{self.provider!r} at {self.url} was lost before it was ready: {self.why}"
        code = "" if self.code is None else f" with close code {self.code}"
        return f"{self.provider!r} at {self.url} refused the session{code}: {self.why}"


class ConnectionLost(UnirtError):
    """An open session ended although nobody in this program ended it."""

    def __init__(self, provider: str, *, code: int | None, reason: str, by: str) -> None:
        super().__init__(provider, code, reason, by)
        self.provider = provider
        self.code = code
        "The WebSocket close code (RFC 6455, 7.4); ``None`` where no close frame came."
        self.reason = reason
        self.by = by
        "Which side closed: ``remote``, ``local`` or ``network``."

    def __str__(self) -> str:
        code = "without a close frame" if self.code is None else f"with close code {self.code}"
        reason = f", {self.reason!r}" if self.reason else ""
        return f"the session with {self.provider!r} was closed by {self.by} {code}{reason}"


class DeviceLost(UnirtError):
    """A sound device, or a pipe, takes or gives no more: it was unplugged, or its reader went."""

    def __init__(self, device: str, why: str) -> None:
        super().__init__(device, why)
        self.device = device
        "What it is called."
        self.why = why

    def __str__(self) -> str:
        return f"the sound of {self.device!r} ended: {self.why}; open it again, or another one"


class CassetteError(UnirtError):
    """A cassette cannot be read, written or played."""

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        super().__init__(what, where, remedy)
        self.what = what
        self.where = where
        "The file, and the line where it is one line's fault: ``talk.jsonl, line 7``."
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} ({self.where}): {self.remedy}"


class CassetteMissing(CassetteError):
    """There is no such cassette, and the record mode forbids to make one."""


class CassetteMismatch(CassetteError, AssertionError):
    """The application does not do what the cassette holds, or less of it."""

    def __init__(
        self, what: str, *, where: str, remedy: str, differences: Sequence[str] = ()
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.differences = tuple(differences)
        "How what was sent differs from what was recorded, field by field."

    def __str__(self) -> str:
        return "\n    ".join((super().__str__(), *self.differences))


class IllegalStream(UnirtError):
    """
    A stream of events breaks the grammar in :mod:`unirt.grammar`.

    Whoever translated the frames is at fault, never the application.
    """

    def __init__(self, what: str, *, index: int, event: object = None) -> None:
        super().__init__(what, index, event)
        self.what = what
        self.index = index
        "The position of the offending event, counted from 0."
        self.event = event

    def __str__(self) -> str:
        name = "" if self.event is None else f" ({type(self.event).__name__})"
        return f"event {self.index}{name}: {self.what}"


class ToolError(UnirtError):
    """
    A tool could not do what it was asked.

    A tool raises it to tell the model why: its text is sent. Of any other exception the model
    learns only that the tool failed.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        "For the model: what went wrong, and what it could do about it."
