"""
Moves: how a conversation goes on over another connection.

There are three occasions: the application switches to another provider, it changes a setting that
only a new connection can have, or the connection is lost and somebody else may answer. What happens
is the same each time:

1. Where the old connection still works, the new one is dialled first, and the end of the answer
   that runs is waited for. What cannot be dialled changes nothing.
2. The old connection is left: what runs there is interrupted. From here on ``Reconnecting`` tells
   each attempt. What the application says waits; the user's audio is held.
3. The new provider is told what was said: the history as the session has it, so of an answer that
   was interrupted what was heard.
4. When it is ready ``Reconnected`` is told, in the same step. A turn that the application had begun
   is begun again, audio that nobody has answered is sent again, and what waited goes on.

Where nobody answers the session is over, as when its connection is lost.

Tool calls are not cancelled by a move: their functions go on, and what they return goes in as
conversation, for the new provider has never asked for it. The user does not wait in vain either:
where an answer was cut off by a loss, the new provider is asked for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from unirt.clock import Clock
from unirt.commands import (
    Command,
    Respond,
    SeedHistory,
    SendToolResult,
    UpdateSession,
)
from unirt.config import SessionConfig
from unirt.errors import (
    ConfigurationError,
    DialError,
    SessionClosedError,
    UnirtError,
    UnsupportedCommand,
    UsageError,
)
from unirt.events import (
    Event,
    HistorySeeded,
    Origin,
    Reconnected,
    Reconnecting,
    ToolCallCancelled,
)
from unirt.failover import Candidate
from unirt.items import AudioContent, Item, Role
from unirt.session.boundary import Boundary
from unirt.session.leftover import Leftover
from unirt.session.link import Link
from unirt.session.unanswered import Held, Unanswered
from unirt.session.ways import Way, Ways

if TYPE_CHECKING:
    from unirt.session.state import State

__all__ = ["Loss", "Moves"]

_LOG = logging.getLogger("unirt.session")

_HOPELESS_CODES = frozenset({1002, 1003, 1007, 1008, 1009, 1010})
"Close codes (RFC 6455, 7.4) of a peer that would do the same again."
_HOPELESS_STATUS = frozenset({400, 401, 402, 403, 404})
"Statuses (RFC 9110) of an upgrade that would be refused again."


@attrs.frozen(kw_only=True)
class Loss:
    """How a connection ended although nobody in this program ended it."""

    code: int | None
    reason: str
    by: str

    @property
    def hopeless(self) -> bool:
        """Whether the same would happen to the next connection."""
        return self.code in _HOPELESS_CODES

    def __str__(self) -> str:
        code = "" if self.code is None else f"close code {self.code}"
        return ", ".join(filter(None, (code, self.reason))) or "the connection was cut"


@attrs.define(eq=False)
class _Move:
    """One move, while it happens."""

    why: str
    previous: str
    loss: Loss | None
    unanswered: bool
    "The user waits for an answer that was cut off, or had not begun."
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
        timeout: The bound on a handshake, in seconds.
        close_timeout: The bound on closing what is left behind, in seconds.
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
        timeout: float,
        close_timeout: float,
    ) -> None:
        self.boundary = Boundary(clock, lambda: link().translator.config)
        self.unanswered = Unanswered()
        self.leftover = Leftover(link, clock.now)
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
        self._timeout = timeout
        self._close_timeout = close_timeout
        self._lock = asyncio.Lock()
        "Held by whoever wants to move; a loss does not ask."
        self._settled = asyncio.Event()
        self._settled.set()
        self._carried: set[str] = set()
        "Calls of connections that were left, which wait for their results."
        self._over = False
        own: dict[type[Event], Callable[[Any], None]] = {
            ToolCallCancelled: self._calls_cancelled,
        }
        for noun in (self.boundary, self.unanswered, self.leftover):
            state.listen(noun.handlers)
        state.listen(own)

    # What the session asks.

    async def settled(self) -> None:
        """Wait until the session is somewhere, or over."""
        await self._settled.wait()

    def _calls_cancelled(self, event: ToolCallCancelled) -> None:
        self._carried -= set(event.call_ids)

    def carries(self, command: Command) -> bool:
        """Whether a command is the result of a call that nobody there has asked for."""
        return isinstance(command, SendToolResult) and command.call_id in self._carried

    def as_conversation(self, result: SendToolResult) -> list[Command]:
        """
        What to say instead of the result of such a call, once the history has it.

        Raises:
            UnsupportedCommand: It is not the whole result.
        """
        if result.more_follows:
            raise UnsupportedCommand(
                "SendToolResult(more_follows=)",
                provider=self._link().provider,
                why="the call was made over a connection that was left",
                remedy="send the whole result",
            )
        self._carried.discard(result.call_id)
        item = self._state.history.result_of(result.call_id)
        said: list[Command] = [] if item is None else [SeedHistory(items=(item,))]
        if result.respond and not self._carried:
            said.append(Respond())
        return said

    # Moving.

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
        self, provider: object, more: Mapping[str, Any], *, patience: float
    ) -> None:
        """
        Go to somebody else.

        Raises:
            ConfigurationError: They cannot be reached with what is configured.
            DialError: They do not answer. Where that became clear only when the connection in use
                had been left, the conversation goes on with somebody else.
            SessionClosedError: The session ended meanwhile.
        """
        candidate = self._known().candidate(provider, **more)
        await self._go(candidate, "switch", None, patience)

    async def renew(self, changes: SessionConfig) -> None:
        """Go to the same provider again, with other settings; raises what a switch does."""
        await self._go(None, "update", changes, 0.0)

    async def _go(
        self, candidate: Candidate | None, why: str, changes: SessionConfig | None, patience: float
    ) -> None:
        failure: list[UnirtError] = []

        async def go() -> None:
            try:
                async with self._lock:
                    await self._travel(candidate, why, changes, patience)
            except UnirtError as exc:
                failure.append(exc)

        await asyncio.wait({self._spawn(go())})  # who is cancelled here does not stop it half way
        if failure:
            raise failure[0]
        if self._over:
            raise SessionClosedError(why)

    async def _travel(
        self, candidate: Candidate | None, why: str, changes: SessionConfig | None, patience: float
    ) -> None:
        ways = self._known()
        await self.boundary.wait(patience)
        while True:
            await self.settled()
            origin = ways.current
            target = candidate or origin
            way = await ways.dial(target, changes)
            if not (self.moving or self._over):
                break
            await way.transport.close()  # the connection in use was lost meanwhile
            if self._over:
                return
        move = self._leave(why, None)
        error = await self._attempt(move, target, way)
        if error is not None:
            others = [c for c in ways.after(target, hopeless=True) if c.name != origin.name]
            await self._try(move, [*others, origin])
            raise error

    def lose(self, loss: Loss) -> bool:
        """The connection is lost; returns whether somebody else is tried."""
        ways = self._ways
        if ways is None or self._over:
            return False
        others = ways.after(ways.current, hopeless=loss.hopeless)
        if not others:
            return False
        ways.failed(ways.current)
        self._spawn(self._try(self._leave("lost", loss), others))
        return True

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
        move = _Move(why=why, previous=link.provider, loss=loss, unanswered=self.boundary.awaited)
        move.error = None if loss is None else self._known().hide(str(loss))
        self.moving = self.unanswered.moving = True
        self._settled.clear()
        self._carried.update(self._state.history.pending_calls())
        self.leftover.keep(link)
        gone = loss or Loss(code=1000, reason=why, by="local")
        link.end(gone.code, gone.reason, gone.by, goes_on=True)
        self._state.ledger.leave()
        self._spawn(self._retire(link))
        return move

    async def _retire(self, link: Link) -> None:
        try:
            deadline = asyncio.get_running_loop().time() + self._close_timeout
            await link.hang_up(1000, "", deadline)
        finally:
            await link.join()

    async def _try(self, move: _Move, candidates: Iterable[Candidate]) -> None:
        """Try one candidate after the other, until one answers or there is none."""
        tries: Counter[str] = Counter()
        hopeless: set[str] = set()
        for candidate in candidates:
            if candidate.name in hopeless:
                continue
            if tried := tries[candidate.name]:
                await self._clock.sleep_until(self._clock.now() + self._known().pause(tried))
            tries[candidate.name] += 1
            error = await self._attempt(move, candidate)
            if error is None:
                return
            if _is_hopeless(error):
                hopeless.add(candidate.name)
        self._lost(move.loss or Loss(code=None, reason="no provider answered", by="network"))

    async def _attempt(
        self, move: _Move, candidate: Candidate, way: Way | None = None
    ) -> UnirtError | None:
        """Try one candidate; returns why it does not answer."""
        ways, loss = self._known(), move.loss
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
            await self._open(move, way or await ways.dial(candidate))
        except (ConfigurationError, DialError) as exc:
            error = ways.masked(exc)
            _LOG.warning("%s does not answer: %s", candidate.name, error)
            ways.failed(candidate)
            move.error = str(error)
            return error
        return None

    async def _open(self, move: _Move, way: Way) -> None:
        seeded = self._state.seeded
        link = self._new_link(way)
        try:
            await link.open(self._timeout, lambda: self._arrive(move, way, link, seeded))
        finally:
            if link is not self._link():
                link.end(1000, "", "local", goes_on=True)
                self._spawn(self._retire(link))

    def _arrive(
        self, move: _Move, way: Way, link: Link, seeded_before: HistorySeeded | None
    ) -> None:
        """The new provider is ready: go on, in the same step."""
        if self._over:
            return
        self._known().arrived(way.candidate)
        self._arrived(link)
        seeded = self._state.seeded
        told = None if seeded is seeded_before else seeded
        held = self.unanswered.take()
        event = Reconnected(
            origin=Origin(link.provider, self._clock.now()),
            why=move.why,
            previous=move.previous,
            model=way.model,
            attempts=move.attempts,
            carried=0 if told is None else told.carried,
            changed=0 if told is None else len(told.changed),
            lost=0 if told is None else len(told.lost),
            forgotten=self._state.history.items.forgotten,
            settings_lost=way.settings_lost,
            lost_ms=self.unanswered.lost_ms,
            replayed_ms=sum(piece.ms for piece in held),
            calls=tuple(sorted(self._carried)),
        )
        self._tell([event])
        self.moving = self.unanswered.moving = False
        waits = move.why == "lost" and move.unanswered
        self._resume(held, waits and not (self._carried or self.unanswered.speaking))
        self._settled.set()


def _is_hopeless(error: UnirtError) -> bool:
    """Whether whoever gave it would give it again."""
    if not isinstance(error, DialError):
        return True
    return error.status in _HOPELESS_STATUS or getattr(error, "code", None) in _HOPELESS_CODES
