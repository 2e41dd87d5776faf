"""
A cassette performed: a real session says what was recorded, and hears what was recorded.

What the client sent is heard as the provider's server hears it, and said again through a session,
command by command, each when its turn comes. So what is compared is what unirt sends today with
what was recorded. What other programs said was said in other words; their frames are sent as they
are, and only what comes back is put to the test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

import unirt
from unirt.audio import PCM16_24K
from unirt.cassettes import Cassette, Closed, Framed, Origin, Segment
from unirt.cassettes.match import Match, matching
from unirt.cassettes.meaning import Ear, Meaning
from unirt.cassettes.player import Player
from unirt.cli.application import arguments_of
from unirt.commands import (
    AppendAudio,
    Command,
    CreateItem,
    ReportPlayback,
    SendRaw,
    SendToolResult,
    StartTurn,
    TruncateItem,
)
from unirt.config import Manual, SessionConfig
from unirt.errors import (
    CassetteError,
    CassetteMismatch,
    ConnectionLost,
    DialError,
    SessionClosedError,
    UnirtError,
)
from unirt.fold import ContentStep
from unirt.items import Item, ItemKind
from unirt.provider import Credentials
from unirt.registry import load
from unirt.session import Session
from unirt.timeouts import Timeouts
from unirt.transports.playing import PlayingTransport, Table
from unirt.transports.tape_clock import TapeClock

__all__ = ["Performed", "is_ours", "perform"]

_CALM_TURNS = 16
"For how many turns of the event loop nothing must happen before the next thing is said."
_PATIENCE_S = 10.0
"How long a session may take to come to the next recorded moment, in real seconds."


@attrs.define(kw_only=True)
class Performed:
    """One connection, performed."""

    segment: Segment
    events: list[unirt.Event] = attrs.field(factory=list)
    "The kept view."
    steps: list[ContentStep] = attrs.field(factory=list)
    "The folded view."
    sound: bytearray = attrs.field(factory=bytearray)
    "What the model said, 24 kHz mono PCM16."
    ended: UnirtError | None = None
    "How the session ended where nobody here ended it: as recorded."
    failure: UnirtError | None = None
    "What is wrong."


def is_ours(cassette: Cassette) -> bool:
    """
    Whether it was said by sessions of unirt, which should say the same today.

    A session always names its model. What was imported, or recorded of code that drives an SDK, was
    said by something else.
    """
    origins = cassette.header.origin, cassette.header.notes.get("origin")
    ours = all(one.model and one.opened.client is None for one in cassette.segments)
    return Origin.IMPORTED not in origins and ours


async def perform(
    cassette: Cassette,
    where: str,
    *,
    verbatim: bool | None = None,
    speed: float | None = None,
) -> list[Performed]:
    """
    Play every connection of a cassette.

    Args:
        cassette: What is played.
        where: What errors call it.
        verbatim: Whether the recorded frames are sent as they are; by default where no session of
            unirt said them.
        speed: How much faster than recorded; ``None`` for as fast as possible.

    Raises:
        CassetteError: It names no provider.
        UnknownProvider: None of that name is installed.
    """
    verbatim = not is_ours(cassette) if verbatim is None else verbatim
    table, clock = Table(), TapeClock(speed, unix=cassette.header.began_at)
    match = matching(cassette.header.match)
    stands = [
        _Stand(segment, match, where, table, clock, verbatim=verbatim)
        for segment in cassette.segments
    ]
    async with asyncio.TaskGroup() as tasks:
        for index, stand in enumerate(stands):
            tasks.create_task(stand.run(stands[:index]))
    return [stand.performed for stand in stands]


class _Stand:
    """One connection, while it is performed."""

    def __init__(
        self,
        segment: Segment,
        match: Match,
        where: str,
        table: Table,
        clock: TapeClock,
        *,
        verbatim: bool,
    ) -> None:
        if segment.provider is None:
            raise CassetteError(
                "it names no provider, so no session can be opened",
                where=f"{where}, line {segment.line}",
                remedy='write "provider": into its header',
            )
        load(segment.provider)
        self.performed = Performed(segment=segment)
        self._segment = segment
        self._where = where
        self._clock = clock
        self._table = table
        self._verbatim = verbatim
        self._paced = clock.waits(1e9)
        self._ready = False
        self._transport: PlayingTransport | None = None
        self._over = False
        self._meanings = dict(_meanings(segment))
        self._heard_ms = {
            command.item_id: command.audio_end_ms
            for meaning in self._meanings.values()
            for command in meaning.commands
            if isinstance(command, TruncateItem)
        }
        "How much was heard of each item that was truncated: the application had told."
        self._told_ms: dict[str, float] = {}
        self._turn_told = False
        "The session knows of a turn of the user's."
        self._seeded_calls: set[str] = set()
        "The calls that the application put in."
        self._player = Player(segment, match, where, prepare=self._prepared)

    @property
    def line(self) -> float:
        """Where in the file it is."""
        if self._over:
            return float("inf")
        return self._segment.line if self._transport is None else self._transport.line

    async def run(self, earlier: Iterable[_Stand]) -> None:
        """Perform it, when its turn has come."""
        while any(stand.line < self._segment.line for stand in earlier):
            await self._table.changed()
        try:
            await self._perform()
        except DialError as exc:
            as_recorded = self._segment.opened.failed or self._player.unfinished() is None
            if as_recorded:
                self.performed.ended = exc
            else:
                self.performed.failure = exc
        except UnirtError as exc:
            self.performed.failure = exc
        finally:
            self._over = True
            self._table.tell()
        failure = self._player.failure or self.performed.failure
        if failure is None and not self._segment.opened.failed:
            failure = self._player.unfinished() or self._lost()
        self.performed.failure = failure

    async def _perform(self) -> None:
        performed, segment = self.performed, self._segment
        connecting = unirt.connect(
            segment.provider,
            transport=self._dial,
            reconnect=False,
            clock=self._clock,
            audio_out=PCM16_24K,
            observers=[performed.events.extend],
            environ={},
            env_file=None,
            timeouts=Timeouts(handshake=_PATIENCE_S * (60 if self._paced else 1)),
            **arguments_of(_config(segment, self._meanings)),
        )
        async with connecting as session:
            self._ready = True
            readers = [
                asyncio.create_task(self._read(session)),
                asyncio.create_task(self._read_content(session)),
            ]
            try:
                await self._speak(session)
            finally:
                await session.close()
                await asyncio.gather(*readers, return_exceptions=True)

    async def _dial(self, _config: SessionConfig, _credentials: Credentials) -> PlayingTransport:
        opened = self._segment.opened
        if opened.failed:
            raise DialError(
                self._segment.provider or "", url=opened.url, why=opened.error, status=opened.status
            )
        self._transport = PlayingTransport(self._player, self._table, self._clock)
        return self._transport

    # Hearing.

    async def _read(self, session: Session) -> None:
        try:
            async for event in session:
                if isinstance(event, unirt.AudioDelta):
                    self.performed.sound += event.data
                    await self._report(session, event)
        except ConnectionLost as exc:
            self.performed.ended = exc
        except UnirtError as exc:
            self.performed.failure = self.performed.failure or exc
        finally:
            self._table.tell()  # the session is over

    async def _read_content(self, session: Session) -> None:
        async for step in session.content():
            self.performed.steps.append(step)

    async def _report(self, session: Session, event: unirt.AudioDelta) -> None:
        """Tell how much was heard of an item that was truncated in the recording."""
        id_ = event.item_id or ""
        if id_ not in self._heard_ms or event.response_id is None or session.closed:
            return
        before = self._told_ms.get(id_, 0.0)
        self._told_ms[id_] = before + event.duration_ms
        heard = min(self._told_ms[id_], self._heard_ms[id_])
        await session.send(ReportPlayback(response_id=event.response_id, played_ms=heard))

    # Speaking.

    async def _speak(self, session: Session) -> None:
        """Say what was said, each thing when its turn comes."""
        said = -1
        while not session.closed:
            step = await self._next(session)
            if step is None or session.closed:
                return
            line, entry = step
            if isinstance(entry, Closed):
                await session.close(entry.code or 1000, entry.reason)
                return
            if line == said:
                raise CassetteMismatch(
                    f"the session does not send {_brief(entry.data)}",
                    where=f"{self._where}, line {line}",
                    remedy="record it again",
                )
            said = line
            try:
                await self._say(session, line, entry)
            except SessionClosedError:
                return

    async def _say(self, session: Session, line: int, entry: Framed) -> None:
        meaning = self._meanings.get(line)
        if self._verbatim or meaning is None or not meaning.commands:
            await session.send(SendRaw(frame=entry.data))
            return
        for command in meaning.commands:
            await self._begin_turn(session, command)
            await session.send(self._seeded(command))

    def _seeded(self, command: Command) -> Command:
        """The result of a call that the application put in itself is history, as the call is."""
        match command:
            case CreateItem(item=Item(kind=ItemKind.TOOL_CALL, call_id=str(call_id))):
                self._seeded_calls.add(call_id)
            case SendToolResult(call_id=call_id, output=output, error=error) if (
                call_id in self._seeded_calls and (error or isinstance(output, str))
            ):
                kind = ItemKind.TOOL_RESULT
                item = Item(kind=kind, call_id=call_id, output=output, error=error)
                return CreateItem(item=item)
            case _:
                pass
        return command

    async def _begin_turn(self, session: Session, command: Command) -> None:
        """Where turns are manual and no frame tells that one begins, its first audio does."""
        manual = isinstance(session.config.turn_detection, Manual)
        if manual and isinstance(command, AppendAudio) and not self._turn_told:
            await session.send(StartTurn())
            self._turn_told = True
        else:
            self._turn_told = manual and (self._turn_told or isinstance(command, StartTurn))

    async def _next(self, session: Session) -> tuple[int, Any] | None:
        """
        What is waited for, once it is clear that the session does not do it by itself.

        Returns:
            ``None`` where nothing more is to be done.
        """
        try:
            async with asyncio.timeout(None if self._paced else _PATIENCE_S):
                await self._calm(session)
        except TimeoutError:
            found = self._player.due or self._player.awaited
            raise CassetteMismatch(
                f"the session does not come to this line within {_PATIENCE_S:g} s",
                where=f"{self._where}, line {self._segment.line if found is None else found[0]}",
                remedy="record it again",
            ) from None
        return self._player.awaited

    async def _calm(self, session: Session) -> None:
        """Wait until nothing happens any more, at the time of what is waited for."""
        calm, seen = 0, None
        while calm < _CALM_TURNS and not session.closed:
            player, stats = self._player, session.stats
            awaited = player.awaited
            early = awaited is not None and self._clock.now() < awaited[1].at
            if early or player.due is not None:
                calm, seen = 0, None
                await self._table.changed()
                continue
            now = awaited, stats.frames_out, stats.frames_waiting
            calm, seen = calm + 1 if now == seen else 0, now
            await asyncio.sleep(0)

    def _prepared(self, live: Any) -> Any:
        """What stands for a live frame: where set-ups cannot be the same, the recorded one."""
        if not self._verbatim or self._ready:
            return live
        awaited = self._player.awaited
        if awaited is None or not isinstance(awaited[1], Framed):
            return None
        return awaited[1].data

    # The end.

    def _lost(self) -> CassetteError | None:
        """What was received and told by no event, as the error that it is."""
        received = [
            line
            for line, entry in self._segment.entries
            if isinstance(entry, Framed) and entry.direction == "received"
        ]
        told = {id(event.origin) for event in self.performed.events if event.raw is not None}
        if len(told) >= len(received):
            return None
        return CassetteError(
            f"{len(received) - len(told)} of {len(received)} frames were told by no event",
            where=self._where,
            remedy="this is an error of the provider's translator; report it with the cassette",
        )


def _meanings(segment: Segment) -> Iterator[tuple[int, Meaning]]:
    """What each frame of the client's means, by line."""
    ear = Ear(segment)
    for line, entry in segment.entries:
        if not isinstance(entry, Framed):
            continue
        if entry.direction == "sent":
            yield line, ear.hear(entry.frame)
        else:
            ear.told(entry.payload)


def _config(segment: Segment, meanings: dict[int, Meaning]) -> SessionConfig:
    """What the client configured when it connected."""
    config = SessionConfig(model=segment.model)
    found = next((m.config for m in meanings.values() if m.config is not None), None)
    return config if found is None else found.merged(config)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
