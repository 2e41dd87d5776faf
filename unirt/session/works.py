"""
Functions of the application's that a session runs: tools, and who approves of them.

An asynchronous one is a task, a plain one a thread. What it raises is a value here, and never the
exception of a task, so nothing that it does can end anything but itself.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import math
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import attrs

from unirt.errors import ToolError
from unirt.log import Log, logger, marked
from unirt.session.threads import in_thread
from unirt.tools.context import Approve, ToolRequest, ToolResult
from unirt.tools.function import is_async

__all__ = ["Refusal", "Work", "Works", "cut", "plain", "refusal_of", "result_of"]

_LOG = logger(__name__)

Work = asyncio.Task[Callable[[], Any]]
"A function that runs. Its result is to be called: it returns what the function did, or raises it."

Refusal = tuple[str, BaseException | None]
"What the model is told, and what was raised."

NOT_APPROVED = "the call was not approved"

_RUNNING: ContextVar[Works | None] = ContextVar("unirt_works", default=None)
"Whose function runs here, in whatever task of its own."


class Works:
    """
    The functions that one session runs.

    Args:
        mark: Whose they are, for the log.
    """

    def __init__(self, mark: str) -> None:
        self._log = marked(_LOG, mark)
        self._works: set[asyncio.Task[Any]] = set()

    def start(self, function: Callable[[], Any], *, threaded: bool, name: str) -> Work:
        """Run a function; what it returns is awaited where it can be."""

        async def work() -> Callable[[], Any]:
            _RUNNING.set(self)
            try:
                result = (await in_thread(function, name))() if threaded else function()
                if inspect.isawaitable(result):
                    result = await result
            except (Exception, SystemExit) as exc:
                raised = exc
                return lambda: _raise(raised)
            return lambda: result

        task = asyncio.get_running_loop().create_task(work(), name=name)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        return task

    def ask(self, approve: Approve, request: ToolRequest) -> Work:
        """Ask whether a call may run; a plain function is asked in a thread."""
        threaded = not is_async(approve)
        return self.start(lambda: approve(request), threaded=threaded, name=f"ask {request.name}")

    @property
    def here(self) -> bool:
        """Whether whoever asks is one of them."""
        return _RUNNING.get() is self

    def cancel(self) -> None:
        """Cancel all of them."""
        for work in self._works:
            work.cancel()

    def excuse(self, task: asyncio.Task[Any] | None) -> None:
        """One of them wants to close the session: it is neither cancelled nor waited for."""
        if task is not None:
            self._works.discard(task)

    async def join(self, timeout: float) -> None:
        """
        Wait until those that were cancelled are over, and no longer than `timeout` seconds.

        These are real ones: what does not stop may be what would have moved the session's clock.
        """
        if self._works:
            _, stuck = await asyncio.wait(self._works, timeout=timeout)
            if stuck:
                names = ", ".join(sorted(work.get_name() for work in stuck))
                self._log.warning("not over although cancelled, and left alone: %s", names)


def result_of(work: Work) -> ToolResult:
    """
    What a tool returned, as JSON can hold it.

    Raises:
        BaseException: What it raised.
    """
    if work.cancelled():
        raise RuntimeError("the function was cancelled, and not by the session")
    value = work.result()()
    if isinstance(value, ToolResult):
        return attrs.evolve(value, output=plain(value.output))
    return ToolResult(output=plain(value))


def refusal_of(work: Work, log: Log) -> Refusal | None:
    """Why an approval is a no; ``None`` for a yes. What it raised is logged."""
    try:
        if work.cancelled():
            raise RuntimeError("the approval was cancelled, and not by the session")
        answer = work.result()()
        if not isinstance(answer, bool):
            raise TypeError(f"an approval is True or False, not {answer!r}")
    except ToolError as exc:
        return str(exc), exc
    except BaseException as exc:
        log.error("an approval raised, which is a no", exc_info=exc)
        return NOT_APPROVED, exc
    return None if answer else (NOT_APPROVED, None)


def plain(value: Any) -> Any:
    """
    A value as JSON can hold it, and as text that can be sent.

    Raises:
        ValueError: No JSON holds it.
    """
    if not (value is None or isinstance(value, str)):
        from pydantic_core import to_jsonable_python

        value = to_jsonable_python(value, bytes_mode="base64")
    return _whole(value)


def cut(output: Any, limit: int) -> Any:
    """What of an output the model gets: all of it, or its first `limit` characters as text."""
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
    if len(text) <= limit:
        return output
    return f"{text[:limit]}\n[cut here: the whole has {len(text)} characters]"


def _whole(value: Any) -> Any:
    """The same without what no frame can hold: half a surrogate pair, and endless numbers."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case str() if not value.isascii():
            return value.encode(errors="replace").decode()
        case list():
            return [_whole(inner) for inner in value]
        case dict():
            return {_whole(key): _whole(inner) for key, inner in value.items()}
        case _:
            return value


def _raise(exc: BaseException) -> Any:
    raise exc
