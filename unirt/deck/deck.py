"""
One cassette in use: which connections are played, which are recorded, and what is left at the end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from unirt.cassettes.entries import (
    Cassette,
    Entry,
    Exchanged,
    Header,
    Opened,
    Origin,
    Segment,
    moment,
)
from unirt.cassettes.files import read, write
from unirt.cassettes.match import Match, matching
from unirt.cassettes.player import Player
from unirt.cassettes.scrub import Scrub, check_clean, scrubbed
from unirt.cassettes.secrets import Secrets
from unirt.clock import Clock
from unirt.deck.environment import configured
from unirt.deck.http import Watch
from unirt.deck.identify import origin_of, with_models
from unirt.deck.modes import Mode
from unirt.deck.tape import Tape
from unirt.errors import CassetteError, CassetteMismatch, CassetteMissing, DialError
from unirt.transport import Transport
from unirt.transports.noting import noting, rehearsing
from unirt.transports.played_call import CALL, PlayedCall
from unirt.transports.playing import PlayingTransport, Table
from unirt.transports.recording import RecordingTransport
from unirt.transports.secrecy import is_loopback
from unirt.transports.tape_clock import TapeClock

__all__ = ["Deck", "Plan", "stable"]


@attrs.frozen(kw_only=True)
class Plan:
    """How a cassette is used."""

    path: Path
    mode: Mode
    match: Match | None
    "``None`` for the cassette's own, or the usual one."
    speed: float | None
    scrub: Scrub
    clock: Clock
    "The time of what is recorded."
    origin: Origin | None = None
    "``None`` to tell it by the address."
    notes: dict[str, Any] = attrs.field(factory=dict)
    ignore: tuple[str, ...] = ()
    "Hosts that are neither recorded nor played."
    command: str = ""
    "What records the cassette, for the message that it is not there."


class Deck:
    """
    A cassette that is in.

    Made by :func:`unirt.cassette`; what is public here is of use to tests.
    """

    def __init__(self, plan: Plan) -> None:
        self._found = _stamp(plan.path)
        exists = self._found is not None
        if not exists and plan.mode is Mode.NONE:
            raise CassetteMissing(
                "there is no such cassette, and nothing is recorded in the mode 'none'",
                where=str(plan.path),
                remedy=f"record it: {plan.command}",
            )
        self.path = plan.path
        self.mode = plan.mode
        self.cassette = read(plan.path) if exists and plan.mode.keeps else None
        "What was in the file; ``None`` for nothing, or where it does not count."
        header = None if self.cassette is None else self.cassette.header
        self.clock = TapeClock(plan.speed, unix=None if header is None else header.began_at)
        "The time of the sessions that are played."
        self.secrets = Secrets(configured(os.environ))
        "What must not be in the file; what is given to ``connect()`` is added."
        self.watch: Watch | None = None
        "What plays HTTP."
        self._plan = plan
        self._table = Table(self._to_be_dialled)
        self._lock = threading.Lock()
        playable = self.cassette if plan.mode.plays else None
        self._segments: list[Segment] = list(playable.segments) if playable else []
        self._players: list[Player] = []
        self._failure: CassetteMismatch | None = None
        self._told = False
        "Whether a mismatch was raised by :meth:`check`."
        self._tape: Tape | None = None
        if plan.mode.records(exists=exists):
            entries = self.cassette.entries if self.cassette else ()
            self._tape = Tape(
                plan.clock,
                connections=max((entry.connection for entry in entries), default=0),
                at_ms=max((entry.at_ms for entry in entries), default=0.0),
            )

    # What is next.

    @property
    def playing(self) -> bool:
        """Whether there is anything to play."""
        return self.cassette is not None and self._plan.mode.plays

    @property
    def recording(self) -> bool:
        """Whether what is not in the cassette is recorded."""
        return self._tape is not None

    @property
    def tape(self) -> Tape | None:
        """Where what is recorded is noted."""
        return self._tape

    @property
    def ended(self) -> bool:
        """Whether everything was played, and nothing more is recorded."""
        return self.playing and not self.recording and self.upcoming is None

    @property
    def upcoming(self) -> Segment | None:
        """The next connection that was not played yet."""
        return self._segments[0] if self._segments else None

    # Connections.

    async def dial(
        self,
        provider: str,
        model: str | None,
        dial: Callable[[], Awaitable[Transport]],
        *,
        is_model: Callable[[str], bool],
        secrets: Iterable[str],
    ) -> Transport:
        """
        A connection from the cassette, or one that is recorded.

        Args:
            provider: Who is dialled, by name.
            model: For what model.
            dial: Opens a real connection.
            is_model: Whether a recorded model is that one, for one has more names than one.
            secrets: What it is opened with, and must not be in the file.

        Raises:
            CassetteMismatch: Neither is there one in the cassette, nor may one be recorded.
            DialError: No connection came about, now or when it was recorded.
        """
        self.secrets.add(secrets)

        def fits(segment: Segment) -> bool:
            mine = segment.provider == provider
            return mine and (segment.model is None or is_model(segment.model))

        segment = self.take(fits, f"{provider} with {model!r}")
        if segment is None:
            return await self._record(provider, model, dial)
        opened = segment.opened
        if opened.failed:
            raise DialError(provider, url=opened.url, why=opened.error, status=opened.status)
        if opened.transport != CALL:
            return self.play(segment)
        return PlayedCall(self.play(segment), await self._rehearsed(opened, dial))

    async def _rehearsed(
        self, opened: Opened, dial: Callable[[], Awaitable[Transport]]
    ) -> Transport | None:
        """A call is set up by requests, which are made and answered as they were recorded."""
        path = urlsplit(opened.url).path
        uris = (urlsplit(str(one.request.get("uri", ""))) for one in self.exchanges)
        asked = next((uri for uri in uris if uri.path == path), None)
        if asked is None or self.watch is None:
            return None
        with rehearsing(f"{asked.scheme}://{asked.netloc}"):
            return await dial()

    @property
    def answers_at(self) -> str | None:
        """Scheme and host of the next recorded request that was not made; ``None`` for none."""
        left = self.watch.left_over() if self.playing and self.watch is not None else ()
        if not left:
            return None
        asked = urlsplit(left[0].partition(" ")[2])
        return f"{asked.scheme}://{asked.netloc}"

    def play(self, segment: Segment) -> PlayingTransport:
        """A connection that was taken, as it was recorded."""
        self.clock.jump(segment.opened.at)
        player = Player(
            segment, self._match(), str(self.path), prepare=self._plan.scrub.live(self.secrets)
        )
        self._players.append(player)
        return PlayingTransport(player, self._table, self.clock)

    @property
    def exchanges(self) -> tuple[Exchanged, ...]:
        """What the cassette holds of HTTP."""
        return () if self.cassette is None else self.cassette.exchanges

    @property
    def ignored(self) -> tuple[str, ...]:
        """The hosts that are none of the cassette's business."""
        return self._plan.ignore

    def passes(self, host: str) -> bool:
        """Whether connections to a host are none of the cassette's business."""
        return host in self._plan.ignore

    def is_played(self, transport: Transport) -> bool:
        """Whether a transport is one of the cassette's."""
        return isinstance(transport, PlayingTransport | PlayedCall)

    def take(self, fits: Callable[[Segment], bool], wanted: str) -> Segment | None:
        """
        The next connection that fits, which is not there for anybody else from now on.

        Returns:
            ``None`` where one is to be recorded.

        Raises:
            CassetteMismatch: Neither is there one, nor may one be recorded.
        """
        with self._lock:
            for segment in self._segments:
                if fits(segment):
                    self._segments.remove(segment)
                    break
            else:
                segment = None
        if segment is not None:
            self._table.moved()
            return segment
        if self._tape is not None:
            return None
        left = [_called(segment) for segment in self._segments]
        raise self.failed(
            CassetteMismatch(
                f"a connection to {wanted} is not in the cassette",
                where=str(self.path),
                remedy=f"what is left in it is {', '.join(left) or 'nothing'}; record it again "
                f"with the mode 'rewrite', or add it with 'new_episodes'",
            )
        )

    def _to_be_dialled(self) -> tuple[int, Opened] | None:
        segment = self.upcoming
        return None if segment is None else (segment.line, segment.opened)

    def _match(self) -> Match:
        own = self.cassette.header.match if self.cassette is not None else ()
        return self._plan.match or matching(own)

    def failed(self, failure: CassetteMismatch) -> CassetteMismatch:
        """Remember a mismatch, in case that the application swallows it."""
        self._failure = self._failure or failure
        return failure

    async def _record(
        self, provider: str, model: str | None, dial: Callable[[], Awaitable[Transport]]
    ) -> Transport:
        tape = self._tape
        if tape is None:
            raise RuntimeError("nothing is recorded")
        try:
            with noting():
                transport = await dial()
        except DialError as exc:
            tape.open(
                Opened(url=stable(exc.url), provider=provider, model=model, status=exc.status,
                       error=exc.why)
            )  # fmt: skip
            raise
        kind = CALL if hasattr(transport, "media") else "websocket"
        opened = Opened(url=stable(transport.url), provider=provider, model=model, transport=kind)
        return RecordingTransport(transport, tape.open(opened))

    # The end.

    @property
    def idle(self) -> bool:
        """Whether no connection that is played is open."""
        return all(player.closed for player in self._players)

    def mismatch(self) -> CassetteMismatch | None:
        """How the application differs from what is played, so far; what is left over aside."""
        return self._failure or next((p.failure for p in self._players if p.failure), None)

    def check(self, exc: BaseException | None = None) -> None:
        """
        Look whether the application did what is in the cassette, and all of it. Tells it once.

        Args:
            exc: What the application raised; then it is not asked for what it left over.

        Raises:
            CassetteMismatch: It did not.
        """
        if self._told:
            return
        failure = self.mismatch() or (self._left_over() if exc is None else None)
        self._told = failure is not None or exc is not None
        if failure is None:
            return
        if exc is None or (isinstance(exc, Exception) and not _caused_by(exc, failure)):
            raise failure

    def finish(self, exc: BaseException | None) -> None:
        """
        Take the cassette out: write what was recorded, and look at what was not played.

        Args:
            exc: What the application raised.

        Raises:
            CassetteMismatch: The application did not do what is in the cassette.
            CassetteError: The file cannot be written.
        """
        try:
            self._save()
        except CassetteError as error:
            if exc is None:
                raise
            exc.add_note(f"and the recording was not written: {error}")
        self.check(exc)

    def _left_over(self) -> CassetteMismatch | None:
        requests = self.watch.left_over() if self.watch is not None else []
        if requests:
            return CassetteMismatch(
                f"{len(requests)} recorded requests were never made; the first was {requests[0]}",
                where=str(self.path),
                remedy="let the application make it, or record the cassette again",
            )
        for player in self._players:
            if (failure := player.unfinished()) is not None:
                return failure
        if not self._segments:
            return None
        segment = self._segments[0]
        return CassetteMismatch(
            f"{len(self._segments)} recorded connections were never made; the first was to "
            f"{segment.opened.url}",
            where=f"{self.path}, line {segment.line}",
            remedy="let the application make it, or record the cassette again",
        )

    def _save(self) -> None:
        entries = self._tape.entries() if self._tape is not None else ()
        if not entries:
            return
        old = self.cassette
        entries = with_models(entries)
        header = self._header(entries) if old is None else old.header
        whole = Cassette(header=header, entries=(*(old.entries if old else ()), *entries))
        clean = scrubbed(_plain(whole), self._plan.scrub, self.secrets)
        check_clean(clean, self.secrets, str(self.path))
        if self.mode.keeps and _stamp(self.path) != self._found:
            raise CassetteError(
                "somebody else wrote it while this was recorded, and that would be lost",
                where=str(self.path),
                remedy="record into it from one process at a time; with pytest-xdist, use -n 0",
            )
        write(self.path, clean)

    def _header(self, entries: Sequence[Entry]) -> Header:
        from importlib.metadata import version

        opened = next((entry for entry in entries if isinstance(entry, Opened)), None)
        url = opened.url if opened is not None else ""
        parts = urlsplit(url)
        began_at = None if self._tape is None else self._tape.began_at
        match = self._plan.match
        return Header(
            origin=self._plan.origin or origin_of(entries),
            provider=None if opened is None else opened.provider,
            model=None if opened is None else opened.model,
            protocol=parts.path or None,
            recorded_by=f"unirt-realtime {version('unirt-realtime')}",
            against=url.partition("?")[0] or None,
            recorded_at=None if began_at is None else moment(began_at),
            match=() if match is None else match.names,
            notes=self._plan.notes,
        )


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from another one that takes its place; ``None`` where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _plain(cassette: Cassette) -> Cassette:
    """The cassette without saying for a connection what its header says for all."""
    header = cassette.header

    def plain(entry: Any) -> Any:
        if not isinstance(entry, Opened):
            return entry
        provider = None if entry.provider == header.provider else entry.provider
        model = None if entry.model == header.model else entry.model
        return attrs.evolve(entry, provider=provider, model=model)

    return attrs.evolve(cassette, entries=tuple(map(plain, cassette.entries)))


def stable(url: str) -> str:
    """An address that is the same in the next recording: a port of this machine is any port."""
    parts = urlsplit(url)
    if parts.port is None or not is_loopback(parts.hostname or ""):
        return url
    return url.replace(f":{parts.port}", "", 1)


def _called(segment: Segment) -> str:
    """A connection, for who looks for another one."""
    model = "" if segment.model is None else f" with {segment.model!r}"
    return f"{segment.provider}{model} at {segment.opened.url} (line {segment.line})"


def _caused_by(exc: BaseException, cause: BaseException) -> bool:
    """Whether who sees an exception sees another one with it."""
    seen: BaseException | None = exc
    while seen is not None:
        if seen is cause:
            return True
        hidden = seen.__suppress_context__
        seen = seen.__cause__ or (None if hidden else seen.__context__)
    return False
