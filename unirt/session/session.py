"""
A session: a conversation, over one connection at a time.

The way of a frame: it is taken off the transport, fed to the translator, and its events are handed
to the views, all in one step without an ``await``; so are all the frames that one read of the
socket brought. A transport that can (:class:`~unirt.transport.Prompt`) hands them over out of its
own callback; from any other the reader fetches them one by one. The way of a verb: it waits for
room, feeds the translator, and leaves the frames in the outbox, likewise. So the translator never
sees two things at once, and needs no lock.

What belongs to a single connection is in :mod:`unirt.session.link`, its tasks too. One more task,
the closer, runs once: whoever wants the session closed, and whatever ended it, starts the closer,
and everybody waits for the same one. It joins the others, so when :meth:`Session.close` returns
nothing is left.

Time is the :class:`~unirt.clock.Clock`'s, for the translator and for everybody who waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from unirt.audio import AudioFormat
from unirt.budget import Budget
from unirt.clock import Clock
from unirt.commands import (
    AppendAudio,
    ClearInput,
    Command,
    CommitInput,
    EndTurn,
    SeedHistory,
    SendToolResult,
    UpdateSession,
)
from unirt.errand import Errand
from unirt.errors import CassetteMismatch
from unirt.events import Event, HistorySeeded
from unirt.items import Item
from unirt.log import logger, marked, new_mark
from unirt.session.accounts import Accounts
from unirt.session.arguments import ConfigFields, config_of
from unirt.session.audio_in import AudioIn, pieces
from unirt.session.ears import check_turns, ears_of
from unirt.session.facts import Facts
from unirt.session.keeper import Keeper, closed_error
from unirt.session.limits import Limits, Stats
from unirt.session.link import Link, within
from unirt.session.listening import Listening
from unirt.session.moves import Moves
from unirt.session.observers import Observers
from unirt.session.playback import Playback
from unirt.session.roaming import Roaming
from unirt.session.scope import Scope
from unirt.session.state import State, told_of_seeding
from unirt.session.tooling import Tooling
from unirt.session.updates import Updates
from unirt.session.verbs import URGENT, Verbs
from unirt.session.views import ContentView, Hub, View
from unirt.session.ways import Ways
from unirt.text import check_text
from unirt.timeouts import Timeouts
from unirt.translator import Translator
from unirt.transport import Transport
from unirt.update import Updated

if TYPE_CHECKING:
    from unirt.events import LimitReached
    from unirt.session.audio_in import AudioData
    from unirt.session.local_vad import Score
    from unirt.tools.context import Approve

__all__ = ["Session"]

_LOG = logger(__name__)


class Session(Facts, Accounts, Listening, Verbs, Roaming):
    """
    One open conversation with a provider.

    Made by :func:`unirt.connect`; iterate it for every event, iterate :meth:`content` for the
    conversation alone, and use both at once as often as needed.

    Args:
        provider: The provider's registered name.
        translator: Fresh; owned from here on.
        transport: Open; owned from here on.
        clock: What the translator's time is.
        limits: The bounds of what is held.
        audio_in: What the application sends; ``None`` for what the provider listens to.
        audio_out: What the application wants to hear; ``None`` for what the provider speaks.
        observers: Who is told of everything before the views are; owned from here on.
        approve: Who is asked before a tool runs that wants to be approved; ``None`` for nobody.
        budget: What may be used; ``None`` for no limit.
        ways: Opens other connections; ``None`` where the session keeps to this one.
        timeouts: The bounds on waiting.
        detector: What tells speech from all else, where the session detects turns by itself.
        log_id: What its log records are told by; ``None`` for a new one.
    """

    def __init__(
        self,
        *,
        provider: str,
        translator: Translator,
        transport: Transport,
        clock: Clock,
        limits: Limits | None = None,
        audio_in: AudioFormat | None = None,
        audio_out: AudioFormat | None = None,
        observers: Observers | None = None,
        approve: Approve | None = None,
        budget: Budget | None = None,
        ways: Ways | None = None,
        timeouts: Timeouts | None = None,
        detector: Score | None = None,
        log_id: str | None = None,
    ) -> None:
        self.log_id = log_id or new_mark()
        "What its records in the log, and its lines in the trace, are told by; see `unirt.log`."
        self._log = marked(_LOG, self.log_id)
        self._hide = str if ways is None else ways.hide
        limits = limits or Limits()
        self._clock = clock
        self._timeouts = timeouts = timeouts or Timeouts()
        self._observers = observers
        self._audio_in = AudioIn(audio_in)
        self._ears = ears_of(translator.config, detector, self.send, self._hand_on)
        self._hub = Hub(limits)
        self._scope = Scope(self._fail)
        self._kept: View | None = None
        self._folded: ContentView | None = None
        self._state = State(limits, translator.config.history or (), lambda: self.config.model)
        self._audio_out = audio_out
        self._limits = limits
        self._link = self._new_link(provider, translator, transport)
        self._past = Stats()
        "What was counted of the connections that were left."
        self._tried: Link | None = None
        "The connection that was tried last, where it did not come about, or has not yet."
        self._moves = Moves(
            ways,
            state=self._state,
            clock=clock,
            new_link=self._link_of,
            link=lambda: self._link,
            arrived=self._arrived,
            resume=self._resume,
            tell=self._tell,
            spawn=self._scope.spawn,
            lost=lambda loss: self._end(loss.code, loss.reason, loss.by),
            check_open=self._check_open,
            timeouts=timeouts,
            mark=self.log_id,
        )
        self.playback = Playback(lambda: self._moves.leftover.links, self._hub, audio_out, clock)
        "How far the model's speech was played; see :mod:`unirt.session.playback`."
        self._tooling = Tooling(
            self, clock, limits, tell=self._tell, approve=approve, fail=self._fail
        )
        self._updates = Updates(
            lambda: self._link,
            self._moves,
            send=self.send,
            accepted=self._accepted,
            tell=self._tell,
            spawn=self._scope.spawn,
            now=clock.now,
            mark=self.log_id,
        )
        for handlers in self._tooling.handlers:
            self._state.listen(handlers)
        self._patience = self._new_patience(timeouts)
        self._keeper: Keeper | None = None
        if budget is not None:
            self._keeper = Keeper(
                budget,
                provider=lambda: self.provider,
                clock=clock,
                usage=lambda: self.usage,
                tell=self._tell,
                end=self._limit_reached,
                spawn=self._scope.spawn,
            )
            self._state.listen(self._keeper.handlers)
            self._state.listen(self._keeper.watching)
        self._ended_by: LimitReached | None = None
        self._opened = False
        "It was ready once."
        self._over = False
        "Its last event was told: nothing may follow."
        self._closer: Errand | None = None
        self._hurry = False
        self._failure: Exception | None = None
        self._failure_told = False

    # Views.

    def __aiter__(self) -> View:
        """Every event, in order. There is one such iterator: a loop that was left goes on there."""
        if self._kept is None:
            self._kept = self._hub.open()
        return self._kept

    def content(self) -> ContentView:
        """
        The conversation alone, folded; ends with the session. See :mod:`unirt.fold`.

        There is one such iterator a session: a loop that was left goes on where it was.
        """
        if self._folded is None:
            self._folded = ContentView(self._hub.open())
        return self._folded

    def view(self) -> View:
        """Another reader of every event, with a place of its own. Abandon it with ``aclose()``."""
        return self._hub.open()

    # Verbs.

    async def send(self, command: Command) -> None:
        if isinstance(command, AppendAudio):
            await self.send_audio(command.data)
            return
        name, moves = type(command).__name__, self._moves
        self._check_open(name)
        check_text(command, name)
        self._tooling.check(command)
        check_turns(self._ears, command)
        if moves.leftover.takes(command) or (moves.moving and isinstance(command, URGENT)):
            return  # what it is about was interrupted, and told so
        if not isinstance(command, URGENT):
            await self._ready_for(command)
        if isinstance(command, ClearInput):
            self._audio_in.reset()
            self._link.drop_audio()
        now = self._clock.now()
        carried = moves.carried.takes(command)
        if not carried:
            self._link.translator.send(command, now)
        self._accepted(command)
        if carried and isinstance(command, SendToolResult):
            for instead in moves.carried.as_conversation(command, self.history, self.provider):
                self._link.translator.send(instead, now)
                self._asked(instead)
        self._link.pump.run()

    async def _ready_for(self, command: Command) -> None:
        """Wait for a connection, and for room; for the end of a turn until all of it was heard."""
        moves, name = self._moves, type(command).__name__
        while True:
            await moves.settled()
            link = self._link
            await link.outbox.room()
            self._check_open(name)
            if link is not self._link or moves.moving:
                continue  # it went while its network was congested
            if not isinstance(command, EndTurn | CommitInput):
                return
            self._append(self._audio_in.flush())
            if not await link.heard():
                return
            self._check_open(name)
            if link is self._link and not moves.moving:
                return

    def _accepted(self, command: Command) -> None:
        now = self._clock.now()
        self._tooling.said(command)
        self._state.said(command, now)
        self._moves.said(command)
        self._patience.said(command)
        if self._keeper is not None:
            self._keeper.said(command, now)
        if self._observers is not None:
            self._observers.said(command)

    async def update(
        self, *, reconnect: bool = True, strict: bool = True, **changes: Unpack[ConfigFields]
    ) -> Updated:
        self._check_open("update")
        config = config_of(changes)
        self._tooling.check(UpdateSession(changes=config))
        check_turns(self._ears, UpdateSession(changes=config))
        return await self._updates.update(config, reconnect=reconnect, strict=strict)

    async def seed(self, items: Iterable[Item]) -> HistorySeeded:
        await self.send(SeedHistory(items=tuple(items)))
        return told_of_seeding(self._state.seeded)

    async def send_audio(self, data: AudioData, format: AudioFormat | None = None) -> None:
        """
        Send the next piece of the user's voice.

        Args:
            data: PCM16, float32 or G.711 bytes, or a numpy array of int16 or float32 of shape
                ``(frames,)`` or ``(frames, channels)``. It is converted to what the provider
                listens to; audio that is that already goes untouched.
            format: What it is; by default the ``audio_in`` of ``connect()``, and without that what
                the provider listens to.

        Raises:
            AudioFormatError: The data cannot be in that format.
        """
        self._check_open("send_audio")
        wire = self._link.wire
        raw, given = self._audio_in.accept(data, format, wire)
        for piece in pieces(raw, given):
            link = self._link
            if link.outbox.full or link.media is not None:
                await link.room()
                self._check_open("send_audio")
                wire = self._link.wire  # it may be another one now
            if self._ears is None or not self._ears_listen:
                self._hand_on(piece, given, wire)
            else:
                await self._ears.hear(piece, given)

    def _check_open(self, verb: str) -> None:
        if not self.closed:
            return
        if isinstance(self._failure, CassetteMismatch):
            raise self._failure  # a test has to see what went wrong, not that it is over
        raise closed_error(verb, self._state.closed, self._ended_by) from self._told()

    # The connection.

    async def open(self) -> None:
        """
        Open the link, and wait until the provider is ready. Called once, by ``connect()``.

        Raises:
            HandshakeError: The provider refused the session, or was not ready in time.
        """
        await self._link.open(self._timeouts.handshake, self._ready)
        self._tooling.open()
        self._log.info("%s is ready: %s", self.provider, self.model)

    def _tell(self, events: Sequence[Event]) -> None:
        """Hand on events of the session's own, between two steps; none once it is over."""
        if self._over:
            return
        if self._observers is not None:
            self._observers.told(events)
        self._state.feed(events)
        self._hub.deliver(events, 0)

    # The end.

    def _fail(self, exc: Exception) -> None:
        """Something of our own broke: the session cannot go on."""
        self._log.debug("the session with %s fails", self.provider, exc_info=exc)
        self._failure = exc
        self._end(None, "internal error", "local")

    def _end(self, code: int | None, reason: str, by: str) -> None:
        """The connection is gone, or given up: tell the last events, and clean up."""
        if self._over:
            return
        self._tooling.end()
        self._moves.end()
        try:
            if self._tried is not None:
                self._tried.end(code, reason, by, goes_on=True)
            self._link.end(code, reason, by)
            self._tell_closed(code, reason, by)
        except Exception as exc:
            self._failure = self._failure or exc
        self._over = True
        self._hub.finish(self._told)
        self._start_closing(1000, "")
        told = self._hide(reason)  # a server may quote a key
        self._log.info("%s: closed by %s, code %s %s", self.provider, by, code, told)

    def _told(self) -> Exception | None:
        """Why the session ended other than by being closed; whoever calls this raises it."""
        self._failure_told = True
        return self._failure or self._state.lost()

    def _limit_reached(self, limit: LimitReached) -> None:
        if not self.closed:
            self._ended_by = limit
            self._start_closing(1000, f"limit: {limit.limit}")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """
        Send what is queued, close the connection, and wait until nothing of the session is left.

        Safe to call at any time, from anywhere, any number of times; takes at most the ``close`` of
        the :class:`~unirt.Timeouts`. Views get what is told until the end, and then end.
        """
        self._tooling.excuse(asyncio.current_task())
        closer = self._start_closing(code, reason)
        try:
            await closer.done()
        except asyncio.CancelledError:
            self._hurry = True
            closer.cancel()
            await closer.done()
            raise

    def _start_closing(self, code: int, reason: str) -> Errand:
        if self._closer is None:
            self._closer = Errand(lambda: self._shut(code, reason))
        return self._closer

    async def _shut(self, code: int, reason: str) -> None:
        most = self._timeouts.close
        deadline = self._clock.now() + most
        self._hub.release()
        self._tooling.end()
        self._moves.end()
        try:
            await within(self._link.outbox.drained(), self._clock, deadline - most / 2, self._log)
        finally:
            if self._hurry:
                deadline = self._clock.now()
            try:
                await self._link.hang_up(code, reason, deadline)
                await within(self._moves.retiring.settled(), self._clock, deadline, self._log)
            finally:
                await self._link.join()
                await self._scope.join()
                self._end(code, reason, "local")
                if self._observers is not None:
                    self._observers.close()
                await self._tooling.join(self._clock.now() if self._hurry else deadline)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
        if exc is None and self._failure is not None and not self._failure_told:
            raise self._failure
