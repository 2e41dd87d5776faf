"""
One connection of a session: a translator, a transport, and the tasks that carry frames between.

A session outlives its connections: it may move to another one, even of another provider, and its
views, its history and its tools do not see more of that than events. All that belongs to a single
connection is here, and ends with it.

Two tasks run while a link is open: the reader, and the writer in :mod:`unirt.session.outbox`.
:meth:`Link.join` leaves none of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import attrs

from unirt.audio import AudioFormat
from unirt.clock import Clock, unix_of
from unirt.condition import Condition
from unirt.deadline import Deadline
from unirt.errand import Errand
from unirt.errors import ConfigurationError
from unirt.log import Log, logger, marked
from unirt.session.audio_out import AudioOut
from unirt.session.handshake import Handshake
from unirt.session.limits import Limits, Stats
from unirt.session.observers import Observers
from unirt.session.outbox import Outbox
from unirt.session.pump import Pump
from unirt.session.scope import Scope
from unirt.session.state import State
from unirt.session.timer import Timer
from unirt.session.views import Hub
from unirt.translator import Translator
from unirt.transport import Media, Transport, TransportClosed
from unirt.transports.frames import logged

__all__ = ["Link", "Retiring", "audio_beside", "counted", "within"]

_LOG = logger(__name__)


class Link:
    """
    Args:
        provider: The provider's registered name.
        translator: Fresh; owned from here on.
        transport: Open; owned from here on.
        clock: What the translator's time is.
        limits: The bounds of what waits to be sent.
        state: Is told every event, before any view.
        hub: Hands events to the views.
        audio_out: Converts the model's audio; ``None`` for as it is.
        observers: Look on; ``None`` for nobody.
        gone: Called when the connection is gone, with the close code, the reason, and by whom.
        failed: Called with an error of our own.
        measured: Called with how a connection is doing that carries audio beside the frames.
        mark: Whose session it is, for the log.
        hide: Masks the credentials of the session in a text.
    """

    def __init__(
        self,
        *,
        provider: str,
        translator: Translator,
        transport: Transport,
        clock: Clock,
        limits: Limits,
        state: State,
        hub: Hub,
        audio_out: AudioOut | None,
        observers: Observers | None,
        gone: Callable[[Link, int | None, str, str], None],
        failed: Callable[[Link, Exception], None],
        measured: Callable[[Link, Condition], None],
        mark: str,
        hide: Callable[[str], str],
    ) -> None:
        transport = logged(transport, mark, hide)
        self.provider = provider
        self.url = transport.url
        self.media: Media | None = getattr(transport, "media", None)
        "What carries audio beside the frames; ``None`` where nothing does."
        self.translator = translator
        self.outbox = Outbox(transport, limits)
        self.pump = Pump(
            translator,
            self.outbox,
            state,
            hub,
            clock=clock,
            audio_out=audio_out,
            observers=observers,
            wake_at=self._set_timer,
            fail=self._fail,
            media=self.media,
        )
        self._log = marked(_LOG, mark)
        self._measured = measured
        self._transport = transport
        self._clock = clock
        self._hub = hub
        self._gone = gone
        self._failed = failed
        self._scope = Scope(self._broke)
        self._timer = Timer(clock, ring=self._ring, fail=self._fail)
        self._reader: asyncio.Task[None] | None = None

    @property
    def wire(self) -> AudioFormat:
        """What the provider listens to."""
        translator = self.translator
        return translator.config.input_format or translator.capabilities.input_format

    async def open(self, timeout: float, ready: Callable[[], None] | None = None) -> None:
        """
        Start the tasks, and wait until the provider is ready; `ready` is called in that very step.

        Raises:
            HandshakeError: The provider refused the session, or was not ready in `timeout` seconds.
        """
        handshake = self.pump.handshake = Handshake(self.provider, self.url, ready)
        try:
            self._scope.spawn(self.outbox.run())
            self._begin_media()
            self._tell_time()
            self.translator.start(self._clock.now())
            self.pump.run()
            self._reader = self._scope.spawn(self._read())
            await handshake.wait(self._clock, timeout)
        finally:
            self.pump.handshake = None

    def _tell_time(self) -> None:
        counts_from: Callable[[float], None] | None = getattr(self.translator, "counts_from", None)
        unix = unix_of(self._clock)
        if counts_from is not None and unix is not None:
            counts_from(unix - self._clock.now())

    def _begin_media(self) -> None:
        media = self.media
        if media is None:
            return
        audio_beside(self.translator, self.provider, media.largest)
        media.attend(self.pump.hear, lambda condition: self._measured(self, condition))

    async def _read(self) -> None:
        transport = self._transport
        deliver = getattr(transport, "deliver", None)
        if deliver is not None:
            await deliver(self.pump.take, self._hub.room)
        while True:
            if not self.pump.take((await transport.receive(),)):
                await self._hub.room()

    # Its audio, where that goes beside the frames.

    async def room(self) -> None:
        """Wait until there is room for what a verb may queue."""
        if self.outbox.full:
            await self.outbox.room()
        if self.media is not None:
            await self.media.room()

    async def heard(self) -> bool:
        """Wait until the provider can have heard all audio; whether there was reason to wait."""
        if self.media is None:
            return False
        await self.media.drained()
        return True

    def drop_audio(self) -> None:
        """Forget audio that has not left."""
        if self.media is not None:
            self.media.drop()

    # Its timer.

    def _set_timer(self, when: float) -> None:
        self._timer.cancel()
        self.pump.wakes_at = None if self.pump.over else when
        if not self.pump.over:
            self._timer.set(when)

    def _ring(self) -> None:
        # A timer that was put off meanwhile rings early, which is harmless, and is set again.
        if self.pump.over:
            return
        self.pump.wakes_at = None
        self.translator.handle_timer(self._clock.now())
        self.pump.run()

    # Its tasks.

    def _broke(self, exc: Exception) -> None:
        if not isinstance(exc, TransportClosed):
            self._fail(exc)
            return
        if self.pump.handshake is not None:
            self.pump.handshake.lost(exc.code, exc.reason)
        self._gone(self, exc.code, exc.reason, exc.by)

    def _fail(self, exc: Exception) -> None:
        if self.pump.handshake is not None:
            self.pump.handshake.crash(exc)
        self._failed(self, exc)

    # Its end.

    def stop(self) -> None:
        """Nothing is sent, and no timer rings any more."""
        self.outbox.stop()
        self._timer.cancel()

    def end(self, code: int | None, reason: str, by: str, *, goes_on: bool = False) -> None:
        """
        Tell the last events of this connection, once; with `goes_on` those of one that is left.

        Whatever comes after it is dropped.
        """
        if self.pump.over:
            return
        self.pump.over = True
        self.stop()
        self.translator.receive_close(code, reason, by, self._clock.now(), goes_on=goes_on)
        self.pump.run()

    async def hang_up(self, code: int, reason: str, deadline: float) -> None:
        """Close the connection, and wait until the reader heard so; no longer than `deadline`."""
        await within(self._transport.close(code, reason), self._clock, deadline, self._log)
        if self._reader is not None:
            # It now hears that the connection is gone, and tells the last events.
            await within(asyncio.shield(self._reader), self._clock, deadline, self._log)

    async def join(self) -> None:
        """Cancel the tasks that are left, and wait for them."""
        await self._scope.join()


class Retiring:
    """
    Links that were left, and are being closed.

    Args:
        spawn: Runs a task of the session.
        clock: The time of the bound.
        timeout: The bound on closing one, in seconds.
    """

    def __init__(
        self,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        clock: Clock,
        timeout: float,
    ) -> None:
        self._spawn = spawn
        self._clock = clock
        self._timeout = timeout
        self._errands: set[Errand] = set()

    def add(self, link: Link) -> Errand:
        """Close a link; when that is done nothing of it is left."""
        errand = Errand(lambda: self._close(link), self._spawn)
        self._errands = {errand, *(other for other in self._errands if not other.over)}
        return errand

    async def settled(self) -> None:
        """Wait until all are closed."""
        while self._errands:
            await next(iter(self._errands)).done()
            self._errands = {errand for errand in self._errands if not errand.over}

    async def _close(self, link: Link) -> None:
        try:
            await link.hang_up(1000, "", self._clock.now() + self._timeout)
        finally:
            await link.join()


def counted(stats: Stats, link: Link | None) -> Stats:
    """What was counted, with what one more connection counted."""
    if link is None:
        return stats
    pump, outbox = link.pump, link.outbox
    return attrs.evolve(
        stats,
        frames_in=stats.frames_in + pump.frames_in,
        frames_out=stats.frames_out + outbox.frames_out,
        bytes_in=stats.bytes_in + pump.bytes_in,
        bytes_out=stats.bytes_out + outbox.bytes_out,
    )


def audio_beside(translator: Translator, provider: str, largest: int | None = None) -> None:
    """
    Have a translator's audio beside its frames.

    Raises:
        ConfigurationError: It knows no such thing.
        UnsupportedSetting: Something that is configured cannot be had then.
    """
    method = getattr(translator, "audio_beside", None)
    if method is None:
        raise ConfigurationError(
            f"{provider!r} cannot have its audio beside the frames",
            where="transport",
            remedy="use 'websocket', or leave it out",
        )
    method(largest)


async def within(
    work: Coroutine[Any, Any, None] | asyncio.Future[None], clock: Clock, deadline: float, log: Log
) -> None:
    """Wait for something until `deadline`, and no longer; what it raises changes nothing."""
    try:
        async with Deadline(clock, deadline):
            await work
    except Exception as exc:
        log.debug("while closing: %r", exc)
