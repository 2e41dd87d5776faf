"""
The pump: the way of frames into the translator, and of what it makes of them to whoever wants it.

Frames to send go to the outbox, events to the session's state and to its views, a timer to the
session. What is touched for every frame is kept here, in one small object with slots: in a process
with hundreds of sessions each frame finds its session's memory cold, and every object on the way is
a wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, cast

from unirt.clock import Clock
from unirt.events import Event
from unirt.session.audio_out import AudioOut
from unirt.session.handshake import Handshake
from unirt.session.observers import Observers
from unirt.session.outbox import Outbox
from unirt.session.state import State
from unirt.session.views import Hub
from unirt.translator import Beside, Frame, Translator
from unirt.transport import Media

__all__ = ["Pump"]

_READ: Final = (list, tuple)
"What the frames of one read are."


class Pump:
    """
    Args:
        translator: What frames are fed to.
        outbox: Where frames to send go.
        state: Is told every event, before any view.
        hub: Hands events to the views.
        clock: What the translator's time is.
        audio_out: Converts the model's audio; ``None`` for as it is.
        observers: Look on; ``None`` for nobody.
        wake_at: Called with when the translator wants to be woken, where that is sooner than known.
        fail: Called with what an error of our own was.
        media: Carries audio beside the frames; ``None`` where nothing does.
    """

    __slots__ = (
        "_audio_out",
        "_beside",
        "_fail",
        "_hub",
        "_media",
        "_observers",
        "_outbox",
        "_state",
        "_translator",
        "_wake_at",
        "bytes_in",
        "frames_in",
        "handshake",
        "now",
        "over",
        "wakes_at",
    )

    def __init__(
        self,
        translator: Translator,
        outbox: Outbox,
        state: State,
        hub: Hub,
        *,
        clock: Clock,
        audio_out: AudioOut | None,
        observers: Observers | None,
        wake_at: Callable[[float], None],
        fail: Callable[[Exception], None],
        media: Media | None = None,
    ) -> None:
        self.now = clock.now
        self.frames_in = 0
        self.bytes_in = 0
        self.handshake: Handshake | None = None
        "Judges what comes, until the session is ready."
        self.wakes_at: float | None = None
        "When the translator will be woken, as far as it is arranged."
        self.over = False
        "The connection has told its last event: nothing may follow."
        self._translator = translator
        self._outbox = outbox
        self._state = state
        self._hub = hub
        self._audio_out = audio_out
        self._observers = observers
        self._wake_at = wake_at
        self._fail = fail
        self._beside = None if media is None else cast("Beside", translator)
        self._media = media

    def take(self, frames: Iterable[Frame]) -> bool:
        """
        Frames came; returns whether there is room for more. Never raises.

        Those of one read are one step. Of an iterator, which brings the time of each frame
        (:class:`unirt.transport.Prompt`), a step is the pieces of content that follow one another,
        for they have nobody do anything at a time; whatever else comes ends it. The translator
        knows them apart.
        """
        if self.over:  # another task failed meanwhile
            return True
        try:
            if isinstance(frames, _READ):
                self._take_read(frames)
            else:
                self._take_timed(frames)
        except Exception as exc:
            self._fail(exc)
        return not self._hub.full

    def _take_read(self, frames: Sequence[Frame]) -> None:
        receive, now = self._translator.receive, self.now()
        size, goes_on = 0, True
        for frame in frames:
            size += len(frame)
            if not receive(frame, now):
                goes_on = False
        self.frames_in += len(frames)
        self.bytes_in += size
        if goes_on:  # nobody has anything to do, so nobody is asked
            self._tell(size)
        else:
            self.run(size)

    def _take_timed(self, frames: Iterable[Frame]) -> None:
        receive, now = self._translator.receive, self.now
        count = size = 0
        for frame in frames:
            count += 1
            size += len(frame)
            if not receive(frame, now()):
                break
        self.frames_in += count
        self.bytes_in += size
        self.run(size)

    def hear(self, data: bytes) -> None:
        """Audio came beside the frames. Never raises."""
        if self.over or self._beside is None:
            return
        try:
            self._beside.receive_audio(data, self.now())
            self.run(len(data))
        except Exception as exc:
            self._fail(exc)

    def run(self, size: int = 0) -> None:
        """
        Hand on what the translator has, after it was fed.

        Args:
            size: How many bytes it was fed.
        """
        translator, observers = self._translator, self._observers
        if self._beside is not None and self._media is not None:
            for data in self._beside.audio_to_send():
                self._media.send(data)
            self._media.hold(self._beside.audio_waits)
        if frames := translator.frames_to_send():
            self._outbox.put(frames)
            if observers is not None:
                observers.sent(frames)
        events = self._tell(size)
        if self.handshake is not None:
            self.handshake.judge(events, ready=translator.ready)
        when = translator.get_timer()
        if when is not None and (self.wakes_at is None or when < self.wakes_at):
            self._wake_at(when)

    def _tell(self, size: int) -> Sequence[Event]:
        """Tell what came of `size` bytes, and return it."""
        events: Sequence[Event] = self._translator.events_received()
        if events:
            if self._audio_out is not None:
                events = self._audio_out.convert(events)
            if self._observers is not None:
                self._observers.told(events)
            self._state.feed(events)
            self._hub.deliver(events, size)
        return events
