"""
Updates: changes of the settings of a session that runs.

What a provider can change in a running session, and when, is in its facts
(:attr:`~unirt.capabilities.Capabilities.changes`). The rest takes a new connection, to which the
session moves with its conversation; see :mod:`unirt.session.moves`.

While an answer runs, what takes a new connection waits until that is over, and so does what the
provider changes between answers only. Changes that wait are made together, and
``UpdateSettled`` tells what became of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import attrs

from unirt.capabilities import Change, Changing
from unirt.commands import Command, UpdateSession
from unirt.config import SessionConfig
from unirt.errors import UnirtError, UnsupportedSetting
from unirt.events import Event, Origin, UpdateSettled
from unirt.log import logger, marked
from unirt.session.link import Link
from unirt.session.moves import Moves
from unirt.update import Outcome, Settled, Updated

__all__ = ["Updates"]

_LOG = logger(__name__)

_PATIENCE_S = 60.0
"How long what was put off waits for an answer that does not end."

_ON_ITS_WAY = frozenset(
    {"turn_detection", "input_transcription", "noise_reduction", "input_format"}
)
"Settings of what the user says, which an answer that runs has nothing to do with."


class Updates:
    """
    The updates of one session.

    Args:
        link: Tells the connection in use.
        moves: Gets another one.
        send: Says a command.
        accepted: Is told of one that was done without being said.
        tell: Tells events of the session's own to its views.
        spawn: Runs a task of the session.
        now: The time of the session's events.
        mark: Whose they are, for the log.
    """

    def __init__(
        self,
        link: Callable[[], Link],
        moves: Moves,
        *,
        send: Callable[[Command], Awaitable[None]],
        accepted: Callable[[Command], None],
        tell: Callable[[Sequence[Event]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        now: Callable[[], float],
        mark: str,
    ) -> None:
        self._log = marked(_LOG, mark)
        self._link = link
        self._moves = moves
        self._send = send
        self._accepted = accepted
        self._tell = tell
        self._spawn = spawn
        self._now = now
        self._waiting: SessionConfig | None = None
        "What was put off."

    async def update(
        self, changes: SessionConfig, *, reconnect: bool, strict: bool, may_wait: bool = True
    ) -> Updated:
        """
        Change settings.

        Args:
            changes: Those that are set.
            reconnect: Whether a new connection is allowed.
            strict: Whether nothing is changed where one of them cannot be.
            may_wait: Whether what an answer is in the way of is put off.

        Raises:
            UnsupportedSetting: One of them cannot be changed, and `strict` was asked for.
        """
        await self._moves.settled()
        changing = {name: self._changing(name, changes) for name in _given(changes)}
        refused: dict[str, Settled] = {}
        for name, how in changing.items():
            never = how.change is Change.NEVER
            if never or (how.change is Change.RECONNECT and not reconnect):
                remedy = how.remedy if never else "allow a new connection, with reconnect=True"
                if strict:
                    raise self._refusal(name, how.why, remedy)
                refused[name] = Settled(Outcome.REFUSED, how.why)
        wanted = {name: how for name, how in changing.items() if name not in refused}
        done = await self._make(_only(changes, wanted), wanted, may_wait) if wanted else {}
        return Updated({name: refused.get(name) or done[name] for name in changing})

    def _changing(self, name: str, changes: SessionConfig) -> Changing:
        """How a setting can change now, what its new value is included."""
        translator = self._link().translator
        try:
            translator.capabilities.check_config(_only(changes, (name,)))
        except UnsupportedSetting as exc:
            return Changing(Change.NEVER, exc.what, remedy=exc.remedy)
        return translator.changing(name)

    def _refusal(self, name: str, why: str, remedy: str) -> UnsupportedSetting:
        facts = self._link().translator.capabilities
        return UnsupportedSetting(
            name,
            provider=facts.provider,
            model=facts.model,
            why=why or "it cannot change in a running session",
            remedy=remedy or "open a new session",
        )

    async def _make(
        self, changes: SessionConfig, wanted: dict[str, Changing], may_wait: bool
    ) -> dict[str, Settled]:
        kinds = {how.change for how in wanted.values()}
        boundary = self._moves.boundary
        if may_wait and not boundary.here and kinds - {Change.IN_PLACE}:
            return self._put_off(changes, wanted)
        if Change.RECONNECT in kinds:
            await self._moves.renew(changes)
            self._accepted(UpdateSession(changes=changes))
            return {
                name: Settled(
                    Outcome.RECONNECTED if how.change is Change.RECONNECT else Outcome.APPLIED,
                    how.why,
                )
                for name, how in wanted.items()
            }
        await self._send(UpdateSession(changes=changes))
        return {
            name: Settled(Outcome.DEFERRED, "the answer that runs goes on as it began")
            if boundary.speaking and name not in _ON_ITS_WAY
            else Settled(Outcome.APPLIED)
            for name in wanted
        }

    # What waits.

    def _put_off(self, changes: SessionConfig, wanted: dict[str, Changing]) -> dict[str, Settled]:
        if self._waiting is None:
            self._waiting = changes
            self._spawn(self._when_due())
        else:
            self._waiting = self._waiting.merged(changes)
        return {
            name: Settled(Outcome.DEFERRED, how.why or "an answer runs")
            for name, how in wanted.items()
        }

    async def _when_due(self) -> None:
        await self._moves.boundary.wait(_PATIENCE_S)
        changes, self._waiting = self._waiting, None
        if changes is None:
            return
        names = tuple(_given(changes))
        try:
            done = await self.update(changes, reconnect=True, strict=False, may_wait=False)
        except UnirtError as exc:
            self._log.warning("settings that were put off are not in force: %s", exc)
            done = Updated({name: Settled(Outcome.REFUSED, str(exc)) for name in names})
        self._tell([UpdateSettled(origin=Origin(self._link().provider, self._now()), result=done)])


def _given(changes: SessionConfig) -> list[str]:
    """The names of the settings that are set."""
    fields = attrs.fields(SessionConfig)
    return [field.name for field in fields if getattr(changes, field.name) is not None]


def _only(changes: SessionConfig, names: Sequence[str] | dict[str, Changing]) -> SessionConfig:
    return SessionConfig(**{name: getattr(changes, name) for name in names})
