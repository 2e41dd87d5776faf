"""A run in a process of its own: what another one freed would hide what it takes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

__all__ = ["alone"]

Found = TypeVar("Found")


def alone(run: Callable[..., Coroutine[Any, Any, Found]], *args: Any, seconds: float) -> Found:
    """
    What ``await run(*args)`` gives, in a new process.

    Raises:
        TimeoutError: It takes longer than so many seconds.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_run, run, *args, seconds=seconds).result()


def _run(run: Callable[..., Coroutine[Any, Any, Found]], *args: Any, seconds: float) -> Found:
    return asyncio.run(asyncio.wait_for(run(*args), seconds))
