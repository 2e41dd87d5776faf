"""
The calls of tools that the session runs.

A call of a tool that carries its function is run here, beside everything else: the reader hands it
over in the middle of a step and goes on. The model has its result, or why there is none, as soon as
the call is over, and the application is told of the beginning and the end of each.

The rules
---------
- A call id runs once, whatever is told again.
- The arguments are checked first. What is wrong with them goes to the model, which may try again.
- Then whoever is to approve is asked, then the call waits for its turn, then it runs. The timeout
  counts from when it was approved.
- When the provider or the user cancels a call, its function is cancelled and the model gets
  nothing. The same happens to all calls when the session ends.
- A function that cannot be stopped keeps its place among those that run until it returns; what it
  returns then is told as ``late``.
- Of an exception the model learns that the tool failed, and no more, unless it is a
  :class:`~unirt.errors.ToolError`, whose text is meant for it.
- Nothing that a tool does ends the session or holds it up, but it may close it.

A call of a tool that is declared without a function is the application's to answer. A call of a
tool that nobody declared is answered here, with an error, where any tool has a function.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from unirt.clock import Clock, SupportsCancel
from unirt.commands import SendToolResult
from unirt.config import Tool
from unirt.errors import ToolError, UnirtError, UnsupportedCommand
from unirt.events import (
    Event,
    Origin,
    ToolCall,
    ToolCallCancelled,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    ToolStatus,
)
from unirt.log import logger, marked
from unirt.session.limits import Limits
from unirt.session.scope import Scope
from unirt.session.works import Refusal, Work, Works, cut, plain, refusal_of, result_of
from unirt.tools.context import Approve, ToolContext, ToolRequest, ToolResult
from unirt.tools.function import FunctionTool
from unirt.tools.inputs import Arguments, InvalidArguments

if TYPE_CHECKING:
    from unirt.session.session import Session

__all__ = ["Calls"]

_LOG = logger(__name__)

_REMEMBERED = 1_024
"Call ids that are known after their call is over."

_FAILED = "the tool failed"
"What the model learns of an exception that is not meant for it."


_Told = ToolStarted | ToolProgress | ToolFinished
"What is told of a call."


@attrs.define(eq=False)
class _Call:
    """One call while it is worked on."""

    event: ToolCall
    tool: FunctionTool | None
    crowded: bool
    "Too many others wait."
    stopped: asyncio.Future[str]
    "Done when the call is cancelled, with why."
    turn: asyncio.Future[None]
    "Done when it may run."
    started_at: float | None = None
    told: bool = False
    "Its end was told."
    timeout: asyncio.Future[None] | None = None
    "Done when it took too long."
    timer: SupportsCancel | None = None


class Calls:
    """
    The calls of one session.

    Args:
        session: Whose.
        works: Runs the functions.
        scope: Runs what looks after each call.
        clock: The time of timeouts.
        limits: The bounds of what runs and waits.
        tell: Tells events of the session's own to its views.
        approve: Asked where a tool says ``approve=True``.
    """

    def __init__(
        self,
        session: Session,
        *,
        works: Works,
        scope: Scope,
        clock: Clock,
        limits: Limits,
        tell: Callable[[list[Event]], None],
        approve: Approve | None,
    ) -> None:
        self.handlers: dict[type[Event], Callable[[Any], None]] = {
            ToolCall: self._called,
            ToolCallCancelled: self._cancelled,
        }
        "What each event does; no other does anything."
        self._session = session
        self._log = marked(_LOG, session.log_id)
        self._works = works
        self._scope = scope
        self._clock = clock
        self._limits = limits
        self._tell = tell
        self._approve = approve
        self._calls: OrderedDict[str, _Call | None] = OrderedDict()
        "By call id; ``None`` for one that is over."
        self._live = 0
        "How many are not over."
        self._running = 0
        self._waiting: deque[_Call] = deque()
        "Those that wait for their turn."
        self._passing: dict[str, Tool] = {}
        "Tools that were given for one response only."
        self._ended = False

    # Which tool.

    def offer(self, tools: Iterable[Tool]) -> None:
        """Tools that were given for one response only may be called, too."""
        self._passing = {tool.name: tool for tool in tools}

    def _declared(self) -> dict[str, Tool]:
        tools = self._session.config.tools or ()
        return {tool.name: tool for tool in tools if isinstance(tool, Tool)} | self._passing

    # What the provider says.

    def _called(self, event: ToolCall) -> None:
        if self._ended or event.call_id in self._calls:
            return
        declared = self._declared()
        tool = declared.get(event.name)
        functions = any(isinstance(known, FunctionTool) for known in declared.values())
        if not functions or not isinstance(tool, FunctionTool | None):
            return  # the application's
        loop = asyncio.get_running_loop()
        most = self._limits.tools_running + self._limits.tools_waiting
        call = _Call(event, tool, self._live >= most, loop.create_future(), loop.create_future())
        self._calls[event.call_id] = call
        self._live += 1
        self._forget()
        self._scope.spawn(self._serve(call), name=f"call of {event.name}")

    def _cancelled(self, event: ToolCallCancelled) -> None:
        for call_id in event.call_ids:
            call = self._calls.get(call_id)
            if call is not None and not call.stopped.done():
                call.stopped.set_result("the call was cancelled")

    def _forget(self) -> None:
        excess = len(self._calls) - self._live - _REMEMBERED
        if excess > 0:
            over = (call_id for call_id, call in self._calls.items() if call is None)
            for call_id in list(itertools.islice(over, excess)):
                del self._calls[call_id]

    # One call, from its arguments to its result.

    async def _serve(self, call: _Call) -> None:
        try:
            await self._handle(call)
        except UnirtError as exc:
            # The session closed meanwhile, or somebody else answered.
            self._log.info("%s has no answer from here: %s", call.event.name, exc)
            self._finish(call, ToolStatus.LATE, error=str(exc))
        except Exception as exc:
            self._log.error("the call of %s broke", call.event.name, exc_info=exc)
            self._finish(call, ToolStatus.FAILED, error=_FAILED, exception=exc)
        finally:
            self._live -= 1
            self._calls[call.event.call_id] = None
            if call.timer is not None:
                call.timer.cancel()

    async def _handle(self, call: _Call) -> None:
        tool, event = call.tool, call.event
        if tool is None:
            names = ", ".join(self._declared())
            error = f"there is no tool {event.name!r}; the tools are: {names}"
            await self._refuse(call, ToolStatus.UNKNOWN_TOOL, error)
            return
        if call.crowded:
            await self._refuse(call, ToolStatus.REJECTED, "too many calls wait; try again later")
            return
        try:
            arguments = tool.read(event.arguments)
        except InvalidArguments as exc:
            await self._refuse(call, ToolStatus.INVALID_ARGUMENTS, str(exc))
            return
        refusal = await self._refused(call, tool) if tool.approve else None
        if refusal is not None:
            await self._refuse(call, ToolStatus.REJECTED, *refusal)
        elif await self._has_turn(call, tool):
            await self._run(call, tool, arguments)
        if call.stopped.done():
            self._finish(call, ToolStatus.CANCELLED, error=call.stopped.result())

    async def _refused(self, call: _Call, tool: FunctionTool) -> Refusal | None:
        """Ask whoever is to approve; returns why it is a no."""
        event = call.event
        approve = self._approve if tool.approve is True else tool.approve
        if approve is None or isinstance(approve, bool):
            return "nobody is there to approve the call", None
        request = ToolRequest(
            name=event.name,
            arguments=event.args or {},
            call_id=event.call_id,
            turn_id=event.turn_id,
            response_id=event.response_id,
        )
        work = self._works.ask(approve, request)
        await self._first(call, work)
        if call.stopped.done():
            work.cancel()
            return None
        return refusal_of(work, self._log)

    async def _has_turn(self, call: _Call, tool: FunctionTool) -> bool:
        """Wait until the call may run; ``False`` where it is over before."""
        if call.stopped.done():
            return False
        if tool.timeout is not None:
            call.timeout = asyncio.get_running_loop().create_future()
            deadline = self._clock.now() + tool.timeout
            call.timer = self._clock.call_at(deadline, partial(call.timeout.set_result, None))
        if self._running < self._limits.tools_running:
            self._running += 1
            return True
        self._waiting.append(call)
        try:
            await self._first(call, call.turn)
        finally:
            if not call.turn.done():
                self._waiting.remove(call)
        if call.turn.done():
            if not call.stopped.done():
                return True
            self._next()
        elif not call.stopped.done():
            await self._refuse(call, ToolStatus.TIMED_OUT, _too_long(tool))
        return False

    def _next(self) -> None:
        """A place among those that run is free: somebody's turn, or nobody's."""
        if self._waiting:
            self._waiting.popleft().turn.set_result(None)
        else:
            self._running -= 1

    async def _run(self, call: _Call, tool: FunctionTool, arguments: Arguments) -> None:
        event = call.event
        context = ToolContext(
            session=self._session,
            name=event.name,
            call_id=event.call_id,
            turn_id=event.turn_id,
            response_id=event.response_id,
            report=lambda output: self._report(call, output),
        )
        call.started_at = self._clock.now()
        self._say(ToolStarted, call)
        function = tool.bound(arguments, context)
        work = self._works.start(function, threaded=not tool.waits, name=f"tool {event.name}")
        work.add_done_callback(lambda _: self._next())
        try:
            await self._first(call, work)
        finally:
            if tool.waits and not self._ended:  # else whoever ended it does so
                work.cancel()
        if work.done():
            await self._return(call, work)
            return
        if not call.stopped.done():
            await self._refuse(call, ToolStatus.TIMED_OUT, _too_long(tool))
        work.add_done_callback(lambda work: self._late(call, work))

    async def _first(self, call: _Call, what: asyncio.Future[Any]) -> None:
        """Wait for something, the timeout or the cancellation, whichever comes first."""
        waiting: set[asyncio.Future[Any]] = {what, call.stopped}
        if call.timeout is not None:
            waiting.add(call.timeout)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    # What comes of it.

    async def _return(self, call: _Call, work: Work) -> None:
        """The function is done: the model gets its result, or why there is none."""
        try:
            result = result_of(work)
        except ToolError as exc:
            await self._refuse(call, ToolStatus.FAILED, str(exc), exc)
        except BaseException as exc:
            self._log.error("the tool %s raised", call.event.name, exc_info=exc)
            await self._refuse(call, ToolStatus.FAILED, _FAILED, exc)
        else:
            await self._deliver(call, result)

    async def _deliver(self, call: _Call, result: ToolResult) -> None:
        answer = SendToolResult(
            call_id=call.event.call_id,
            output=cut(result.output, self._limits.tool_output),
            scheduling=result.scheduling,
            respond=result.respond,
        )
        error = None
        if not call.stopped.done():
            try:
                await self._session.send(answer)
            except UnsupportedCommand as exc:
                self._log.error("the result of %s cannot be sent so", call.event.name, exc_info=exc)
                await self._refuse(call, ToolStatus.FAILED, _FAILED, exc)
                return
            except UnirtError as exc:
                error = str(exc)
        if call.stopped.done():
            error = call.stopped.result()
        status = ToolStatus.COMPLETED if error is None else ToolStatus.LATE
        self._finish(call, status, output=result.output, error=error)

    async def _refuse(
        self, call: _Call, status: ToolStatus, error: str, exc: BaseException | None = None
    ) -> None:
        """The model gets an error instead of a result."""
        error = cut(plain(error), self._limits.tool_output)
        if not call.stopped.done():
            await self._session.send(SendToolResult(call_id=call.event.call_id, error=error))
        if call.stopped.done():  # the model does not have the error
            status = ToolStatus.CANCELLED if exc is None else ToolStatus.LATE
        self._finish(call, status, error=error, exception=exc)

    async def _report(self, call: _Call, output: Any) -> bool:
        output, sent = plain(output), False
        if not (call.told or call.stopped.done()):
            piece = SendToolResult(
                call_id=call.event.call_id,
                output=cut(output, self._limits.tool_output),
                more_follows=True,
            )
            try:
                await self._session.send(piece)
                sent = True
            except UnsupportedCommand:
                pass  # and the event says so
        self._say(ToolProgress, call, output=output, sent=sent)
        return sent

    def _late(self, call: _Call, work: Work) -> None:
        """A function that was given up is over: tell what it returned, where it did."""
        if work.cancelled():
            return
        fields: dict[str, Any]
        try:
            fields = {"output": result_of(work).output, "error": "nobody waited any more"}
        except BaseException as exc:
            self._log.warning("the tool %s raised when given up", call.event.name, exc_info=exc)
            fields = {"error": _FAILED, "exception": exc}
        call.told = False
        self._finish(call, ToolStatus.LATE, **fields)

    def _finish(self, call: _Call, status: ToolStatus, **fields: Any) -> None:
        if call.told:
            return
        call.told = True
        began = call.started_at
        duration = None if began is None else (self._clock.now() - began) * 1000
        self._say(ToolFinished, call, status=status, duration_ms=duration, **fields)

    def _say(self, kind: type[_Told], call: _Call, **fields: Any) -> None:
        if self._ended:
            return
        event = call.event
        told = kind(
            origin=Origin(self._session.provider, self._clock.now()),
            call_id=event.call_id,
            name=event.name,
            turn_id=event.turn_id,
            response_id=event.response_id,
            item_id=event.item_id,
            **fields,
        )
        self._tell([told])

    # The end.

    def end(self) -> None:
        """The session is ending: tell so of all calls, while that can be told."""
        for call in self._calls.values():
            if call is not None:
                self._finish(call, ToolStatus.CANCELLED, error="the session ended")
        self._ended = True


def _too_long(tool: FunctionTool) -> str:
    return f"the tool took longer than {tool.timeout:g} s"
