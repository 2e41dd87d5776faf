"""A climb: how many steps of a series can be held, each harder than the one before."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["climbed"]

Try = Callable[[int], bool]
"Says of a step, counted from 0, whether it was held."


def climbed(steps: int, *, looks: Try, holds: Try) -> int:
    """
    How many steps are held: the last of them is, and the one after it is not.

    A look at each step finds about where that is. What a look says there is chance as well, so
    from there it is up to the better measurement, one step up or down after the other.

    Args:
        steps: How many there are.
        looks: A quick look at a step.
        holds: A better one.
    """
    step = 0
    while step < steps and looks(step):
        step += 1
    if step < steps and holds(step):
        step += 1
        while step < steps and holds(step):
            step += 1
        return step
    while step and not holds(step - 1):
        step -= 1
    return step
