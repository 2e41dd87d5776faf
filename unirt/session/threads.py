"""
Plain functions, each in a thread of its own.

The threads are daemons: a function that never returns must not keep the program from ending, and
nothing can stop it. So the loop's own pool is not used, which would wait for it; and whoever calls
this bounds how many there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

__all__ = ["in_thread"]


def in_thread(function: Callable[[], Any], name: str) -> asyncio.Future[Callable[[], Any]]:
    """
    Run a function in a new thread, with the context variables of here.

    The future's result is to be called: it returns what the function returned, or raises what it
    raised. The future may be cancelled; the function goes on then, and is not heard of.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Callable[[], Any]] = loop.create_future()
    context = copy_context()

    def tell(outcome: Callable[[], Any]) -> None:
        if not future.done():
            future.set_result(outcome)

    def body() -> None:
        try:
            result = context.run(function)
        except BaseException as exc:
            outcome = _raising(exc)
        else:
            outcome = lambda: result  # noqa: E731  (a value that is not there yet)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, outcome)

    threading.Thread(target=body, name=name, daemon=True).start()
    return future


def _raising(exc: BaseException) -> Callable[[], Any]:
    def outcome() -> Any:
        raise exc

    return outcome
