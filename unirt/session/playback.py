"""
Playback: how far a player has come with what the model said.

The composer counts what was received; here a player tells what became of it. There are three ways,
and one session uses one of them:

- *A sink* is anything with ``play(audio)`` and ``flush()``. :meth:`Playback.play` gives it all that
  there is to play, and has it fall silent at interruptions. As it plays, its callback calls
  :meth:`Playback.played`. A :class:`Player` is a sink that is opened for that, is given audio in
  its own format, and tells by itself; those that come with unirt are in :mod:`unirt.sound`.
- *An application that plays by itself* writes the audio of events to its device, flushes it at
  ``Interrupted``, and calls :meth:`Playback.played` and :meth:`Playback.flushed` likewise.
- *An application that knows positions* reports them, with
  :meth:`~unirt.session.session.Session.report_playback`.

:meth:`Playback.played` is told how much *more* was played, as a device knows it. Responses are
played in the order in which they came, so that is enough to know which and where. What is told
beyond all that was received is silence that the device made, and counts for nothing. A flush ends
what was received until then: what is played after it is of what was received after it.

None of it costs anything while audio comes in: everything here is worked out when somebody reports
or asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol, runtime_checkable

from unirt.audio import AudioFormat
from unirt.clock import Clock, KeepsTime
from unirt.commands import ReportPlayback
from unirt.deadline import Deadline
from unirt.errors import UsageError
from unirt.events import AudioDelta, Interrupted
from unirt.playback import ResponsePlayback
from unirt.session.audio_out import AudioOut
from unirt.session.link import Link
from unirt.session.views import Hub

__all__ = ["Playback", "Player", "Sink"]


class Sink(Protocol):
    """Something that plays audio."""

    def play(self, audio: AudioDelta) -> None:
        """Play this after what was given before. Returns at once."""
        ...

    def flush(self) -> None:
        """Fall silent now, and forget what was given and not played."""
        ...


@runtime_checkable
class Player(Sink, Protocol):
    """
    A sink that tells how far it is.

    Two things are due where it is flushed: what it has played and not told is told before
    :meth:`~Sink.flush` returns, and nothing from before is told after.
    """

    @property
    def format(self) -> AudioFormat:
        """What it is to be given."""
        ...

    def open(self, played: Callable[[float], None]) -> AbstractAsyncContextManager[object]:
        """
        Begin to play, and call `played` with how much more was, in ms, from any thread.

        When that is left it has ended: what was not played by then is not.
        """
        ...


class Playback:
    """
    The playback of one session.

    Args:
        links: The connections of which something may still be heard, the one in use last. Their
            translators know how far responses were played.
        hub: Opens views of the session.
        audio_out: What the application hears; ``None`` for what the provider speaks.
        clock: The time of those who wait.
    """

    def __init__(
        self,
        links: Callable[[], Sequence[Link]],
        hub: Hub,
        audio_out: AudioFormat | None,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._links = links
        self._hub = hub
        self._audio_out = audio_out
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._told = asyncio.Event()
        "A player told something."
        self._flushed: dict[str, None] = {}
        "The responses that the player flushed, of those that can still be asked for."

    # How far it is.

    @property
    def responses(self) -> tuple[ResponsePlayback, ...]:
        """The latest responses with audio, in order, each with how far it was played."""
        *left, link = self._links()
        now = link.pump.now()
        latest = link.translator.playback(now)
        if not left:
            return latest
        before = (each for past in left for each in past.translator.playback(now))
        return (*(each for each in before if each.playing), *latest)

    @property
    def current(self) -> ResponsePlayback | None:
        """The response that is being played, as far as is known; ``None`` where none is."""
        return next((each for each in self.responses if each.playing), None)

    @property
    def playing(self) -> bool:
        """Whether some of what was received is left to be played, as far as is known."""
        return self.current is not None

    def of(self, response_id: str) -> ResponsePlayback | None:
        """How far a response was played; ``None`` where it has no audio, or is too long ago."""
        return next((each for each in self.responses if each.response_id == response_id), None)

    def is_playing(self, response_id: str) -> bool:
        """Whether some of a response is left to be played, as far as is known."""
        response = self.of(response_id)
        return response is not None and response.playing

    # What a player tells.

    def played(
        self, ms: float | None = None, *, size: int | None = None, format: AudioFormat | None = None
    ) -> None:
        """
        So much more was played. May be called from any thread.

        To tell 0 is to tell that nothing more was: without any word the clock decides.

        Args:
            ms: How much, in ms.
            size: Or how many bytes.
            format: What those bytes are; by default what the session's audio is.

        Raises:
            UsageError: It is no amount.
        """
        if (ms is None) is (size is None):
            raise UsageError(
                "how much was played is not said, or said twice",
                where="played",
                remedy="give either ms or size",
            )
        if size is not None:
            ms = (format or self._format).duration_ms(size)
        if ms is None or not 0 <= ms < float("inf"):
            raise UsageError(
                f"{ms!r} is no amount", where="played", remedy="give how much, 0 or more"
            )
        self._in_loop(partial(self._advance, ms))

    def flushed(self) -> None:
        """
        The player threw away what it had not played. May be called from any thread.

        It only tells the session; see ``interrupt()`` for what tells the provider.
        """
        self._in_loop(self._flush)

    async def play(self, sink: Sink) -> None:
        """
        Give a sink all that there is to play, until the session ends. Run it as a task.

        At an interruption the sink is flushed before anything else. Audio that it has not been
        given by then never reaches it.

        Args:
            sink: A :class:`Sink`; a :class:`Player` is opened, and told to stop when this ends.

        Raises:
            ConnectionLost: The session ended although nobody in this program ended it.
        """
        if isinstance(sink, KeepsTime):
            sink.keep_time(self._clock)
        if isinstance(sink, Player):
            async with sink.open(self.played):
                await self._give(sink, AudioOut(sink.format))
        else:
            await self._give(sink, None)

    async def finished(self) -> None:
        """
        Wait until all that was received is played or flushed, or the session is over.

        Before an application hangs up, say: what the model said last is to be heard. Where no
        player tells, the clock decides.
        """
        while not self._hub.ended.is_set() and (current := self.current) is not None:
            left = max(current.received_ms - (current.played_ms or 0.0), 1.0) / 1000
            self._told.clear()
            waiting = {
                asyncio.create_task(self._told.wait()),
                asyncio.create_task(self._hub.ended.wait()),
            }
            try:
                with contextlib.suppress(TimeoutError):
                    async with Deadline(self._clock, self._clock.now() + left):
                        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()
                await asyncio.wait(waiting)

    async def _give(self, sink: Sink, converter: AudioOut | None) -> None:
        view = self._hub.open()
        try:
            async for event in view:
                if type(event) is Interrupted:
                    sink.flush()
                    self._flush()
                    continue
                for audio in (event,) if converter is None else converter.convert((event,)):
                    if type(audio) is AudioDelta and audio.data:
                        sink.play(audio)
        finally:
            await view.aclose()

    @property
    def _format(self) -> AudioFormat:
        translator = self._links()[-1].translator
        spoken = translator.config.output_format or translator.capabilities.output_format
        return self._audio_out or spoken

    # In the loop's own thread.

    def _in_loop(self, work: Callable[[], None]) -> None:
        if threading.get_ident() == self._thread:
            work()
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(work)

    def _advance(self, ms: float) -> None:
        responses = self.responses
        for place, response in enumerate(responses):
            if response.response_id in self._flushed or self._is_over(response):
                continue
            if response.flushed and responses[place + 1 :]:
                continue  # it was interrupted, and what is played now came after it
            before = (response.played_ms or 0.0) if response.exactly else 0.0
            room = response.received_ms - before
            if room <= 0:
                continue
            more = min(ms, room)
            ms -= more
            self._report(ReportPlayback(response_id=response.response_id, played_ms=before + more))
            if ms <= 0:
                return

    @staticmethod
    def _is_over(response: ResponsePlayback) -> bool:
        """Whether a player has said that it is through with it."""
        return response.exactly and not (response.playing or response.flushed)

    def _flush(self) -> None:
        responses = self.responses
        for response in responses:
            if response.playing:
                self._report(
                    ReportPlayback(
                        response_id=response.response_id,
                        played_ms=(response.played_ms or 0.0) if response.exactly else 0.0,
                        flushed=True,
                    )
                )
        self._flushed = dict.fromkeys(response.response_id for response in responses)

    def _report(self, report: ReportPlayback) -> None:
        self._told.set()
        *left, link = self._links()
        if link.pump.over and not left:  # players may outlive sessions
            return
        now = link.pump.now()
        for past in left:
            known = {each.response_id for each in past.translator.playback(now)}
            link = past if report.response_id in known else link
        link.translator.send(report, now)
        link.pump.run()
