"""
Approvals of tools that the provider runs.

Where the application gave ``connect()`` somebody to ask, a provider's request for an approval is
answered here. Where it did not, the request is only told, and the application answers it with
``session.approve()``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from unirt.errors import UnirtError
from unirt.events import ApprovalRequested, ApprovalSettled, Event, Origin
from unirt.log import logger, marked
from unirt.session.scope import Scope
from unirt.session.works import Works, refusal_of
from unirt.tools.context import Approve, ToolRequest
from unirt.wire import parse_frame

if TYPE_CHECKING:
    from unirt.session.session import Session

__all__ = ["Approvals"]

_LOG = logger(__name__)


class Approvals:
    """
    The approvals of one session.

    Args:
        session: Whose.
        works: Runs the callback.
        scope: Runs what waits for it.
        now: The session's clock.
        tell: Tells events of the session's own to its views.
        approve: Who is asked; ``None`` for nobody.
    """

    def __init__(
        self,
        session: Session,
        *,
        works: Works,
        scope: Scope,
        now: Callable[[], float],
        tell: Callable[[list[Event]], None],
        approve: Approve | None,
    ) -> None:
        self.handlers: dict[type[Event], Callable[[Any], None]] = {}
        "What each event does; no other does anything."
        if approve is not None:
            self.handlers[ApprovalRequested] = self._requested
        self._session = session
        self._log = marked(_LOG, session.log_id)
        self._works = works
        self._scope = scope
        self._now = now
        self._tell = tell
        self._approve = approve

    def _requested(self, event: ApprovalRequested) -> None:
        self._scope.spawn(self._settle(event), name=f"approval of {event.name}")

    async def _settle(self, event: ApprovalRequested) -> None:
        assert self._approve is not None  # noqa: S101  (else nothing is handled)
        request = ToolRequest(
            name=event.name or "",
            arguments=_parsed(event.arguments),
            call_id=event.approval_id,
            server=event.server,
            turn_id=event.turn_id,
            response_id=event.response_id,
        )
        work = self._works.ask(self._approve, request)
        await asyncio.wait({work})
        refusal = refusal_of(work, self._log)
        reason, exc = refusal or (None, None)
        try:
            await self._session.approve(event.approval_id, refusal is None, reason=reason)
        except UnirtError as error:
            self._log.info("the approval of %s was not sent: %s", event.name, error)
            return
        settled = ApprovalSettled(
            origin=Origin(self._session.provider, self._now()),
            approval_id=event.approval_id,
            name=event.name,
            approved=refusal is None,
            reason=reason,
            exception=exc,
            turn_id=event.turn_id,
            response_id=event.response_id,
        )
        self._tell([settled])

    def end(self) -> None:
        """The session is ending."""
        self.handlers.clear()


def _parsed(arguments: str | None) -> dict[str, Any]:
    try:
        parsed = parse_frame(arguments or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
