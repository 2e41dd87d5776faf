"""The composer itself: tools, and the beginning and end of the session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unirt.composer.answers import Answers
from unirt.composer.records import Call, Response, forget
from unirt.events import (
    Ending,
    ServerToolResult,
    SessionClosed,
    SessionStarted,
    StreamKind,
    ToolCall,
    ToolCallCancelled,
)

__all__ = ["MOVED", "Composer"]

MOVED = "reconnecting"
"By whom, and why, what runs is interrupted when the conversation moves to another connection."


class Composer(Answers):
    """Builds the events of one session; see the package for what it guarantees."""

    def _prepare(self) -> None:
        super()._prepare()
        self.closed = False
        self.calls: dict[str, Call] = {}

    def session_started(self, *, synthesised: bool = False, **fields: Any) -> bool:
        """Tell that the provider is ready; ``False`` (and nothing told) where that was told."""
        if self.started:
            return False
        self.emit(SessionStarted, synthesised=synthesised, **fields)
        return True

    def session_closed(
        self, *, code: int | None, reason: str = "", by: str = "remote", clean: bool
    ) -> None:
        """End the session: everything open is closed first. Told once."""
        if self.closed:
            return
        why = "session_closed" if clean else "connection_lost"
        ending = Ending.CANCELLED if clean else Ending.FAILED
        for key in list(self._user):
            self._close(self._user[key], Ending.INCOMPLETE, reason=why)
        for response in list(self._active.values()):
            self.response_done(response.id, ending=ending, reason=why, synthesised=True)
        self.emit(
            SessionClosed,
            synthesised=code is None,
            code=code,
            reason=reason,
            by=by,
            clean=clean,
        )
        self.closed = True

    def session_moves(self) -> None:
        """
        The conversation goes on over another connection: what runs here is interrupted.

        What was generated whole stays to be heard, so players may still report on it. Calls are not
        touched, for whoever works on them can still be heard there.
        """
        if self.closed:
            return
        for key in list(self._user):
            self._close(self._user[key], Ending.INCOMPLETE, reason=MOVED)
        for response in list(self._active.values()):
            if not response.generated:
                self.interrupt(response, by=MOVED, synthesised=True)
            self.response_done(response.id, synthesised=True)

    def tool_call(
        self,
        response: Response,
        item_id: str,
        *,
        call_id: str | None,
        name: str,
        arguments: str,
        args: Mapping[str, Any] | None,
        blocking: bool = True,
        index: int = 0,
        synthesised: bool = False,
    ) -> Call | None:
        """
        Deliver a whole call and close its stream.

        ``None`` where it is not delivered: its response was interrupted, or the call was told.
        """
        if call_id is not None and self._was_told(call_id):
            self.noted("tool_call", "this call was told before", response_id=response.id)
            return None
        entry = response.streams.get((item_id, index, StreamKind.TOOL_CALL))
        ours = entry.stream.call_id if entry is not None else None
        id_ = call_id or ours or self.mint("call")
        if entry is None:
            entry = self.open(
                response, StreamKind.TOOL_CALL, item_id, index, call_id=id_, name=name
            )
        if entry is None or entry.closed:
            self._discard(response, item_id, StreamKind.TOOL_CALL, len(arguments))
            return None
        call = Call(
            id=entry.stream.call_id or id_,
            name=name,
            response_id=response.id,
            wire_id=call_id,
            blocking=blocking,
        )
        self.calls[call.id] = call
        response.call_ids += (call.id,)
        forget(self.calls, keep=lambda known: known.pending)
        self._complete_text(entry, arguments)
        self._add(
            ToolCall(
                origin=self._origin,
                synthesised=synthesised,
                stream=entry.stream,
                name=name,
                arguments=arguments,
                args=args,
            )
        )
        self._close(entry, Ending.COMPLETE, text=arguments, synthesised=True)
        return call

    def _was_told(self, call_id: str) -> bool:
        """Whether the provider asked for this very call, here or over the connection before."""
        return self.call_named(call_id) is not None or self.named.before(call_id)

    def call_named(self, wire_id: str) -> Call | None:
        """The call that the provider calls so, while it is remembered."""
        return self.calls.get(self.named(wire_id))

    def pending_calls(self) -> list[Call]:
        """The calls that were told and neither answered nor cancelled."""
        return [call for call in self.calls.values() if call.pending]

    def cancel_calls(self, call_ids: list[str], *, synthesised: bool = False) -> None:
        """
        Tell that calls need no answer any more; those that are settled are left alone.

        Their ids are the session's or the provider's. A call that was never told here is one of
        before, which the provider remembers.
        """
        cancelled = []
        for call_id in call_ids:
            call = self.call_named(call_id)
            if call is None or call.pending:
                cancelled.append(call_id if call is None else call.id)
            if call is not None and call.pending:
                call.cancelled = True
        if not cancelled:
            self.noted("tool_call", "every call it names was settled already")
            return
        first = self.call_named(cancelled[0])
        response = self._responses.get(first.response_id) if first is not None else None
        self.emit(
            ToolCallCancelled,
            synthesised=synthesised,
            call_ids=tuple(cancelled),
            response_id=None if response is None else response.id,
            turn_id=None if response is None else response.turn_id,
        )

    def server_tool_result(
        self,
        response: Response,
        item_id: str,
        index: int = 0,
        *,
        output: str | None = None,
        error: str | None = None,
        **fields: Any,
    ) -> None:
        """Deliver what a server-side tool returned, and close its stream."""
        entry = self.open(response, StreamKind.SERVER_TOOL, item_id, index, **fields)
        if entry is None:
            self._discard(response, item_id, StreamKind.SERVER_TOOL, len(output or error or ""))
            return
        self._add(
            ServerToolResult(origin=self._origin, stream=entry.stream, output=output, error=error)
        )
        self._close(entry, Ending.COMPLETE if error is None else Ending.FAILED, synthesised=True)
