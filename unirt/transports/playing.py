"""
A transport without a far end: a recorded connection, played.

What is sent is matched, what is recorded is received, and the time of the tape goes with it: to the
recorded time of each frame when it is received, and to that of the frame that the client is waited
for to send, where it stands. Who sleeps on that clock is woken in between, in order. Frames that
follow one another without one of the client's between them are handed over in one go, each at its
time, and nobody has a turn in between but those sleepers, unless it is so much that a view would
have to drop audio. So a conversation goes the same way every time, whatever the machine is doing.

Where several connections are open at once, their frames come in the order of the file, and where
another one was dialled then, not before it is. A client that does not dial it is given up, and one
that sends less audio where that does not count.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from operator import itemgetter
from typing import Any, NoReturn

from unirt.cassettes.entries import Closed, Entry, Framed, Opened, Stalled
from unirt.cassettes.player import Player
from unirt.errors import CassetteMismatch
from unirt.translator import Frame
from unirt.transport import TransportClosed
from unirt.transports.tape_clock import STANDS_S, TapeClock

__all__ = ["PlayingTransport", "Table"]


_IN_ONE_GO = 1 << 20
"Bytes: some 16 s of audio, of which a view holds two minutes."
_TURNS = 8
"How often everybody else has a turn then."
_TURNS_RUNG = 3
"How often when somebody was called at a time: enough to begin on what that set off."


class Table:
    """
    The connections that are being played, and whose turn it is.

    Args:
        upcoming: Which connection is to be dialled next, and its line; ``None`` for none.
    """

    def __init__(self, upcoming: Callable[[], tuple[int, Opened] | None] = lambda: None) -> None:
        self._live: list[PlayingTransport] = []
        self._upcoming = upcoming
        self._given_up = 0.0
        "Up to which line nobody is waited for to dial."
        self._watching: list[asyncio.Future[None]] = []
        "Of those who look on, in the event loop of the connections."

    def join(self, transport: PlayingTransport) -> None:
        """One more connection is played."""
        self._live.append(transport)
        self.moved()

    def leave(self, transport: PlayingTransport) -> None:
        """One is over."""
        if transport in self._live:
            self._live.remove(transport)
        self.moved()

    @property
    def upcoming(self) -> tuple[int, Opened] | None:
        """The connection that the client is waited for to dial, and its line."""
        found = self._upcoming()
        return None if found is None or found[0] <= self._given_up else found

    def give_up(self, line: float) -> None:
        """The client did not dial a connection in time."""
        self._given_up = max(self._given_up, line)

    def alone(self, until: float) -> bool:
        """Whether there is only one, and no other is dialled before a line."""
        return len(self._live) < 2 and self._before_any_dialled(until)

    def may(self, transport: PlayingTransport, line: float) -> bool:
        """Whether a line of one connection has its turn."""
        return self._before_any_dialled(line) and self.leads(transport, line)

    def leads(self, transport: PlayingTransport, line: float) -> bool:
        """Whether a line is before whatever is next of all other connections."""
        return all(other is transport or other.line >= line for other in self._live)

    def _before_any_dialled(self, line: float) -> bool:
        upcoming = self.upcoming
        return upcoming is None or line < upcoming[0]

    def moved(self) -> None:
        """Something happened: whoever waits looks again."""
        for transport in self._live:
            transport.wake()
        self.tell()

    def tell(self) -> None:
        """Something happened that is nothing to the connections, but to who looks on."""
        watching, self._watching = self._watching, []
        for future in watching:
            if not future.done():
                future.set_result(None)

    async def changed(self) -> None:
        """Look on: wait until anything happened."""
        future = asyncio.get_running_loop().create_future()
        self._watching.append(future)
        await future


class PlayingTransport:
    """
    Made and used in one event loop.

    Args:
        player: What is played.
        table: What else is.
        clock: The time of the tape.
    """

    def __init__(self, player: Player, table: Table, clock: TapeClock) -> None:
        self._player = player
        self._table = table
        self._clock = clock
        self._gone: TransportClosed | None = None
        self._stalled = False
        self._had_a_turn = 0
        "How many bytes had been received when everybody else had a turn."
        self._waiting: deque[Framed] = deque()
        "What was released and not received yet."
        self._loop = asyncio.get_running_loop()
        self._change: asyncio.Future[None] | None = None
        self._awaited: tuple[float, float, float] | None = None
        """
        The line that the client is waited for to send; the time of the tape when it began to be,
        and of the event loop.
        """
        clock.attend(1)
        table.join(self)

    @property
    def url(self) -> str:
        return self._player.segment.opened.url.partition("?")[0]

    @property
    def line(self) -> float:
        """Where in the file this connection is."""
        found = self._player.due or self._player.awaited
        return math.inf if self._stalled or found is None else found[0]

    # Sending.

    async def send(self, frame: Frame) -> None:
        if not self.send_now(frame):
            self._raise_gone()

    def send_now(self, frame: Frame) -> bool:
        """
        See :class:`unirt.transport.Prompt`.

        Raises:
            CassetteMismatch: It is not what was recorded.
        """
        if self._gone is not None:
            return False
        try:
            self._player.sent(frame)
        finally:
            self._table.moved()
        return True

    # Receiving.

    async def receive(self) -> Frame:
        return (await self.next()).payload

    async def next(self) -> Framed:
        """The next message, with whether it is binary. Like :meth:`receive` in all else."""
        while not self._waiting:
            self._waiting += await self._released()
        return self._waiting.popleft()

    async def deliver(
        self, take: Callable[[Iterable[Frame]], bool], room: Callable[[], Awaitable[None]]
    ) -> None:
        """See :class:`unirt.transport.Prompt`; the frames bring their time with them."""
        player = self._player
        coming: Iterator[Frame] | None = None
        while True:
            before = player.bytes_released
            room_left = True
            if self._gone is None and self._table.alone(self._player.last_line):
                if coming is None:
                    enough = self._had_a_turn + _IN_ONE_GO - before
                    coming = player.releasing(self._clock, enough)
                room_left = take(coming)
            if player.bytes_released == before:  # nothing more comes that way
                coming = None
                room_left = take([entry.payload for entry in await self._released()])
            if not room_left:
                await room()
            if player.bytes_released - self._had_a_turn >= _IN_ONE_GO:
                self._had_a_turn = player.bytes_released
                coming = None
                self._table.tell()
                for _ in range(_TURNS):
                    await asyncio.sleep(0)

    async def _released(self) -> list[Framed]:
        """
        The next frames that were received at one time.

        Raises:
            TransportClosed: There are no more.
            CassetteMismatch: The client sent something else than was recorded.
        """
        player, clock = self._player, self._clock
        while True:
            if player.failure is not None:
                raise player.failure
            if self._gone is not None:
                raise self._gone
            due = player.due
            if due is None:
                await self._wait_for_client()
                continue
            line, entry = due
            if not self._table.may(self, line):
                await self._wait_for_client()
                continue
            when = entry.at
            if clock.waits(when):
                if clock.rang(when):
                    for _ in range(_TURNS_RUNG):
                        await asyncio.sleep(0)
                else:
                    await self._or_changed(clock.reach(when))
                continue
            clock.jump(when)
            if isinstance(entry, Framed):
                return self._batch()
            self._end(player.release())

    def _batch(self) -> list[Framed]:
        released = self._player.release()
        self._table.moved()
        return [released] if isinstance(released, Framed) else []

    def _end(self, entry: Framed | Closed | Stalled) -> None:
        if isinstance(entry, Closed):
            self._over(TransportClosed(entry.code, entry.reason, by=entry.by))
        else:
            self._stalled = True
            self._table.moved()

    async def _wait_for_client(self) -> None:
        """Until anything happens; the time goes on to when the client did it, and stands there."""
        clock, table = self._clock, self._table
        awaited: list[tuple[float, Entry]] = [
            each for each in (table.upcoming, self._player.due or self._player.awaited) if each
        ]
        line, entry = min(awaited, key=itemgetter(0), default=(math.inf, None))
        if not table.leads(self, line):
            await self._changed()
        elif entry is None:
            await self._or_changed(clock.linger())
        else:
            if self._awaited is None or self._awaited[0] != line:
                self._awaited = line, clock.reached, self._loop.time()
            if clock.waits(entry.at):
                await self._or_changed(clock.reach(entry.at))
                return
            clock.jump(entry.at)
            table.tell()
            _, since, began = self._awaited
            standing = clock.stand(since, began, firmly=not isinstance(entry, Closed))
            dials = isinstance(entry, Opened)
            if not (dials or self._player.may_lack_audio):
                await self._or_changed(standing)
                return
            await self._or_changed(standing, began + STANDS_S)
            if self._loop.time() < began + STANDS_S:
                return
            if dials:
                table.give_up(line)
            elif self._player.may_lack_audio:
                self._player.skip_audio()

    # Waiting.

    def wake(self) -> None:
        """Let whoever waits look again; from any thread."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            self._settle()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if self._change is not None and not self._change.done():
            self._change.set_result(None)

    async def _changed(self) -> None:
        self._change = self._loop.create_future()
        await self._change

    async def _or_changed(
        self, work: Coroutine[Any, Any, None], until: float | None = None
    ) -> None:
        """Wait for something, until anything changes, or it is a time of the event loop's."""
        self._change = self._loop.create_future()
        task = asyncio.ensure_future(work)
        left = None if until is None else max(until - self._loop.time(), 0.0)
        try:
            await asyncio.wait(
                {task, self._change}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            task.cancel()
            await asyncio.wait({task})

    # The end.

    @property
    def hung_up(self) -> bool:
        """Whether the other side ended the connection."""
        return self._gone is not None and self._gone.by == "remote"

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._gone is None:
            self._player.close()
            self._over(TransportClosed(code, reason, by="local"))

    def _over(self, gone: TransportClosed) -> None:
        self._gone = gone
        self._clock.attend(-1, more=self._table.upcoming is not None)
        self.wake()
        self._table.leave(self)

    def _raise_gone(self) -> NoReturn:
        failure: CassetteMismatch | None = self._player.failure
        if failure is not None:
            raise failure
        if self._gone is None:
            raise TransportClosed(None, by="network")
        raise self._gone
