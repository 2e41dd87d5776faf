"""
Views: any number of readers of one session, each at its own pace.

The policy, in full:

- Every view holds its own unread events. None sees less because another is slow.
- Unread **audio** beyond ``limits.audio_ms`` is dropped, oldest first, an eighth of the bound at a
  time, but for the last piece of each stream; :attr:`View.dropped_ms` and ``session.stats`` count
  it. It is dropped when more comes, and not before its reader has had a turn to read what is there:
  where the socket brings more without that, as some event loops do, it is stopped for a turn.
  A voice application that is two minutes behind has no use for the audio, and audio is what fills
  memory.
- Unread audio of a response that is **interrupted** is dropped at once: nobody may hear it now.
  So a reader that is behind comes to ``Interrupted`` without any stale audio before it. The last
  piece of each stream stays in its place, but empty: what was said is still seen to have been
  spoken. :attr:`View.silenced_ms` and ``session.stats`` count it. Observers are told all of it.
- **No other event is ever dropped.** When a view holds ``limits.events`` of them unread, the
  session stops reading the network until that view is read, or abandoned; what one read of the
  socket brought with the event that reached the bound is still told. A provider whose
  keepalive pings stay unanswered that long ends the connection, and that is told as any other end.
- The session's own two views, ``async for event in session`` and ``session.content()``, keep their
  place: a loop that was left with ``break`` goes on there. ``session.view()`` opens more.
- Until a first view is opened the session holds what is told, as a view would, up to
  ``limits.events`` events. A view that is opened after others first gets what was told before it,
  as long as all of it still fits in a small buffer (``limits.replay_events``,
  ``limits.replay_bytes``). Otherwise it starts with the next event, and :attr:`View.missed` says
  how many went before.
  So ``asyncio.gather(read(session), read(session.content()))`` misses nothing.
- A view is abandoned by :meth:`View.aclose`, or by dropping the last reference to it.
- The last event is ``SessionClosed``. After it the view stops where the session ended cleanly and
  raises :class:`~unirt.errors.ConnectionLost` where it did not.

Dropped audio is no event of its own: the vocabulary tells what the provider said, and that one
reader was slow is nobody else's fact.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import cast

import attrs

from unirt.errors import UsageError
from unirt.events import AudioDelta, Event, Interrupted
from unirt.fold import ContentStep, Fold
from unirt.session.limits import Limits

__all__ = ["ContentView", "Hub", "View"]


class _Box:
    """The unread events of one view."""

    __slots__ = (
        "audio_bytes",
        "closed",
        "dropped_ms",
        "events",
        "others",
        "silenced_ms",
        "steps",
        "waiter",
    )

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.audio_bytes = 0
        "Of the audio that came since nothing was unread: no less than what is, and cheap to know."
        self.others = 0
        "How many of the events are no audio."
        self.dropped_ms = 0.0
        self.silenced_ms = 0.0
        self.steps: deque[ContentStep] = deque()
        "What a folded view has made of the event that it took last, and nobody has read."
        self.closed = False
        "Abandoned, or read to its end."
        self.waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    @property
    def woken(self) -> bool:
        """Whether the reader was woken, and had no turn since."""
        return self.waiter is not None and self.waiter.done()

    def count(self) -> float:
        """How long the unread audio is, in ms; from here on its bytes are known, too."""
        unread = [event for event in self.events if type(event) is AudioDelta]
        self.audio_bytes = sum(len(event.data) for event in unread)
        return sum(event.duration_ms for event in unread)

    def drop_audio(self, excess_ms: float) -> float:
        """
        Drop the oldest audio, `excess_ms` of it; return how much it was.

        The last piece of each stream stays: without any, the stream would seem never to have been.
        """
        last = {event.stream.id: event for event in self.events if type(event) is AudioDelta}
        kept: deque[Event] = deque()
        dropped = 0.0
        for event in self.events:
            if (
                dropped < excess_ms
                and isinstance(event, AudioDelta)
                and last[event.stream.id] is not event
            ):
                dropped += event.duration_ms
            else:
                kept.append(event)
        self.events = kept
        self.count()
        self.dropped_ms += dropped
        return dropped

    def silence(self, response_ids: Collection[str]) -> float:
        """Take the audio of responses out of what is unread; return how much it was."""
        silent = [e for e in self.events if type(e) is AudioDelta and e.response_id in response_ids]
        silenced = sum(event.duration_ms for event in silent)
        if silent:
            kept = {id(event) for event in {e.stream.id: e for e in silent}.values()}
            stale = {id(event) for event in silent} - kept
            self.events = deque(
                _emptied(event) if id(event) in kept else event
                for event in self.events
                if id(event) not in stale
            )
        for index, step in enumerate(self.steps):
            if type(step.event) is AudioDelta and step.stream.response_id in response_ids:
                silenced += step.event.duration_ms if step.step == "delta" else 0.0
                data = b"" if step.step == "delta" else None
                self.steps[index] = attrs.evolve(step, data=data, event=_emptied(step.event))
        self.silenced_ms += silenced
        return silenced


def _emptied(event: Event) -> Event:
    return attrs.evolve(cast("AudioDelta", event), data=b"")


class Hub:
    """Hands the events of one session to its views."""

    __slots__ = (
        "_boxes",
        "_byte_rate",
        "_early",
        "_eased",
        "_error",
        "_last",
        "_limits",
        "_loop",
        "_over",
        "_released",
        "_replay",
        "_replay_bytes",
        "delivered",
        "dropped_ms",
        "ended",
        "full",
        "silenced_ms",
    )

    def __init__(self, limits: Limits) -> None:
        self.delivered = 0
        self.dropped_ms = 0.0
        self.silenced_ms = 0.0
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._boxes: tuple[_Box, ...] = ()
        "Replaced and never changed: a view may be dropped while events are handed out."
        self._early: _Box | None = _Box()
        "What was told before anybody asked, for the first who does."
        self._replay: list[Event] | None = []
        self._replay_bytes = 0
        self._last: Event | None = None
        self._byte_rate = math.inf
        "The lowest that there was, of audio that was told."
        self._over = False
        self._error: Callable[[], Exception | None] = lambda: None
        self.full = False
        "Some view reached its bound: there may be no room."
        self._released = False
        self._eased = asyncio.Event()
        self.ended = asyncio.Event()
        "The last event was told."

    def open(self) -> View:
        """A new view, from the start of the session where that is still possible."""
        box = self._early or _Box()
        missed = 0
        if self._early is not None:
            self._early = None
        elif self._replay is not None:
            self._put((box,), self._replay)
        elif self._over and self._last is not None:
            self._put((box,), [self._last])
            missed = self.delivered - 1
        else:
            missed = self.delivered
        self._boxes += (box,)
        return View(self, box, missed)

    def deliver(self, events: Sequence[Event], size: int) -> None:
        """Hand events, caused by a frame of `size` bytes, to every view. Never waits."""
        self.delivered += len(events)
        self._last = events[-1]
        if self._replay is not None:
            self._replay += events
            self._replay_bytes += size
            limits = self._limits
            if len(self._replay) > limits.replay_events or self._replay_bytes > limits.replay_bytes:
                self._replay = None
        self._put(self._boxes, events)
        if self._early is not None:
            self._put((self._early,), events)
            if self._early.others > self._limits.events:
                self._early = None

    def finish(self, error: Callable[[], Exception | None]) -> None:
        """No event comes any more; `error` makes what a view raises at its end."""
        self._over = True
        self._error = error
        self.release()
        self.ended.set()
        for box in self._boxes:
            box.wake()

    async def room(self) -> None:
        """Wait until every view has room for more."""
        await asyncio.sleep(0)  # a turn for whoever was woken
        while not self._released and any(box.others >= self._limits.events for box in self._boxes):
            self._eased.clear()
            await self._eased.wait()
        self.full = False

    def release(self) -> None:
        """Let nobody wait for room any more: the session is ending."""
        self._released = True
        self._eased.set()

    def forget(self, box: _Box) -> None:
        """Abandon a view. Called by finalizers too, so from any thread."""
        box.closed = True
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._sweep)

    def _sweep(self) -> None:
        self._boxes = tuple(box for box in self._boxes if not box.closed)
        self._eased.set()

    def eased(self, box: _Box) -> None:
        """A view took an event that is no audio, while some view is full."""
        if box.others == self._limits.events - 1:
            self._eased.set()

    def change(self, box: _Box) -> asyncio.Future[None]:
        """
        What ends when a view may have an unread event. Whoever awaits it takes it off the box then.

        Raises:
            StopAsyncIteration: There will be none.
            ConnectionLost: There will be none, because the connection was lost.
        """
        if box.waiter is not None:
            raise UsageError(
                "two tasks read one view at the same time",
                where="async for",
                remedy="give each its own, with session.view()",
            )
        box.audio_bytes = 0
        if box.closed:
            raise StopAsyncIteration
        if self._over:
            self.forget(box)
            raise self._error() or StopAsyncIteration
        box.waiter = self._loop.create_future()
        return box.waiter

    def _put(self, boxes: Sequence[_Box], events: Sequence[Event]) -> None:
        audio_bytes, others = 0, 0
        sound: AudioDelta | None = None
        cut: list[str] = []
        for event in events:
            if type(event) is AudioDelta:
                audio_bytes += len(event.data)
                sound = event
            else:
                others += 1
                if type(event) is Interrupted:
                    cut.append(event.response_id)
        if sound is not None and sound.format.byte_rate < self._byte_rate:
            self._byte_rate = sound.format.byte_rate
        limits = self._limits
        for box in boxes:
            # Bytes are added up as they come. How much of it is unread yet, and how long that is,
            # is asked only where it may be too much.
            if (
                box.audio_bytes * 1000 > limits.audio_ms * self._byte_rate
                and (audio_ms := box.count()) > limits.audio_ms
            ):
                if box.woken:
                    self.full = True
                else:
                    self.dropped_ms += box.drop_audio(audio_ms - limits.audio_ms * 7 / 8)
            box.events += events
            box.audio_bytes += audio_bytes
            box.others += others
            if cut:
                self.silenced_ms += box.silence(cut)
            if box.others >= limits.events:
                self.full = True
            if box.waiter is not None:
                box.wake()


class View:
    """The kept view: an async iterator over every event, control and content."""

    def __init__(self, hub: Hub, box: _Box, missed: int) -> None:
        self._hub = hub
        self._box = box
        self.missed = missed
        "How many events were told before this view was opened, and are not in it."

    @property
    def dropped_ms(self) -> float:
        """Audio that was dropped because it stayed unread for too long, in ms."""
        return self._box.dropped_ms

    @property
    def silenced_ms(self) -> float:
        """Audio that was dropped because its response was interrupted before it was read, in ms."""
        return self._box.silenced_ms

    def __aiter__(self) -> View:
        return self

    async def __anext__(self) -> Event:
        box = self._box
        while not box.events:  # awaited here, for a coroutine of its own costs each turn
            change = self._hub.change(box)
            try:
                await change
            finally:
                box.waiter = None
        event = box.events.popleft()
        if type(event) is not AudioDelta:
            box.others -= 1
            if self._hub.full:
                self._hub.eased(box)
        return event

    async def aclose(self) -> None:
        """Abandon the view; it holds nothing back any more."""
        self._hub.forget(self._box)
        self._box.events.clear()
        self._box.wake()

    def __del__(self) -> None:
        self._hub.forget(self._box)


class ContentView:
    """The folded view: an async iterator over the steps of one content stream."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._fold = Fold()
        self._steps = view._box.steps

    @property
    def missed(self) -> int:
        """How many events were told before this view was opened, and are not folded into it."""
        return self._view.missed

    @property
    def dropped_ms(self) -> float:
        """Audio that was dropped because it stayed unread for too long, in ms."""
        return self._view.dropped_ms

    @property
    def silenced_ms(self) -> float:
        """Audio that was dropped because its response was interrupted before it was read, in ms."""
        return self._view.silenced_ms

    def __aiter__(self) -> ContentView:
        return self

    async def __anext__(self) -> ContentStep:
        while not self._steps:
            self._steps.extend(self._fold.step(await self._view.__anext__()))
        return self._steps.popleft()

    async def aclose(self) -> None:
        """Abandon the view; it holds nothing back any more."""
        self._steps.clear()
        await self._view.aclose()
