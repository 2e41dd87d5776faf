"""
Moves: how a conversation goes on over another connection.

There are three occasions: the application switches to another provider, it changes a setting that
only a new connection can have, or the connection is lost and somebody else may answer. What happens
is the same each time:

1. Where the old connection still works, the new one is dialled first, and the end of the answer
   that runs is waited for, tools included. What cannot be dialled changes nothing.
2. The old connection is left: what runs there is interrupted. From here on ``Reconnecting`` tells
   each attempt. What the application says waits; the user's audio is held.
3. The new provider is told what was said: the history as the session has it, so of an answer that
   was interrupted what was heard.
4. When it is ready ``Reconnected`` is told, in the same step. A turn that the application had begun
   is begun again, audio that nobody has answered is sent again, and what waited goes on.

Where nobody answers the session is over, as when its connection is lost.

Tool calls are not cancelled by a move: their functions go on, and what they return goes in as
conversation, for the new provider has never asked for it. The user does not wait in vain either:
where an answer was cut off by a loss, or at a cap, or had not begun, the new provider is asked for
it. One that the application has cut off, by a switch without patience, stays so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from unirt.clock import Clock
from unirt.commands import Command, SeedHistory, UpdateSession
from unirt.config import Manual, SessionConfig
from unirt.errand import Errand
from unirt.errors import (
    ConfigurationError,
    DialError,
    UnirtError,
    UsageError,
)
from unirt.events import Event, HistorySeeded, Origin, Reconnected, Reconnecting
from unirt.failover import Candidate
from unirt.items import AudioContent, Item, Role
from unirt.itinerary import Itinerary, Stop
from unirt.log import logger, marked
from unirt.policy import RECORDING_ENDS, Verdict
from unirt.session.boundary import Boundary
from unirt.session.carried import Carried
from unirt.session.leftover import Leftover
from unirt.session.link import Link, Retiring
from unirt.session.lookout import Lookout, Loss
from unirt.session.remembered import Remembered
from unirt.session.unanswered import Held, Unanswered
from unirt.session.ways import Way, Ways
from unirt.timeouts import Timeouts

if TYPE_CHECKING:
    from unirt.session.state import State

__all__ = ["Moves"]

_LOG = logger(__name__)

_MARGIN_S = 5.0
"How long before its end a connection is left at the latest, in seconds."

_Wait = Callable[[], Coroutine[Any, Any, None]]
"Waits for a good moment."

_NOT_ASKED = ("lost", "expiring")
"Moves that no application has asked for."


@attrs.define(eq=False)
class _Move:
    """One move, while it happens."""

    why: str
    previous: str
    loss: Loss | None
    unanswered: bool
    "The user waits for an answer that was cut off, or had not begun."
    retiring: Errand
    "Closes the connection that was left."
    attempts: int = 0
    error: str | None = None


class Moves:
    """
    Where one session is, and how it gets elsewhere.

    Args:
        ways: Opens connections; ``None`` where the session cannot move.
        state: The facts of the session.
        clock: The time of pauses.
        new_link: Makes a link of a way.
        link: Tells the link in use.
        arrived: Is given the one that is in use from here on.
        resume: Is called once that was told: what waited goes on. It is given the user's audio to
            send again, and whether an answer is due.
        tell: Tells events of the session's own to its views.
        spawn: Runs a task of the session.
        lost: Is told that nobody answers: the session is over.
        check_open: Raises, for a verb, where the session is over.
        timeouts: The bounds on a handshake, and on closing what is left behind.
        mark: Whose they are, for the log.
    """

    def __init__(
        self,
        ways: Ways | None,
        *,
        state: State,
        clock: Clock,
        new_link: Callable[[Way], Link],
        link: Callable[[], Link],
        arrived: Callable[[Link], None],
        resume: Callable[[Sequence[Held], bool], None],
        tell: Callable[[Sequence[Event]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        lost: Callable[[Loss], None],
        check_open: Callable[[str], None],
        timeouts: Timeouts,
        mark: str,
    ) -> None:
        self._log = marked(_LOG, mark)
        self.boundary = Boundary(
            clock,
            lambda: link().translator.config,
            lambda: link().translator.capabilities.waits_for_tools,
        )
        self.unanswered = Unanswered()
        self.leftover = Leftover(link, clock.now)
        self.carried = Carried()
        self._remembered = Remembered(ways, state.history)
        self._lookout = Lookout(clock.now, self._expires)
        self.moving = False
        "No connection is in use: nothing can be said."
        self._ways = ways
        self._state = state
        self._clock = clock
        self._new_link = new_link
        self._link = link
        self._arrived = arrived
        self._resume = resume
        self._tell = tell
        self._spawn = spawn
        self._lost = lost
        self._check_open = check_open
        self._timeout = timeouts.handshake
        self._lock = asyncio.Lock()
        "Held by whoever wants to move; a loss does not ask."
        self._settled = asyncio.Event()
        self._settled.set()
        self.retiring = Retiring(spawn, clock, timeouts.close)
        self._over = False
        nouns = (
            self.boundary,
            self.unanswered,
            self.leftover,
            self.carried,
            self._remembered,
            self._lookout,
        )
        for noun in nouns:
            state.listen(noun.handlers)

    # What the session asks.

    @property
    def expiring(self) -> bool:
        """Whether the provider has said that it will end the connection soon."""
        return self._lookout.expiring

    async def settled(self) -> None:
        """Wait until the session is somewhere, or over."""
        await self._settled.wait()

    def said(self, command: Command) -> None:
        """The application said something, and it was accepted."""
        if isinstance(command, UpdateSession) and self._ways is not None:
            self._ways.changed(command.changes)
        self.leftover.said(command)
        self.boundary.said(command)
        self.unanswered.said(command)

    def seeds(self, history: Iterable[Item]) -> list[Item]:
        """What a new provider is told, of a history: all but what the user will say again."""
        items = list(history)
        while self.unanswered.speaking and items and items[-1].role is Role.USER:
            if not any(isinstance(part, AudioContent) for part in items[-1].content):
                break
            items.pop()
        return items

    async def switch_to(
        self, provider: object, more: Mapping[str, Any], *, patience: float, with_tools: bool
    ) -> None:
        """
        Go to somebody else, once the answer that runs is over, maybe with the tools it called.

        Raises:
            ConfigurationError: They cannot be reached with what is configured.
            DialError: They do not answer. Where that became clear only when the connection in use
                had been left, the conversation goes on with somebody else.
            SessionClosedError: The session ended meanwhile.
        """
        candidate = self._known().candidate(provider, **more)
        wait = partial(self.boundary.wait, patience, with_tools=with_tools)
        await self._go(candidate, "switch", None, wait)

    async def renew(self, changes: SessionConfig) -> None:
        """Go to the same provider again, with other settings; raises what a switch does."""
        await self._go(None, "update", changes, partial(self.boundary.wait, 0.0))

    async def _go(
        self, candidate: Candidate | None, why: str, changes: SessionConfig | None, wait: _Wait
    ) -> None:
        failure: list[UnirtError] = []

        async def go() -> None:
            try:
                async with self._lock:
                    await self._travel(candidate, why, changes, wait)
            except UnirtError as exc:
                failure.append(exc)

        await asyncio.wait({self._spawn(go())})  # who is cancelled here does not stop it half way
        if failure:
            raise failure[0]
        self._check_open(why)

    async def _travel(
        self, candidate: Candidate | None, why: str, changes: SessionConfig | None, wait: _Wait
    ) -> None:
        ways = self._known()
        ways.check(candidate or ways.current, changes)
        await wait()
        while True:
            await self.settled()
            way, origin = None, ways.current
            target = candidate or origin
            if self._remembered.by(target, changes) is None:
                # Where the provider remembers nothing, the new one is there before the old goes.
                way = await ways.dial(target, changes)
            if not (self.moving or self._over):
                break
            if way is not None:  # the connection in use was lost meanwhile
                await way.transport.close()
            if self._over:
                return
        move = self._leave(why, None)
        error = await self._attempt(move, target, way, changes)
        if error is not None:
            if await self._attempt(move, origin) is not None:
                await self._try(move, ways.itinerary(origin, Verdict.RETRY, 1))
            raise error

    def lose(self, loss: Loss) -> bool:
        """The connection is lost; returns whether somebody is tried."""
        ways = self._ways
        if ways is None or self._over:
            return False
        row = ways.judge(code=loss.code, reason=loss.reason, errors=self._lookout.errors)
        verdict = row.verdict
        if self.expiring or self._lookout.on_trial:
            verdict = Verdict.ROTATE  # a new session may well be had
        itinerary = ways.itinerary(ways.current, verdict, self._lookout.strike())
        stop = itinerary.next()
        if stop is None:
            return False
        ways.failed(ways.current)
        self._spawn(self._try(self._leave("lost", loss), itinerary, stop))
        return True

    async def _rotate(self, time_left: float) -> None:
        """Go on before the provider ends the connection; at the end of an answer, if there is."""
        link, ways = self._link(), self._known()
        until = self._clock.now() + time_left - min(_MARGIN_S, time_left / 4)
        tried = 0
        while not (self._over or self.moving) and link is self._link():
            try:
                patience = max(until - self._clock.now(), 0.0)
                async with self._lock:
                    wait = partial(self.boundary.wait, patience)
                    await self._travel(None, "expiring", None, wait)
            except UnirtError as exc:
                tried += 1
                self._log.warning("no other connection yet: %s", ways.masked(exc))
                await self._clock.sleep_until(self._clock.now() + tried)

    def _catch_up(self, link: Link, position: int) -> None:
        """Tell a provider that remembers the conversation what was said after it was asked to."""
        later = self.seeds(self._state.history.since(position))
        if later:
            link.translator.send(SeedHistory(items=tuple(later)), self._clock.now())
            link.pump.run()

    def _expires(self, time_left: float) -> None:
        if self._ways is not None and self._ways.rotates and not self._over:
            self._spawn(self._rotate(time_left))

    def end(self) -> None:
        """The session is ending: nobody waits any more."""
        self._over = True
        self.leftover.end()
        self._settled.set()

    def _known(self) -> Ways:
        if self._ways is None:
            raise UsageError(
                "the session cannot move: it does not know how providers are reached",
                where="switch",
                remedy="open it with unirt.connect()",
            )
        return self._ways

    def _leave(self, why: str, loss: Loss | None) -> _Move:
        """End the connection in use, or what is left of it; its successor is not known yet."""
        link = self._link()
        move = _Move(
            why=why,
            previous=link.provider,
            loss=loss,
            unanswered=self.boundary.due or (why in _NOT_ASKED and not self.boundary.here),
            retiring=self.retiring.add(link),
        )
        move.error = None if loss is None else self._known().hide(str(loss))
        self.moving = self.unanswered.moving = True
        self._settled.clear()
        self.carried.leave(self._state.history.items)
        self.leftover.keep(link)
        gone = loss or Loss(code=1000, reason=why, by="local")
        link.end(gone.code, gone.reason, gone.by, goes_on=True)
        self._state.ledger.leave()
        return move

    async def _try(self, move: _Move, itinerary: Itinerary, stop: Stop | None = None) -> None:
        """Try one candidate after the other, until one answers or there is none."""
        stop = stop or itinerary.next()
        while stop is not None:
            if stop.wait:
                await self._clock.sleep_until(self._clock.now() + stop.wait)
            error = await self._attempt(move, stop.candidate)
            if error is None:
                return
            stop = itinerary.next(error)
        loss = move.loss or Loss(code=None, reason="", by="network")
        why = [loss.reason, f"no other connection came about: {move.error}"]
        if RECORDING_ENDS in why[1]:
            why.pop()  # as it was recorded
        self._lost(attrs.evolve(loss, reason="; ".join(filter(None, why))))

    async def _attempt(
        self,
        move: _Move,
        candidate: Candidate,
        way: Way | None = None,
        changes: SessionConfig | None = None,
    ) -> UnirtError | None:
        """Try one candidate; returns why it does not answer."""
        ways, loss = self._known(), move.loss
        handle = None if way is not None else self._remembered.by(candidate, changes)
        move.attempts += 1
        event = Reconnecting(
            origin=Origin(move.previous, self._clock.now()),
            why=move.why,
            target=candidate.name,
            model=candidate.model if way is None else way.model,
            attempt=move.attempts,
            error=move.error,
            code=None if loss is None else loss.code,
            by="local" if loss is None else loss.by,
        )
        self._tell([event])
        try:
            if way is None:
                if handle is not None:
                    await move.retiring.done()  # it remembers one connection at a time
                way = await ways.dial(candidate, changes, None if handle is None else handle.value)
            await self._open(move, way, 0 if handle is None else handle.position)
        except (ConfigurationError, DialError) as exc:
            error = ways.masked(exc)
            self._log.warning("%s does not answer: %s", candidate.name, error)
            move.error = str(error)
            if handle is not None:
                self._remembered.forget()  # as it has: tell it anew
                return await self._attempt(move, candidate, None, changes)
            ways.failed(candidate)
            return error
        return None

    async def _open(self, move: _Move, way: Way, position: int) -> None:
        seeded = self._state.seeded
        link = self._new_link(way)
        try:
            await link.open(self._timeout, lambda: self._arrive(move, way, link, seeded, position))
        finally:
            if link is not self._link():
                link.end(1000, "", "local", goes_on=True)
                self.retiring.add(link)

    def _arrive(
        self,
        move: _Move,
        way: Way,
        link: Link,
        seeded_before: HistorySeeded | None,
        position: int,
    ) -> None:
        """The new provider is ready: go on, in the same step."""
        if self._over:
            return
        self._known().arrived(way.candidate)
        self._arrived(link)
        self._lookout.arrived(resumed=way.resumes)
        self._remembered.forget()
        if way.resumes:
            self._catch_up(link, position)
        seeded = self._state.seeded
        told = None if seeded is seeded_before else seeded
        manual = isinstance(link.translator.config.turn_detection, Manual)
        begun = self.unanswered.begun is not None
        held = [] if manual and not begun else self.unanswered.take()
        event = Reconnected(
            origin=Origin(link.provider, self._clock.now()),
            why=move.why,
            previous=move.previous,
            model=way.model,
            attempts=move.attempts,
            state_restored=way.resumes,
            carried=0 if told is None else told.carried,
            changed=0 if told is None else len(told.changed),
            lost=0 if told is None else len(told.lost),
            forgotten=self._state.history.items.forgotten,
            settings_lost=way.settings_lost,
            lost_ms=self.unanswered.lost_ms,
            replayed_ms=sum(piece.ms for piece in held),
            calls=tuple(self.carried),
        )
        self._tell([event])
        self.moving = self.unanswered.moving = False
        answered = self.carried or self.unanswered.speaking
        self._resume(held, move.unanswered and not answered)
        self._settled.set()
