"""
Whether what a client sends is what was recorded.

========== =====================================================================================
matcher    two frames are the same where
========== =====================================================================================
command    they mean the same commands, ids aside; where playback was cut is a measurement, and may
           differ by 250 ms (the default)
ids        they are the same JSON, ids aside
exact      they are the same JSON
audio      and audio counts by its amount alone, however it is cut into frames
microphone and audio does not count at all: more of it or less, or elsewhere, is the same
========== =====================================================================================

One of the first three and one of the last two can be combined, and functions of the recorded and
the live frame added, all of which must agree. Where the recording's audio was cut or silenced, its
amount is all that is left to compare, so that is what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs

from unirt.cassettes.entries import Framed
from unirt.cassettes.ids import IdMap
from unirt.cassettes.meaning import Meaning, decoded
from unirt.cassettes.values import look_up, replaced
from unirt.commands import Command, TruncateItem
from unirt.errors import ConfigurationError
from unirt.spelling import nearest
from unirt.value import Value

__all__ = ["MATCHERS", "NEAR_MS", "Match", "Rule", "matching"]

Rule = str | Callable[[Any, Any], bool]
"A matcher's name, or a function of the recorded and the live frame, decoded."

_LIKENESS: Final = ("command", "ids", "exact")
_AUDIO: Final = ("audio", "microphone")
MATCHERS: Final = (*_LIKENESS, *_AUDIO)
NEAR_MS: Final = 250.0
"""
How far from the recorded time something may be that goes by the clock, as a position of playback
does. A recording knows when frames went over the wire, which is not the moment in which a session
heard or said them, and less so where the machine was busy.
"""


@attrs.frozen(kw_only=True)
class Match(Value):
    """A choice of matchers."""

    likeness: str = "command"
    audio: str | None = None
    functions: tuple[Callable[[Any, Any], bool], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of it that are not the usual ones, for a header."""
        names = () if self.likeness == "command" else (self.likeness,)
        return names if self.audio is None else (*names, self.audio)

    def same(
        self,
        recorded: Framed,
        live: Any,
        ids: IdMap,
        means: Callable[[Any], tuple[Meaning, Meaning]],
    ) -> tuple[bool, Any]:
        """
        Compare one frame.

        Args:
            recorded: What was recorded.
            live: What is sent now, decoded.
            ids: What is known of the ids so far.
            means: Tells what the two mean, of the live one in recorded ids. It is asked where they
                are not equal as they are, which they mostly are.

        Returns:
            Whether they are the same, and the live frame in recorded terms, to show what is not.
        """
        live = _with_recorded_audio(recorded, live)
        aligned = live if self.likeness == "exact" else ids.align(recorded.data, live)
        same = bool(aligned == recorded.data)
        if not same and self.likeness == "command":
            one, other = means(aligned)
            same = one.config is not None and one == _as_measured(other, one)
        return same and all(agrees(recorded.data, live) for agrees in self.functions), aligned


def _as_measured(live: Meaning, recorded: Meaning) -> Meaning:
    """What a live frame means, with the recorded playback where it was measured nearly the same."""
    if len(live.commands) != len(recorded.commands):
        return live
    pairs = zip(live.commands, recorded.commands, strict=True)
    return attrs.evolve(live, commands=tuple(_nearly(one, other) for one, other in pairs))


def _nearly(live: Command, recorded: Command) -> Command:
    match live, recorded:
        case TruncateItem(audio_end_ms=now), TruncateItem(audio_end_ms=then):
            near = abs(now - then) <= NEAR_MS
            return attrs.evolve(live, audio_end_ms=then) if near else live
        case _:
            return live


def _with_recorded_audio(recorded: Framed, live: Any) -> Any:
    """The live frame with the audio that is left of the recording, where it has as much."""
    for change in recorded.altered:
        try:
            audio = decoded(look_up(live, change.at))
        except LookupError:
            continue
        if audio is not None and len(audio) == change.size:
            live = replaced(live, change.at, look_up(recorded.data, change.at))
    return live


def matching(rules: Rule | Iterable[Rule]) -> Match:
    """
    The choice that some rules make.

    Raises:
        ConfigurationError: There is no such matcher, or two of them exclude each other.
    """
    rules = (rules,) if isinstance(rules, str) or callable(rules) else tuple(rules)
    names = [rule for rule in rules if isinstance(rule, str)]
    for name in names:
        if name not in MATCHERS:
            raise ConfigurationError(
                f"there is no matcher {name!r}", where="match", remedy=nearest(name, MATCHERS)
            )
    likeness = [name for name in _LIKENESS if name in names]
    audio = [name for name in _AUDIO if name in names]
    for chosen in (likeness, audio):
        if len(chosen) > 1:
            raise ConfigurationError(
                f"{chosen[0]!r} and {chosen[1]!r} exclude each other",
                where="match",
                remedy="leave one of them out",
            )
    return Match(
        likeness=likeness[0] if likeness else "command",
        audio=audio[0] if audio else None,
        functions=tuple(rule for rule in rules if not isinstance(rule, str)),
    )
