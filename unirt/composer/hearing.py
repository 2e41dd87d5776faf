"""
What is heard of responses, and how they are cut short.

Audio comes faster than it can be played, so a response may be done and still be playing, with the
next one behind it. Responses are played in order, one after the other. How far that has come is
known from a player's reports; between them, and without any, it is estimated from the clock.

The rules of reports: a player cannot have played what was not delivered, so a position counts for
at most that. A position never goes back: the greatest counts. Who has begun a response is through
with those before it. A report sets the clock right for what is played after it, too.

An interruption silences everything: what is playing, and what runs. A report that comes after it
corrects what was told, with ``HeardCorrected``.
"""

from __future__ import annotations

import math
from collections import deque

from unirt.composer.heard_text import heard_text
from unirt.composer.records import NEARLY_MS, OpenStream, Response
from unirt.composer.turns import Turns
from unirt.errors import UsageError
from unirt.events import Ending, HeardCorrected, Interrupted
from unirt.playback import ItemPlayback, ResponsePlayback

__all__ = ["Hearing"]

AUDIBLE = 16
"How many of the latest responses with audio may still be played."


class Hearing(Turns):
    """Follows the playback of responses, and tells their interruptions once."""

    _latest: Response | None = None
    _running: Response | None = None

    def _prepare(self) -> None:
        super()._prepare()
        self._responses: dict[str, Response] = {}
        self._audible: deque[Response] = deque(maxlen=AUDIBLE)
        "Those with audio, in the order in which they are played."

    # Reports.

    def playback(
        self, played_ms: float, response_id: str | None = None, *, flushed: bool = False
    ) -> Response | None:
        """
        Note how much of a response a player has played; of the latest with audio by default.

        Returns the response where that was news. With `flushed` the player threw away what it
        had not played: it will play no more of the response.

        Raises:
            UsageError: It is no position, or no response of that id is known.
        """
        if not 0 <= played_ms < math.inf:
            raise UsageError(
                f"{played_ms!r} is no position",
                where="played_ms",
                remedy="give the milliseconds that were played, 0 or more",
            )
        response = self._reported_on(response_id)
        if response is None:
            return None
        response.over = response.over or flushed
        response.flushed = response.flushed or flushed
        position = min(played_ms, response.audio_ms)
        if response.reported_ms is not None and position <= response.reported_ms:
            return None
        before = response.heard_ms(self._clock_now)
        response.reported_ms = position
        if response.interrupted:
            self._correct(response, before)
            return response
        if position > 0:
            self._pass_before(response)
        self._set_clock(response, position)
        return response

    def playbacks(self, now: float) -> tuple[ResponsePlayback, ...]:
        """How far the responses with audio were played by `now`, the latest last."""
        at = now if self.clocked else None
        return tuple(self._told(response, at) for response in self._audible)

    @property
    def spoke(self) -> bool:
        """Whether any audio was delivered."""
        return bool(self._audible)

    @property
    def playing(self) -> Response | None:
        """The last response of the conversation that is still to be heard, as far as is known."""
        for response in reversed(self._audible):
            if response.in_conversation and response.playing(self._clock_now):
                return response
        return None

    def _speaks(self, response: Response, entry: OpenStream) -> None:
        """Another stream of audio begins; the first one is played after the response before."""
        if not response.spoken:
            before = self._audible[-1] if self._audible else None
            if before is not None and before.playing(self._clock_now):
                response.plays_until = before.plays_until
            if len(self._audible) == AUDIBLE:
                self._audible[0].worded.clear()
            self._audible.append(response)
        response.spoken.append(entry)

    def _reported_on(self, response_id: str | None) -> Response | None:
        if response_id is None:
            spoken = self._audible[-1] if self._audible else self._latest
            return spoken if spoken is None or spoken.in_conversation else self._latest
        response = self._responses.get(response_id)
        if response is None:
            raise UsageError(
                f"there is no response {response_id!r}",
                where="response_id",
                remedy="give the response_id of an event, or leave it out for the latest",
            )
        return response

    def _pass_before(self, response: Response) -> None:
        for earlier in self._audible:
            if earlier is response:
                return
            if not (earlier.over or earlier.interrupted):
                earlier.over = True
                earlier.settled_ms = earlier.audio_ms

    def _set_clock(self, response: Response, position: float) -> None:
        """What is left of the response, and all after it, is played from now on."""
        until = self._now + (response.audio_ms - position) / 1000
        shift = until - response.plays_until
        later = False
        for other in self._audible:
            if other is response or later:
                later = True
                other.plays_until += shift

    def _correct(self, response: Response, before: float | None) -> None:
        heard = response.reported_ms
        if heard is None or before == heard:
            return
        self.emit(
            HeardCorrected,
            turn_id=response.turn_id,
            response_id=response.id,
            heard_ms=heard,
            items=self._items(response, heard, cut=True),
        )

    # Interruption.

    def interrupt(
        self,
        response: Response | None = None,
        *,
        by: str = "speech",
        synthesised: bool = False,
        said: bool = False,
    ) -> tuple[Response, ...]:
        """
        Cut short the given response, else the running one, and all that is played before it.

        Returns those of which an ``Interrupted`` was told, in order. It is told once a response;
        where nothing runs and, as far as can be known, nothing plays, it is told of the latest,
        and only if the provider `said` so.
        """
        if response is None:
            response = self._running
        now = self._clock_now
        cut: list[Response] = []
        for earlier in self._audible:
            if earlier is response:
                break
            if earlier.in_conversation and earlier.playing(now):
                cut.append(earlier)
        if response is None and said and not cut:
            response = self._latest
        if response is not None and not response.interrupted:
            cut.append(response)
        for each in cut:
            self._cut(each, by, synthesised=synthesised)
        return tuple(cut)

    def _cut(self, response: Response, by: str, *, synthesised: bool) -> None:
        heard = response.heard_ms(self._clock_now)
        generating = not (response.generated or response.done)
        ending = Ending.INTERRUPTED if generating else Ending.COMPLETE
        response.growing = _growing(response)
        items = self._items(response, heard, cut=True)
        shares = {item.item_id: item.played_ms for item in items}
        for entry in response.streams.values():
            self._close(
                entry,
                ending,
                synthesised=True,
                heard_ms=shares.get(entry.stream.item_id or "", heard) if generating else None,
                reason=by,
            )
        response.cut = generating
        response.interrupted = True
        response.interrupted_by = by
        response.settled_ms = heard
        self.emit(
            Interrupted,
            synthesised=synthesised,
            turn_id=response.turn_id,
            response_id=response.id,
            by=by,
            generating=generating,
            heard_ms=heard,
            heard_exactly=response.reported_ms is not None,
            items=items,
        )

    def playhead(self, response: Response) -> tuple[str, float] | None:
        """
        The item in the middle of which its playback is, or stopped, and how much of it, in ms.

        ``None`` where nothing was heard, or every item either to its end or not at all.
        """
        heard = self._heard(response)
        if not heard:
            return None
        growing = response.growing if response.interrupted else _growing(response)
        for item_id, length in response.audio_items().items():
            if heard <= length - NEARLY_MS or (heard <= length and item_id in growing):
                return item_id, heard
            heard = max(0.0, heard - length)
            if heard < NEARLY_MS:
                return None
        return None

    # What there is to tell.

    @property
    def _clock_now(self) -> float | None:
        return self._now if self.clocked else None

    def _heard(self, response: Response) -> float | None:
        return response.heard_ms(self._clock_now)

    def _items(
        self, response: Response, heard: float | None, *, cut: bool
    ) -> tuple[ItemPlayback, ...]:
        """How far its spoken items were played; with `cut`, also the words that were heard."""
        left, items = heard, []
        for item_id, length in response.audio_items().items():
            played = None if left is None else min(left, length)
            words = _words(response, item_id) if cut and played is not None else None
            items.append(
                ItemPlayback(
                    item_id=item_id,
                    received_ms=length,
                    played_ms=played,
                    text=None
                    if words is None or played is None
                    else heard_text(
                        words, played, length, complete=item_id not in response.growing
                    ),
                )
            )
            left = None if left is None else max(0.0, left - length)
        return tuple(items)

    def _told(self, response: Response, now: float | None) -> ResponsePlayback:
        heard = response.heard_ms(now)
        flushed = response.interrupted or response.flushed
        whole = response.generated or response.done
        return ResponsePlayback(
            response_id=response.id,
            items=self._items(response, heard, cut=flushed),
            received_ms=response.audio_ms,
            played_ms=heard,
            exactly=response.reported_ms is not None,
            playing=response.playing(now),
            finished=whole and heard is not None and heard > response.audio_ms - NEARLY_MS,
            flushed=flushed,
        )


def _growing(response: Response) -> frozenset[str]:
    open_ = (entry for entry in response.spoken if not entry.closed)
    return frozenset(entry.stream.item_id or "" for entry in open_)


def _words(response: Response, item_id: str) -> OpenStream | None:
    """The transcript of an item."""
    return next((e for e in response.worded if e.stream.item_id == item_id), None)
