"""
The audio of a call: which answer what is heard belongs to, and when an answer is over.

In a call the model's audio does not come in frames. It comes beside them, at the pace at which it
is heard, with silence before, between and after the answers; frames say when the provider begins
to play an answer (``output_audio_buffer.started``), has played it (``stopped``), or threw the rest
away (``cleared``). Frames and audio do not wait for each other. Audio takes longer by a jitter
buffer, so:

- Silence before the first sound of an answer is none of it. Silence inside it is.
- What sounds before its answer was told to play is kept, and is its beginning: for :data:`EARLY_S`
  at most, since a frame that was lost is said again seconds later, and no longer than until
  something sounds after :data:`GAP_MS` of silence.
- What comes after an answer stopped still belongs to it, if it is not silence, for up to
  :data:`TAIL_S`, and no longer than until :data:`QUIET_MS` of silence came.

Which item of an answer is heard no frame tells: ``output_audio_buffer.*`` name the response alone
(openai 3.54.0, 2026-11), and items are done long before they are heard. An answer of two spoken
items has one sound, which counts as the first one's; that is noted where the second begins.

And the frames are far ahead: ``response.done`` comes when all was generated, long before all was
heard. An answer that is done may not say any more, so that frame waits until its audio came, and
what belongs to answers after it waits behind it. What it means for what may be said next does not
wait: the tool round goes on at once. An interruption waits for nothing.

The user's audio does not wait for frames either, nor they for it. The request that empties the
provider's input, at the start of a turn, may be lost on the way and said again a second later; what
was spoken meanwhile would be thrown away. So audio waits until the input is said to be empty, for
:data:`CLEAR_S` at most.

Nothing waits forever: an answer that does not begin to play is given up :data:`START_S` after it
was done, one that falls silent after :data:`SILENT_S`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from unirt.composer import Response
from unirt.events import ContentDiscarded, StreamKind
from unirt.translator import Frame
from unirt_openai.state import State, dig

__all__ = ["Held", "Media", "hear", "holds", "must_wait", "played"]

EARLY_S = 10.0
GAP_MS = 1_000.0
TAIL_S = 0.5
QUIET_MS = 300.0
START_S = 5.0
SILENT_S = 10.0
CLEAR_S = 5.0

HELD = 4096
"How many frames may wait; with more, none waits any longer."

_LOUD = 33
"The least sample that is sound, -60 dB of full scale: a codec's silence is not all zeros."

_LATER = ("response.", "conversation.item.")
"Frames by which a later answer is told."
_USERS = "conversation.item.input_audio_transcription."
"What is of the user's among those."


@attrs.frozen
class Held:
    """A frame that waits."""

    data: dict[str, Any]
    frame: Frame | Mapping[str, object]


@attrs.define(eq=False)
class Media:
    """The audio of one connection."""

    release: Callable[[], None]
    "Has the frames that wait be heard, for what they speak of is about to be interrupted."
    largest: int | None = None
    "How many bytes a frame may have."
    outgoing: list[bytes] = attrs.field(factory=list)
    "To be sent."
    clearing: list[str] = attrs.field(factory=list)
    "The ids of the requests to empty the input that are under way: audio waits for their end."
    _clears_by: float = 0.0
    "When they are waited for no longer."
    held: deque[Held] = attrs.field(factory=deque)
    playing: Response | None = None
    "The answer that the provider plays, or played last and of which more may come."
    _sounded: bool = False
    "Some of it was heard."
    _ends_at: float | None = None
    "When nothing of it comes any more; ``None`` while the provider plays it."
    _quiet_ms: float = 0.0
    "How much silence was heard since it stopped."
    _pending: list[bytes] = attrs.field(factory=list)
    "That silence: inside the answer if more of it comes."
    _moved_at: float = 0.0
    "When something was last heard of it."
    _waits_for: Response | None = None
    "An answer that is done and has not begun to play."
    _waits_since: float | None = None
    "Since when."
    _early: deque[tuple[float, bytes]] = attrs.field(factory=deque)
    "What sounds and belongs to no answer yet, and when it came."
    _gap_ms: float = 0.0
    "How much silence there is at the end of it."

    @property
    def deadline(self) -> float | None:
        """When :func:`give_up` should be called although nothing happened."""
        due = [self._ends_at] if self.playing is not None else []
        if self.clearing:
            due.append(self._clears_by)
        if self.held:
            if self.playing is not None:
                due.append(self._moved_at + SILENT_S)
            if self._waits_since is not None:
                due.append(self._waits_since + START_S)
        return min((t for t in due if t is not None), default=None)

    @property
    def over(self) -> bool:
        """Whether nothing more is waited for."""
        return self.playing is None and self._waits_since is None

    def start(self, response: Response | None, now: float) -> None:
        """The provider begins to play an answer."""
        if response is not self.playing:
            self.finish()
        self.playing, self._moved_at = response, now

    def is_other(self, response_id: object) -> bool:
        """Whether an answer is another one than that which is waited for."""
        awaited = {one.wire_id for one in (self.playing, self._waits_for) if one is not None}
        return bool(self.held) and response_id not in awaited

    def stop(self, now: float) -> None:
        """The provider has played it."""
        if self._ends_at is None:
            self._ends_at, self._quiet_ms = now + TAIL_S, 0.0

    def wait(self, response: Response, now: float) -> None:
        """An answer is done that has audio, and is not played yet."""
        if self.playing is None and self._waits_since is None:
            self._waits_for, self._waits_since = response, now

    def finish(self) -> None:
        """Nothing of it comes any more."""
        if self.playing is not None and self.playing.sounding:
            self.playing.sounding = False
        self.playing = self._ends_at = self._waits_for = self._waits_since = None
        self._sounded, self._quiet_ms = False, 0.0
        self._pending.clear()

    def clear(self, event_id: str, now: float) -> None:
        """The provider is asked to empty its input."""
        self.clearing.append(event_id)
        self._clears_by = now + CLEAR_S

    def cleared(self) -> None:
        """It did, as it was asked first."""
        del self.clearing[:1]

    def refused(self, event_id: str | None) -> None:
        """The provider did not do something; maybe that."""
        if event_id in self.clearing:
            self.clearing.remove(event_id)

    def give_up(self, now: float) -> None:
        """Wait no longer than it makes sense."""
        if self.clearing and now >= self._clears_by:
            self.clearing.clear()
        deadline = self.deadline
        if deadline is not None and now >= deadline:
            self.finish()


# What is heard.


def hear(state: State, media: Media, data: bytes, now: float) -> None:
    """Take the next piece of what is heard."""
    media.give_up(now)
    quiet = _is_quiet(data)
    response = media.playing
    if response is None:
        _keep(state, media, data, now, quiet=quiet)
        return
    if quiet and not media._sounded:
        return
    if media._ends_at is not None and quiet:
        media._pending.append(data)
        media._quiet_ms += state.output_format.duration_ms(len(data))
        if media._quiet_ms >= QUIET_MS:
            media.finish()
        return
    for piece in media._pending:
        _deliver(state, response, piece)
    media._pending.clear()
    media._quiet_ms = 0.0
    if not quiet:
        media._sounded, media._moved_at = True, now
    _deliver(state, response, data)


def _keep(state: State, media: Media, data: bytes, now: float, *, quiet: bool) -> None:
    early, format_ = media._early, state.output_format
    anew, lost = not quiet and media._gap_ms >= GAP_MS, 0
    while early and (anew or early[0][0] < now - EARLY_S):
        _, piece = early.popleft()
        lost += 0 if _is_quiet(piece) else len(piece)
    if early or not quiet:
        early.append((now, data))
        media._gap_ms = media._gap_ms + format_.duration_ms(len(data)) if quiet else 0.0
    if lost:
        duration_ms = format_.duration_ms(lost)
        state.composer.emit(
            ContentDiscarded, kind=StreamKind.AUDIO, size=lost, duration_ms=duration_ms
        )


def _deliver(state: State, response: Response, data: bytes) -> None:
    entry = next((entry for entry in response.spoken if not entry.closed), None)
    if entry is None and response.spoken:
        entry = response.spoken[-1]
    if entry is None:
        item_id = state.writing.get(response.id) or state.composer.mint("item")
        index = 0
    else:
        item_id, index = entry.stream.item_id or "", entry.stream.index
    state.composer.audio(response, item_id, index, data, state.output_format)


def _is_quiet(data: bytes) -> bool:
    samples = memoryview(data)[: len(data) & ~1].cast("h")
    return not samples or (max(samples) < _LOUD and min(samples) > -_LOUD)


# What the provider says that it plays.


def played(state: State, media: Media, response: Response | None, what: str) -> None:
    """The provider began to play an answer, has played it, or threw the rest away."""
    now = state.now
    if what == "started":
        media.start(response, now)
        early = [data for _, data in media._early]
        media._early.clear()
        trailing: list[bytes] = []
        while early and _is_quiet(early[-1]):
            trailing.insert(0, early.pop())
        for data in early:
            hear(state, media, data, now)
        media._pending += trailing  # inside it if more of it comes
        return
    if response is media.playing:
        media.stop(now)


# What waits.


def holds(state: State, media: Media, data: object) -> bool:
    """
    Whether a frame waits until what is heard has come so far.

    What it means for what may be said next does not wait.
    """
    type_ = dig(data, "type")
    if not isinstance(data, dict) or not isinstance(type_, str) or len(media.held) >= HELD:
        return False
    if type_ == "response.done" and must_wait(state, media, data):
        return True
    if not media.held:
        return False
    if dig(data, "item", "role") == "user" or type_.startswith(_USERS):
        return False
    return type_.startswith(_LATER)


def must_wait(state: State, media: Media, data: dict[str, Any]) -> bool:
    """Whether a frame says that an answer is done of which more is to be heard."""
    response_id = dig(data, "response", "id")
    if dig(data, "type") != "response.done" or not isinstance(response_id, str):
        return False
    response = state.composer.response_named(response_id)
    if response is None or response.ended or response.interrupted or not response.spoken:
        return False
    if response is not media.playing:
        if dig(data, "response", "status") not in ("completed", "incomplete"):
            return False
        if response.sounding is not None:
            return False  # it was played already
        media.wait(response, state.now)
    response.ended = True
    state.requests.done(response, state.now)
    return True
