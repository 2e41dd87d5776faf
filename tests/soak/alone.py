"""A run in a process of its own: what another one freed would hide what it takes."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

__all__ = ["alone"]

Found = TypeVar("Found")


def alone(run: Callable[..., Coroutine[Any, Any, Found]], *args: Any) -> Found:
    """What ``await run(*args)`` gives, in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_run, run, *args).result()


def _run(run: Callable[..., Coroutine[Any, Any, Found]], *args: Any) -> Found:
    return asyncio.run(run(*args))
