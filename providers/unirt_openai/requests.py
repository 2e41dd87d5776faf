"""
Asking for responses: one at a time, and never too early.

A conversation runs one response at a time; a ``response.create`` while one runs is refused with
``conversation_already_has_active_response``. Responses also start behind the application's back,
when the provider's turn detection decides so. So a request is *owed* until nothing runs, and it is
*waiting* from when it was sent until a response begins. If the provider refuses it all the same,
it is owed again, and *held* until the response that was in its way is done.

A tool round is one request: however many calls a response makes, one ``response.create`` follows
when all of them are answered and the response is done. Without these two rules parallel calls
either collide or are answered several times.

A result that is to be spoken of when idle asks *patiently*: its ``response.create`` waits until
nothing runs, what was said has been played, as far as can be known, and no turn of the user's is
open. A response that begins by itself before that knows the result, and speaks of it.

Nothing here waits forever: what the provider does not answer is given up after
:data:`PATIENCE_S`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unirt.composer import Call, Composer, Response

__all__ = ["Requests"]

PATIENCE_S = 10.0
"How long a request that nothing answers blocks the next one, in seconds."

ALREADY_ACTIVE = "conversation_already_has_active_response"
"The error code; its ``event_id`` is often null (github.com/pipecat-ai/pipecat/issues/3960)."

Ask = dict[str, Any]


class Requests:
    """
    The requests for responses of one connection.

    Args:
        composer: Knows what runs.
        say: Queues a frame, and returns its id.
    """

    def __init__(self, composer: Composer, say: Callable[..., str]) -> None:
        self._composer = composer
        self._say = say
        self._owed: list[Ask] = []
        self._last: tuple[str, Ask] | None = None
        self._waiting_since: float | None = None
        self._held_since: float | None = None
        self._unwanted = False
        self._rounds: dict[str, bool] = {}
        "By response: whether it is to be asked for at once, rather than patiently."
        self._patient = False
        "A response is wanted as soon as nobody speaks."
        self._unaware = False
        "The response that is asked for already will not know why."

    @property
    def waiting(self) -> bool:
        """Whether a request was sent that no response has answered."""
        return self._waiting_since is not None

    @property
    def deadline(self) -> float | None:
        """When :meth:`flush` should be called although nothing happened."""
        if not self._owed:
            return self._quiet_at() if self._patient else None
        since = [t for t in (self._waiting_since, self._held_since) if t is not None]
        return max(since) + PATIENCE_S if since else None

    def ask(self, response: Ask, now: float) -> None:
        """Ask for a response of the conversation, as soon as that is possible."""
        if response or response not in self._owed:
            self._owed.append(response)
        self.flush(now)

    def ask_patiently(self, now: float) -> None:
        """Ask for a response of the conversation when nobody speaks."""
        self._patient = True
        self._unaware = self.waiting
        self.flush(now)

    def ask_beside(self, response: Ask) -> None:
        """Ask for a response beside the conversation; those may overlap."""
        self._say("response.create", response=response)

    def flush(self, now: float) -> None:
        """Send the next request if nothing runs."""
        if self._patient and not self._owed and self._quiet(now):
            self._owed.append({})
        if not self._owed or self._busy(now):
            return
        response = self._owed.pop(0)
        fields = {"response": response} if response else {}
        self._last = self._say("response.create", **fields), response
        self._waiting_since = now
        self._held_since = None
        self._patient = False

    def _busy(self, now: float) -> bool:
        patience = [self._waiting_since, self._held_since]
        active = self._composer.active
        return (active is not None and not active.ended) or any(
            since is not None and now < since + PATIENCE_S for since in patience
        )

    def _quiet(self, now: float) -> bool:
        """Whether nobody speaks: nothing runs or plays, and the user has no turn open."""
        quiet_at = self._quiet_at()
        return (
            not self._busy(now)
            and not self._composer.turn_is_open
            and (quiet_at is None or now >= quiet_at)
        )

    def _quiet_at(self) -> float | None:
        """When the playback will be over, as far as it can be told; ``None`` where it is."""
        last = self._composer.playing
        if last is None:
            return None
        if last.sounding:
            return last.plays_until + PATIENCE_S  # unless the provider says that it played it
        if last.reported_ms is None:
            return last.plays_until
        return last.plays_until + PATIENCE_S  # unless its player says sooner that it is through

    def withdraw(self) -> None:
        """Nothing that was asked for is wanted any more, be it sent already or not."""
        self._owed.clear()
        self._patient = False
        self._unwanted = self.waiting

    # What the provider says.

    def begun(self) -> bool:
        """A response began; returns whether it is one that was withdrawn."""
        self._waiting_since = self._held_since = None
        self._patient, self._unaware = self._patient and self._unaware, False
        unwanted, self._unwanted = self._unwanted, False
        return unwanted

    def failed(self, code: str | None, event_id: str | None, now: float) -> None:
        """The provider reported an error, maybe about a request."""
        if self._last is None:
            return
        last_id, response = self._last
        active = code == ALREADY_ACTIVE
        if event_id != last_id and not (active and event_id is None):
            return
        self._last = self._waiting_since = None
        if active and not self._unwanted:
            self._owed.insert(0, response)
            self._held_since = now
        self._unwanted = False

    def done(self, response: Response, now: float) -> None:
        """A response is done: what waited for it may go."""
        if response.in_conversation:
            self._last = self._held_since = None
        self.settle(response.id, now)

    # Tool rounds.

    def answered(self, call: Call, *, respond: bool, patiently: bool = False) -> None:
        """The result of a call was sent."""
        if respond:
            at_once = self._rounds.get(call.response_id, False)
            self._rounds[call.response_id] = at_once or not patiently

    def settle(self, response_id: str, now: float) -> None:
        """Ask the model to go on if the tool round of the response is complete."""
        response = self._composer.response(response_id)
        pending = any(c.response_id == response_id for c in self._composer.pending_calls())
        if pending or (response is not None and not response.ended):
            return
        at_once = self._rounds.pop(response_id, None)
        if at_once is None:
            self.flush(now)
        elif at_once:
            self.ask({}, now)
        else:
            self.ask_patiently(now)

    def abandon(self, response_id: str) -> None:
        """The response was cut short: nobody waits for its tool round."""
        self._rounds.pop(response_id, None)
