"""
The keeper: holds a session to its budget.

Tokens and money are judged when the provider told usage, time by a task that sleeps until the next
moment at which something could be due. Nothing is done for a piece of audio, and a session without
a budget has no keeper.

What the keeper finds is told as an event of its own, in a step of its own: after the events that
led to it, before the end that it causes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from unirt.budget import Bound, Budget
from unirt.clock import Clock
from unirt.commands import Command, SendToolResult
from unirt.errors import LimitReachedError, SessionClosedError
from unirt.events import (
    Event,
    InputCommitted,
    Interrupted,
    LimitNear,
    LimitReached,
    Origin,
    ResponseDone,
    ResponseStarted,
    SessionClosed,
    SessionStarted,
    SpeechStarted,
    SpeechStopped,
    StreamKind,
    StreamOpened,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
    TranscriptInterim,
    UsageReported,
)
from unirt.usage import SessionUsage

__all__ = ["Keeper", "closed_error"]


class Keeper:
    """
    Args:
        budget: What may be used.
        provider: Tells the provider's registered name, for events.
        clock: The session's.
        usage: What was used so far.
        tell: Tells events of the session's own to its views.
        end: Closes the session, because of a limit that was reached.
        spawn: Runs what waits, as a task of the session.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        provider: Callable[[], str],
        clock: Clock,
        usage: Callable[[], SessionUsage],
        tell: Callable[[Sequence[Event]], None],
        end: Callable[[LimitReached], None],
        spawn: Callable[[Any], object],
    ) -> None:
        self._budget = budget
        self._provider = provider
        self._clock = clock
        self._usage = usage
        self._tell = tell
        self._end = end
        self._spawn = spawn
        self._told: set[tuple[str, type[Event]]] = set()
        self._over = False
        self._started = False
        self._judging = False
        self._began = 0.0
        self._active_at = 0.0
        "When something was last done, or when what was said will have been heard."
        self._sounds_from: dict[str, float] = {}
        "When the first audio of each response came that runs."
        self._running: set[str] = set()
        self._calls: set[str] = set()
        self._speaking = False
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            SessionStarted: self._session_started
        }
        if budget.tokens or budget.cost:
            self.handlers |= {ResponseDone: self._used, UsageReported: self._used}
        self.watching: dict[type[Event], Callable[[Any], None]] = {}
        "What is needed for idle time."
        if budget.idle:
            self.watching = {
                SpeechStarted: self._speech_started,
                SpeechStopped: self._speech_stopped,
                InputCommitted: self._speech_stopped,
                TranscriptDelta: self._active,
                TranscriptInterim: self._active,
                ResponseStarted: self._response_started,
                StreamOpened: self._stream_opened,
                Interrupted: self._interrupted,
                ResponseDone: self._response_done,
                ToolCall: self._tool_called,
                ToolCallCancelled: self._calls_cancelled,
            }

    def said(self, command: Command, now: float) -> None:
        """The application did something; audio, which is sent all the time, is not told here."""
        if isinstance(command, SendToolResult) and not command.more_follows:
            self._calls.discard(command.call_id)
        self._act(now)

    # Time.

    def _session_started(self, event: SessionStarted) -> None:
        if self._started:
            return  # over another connection
        self._started = True
        self._began = self._active_at = self._clock.now()
        if self._budget.duration or self._budget.idle:
            self._spawn(self._watch())

    async def _watch(self) -> None:
        while due := [when for when in self._judge_times() if when > self._clock.now()]:
            await self._clock.sleep_until(min(due))

    def _judge_times(self) -> list[float]:
        """Tell what is due, and return when something may be next."""
        now, budget = self._clock.now(), self._budget
        due = []
        if budget.duration:
            due += self._judge_time("duration", budget.duration, self._began, now)
        if budget.idle:
            busy = self._running or self._calls or self._speaking
            since = now if busy else self._active_at
            due += self._judge_time("idle", budget.idle, since, now)
            due += _moments(budget.idle, now)  # of a silence that would begin now
        return [] if self._over else due

    def _judge_time(self, limit: str, bound: Bound, since: float, now: float) -> list[float]:
        *near, most = moments = _moments(bound, since)
        if now >= most:
            self._reached(limit, bound, now - since)
        elif near and now >= near[0]:
            self._near(limit, bound, now - since)
        return moments

    # Activity.

    def _act(self, now: float) -> None:
        self._active_at = max(self._active_at, now)
        self._told -= {("idle", LimitNear), ("idle", LimitReached)}

    def _active(self, event: Event) -> None:
        self._act(event.received_at)

    def _speech_started(self, event: SpeechStarted) -> None:
        self._speaking = True
        self._active(event)

    def _speech_stopped(self, event: Event) -> None:
        self._speaking = False
        self._active(event)

    def _response_started(self, event: ResponseStarted) -> None:
        self._speaking = False
        self._running.add(event.response_id)
        self._active(event)

    def _stream_opened(self, event: StreamOpened) -> None:
        if event.kind is StreamKind.AUDIO and event.response_id is not None:
            self._sounds_from.setdefault(event.response_id, event.received_at)
        self._active(event)

    def _interrupted(self, event: Interrupted) -> None:
        self._sounds_from.pop(event.response_id, None)
        self._active_at = event.received_at

    def _response_done(self, event: ResponseDone) -> None:
        self._running.discard(event.response_id)
        began = self._sounds_from.pop(event.response_id, None)
        heard = 0.0 if began is None else began + (event.audio_ms or 0.0) / 1000
        self._act(max(event.received_at, heard))

    def _tool_called(self, event: ToolCall) -> None:
        self._calls.add(event.call_id)
        self._active(event)

    def _calls_cancelled(self, event: ToolCallCancelled) -> None:
        self._calls -= set(event.call_ids)
        self._active(event)

    # Tokens and money.

    def _used(self, event: Event) -> None:
        if not self._judging:
            self._judging = True
            asyncio.get_running_loop().call_soon(self._judge_usage)

    def _judge_usage(self) -> None:
        self._judging = False
        usage = self._usage()
        if self._budget.tokens:
            tokens = usage.total_tokens + usage.transcribed.total_tokens
            self._judge("tokens", self._budget.tokens, tokens)
        if self._budget.cost:
            from unirt.prices import price_session

            self._judge("cost", self._budget.cost, price_session(usage).known)

    def _judge(self, limit: str, bound: Bound, used: float | Decimal) -> None:
        if used >= bound.most:
            self._reached(limit, bound, used)
        elif bound.near is not None and used >= bound.near:
            self._near(limit, bound, used)

    # Telling.

    def _near(self, limit: str, bound: Bound, used: float | Decimal) -> None:
        if not self._over and self._first(limit, LimitNear):
            near = LimitNear(
                origin=self._origin(), synthesised=True, limit=limit, used=used, most=bound.most
            )
            self._tell([near])

    def _reached(self, limit: str, bound: Bound, used: float | Decimal) -> None:
        if self._over or not self._first(limit, LimitReached):
            return
        event = LimitReached(
            origin=self._origin(),
            synthesised=True,
            limit=limit,
            used=used,
            most=bound.most,
            ends=bound.ends,
        )
        self._tell([event])
        if bound.ends:
            self._over = True
            self._end(event)

    def _first(self, limit: str, kind: type[Event]) -> bool:
        key = limit, kind
        if key in self._told:
            return False
        self._told.add(key)
        return True

    def _origin(self) -> Origin:
        return Origin(self._provider(), self._clock.now())


def _moments(bound: Bound, since: float) -> list[float]:
    """When it is near, where that is told, and when it is reached."""
    amounts = [bound.most] if bound.near is None else [bound.near, bound.most]
    return [since + float(amount) for amount in amounts]


def closed_error(
    verb: str, closed: SessionClosed | None, limit: LimitReached | None
) -> SessionClosedError:
    """What a verb raises on a session that is over."""
    code = None if closed is None else closed.code
    reason = "" if closed is None else closed.reason
    if limit is None:
        return SessionClosedError(verb, code=code, reason=reason)
    return LimitReachedError(
        verb, limit=limit.limit, used=limit.used, most=limit.most, code=code, reason=reason
    )
