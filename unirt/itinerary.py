"""
Whom to try, and when, once a connection has failed.

The rules, in order:

1. The provider that failed is tried again, where that may help: at once, and then after longer and
   longer waits. Where others may answer it has few tries before they do.
2. The others are tried, each once.
3. Whoever may still answer is tried in turn until all have used their tries.

Who would fail again is not tried again, nor who asked to be left alone for longer than anybody
waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import attrs

from unirt.errors import UnirtError
from unirt.failover import Candidate
from unirt.policy import Row, Verdict
from unirt.reconnect import Reconnect

__all__ = ["Itinerary", "Stop"]


@attrs.frozen
class Stop:
    """The next to try."""

    candidate: Candidate
    wait: float
    "In seconds, before it is tried."


class Itinerary:
    """
    Args:
        failed: Who failed.
        verdict: Whether it may answer the next time.
        others: Whom else to try, in order.
        reconnect: How often, and with what waits.
        share: How often the one that failed is tried before the others.
        strikes: How many connections to it failed, or were lost, in a row before this.
        judge: Says of an error of a candidate's whether it would come again.
    """

    def __init__(
        self,
        failed: Candidate,
        verdict: Verdict,
        others: Sequence[Candidate],
        *,
        reconnect: Reconnect,
        share: int,
        strikes: int,
        judge: Callable[[Candidate, UnirtError], Row],
    ) -> None:
        self._all = [failed, *others]
        self._reconnect = reconnect
        self._share = share if others else reconnect.tries
        self._judge = judge
        self._tried: Counter[str] = Counter({failed.name: strikes})
        self._fatal = {failed.name} if verdict is Verdict.FATAL else set()
        self._asked: dict[str, float] = {}
        "How long each wants to be left alone, in seconds."
        self._last: Candidate | None = None

    def next(self, error: UnirtError | None = None) -> Stop | None:
        """
        Whom to try now; ``None`` for nobody any more.

        Args:
            error: Why the one before did not answer.
        """
        if error is not None and self._last is not None:
            asked = getattr(error, "retry_after", None) or 0.0
            self._asked[self._last.name] = asked
            fatal = self._judge(self._last, error).verdict is Verdict.FATAL
            if fatal or asked > self._reconnect.longest_wait:
                self._fatal.add(self._last.name)
        candidate = self._choose()
        if candidate is None:
            return None
        self._last = candidate
        tried = self._tried[candidate.name]
        self._tried[candidate.name] += 1
        asked_of_it = self._asked.pop(candidate.name, None)
        return Stop(candidate, self._reconnect.wait(tried, asked_of_it))

    def _choose(self) -> Candidate | None:
        failed, *others = self._all
        if failed.name not in self._fatal and self._tried[failed.name] < self._share:
            return failed
        fresh = (each for each in others if each.name not in self._fatal)
        for candidate in fresh:
            if not self._tried[candidate.name]:
                return candidate
        able = [
            each
            for each in self._all
            if each.name not in self._fatal and self._tried[each.name] < self._reconnect.tries
        ]
        return min(able, key=lambda each: self._tried[each.name], default=None)
