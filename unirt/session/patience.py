"""
Patience: how long a session waits for an answer, and for more of one that has begun.

An answer is due when the user's turn is over, when the application asked for one, and when the last
result of the calls of a response went out. It has come when a response begins. Until then the time
counts, but not while another response runs or the user speaks. Where the provider does not tell
when the user stops, the words that it transcribes are what there is, and the last of them counts.

A response that runs is silent when nothing of it comes. That is no silence while the application
owes it the result of a tool, nor while a provider that has sent all of it waits for the end of its
playback. To look at every piece of audio would cost all sessions what few need; so a response is
looked at four times in its time, from each look until the first piece after it. A silence is told
at most a quarter of its time late.

Each wait is told once. What it means besides is the application's choice: nothing, or that the
connection is lost, so that another one is opened, and the answer asked for there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unirt.clock import Clock
from unirt.commands import (
    CancelResponse,
    Command,
    EndTurn,
    Interrupt,
    Respond,
    SendImage,
    SendText,
    SendToolResult,
    StartTurn,
)
from unirt.config import Manual, SessionConfig
from unirt.events import (
    ContentDiscarded,
    Event,
    GenerationDone,
    InputCommitted,
    InteractionStatus,
    Origin,
    OutputItemAdded,
    OutputItemDone,
    Reconnecting,
    ResponseDone,
    ResponseOverdue,
    ResponseStarted,
    ServerToolStatus,
    SessionClosed,
    SpeechStarted,
    SpeechStopped,
    StreamClosed,
    StreamKind,
    StreamOpened,
    ToolCall,
    ToolCallCancelled,
    TranscriptDelta,
    TranscriptInterim,
)
from unirt.grammar import GROWTH
from unirt.session.owed import Owed
from unirt.session.state import State
from unirt.session.timer import Timer
from unirt.timeouts import Timeouts

__all__ = ["Patience"]

_LOOKS = 4
"How often a response is looked at in the time that it may be silent."
_REMEMBERED = 64
"Turns that were answered, and are known."
_SIGNS = frozenset(
    {
        *GROWTH,
        ToolCall,
        StreamOpened,
        StreamClosed,
        GenerationDone,
        OutputItemAdded,
        OutputItemDone,
        ServerToolStatus,
        ContentDiscarded,
    }
)
"What shows that a response goes on."


class Patience:
    """
    Args:
        timeouts: How long is waited.
        provider: Tells the provider's registered name, for events.
        clock: The session's.
        state: Has it called with what happens.
        config: Tells what is in force.
        playing: Tells whether some of a response is left to be played.
        tell: Tells events of the session's own to its views.
        lost: Is told why the connection counts as lost.
        fail: Is told what broke.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        provider: Callable[[], str],
        clock: Clock,
        state: State,
        config: Callable[[], SessionConfig],
        playing: Callable[[str], bool],
        tell: Callable[[Sequence[Event]], None],
        lost: Callable[[str], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._timeouts = timeouts
        self._soonest = min(timeouts.answer, timeouts.silence / _LOOKS)
        "How long after it began a wait is looked at first, in seconds."
        self._provider = provider
        self._now = clock.now
        self._state = state
        self._config = config
        self._playing = playing
        self._tell = tell
        self._lost = lost
        self._timer = Timer(clock, ring=self._ring, fail=fail)
        self._rings_at: float | None = None
        self._due: dict[bool, float] = {}
        "Since when an answer is due; in the conversation, and beside it."
        self._speaking = False
        self._quiet: dict[str, float] = {}
        "The responses that run: since when nothing came of each, where nothing did."
        self._unheard: set[str] = set()
        "Those of which nothing came since."
        self._told: set[str] = set()
        "Those whose silence was told."
        self._inside: set[str] = set()
        "Those that are in the conversation."
        self._sent: set[str] = set()
        "Those whose content was all sent."
        self._owed = Owed()
        self._answered: deque[str | None] = deque(maxlen=_REMEMBERED)
        "The turns that have an answer: what is told of them now comes late."
        self._words = dict.fromkeys((TranscriptDelta, TranscriptInterim), self._word)
        handlers: Mapping[type[Event], Callable[[Any], None]] = {
            SpeechStarted: self._speech_started,
            SpeechStopped: self._turn_ended,
            InputCommitted: self._turn_ended,
            StreamOpened: self._stream_opened,
            InteractionStatus: self._status_told,
            ResponseStarted: self._started,
            GenerationDone: self._generated,
            ToolCall: self._called,
            ToolCallCancelled: self._cancelled,
            ResponseDone: self._done,
            Reconnecting: self._over,
            SessionClosed: self._over,
        }
        state.listen(handlers)

    def said(self, command: Command) -> None:
        """The application said something, and it was accepted; or the session did."""
        match command:
            case StartTurn():
                self._speaking = True
            case EndTurn():
                self._speaking = False
                self._is_due(command.respond)
            case SendText() | SendImage():
                self._is_due(command.respond)
            case Respond():
                self._is_due(True, inside=command.in_conversation)
            case Interrupt() | CancelResponse():
                self._due.clear()
            case SendToolResult():
                self._result(command)
            case _:
                pass

    # What is due.

    def _is_due(self, due: bool, *, inside: bool = True) -> None:
        if due:
            self._due[inside] = self._now()
            self._watch()

    def _result(self, command: SendToolResult) -> None:
        if (settled := self._owed.settle(command)) is not None:
            response_id, answered = settled
            self._unheard.discard(response_id or "")  # from here on it may be silent
            self._is_due(answered and response_id not in self._quiet)

    @property
    def _by_itself(self) -> bool:
        """Whether the provider answers what it hears without being asked."""
        detection = self._config().turn_detection
        answers = getattr(detection, "respond", None) is not False
        return answers and not isinstance(detection, Manual)

    def _speech_started(self, event: SpeechStarted) -> None:
        self._speaking = True

    def _turn_ended(self, event: Event) -> None:
        self._speaking = False
        self._is_due(self._by_itself or True in self._due)

    def _stream_opened(self, event: StreamOpened) -> None:
        if event.role == "user" and event.kind is StreamKind.TRANSCRIPT:
            late = self._inside or event.turn_id in self._answered
            if self._by_itself and not late and not self._speaking:
                self._is_due(True)
                self._state.listen(self._words)

    def _word(self, event: TranscriptDelta | TranscriptInterim) -> None:
        if event.role == "user" and True in self._due:
            self._due[True] = event.received_at

    def _status_told(self, event: InteractionStatus) -> None:
        if event.status in ("waiting", "idle"):
            self._due.pop(True, None)

    # What runs.

    def _started(self, event: ResponseStarted) -> None:
        response_id = event.response_id
        self._due.pop(event.in_conversation, None)
        self._state.ignore(self._words)
        if event.in_conversation:
            self._speaking = False
            self._answered.append(event.turn_id)
            self._inside.add(response_id)
        self._quiet[response_id] = self._now()
        if not self._unheard:
            self._state.look_on(self._look)
        self._unheard.add(response_id)
        self._watch()

    def _look_for(self, unheard: set[str]) -> None:
        self._unheard = unheard
        self._state.look_on(self._look if unheard else None)

    def _look(self, events: Sequence[Event]) -> None:
        for event in events:
            if not self._unheard:
                break
            if type(event) in _SIGNS:
                self._unheard.discard(event.response_id or "")
        if not self._unheard:
            self._state.look_on(None)

    def _generated(self, event: GenerationDone) -> None:
        self._sent.add(event.response_id)

    def _called(self, event: ToolCall) -> None:
        self._owed.add(event.call_id, event.response_id)

    def _cancelled(self, event: ToolCallCancelled) -> None:
        self._owed.drop(event.call_ids)

    def _done(self, event: ResponseDone) -> None:
        self._quiet.pop(event.response_id, None)
        for known in (self._unheard, self._told, self._inside, self._sent):
            known.discard(event.response_id)
        if True in self._due and not self._inside:
            self._is_due(True)  # it had to wait for this one

    def _over(self, event: Event) -> None:
        """The connection is left: nothing of all that will come."""
        self._due.clear()
        self._owed.clear()
        self._quiet.clear()
        for known in (self._unheard, self._told, self._inside, self._sent):
            known.clear()
        self._speaking = False
        self._timer.cancel()
        self._rings_at = None

    # Time.

    def _watch(self) -> None:
        """Have the timer ring when something may be overdue, where it would ring later."""
        now, timeouts = self._now(), self._timeouts
        if self._rings_at is not None and self._rings_at <= now + self._soonest:
            return  # soon enough for what begins now; for what began before it was set
        looks = [since + timeouts.answer for since in self._due.values()]
        for since in self._quiet.values():
            looks += [now + timeouts.silence / _LOOKS, since + timeouts.silence]
        when = min((look for look in looks if look > now), default=float("inf"))
        if when < (self._rings_at or float("inf")):
            self._rings_at = when
            self._timer.set(when)

    def _ring(self) -> None:
        self._rings_at = None
        overdue = [*self._late_answers(), *self._silences()]
        self._look_for(set(self._quiet))
        self._watch()
        if overdue:
            self._tell(overdue)
            if overdue[0].reconnects:
                self._lost(f"nothing of the answer was heard for {overdue[0].waited:g} s")

    def _late_answers(self) -> list[ResponseOverdue]:
        now, found = self._now(), []
        for inside, since in list(self._due.items()):
            if inside and (self._inside or self._speaking):
                continue
            if now >= since + self._timeouts.answer:
                del self._due[inside]
                found.append(self._overdue("answer", now - since))
        return found

    def _silences(self) -> list[ResponseOverdue]:
        now, found = self._now(), []
        for response_id, since in self._quiet.items():
            played = response_id in self._sent and self._playing(response_id)
            if response_id not in self._unheard or played or response_id in self._owed.responses:
                self._quiet[response_id] = now
                self._told.discard(response_id)
            elif now >= since + self._timeouts.silence and response_id not in self._told:
                self._told.add(response_id)
                found.append(self._overdue("silence", now - since, response_id))
        return found

    def _overdue(self, what: str, waited: float, response_id: str | None = None) -> ResponseOverdue:
        return ResponseOverdue(
            origin=Origin(self._provider(), self._now()),
            response_id=response_id,
            what=what,
            waited=waited,
            reconnects=self._timeouts.at_overdue == "reconnect",
        )
