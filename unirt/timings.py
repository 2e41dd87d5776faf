"""
How long answers let the user wait, turn by turn.

Times are of the session's clock, when a frame came or a verb was called: the network is in them,
the player's own delay is not. A user is done speaking when the provider says so, which includes the
silence that it waited for to be sure, or when the application says so: with
``end_turn()``, with a text, with ``respond()``. Where neither says so the moment is not known, and
nothing is counted from it; see ``SpeechStopped`` in the capabilities.

There is no time for interruptions: ``Interrupted`` is told in the very step that brings the first
sign of one, so what could be measured is 0 by construction.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from unirt.errors import UsageError
from unirt.spelling import nearest
from unirt.value import Value

__all__ = ["DURATIONS", "Timings", "TurnTimings"]


@attrs.frozen(kw_only=True)
class TurnTimings(Value):
    """One turn of the user's and what answered it, as far as it went."""

    turn_id: str
    ended_at: float | None = None
    "When the user was done, in seconds of the session's clock; ``None`` where nothing told."
    ended_by: str | None = None
    "``speech`` where the provider heard it, ``command`` where the application said so."
    response_at: float | None = None
    "When the first response started."
    text_at: float | None = None
    "When its first words came, written or as a transcript."
    audio_at: float | None = None
    "When its first sound came."
    done_at: float | None = None
    "When the last response was done; ``None`` while one runs."
    calls: int = 0
    "How many tools the application was asked to call."
    tool_ms: float = 0.0
    "How long at least one of them had no result, in ms; it is a part of the times around it."
    interrupted: bool = False

    @property
    def response_ms(self) -> float | None:
        """From the end of what the user said to the start of the response."""
        return _between(self.ended_at, self.response_at)

    @property
    def first_text_ms(self) -> float | None:
        """From the end of what the user said to the first words of the answer."""
        return _between(self.ended_at, self.text_at)

    @property
    def first_audio_ms(self) -> float | None:
        """From the end of what the user said to the first sound of the answer."""
        return _between(self.ended_at, self.audio_at)

    @property
    def done_ms(self) -> float | None:
        """From the end of what the user said to the end of the last response."""
        return _between(self.ended_at, self.done_at)

    @property
    def response_to_audio_ms(self) -> float | None:
        """From the start of the first response to its first sound, which is always known."""
        return _between(self.response_at, self.audio_at)


DURATIONS = (
    "response_ms",
    "first_text_ms",
    "first_audio_ms",
    "done_ms",
    "response_to_audio_ms",
    "tool_ms",
)
"What :meth:`Timings.percentile` can be asked for."


@attrs.frozen
class Timings(Value):
    """The latest turns of a session, oldest first."""

    turns: tuple[TurnTimings, ...] = ()

    def __iter__(self) -> Iterator[TurnTimings]:
        return iter(self.turns)

    def __len__(self) -> int:
        return len(self.turns)

    @property
    def latest(self) -> TurnTimings | None:
        """The turn that was answered last."""
        return self.turns[-1] if self.turns else None

    def percentile(self, name: str, percent: float = 50) -> float | None:
        """
        A percentile of one duration over the turns of which it is known, in ms.

        Between two turns it is interpolated; ``None`` where no turn has it.

        Args:
            name: One of :data:`DURATIONS`.
            percent: 50 for the median, 0 for the least, 100 for the most.

        Raises:
            UsageError: There is no such duration, or no such percentile.
        """
        if name not in DURATIONS:
            raise UsageError(
                f"there is no duration {name!r}",
                where="percentile",
                remedy=nearest(name, DURATIONS),
            )
        if not 0 <= percent <= 100:
            raise UsageError(
                f"{percent!r} is no percentile",
                where="percentile",
                remedy="give a number from 0 to 100",
            )
        known = sorted(ms for turn in self.turns if (ms := getattr(turn, name)) is not None)
        if not known:
            return None
        place = (len(known) - 1) * percent / 100
        below = int(place)
        above = min(below + 1, len(known) - 1)
        return float(known[below] + (known[above] - known[below]) * (place - below))


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else (end - start) * 1000
