"""
Memories that forget: what is remembered for whoever speaks of it late, and not for ever.

The oldest are forgotten together, some dozens at a time, for a dict is slow to find its first key
where many before it are gone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["SWEEP", "forget_oldest"]

SWEEP = 64
"How many more may gather before the oldest are forgotten, all at once."

V = TypeVar("V")


def forget_oldest(
    memory: dict[Any, V],
    bound: int,
    *,
    sweep: int = SWEEP,
    keep: Callable[[V], bool] | None = None,
) -> None:
    """
    Forget what is beyond a bound, once enough of it has gathered.

    Args:
        memory: In the order in which things were remembered.
        bound: How many stay.
        sweep: How many more may gather first.
        keep: Whether to keep a value, however old it is; by default none.
    """
    excess = len(memory) - bound
    if excess < sweep:
        return
    old = memory if keep is None else (key for key, value in memory.items() if not keep(value))
    for key in list(itertools.islice(old, excess)):
        del memory[key]
