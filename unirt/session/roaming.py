"""How a session holds its connection, and gets from one to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Unpack

from unirt.audio import AudioFormat
from unirt.clock import Clock
from unirt.commands import AppendAudio, Command, Respond
from unirt.condition import Condition
from unirt.config import LocalVAD
from unirt.conversation import Conversation
from unirt.errand import Errand
from unirt.events import ConnectionMeasured, Event, Origin, SessionClosed
from unirt.session.audio_in import AudioIn
from unirt.session.audio_out import AudioOut
from unirt.session.ears import Ears
from unirt.session.limits import Limits, Stats
from unirt.session.link import Link, counted
from unirt.session.lookout import Loss
from unirt.session.moves import Moves
from unirt.session.observers import Observers
from unirt.session.patience import Patience
from unirt.session.playback import Playback
from unirt.session.state import State
from unirt.session.tooling import Tooling
from unirt.session.unanswered import Held
from unirt.session.views import Hub
from unirt.session.ways import CandidateFields, Way
from unirt.timeouts import Timeouts
from unirt.translator import Translator
from unirt.transport import Transport

if TYPE_CHECKING:
    from unirt.failover import Candidate
    from unirt.provider import Provider

__all__ = ["Roaming"]


class Roaming(ABC):
    """What a session does about its connections; :mod:`unirt.session.moves` says when."""

    _audio_in: AudioIn
    _audio_out: AudioFormat | None
    _clock: Clock
    _ears: Ears | None
    _closer: Errand | None
    _hide: Callable[[str], str]
    _hub: Hub
    _limits: Limits
    _link: Link
    _moves: Moves
    _observers: Observers | None
    _opened: bool
    _past: Stats
    _patience: Patience
    _tried: Link | None
    _state: State
    _tooling: Tooling
    log_id: str
    playback: Playback

    @property
    @abstractmethod
    def history(self) -> Conversation:
        """The conversation so far."""

    @abstractmethod
    def _check_open(self, verb: str) -> None: ...

    @abstractmethod
    def _end(self, code: int | None, reason: str, by: str) -> None: ...

    @abstractmethod
    def _tell(self, events: Sequence[Event]) -> None: ...

    @abstractmethod
    def _fail(self, exc: Exception) -> None: ...

    async def switch(
        self,
        provider: str | Provider | Candidate,
        *,
        patience: float = 10.0,
        **more: Unpack[CandidateFields],
    ) -> None:
        """
        Go on with another provider, or with another model of the same one.

        The conversation so far is told to it, tools stay, and calls that run go on; what of that
        cannot be had there is told with :class:`~unirt.events.Reconnected`. The same views go on.
        The answer that runs is waited for, its tools included, and the one after it is the new
        provider's. A tool that switches is not waited for: what it returns goes to the new one.
        While no connection is open, verbs wait, and audio is held.

        Args:
            provider: Its name, ``provider:model``, or a :class:`~unirt.Candidate`.
            patience: How long an answer that runs is waited for before it is cut off, in seconds.
            more: The other fields of a :class:`~unirt.Candidate`: `model`, `voice`, `api_key` ...

        Raises:
            ConfigurationError: It cannot be reached with what is configured; nothing changed.
            DialError: It does not answer. Where that became clear only when the connection in use
                had been left, the conversation goes on with that provider again, or with another
                of the failover chain, and `Reconnected` tells which.
            SessionClosedError: The session is over, or ended meanwhile.
        """
        self._check_open("switch")
        await self._moves.switch_to(
            provider, more, patience=patience, with_tools=not self._tooling.here
        )

    # Audio.

    @property
    def _ears_listen(self) -> bool:
        """Whether the session is to find the turns by itself with the provider in use."""
        return isinstance(self._link.translator.config.turn_detection, LocalVAD)

    def _hand_on(self, piece: bytes, given: AudioFormat, wire: AudioFormat | None = None) -> None:
        """
        Send the user's audio to whoever listens; what nobody answers is sent again.

        `wire` is what the provider listens to, where whoever sends has just asked.
        """
        moves = self._moves
        moves.unanswered.heard(piece, given)
        if not moves.moving:
            self._append(self._audio_in.convert(piece, given, wire or self._link.wire))

    def _append(self, data: bytes) -> None:
        if data:
            link = self._link
            link.translator.send(AppendAudio(data=data), self._clock.now())
            link.pump.run()

    # The connection.

    def _new_link(self, provider: str, translator: Translator, transport: Transport) -> Link:
        return Link(
            provider=provider,
            translator=translator,
            transport=transport,
            clock=self._clock,
            limits=self._limits,
            state=self._state,
            hub=self._hub,
            audio_out=None if self._audio_out is None else AudioOut(self._audio_out),
            observers=self._observers,
            gone=self._gone,
            failed=self._failed,
            measured=self._measured,
            mark=self.log_id,
            hide=self._hide,
        )

    def _link_of(self, way: Way) -> Link:
        """The application's side of the audio stays what it was over the connection before."""
        translator = self._link.translator
        config, facts = translator.config, translator.capabilities
        self._audio_in.given = self._audio_in.given or config.input_format or facts.input_format
        self._audio_out = self._audio_out or config.output_format or facts.output_format
        self._audio_in.reset()
        history = () if way.resumes else self._moves.seeds(self.history)
        self._past = counted(self._past, self._tried)
        self._tried = self._new_link(way.provider, way.translator(history), way.transport)
        return self._tried

    def _ready(self) -> None:
        self._opened = True  # in the very step: a connection that is lost in the next was in use

    def _arrived(self, link: Link) -> None:
        self._past = counted(self._past, self._link)
        self._link, self._tried = link, None

    def _resume(self, held: Sequence[Held], respond: bool) -> None:
        """Say again over a new connection what nobody has answered."""
        translator, now = self._link.translator, self._clock.now()
        if (begun := self._moves.unanswered.begun) is not None:
            translator.send(begun, now)
        for piece in held:
            self._append(self._audio_in.convert(piece.data, piece.format, self._link.wire))
        if respond:
            translator.send(Respond(), now)
            self._asked(Respond())
        self._link.pump.run()

    def _asked(self, command: Command) -> None:
        """The session said something of its own accord; an answer may be due."""
        self._moves.boundary.said(command)
        self._patience.said(command)

    def _gone(self, link: Link, code: int | None, reason: str, by: str) -> None:
        """A connection is gone; one that was left, or never came about, is no news."""
        if link is not self._link or link.pump.over:
            return
        ours = by == "local" or self._closer is not None or not self._opened
        agreed = code == 1000 and not self._moves.expiring
        if self._closer is not None:
            by = "local"  # this program ends it, and the far end was only faster
        if ours or agreed or not self._moves.lose(Loss(code=code, reason=reason, by=by)):
            self._end(code, reason, by)

    def _tell_closed(self, code: int | None, reason: str, by: str) -> None:
        """Between two connections nobody but the session can tell that it is over."""
        if self._state.closed is None:
            closed = SessionClosed(
                origin=Origin(self._link.provider, self._clock.now()),
                synthesised=True,
                code=code,
                reason=reason,
                by=by,
                clean=by == "local",
            )
            self._tell([closed])

    def _new_patience(self, timeouts: Timeouts) -> Patience:
        return Patience(
            timeouts,
            provider=lambda: self._link.provider,
            clock=self._clock,
            state=self._state,
            config=lambda: self._link.translator.config,
            playing=self.playback.is_playing,
            tell=self._tell,
            lost=self._overdue,
            fail=self._fail,
        )

    def _overdue(self, why: str) -> None:
        """An answer is overdue, and its connection counts as lost."""
        if self._closer is None and not self._moves.moving:
            loss = Loss(code=None, reason=why, by="network")
            if not self._moves.lose(loss):
                self._end(loss.code, loss.reason, loss.by)

    def _measured(self, link: Link, condition: Condition) -> None:
        """How the connection is doing; one that is not in use is no news."""
        if link is self._link and self._opened and not self._moves.moving:
            origin = Origin(link.provider, self._clock.now())
            self._tell([ConnectionMeasured(origin=origin, condition=condition)])

    def _failed(self, link: Link, exc: Exception) -> None:
        """Something of a connection's broke that is our own."""
        if not link.pump.over:
            self._fail(exc)
