"""
One connection, played: what the client sends is matched, and what it then receives is released.

What the client sends is taken in the recorded order; anything else is a
:class:`~unirt.errors.CassetteMismatch`. What it receives is released in the recorded order, and not
before everything was sent that had been sent before it. A player does no I/O and reads no clock.

With the matchers ``audio`` and ``microphone``, frames of audio in a row are one step, a *run*:
where a live client is in it is counted in bytes, and a frame is released when as many were sent as
before it in the recording, or when the client went on to the next step.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from typing import Any, Protocol, TypeGuard, cast

import attrs

from unirt.cassettes.differences import differences
from unirt.cassettes.entries import Closed, Entry, Framed, Path, Segment, Stalled
from unirt.cassettes.ids import IdMap, ids_in, renamed
from unirt.cassettes.match import NEAR_MS, Match
from unirt.cassettes.meaning import Ear, Meaning, audio_at, decoded, free_form_of
from unirt.cassettes.steps import Step, steps_of
from unirt.cassettes.values import kept, look_up, replaced
from unirt.errors import CassetteMismatch
from unirt.translator import Frame

__all__ = ["Player", "Time"]

_NEAR = 200
"How many recorded frames are looked at for the one that is closest."


class Time(Protocol):
    """What a player moves, and does not read but to move it."""

    reached: float
    "In seconds."
    free_until: float
    "Nobody need be woken before that."

    def waits(self, when: float) -> bool:
        """Whether somebody is to be woken before it is that time."""
        ...


class Player:
    """
    Args:
        segment: The connection.
        match: How frames are compared.
        where: What errors call the cassette.
        prepare: What is done to each live frame, decoded, before it is compared: what was taken
            out of the recording is taken out of it too.
    """

    def __init__(
        self,
        segment: Segment,
        match: Match,
        where: str,
        *,
        prepare: Callable[[Any], Any] = lambda frame: frame,
    ) -> None:
        self.segment = segment
        self.failure: CassetteMismatch | None = None
        "The first mismatch; everything after it means nothing."
        self.closed = False
        "Whether the client closed the connection, or was told that it is."
        self._over = False
        "Either of the two: nothing is released any more."
        self._entries = segment.entries
        self._match = match
        self._where = where
        self._prepare = prepare
        self._ears = Ear(segment), Ear(segment)
        "One hears what was recorded; the other what is live, where that is not equal."
        self._listened = 0
        "Up to which entry they have."
        self._free_form = free_form_of(segment.provider)
        self._ids = IdMap(self._free_form)
        self._heard = 0
        "Up to which entry the ids of the far end are known."
        self._times = [entry.at for _, entry in segment.entries]
        self._payloads = [
            entry.payload if _is_received(entry) else b"" for _, entry in segment.entries
        ]
        "For each entry, what the client receives where that is a frame; else nothing."
        self._frames_end = sum(isinstance(entry, Framed) for _, entry in segment.entries)
        "Where the frames end; after them the connection stalls, or is closed."
        sizes = (
            len(entry.payload) or 1 if _is_received(entry) else 0 for _, entry in self._entries
        )
        self._bytes = list(accumulate(sizes, initial=0))
        "For each entry, and the end, how many bytes the client received before it."
        self._steps, self._needs = steps_of(segment, runs=match.audio is not None)
        """
        What the client does; and for each entry, where it must be: at which step, and how far in
        its run.
        """
        self._sample = next((step for step in self._steps if step.run is not None), None)
        "A frame of audio, where one is known."
        self._onward = _onward(segment)
        "For each entry, and the end, the next from there on that may be released."
        self._next = self._onward[0]
        "The next entry that may be released."
        self._place = (0, 0)

    # What the client does.

    def sent(self, frame: Frame) -> None:
        """
        Take what the client sends.

        Raises:
            CassetteMismatch: It is not what was recorded.
        """
        if self.failure is not None:
            raise self.failure
        live = self._prepare(kept(frame))
        if live is None:  # what is left out of recordings
            return
        step, _ = self._place
        if step < len(self._steps) and self._steps[step].run is not None:
            if self._in_run(live, self._steps[step]):
                return
            step, _ = self._place = (step + 1, 0)
        if self._is_stray(live, step):
            return
        if step == len(self._steps):
            self._fail("more was sent than was recorded", live, None)
        self._learn(self._steps[step].index)
        expected = self._steps[step]
        if expected.run is not None:
            if not self._in_run(live, expected):
                self._fail("audio was expected", live, expected)
            return
        same, shown = self._match.same(
            expected.frame, live, self._ids, partial(self._mean, expected)
        )
        if not same:
            self._fail("another frame was expected", live, expected, shown)
        self._place = (step + 1, 0)

    def _mean(self, expected: Step, live: Any) -> tuple[Meaning, Meaning]:
        """What a recorded frame means, and a live one in its place."""
        for ear in self._ears:
            self._listen(ear, self._listened, expected.index)
        self._listened = expected.index + 1
        one, other = self._ears
        return one.hear(expected.frame.frame), other.hear(
            attrs.evolve(expected.frame, data=live).frame
        )

    def _listen(self, ear: Ear, start: int, end: int) -> None:
        """Let an ear hear some entries of the recording."""
        for _, entry in self._entries[start:end]:
            if not isinstance(entry, Framed):
                continue
            if entry.direction == "sent":
                ear.hear(entry.frame)
            else:
                ear.told(entry.payload)

    def _is_stray(self, live: Any, step: int) -> bool:
        """Whether a frame is audio where none was recorded, and audio does not count."""
        if self._match.audio != "microphone":
            return False
        here = self._steps[step] if step < len(self._steps) else None
        if here is not None and here.run is not None:
            return False
        if self._sample is not None:
            return self._audio_like(self._sample, live) is not None
        frame = _sent(live)
        at = self._audio_in(frame, len(self._entries) if here is None else here.index)
        if at is None:
            return False
        self._sample = Step(0, 0, frame, at=at)
        return True

    def _audio_in(self, frame: Framed, index: int) -> Path | None:
        """Where the audio is in a frame that is sent in the place of an entry; it may have none."""
        ear = Ear(self.segment)
        self._listen(ear, 0, index)
        audio = ear.hear(frame.frame).audio
        return None if audio is None else audio_at(frame.data, audio)

    def _how_to_match_audio(self, frame: Framed, index: int) -> str:
        """What to add to an error about a frame that is sent, where it has audio that counts."""
        if self._match.audio == "microphone" or self._audio_in(frame, index) is None:
            return ""
        return "; where the amount of audio depends on the day, use the matcher 'microphone'"

    def _in_run(self, live: Any, run: Step) -> bool:
        """Take a frame of audio; ``False`` for one that is none, which ends the run."""
        audio = self._audio_like(run, live)
        step, sent = self._place
        free, total = self._match.audio == "microphone", run.run or 0
        if audio is None:
            if sent < total and not free:
                self._fail(f"{sent} of {total} bytes of audio were sent, then this", live, run)
            return False
        if sent + len(audio) > total and not free:
            self._fail(f"more audio was sent than the recorded {total} bytes", live, run)
        self._place = (step, sent + len(audio))
        return True

    @property
    def may_lack_audio(self) -> bool:
        """Whether what is waited for is audio that need not come."""
        step, _ = self._place
        here = self._steps[step] if step < len(self._steps) else None
        return here is not None and here.run is not None and self._match.audio == "microphone"

    def skip_audio(self) -> None:
        """What is left of the audio that is waited for does not come."""
        self._place = (self._place[0] + 1, 0)

    def close(self) -> None:
        """The client closes the connection."""
        self.closed = self._over = True

    # What the client receives.

    @property
    def due(self) -> tuple[int, Entry] | None:
        """What may be released now, and its line; ``None`` where the client is waited for."""
        if self._next >= len(self._entries) or self._needs[self._next] > self._place:
            return None
        line, entry = self._entries[self._next]
        return None if isinstance(entry, Closed) and entry.by == "local" else (line, entry)

    def release(self) -> Framed | Closed | Stalled:
        """Take what is :attr:`due`."""
        _, entry = self._entries[self._next]
        self._next = self._onward[self._next + 1]
        if isinstance(entry, Framed):
            if self._ids.to_live:
                return attrs.evolve(entry, data=renamed(entry.data, self._ids.to_live))
            return entry
        if isinstance(entry, Closed):
            self.closed = self._over = True
        elif not isinstance(entry, Stalled):
            raise TypeError(f"a connection does not hold a {type(entry).__name__}")
        return entry

    @property
    def bytes_released(self) -> int:
        """How many bytes of the recording were released; an empty frame counts as one."""
        return self._bytes[self._next]

    def releasing(self, time: Time, most: int) -> Iterator[bytes]:
        """
        Release frame after frame, and set the time for each. The short way, for what is usual.

        It ends where anything but a frame is next, where the client was waited for when it began,
        or where somebody is to be woken first; and it may be left at any frame, and gone on with
        as long as nothing else releases.

        Args:
            time: Of the tape.
            most: How many bytes are enough; so it ends, too.
        """
        payloads, times, onward = self._payloads, self._times, self._onward
        to_live = self._ids.to_live
        index = self._next
        # What lies behind the client, and how much is enough, is looked up once and not each frame.
        end = min(
            self._frames_end,
            bisect_right(self._needs, self._place),
            bisect_left(self._bytes, self._bytes[index] + most),
        )
        while index < end and not self._over:
            when = times[index]
            if when >= time.free_until and time.waits(when):
                return
            if when > time.reached:  # noqa: PLR1730  (max() is a call a frame)
                time.reached = when
            if to_live:
                payload = cast("Framed", self.release()).payload
                index = self._next
            else:
                payload = payloads[index]
                self._next = index = onward[index + 1]
            yield payload

    @property
    def last_line(self) -> int:
        """Where the connection ends in the file."""
        return self._entries[-1][0] if self._entries else self.segment.line

    @property
    def awaited(self) -> tuple[int, Entry] | None:
        """What the client is waited for to do, and its line; ``None`` for nothing."""
        step, sent = self._place
        if sent and sent >= (self._steps[step].run or 0):
            step, sent = step + 1, 0
        if step < len(self._steps):
            found = self._steps[step]
            left = found.parts[bisect_right(found.ends, sent) :] if sent else ()
            return left[0] if left else (found.line, found.frame)
        if self._next < len(self._entries):
            line, entry = self._entries[self._next]
            return (line, entry) if isinstance(entry, Closed) and entry.by == "local" else None
        return None

    # The end.

    def unfinished(self) -> CassetteMismatch | None:
        """What is left of the recording, as the error that it is; ``None`` for nothing."""
        if self.failure is not None:
            return self.failure
        step, sent = self._place
        steps = self._steps[step:]
        if steps and steps[0].run is not None and (
            self._match.audio == "microphone" or sent == steps[0].run
        ):  # fmt: skip
            steps = steps[1:]
        left = [(one.line, one.frame, "sent") for one in steps]
        last = self._entries[-1][1] if self._entries else None
        until_ms = math.inf
        if self.closed and isinstance(last, Closed) and last.by == "local":
            # What comes just before a client hangs up is lost or is not, as it happens.
            until_ms = last.at_ms - NEAR_MS
        left += [
            (line, entry, "received")
            for line, entry in self._entries[self._next :]
            if _is_received(entry) and (left or entry.at_ms < until_ms)
        ]
        if left:
            line, frame, verb = min(left, key=lambda one: one[0])
            return CassetteMismatch(
                f"{len(left)} recorded frames were left over; the first was {verb}: "
                f"{_brief(frame.data)}",
                where=f"{self._where}, line {line}",
                remedy="let the application go on until then, or record it again"
                + (self._how_to_match_audio(frame, steps[0].index) if verb == "sent" else ""),
            )
        for line, entry in self._entries[self._next :]:
            if isinstance(entry, Closed) and not (self.closed and entry.by == "local"):
                return CassetteMismatch(
                    f"the recorded close, by {entry.by}, did not come about",
                    where=f"{self._where}, line {line}",
                    remedy="let the application go on until then, or record it again",
                )
        return None

    def _learn(self, until: int) -> None:
        """Know which ids the far end had said before an entry."""
        for _, entry in self._entries[self._heard : until]:
            if _is_received(entry):
                self._ids.settled.update(ids_in(entry.data, self._free_form))
        self._heard = max(self._heard, until)

    def _fail(self, what: str, live: Any, expected: Step | None, shown: Any = None) -> None:
        """
        Raises:
            CassetteMismatch: Always.
        """
        told = [f"sent: {_brief(live)}"]
        if expected is not None:
            told = differences(expected.frame.data, live if shown is None else shown)
        near = min(
            self._steps[max(0, self._place[0] - _NEAR // 2) :][:_NEAR],
            key=lambda step: (len(self._aside(step, live)), step is not expected),
            default=None,
        )
        if near is not None and near is not expected:
            unlike = self._aside(near, live)
            verb = "is equal to it" if not unlike else "differs from it in:"
            told = [*told, f"the closest recorded frame, line {near.line}, {verb}", *unlike]
        line = self.last_line if expected is None else expected.line
        self.failure = CassetteMismatch(
            what,
            where=f"{self._where}, line {line}",
            remedy="correct the application, record it again, or choose another matcher"
            + self._how_to_match_audio(
                _sent(live), len(self._entries) if expected is None else expected.index
            ),
            differences=told,
        )
        self._over = True
        raise self.failure

    def _aside(self, step: Step, live: Any) -> list[str]:
        """How a frame differs from a recorded one, ids aside."""
        recorded = step.frame.data
        return differences(recorded, IdMap(self._free_form).align(recorded, live))

    def _audio_like(self, run: Step, live: Any) -> bytes | None:
        """The audio of a live frame that is like a recorded one but for its audio and ids."""
        try:
            audio = decoded(look_up(live, run.at))
        except LookupError:
            return None
        if audio is None:
            return None
        one, other = replaced(run.frame.data, run.at, ""), replaced(live, run.at, "")
        return audio if IdMap(self._free_form).align(one, other) == one else None


def _onward(segment: Segment) -> list[int]:
    """For each entry, and the end, the next from there on that the client receives."""
    onward = [len(segment.entries)]
    for index in range(len(segment.entries) - 1, -1, -1):
        entry = segment.entries[index][1]
        sent = isinstance(entry, Framed) and entry.direction == "sent"
        onward.append(onward[-1] if sent else index)
    return onward[::-1]


def _is_received(entry: Entry) -> TypeGuard[Framed]:
    return isinstance(entry, Framed) and entry.direction == "received"


def _sent(live: Any) -> Framed:
    return Framed(direction="sent", data=live, binary=isinstance(live, bytes))


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
